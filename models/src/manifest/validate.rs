//! From what was written to what holds. Each check names the key and what is allowed.

use super::{DetectorKind, FORMAT, Manifest, ManifestError, Metric, RawManifest, Threshold};

impl TryFrom<RawManifest> for Manifest {
    type Error = ManifestError;

    fn try_from(raw: RawManifest) -> Result<Self, ManifestError> {
        if raw.format != FORMAT {
            return Err(ManifestError::Format(raw.format));
        }
        text("version", &raw.version, 64)?;
        text("licence", &raw.licence, 4_000)?;
        text("provenance", &raw.provenance, 4_000)?;
        detector(&raw)?;
        if let Some(landmarks) = &raw.landmarks {
            side("landmarks.size", landmarks.size)?;
            input("landmarks.mean", "landmarks.divide", landmarks.mean, landmarks.divide)?;
        }
        embedder(&raw)?;
        threshold(&raw.threshold, raw.embedder.metric)?;
        distinct_files(&raw)?;
        let RawManifest {
            format,
            name,
            version,
            licence,
            provenance,
            detector,
            landmarks,
            embedder,
            threshold,
        } = raw;
        Ok(Self { format, name, version, licence, provenance, detector, landmarks, embedder, threshold })
    }
}

fn refuse(field: &'static str, problem: impl Into<String>) -> ManifestError {
    ManifestError::Invalid { field, problem: problem.into() }
}

fn text(field: &'static str, value: &str, longest: usize) -> Result<(), ManifestError> {
    if value.trim().is_empty() {
        return Err(refuse(field, "is empty: say what it is"));
    }
    if value.chars().count() > longest {
        return Err(refuse(field, format!("is longer than {longest} characters")));
    }
    // A manifest is printed on terminals; only line breaks may be in it.
    if value.chars().any(|c| c.is_control() && c != '\n') {
        return Err(refuse(field, "holds a control character"));
    }
    Ok(())
}

fn input(
    mean_field: &'static str,
    divide_field: &'static str,
    mean: [f32; 3],
    divide: f32,
) -> Result<(), ManifestError> {
    if !mean.iter().all(|value| (0.0..=255.0).contains(value)) {
        return Err(refuse(mean_field, "must be three numbers from 0 to 255"));
    }
    if !(divide.is_finite() && divide > 0.0) {
        return Err(refuse(divide_field, "must be a number above 0"));
    }
    Ok(())
}

fn side(field: &'static str, size: u32) -> Result<(), ManifestError> {
    if (16..=1024).contains(&size) {
        Ok(())
    } else {
        Err(refuse(field, format!("is {size}: it must be 16 to 1024 pixels")))
    }
}

fn detector(raw: &RawManifest) -> Result<(), ManifestError> {
    let detector = &raw.detector;
    input("detector.mean", "detector.divide", detector.mean, detector.divide)?;
    if detector.scales.is_empty() || detector.scales.len() > 8 {
        return Err(refuse("detector.scales", "must be 1 to 8 numbers"));
    }
    for scale in &detector.scales {
        if scale % 32 != 0 || !(64..=4096).contains(scale) {
            return Err(refuse(
                "detector.scales",
                format!("holds {scale}: each must be a multiple of 32 from 64 to 4096"),
            ));
        }
    }
    if !detector.scales.is_sorted_by(|a, b| a < b) {
        return Err(refuse("detector.scales", "must ascend without repetition"));
    }
    for (field, value) in
        [("detector.score_threshold", detector.score_threshold), ("detector.nms_iou", detector.nms_iou)]
    {
        if !(value > 0.0 && value < 1.0) {
            return Err(refuse(field, "must lie between 0 and 1, both excluded"));
        }
    }
    match detector.kind {
        DetectorKind::TinyFace if raw.landmarks.is_none() => {
            Err(refuse("landmarks", "is missing: a tiny_face detector gives no points to align by"))
        }
        DetectorKind::TinyFace | DetectorKind::YuNet | DetectorKind::Scrfd => Ok(()),
    }
}

fn embedder(raw: &RawManifest) -> Result<(), ManifestError> {
    let embedder = &raw.embedder;
    input("embedder.mean", "embedder.divide", embedder.mean, embedder.divide)?;
    side("embedder.size", embedder.size)?;
    if !(16..=4096).contains(&embedder.dimension) {
        return Err(refuse(
            "embedder.dimension",
            format!("is {}: it must be 16 to 4096", embedder.dimension),
        ));
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 1024")]
    let size = embedder.size as f32;
    let [left_eye, right_eye, nose, left_mouth, right_mouth] = embedder.template;
    let inside = embedder.template.iter().flatten().all(|value| (0.0..=size).contains(value));
    // Points in another order align every face alike, and wrongly: nothing later would notice.
    let upright = left_eye[0] < right_eye[0]
        && left_mouth[0] < right_mouth[0]
        && left_eye[1].max(right_eye[1]) < nose[1]
        && nose[1] < left_mouth[1].min(right_mouth[1]);
    if !inside || !upright {
        return Err(refuse(
            "embedder.template",
            "must be five points on the chip: eye on the image's left, eye on its right, nose tip, mouth corner on the left, mouth corner on the right",
        ));
    }
    Ok(())
}

fn threshold(threshold: &Threshold, metric: Metric) -> Result<(), ManifestError> {
    let lowest = match metric {
        Metric::Cosine => -1.0,
        // Distances between embeddings of unknown scale: finite is all that can be asked.
        Metric::Euclidean => f64::MIN,
    };
    if !(lowest..=1.0).contains(&threshold.similarity) {
        return Err(refuse(
            "threshold.similarity",
            "must be a similarity: at most 1, and at least -1 for the cosine metric",
        ));
    }
    text("threshold.source", &threshold.source, 1_000)?;
    text("threshold.meaning", &threshold.meaning, 1_000)
}

fn distinct_files(raw: &RawManifest) -> Result<(), ManifestError> {
    let landmarks = raw.landmarks.as_ref().map(|part| &part.file);
    let (detector, embedder) = (&raw.detector.file, &raw.embedder.file);
    if detector == embedder || landmarks == Some(detector) || landmarks == Some(embedder) {
        return Err(refuse("file", "names one file for two parts"));
    }
    Ok(())
}
