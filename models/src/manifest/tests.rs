#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Manifest, ManifestError};

const EXAMPLE: &str = include_str!("example.toml");

fn refusal(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "{from}");
    Manifest::parse(&EXAMPLE.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn the_example_reads_and_what_is_written_reads_back_equal() {
    let manifest = Manifest::parse(EXAMPLE).unwrap();
    assert_eq!(Manifest::parse(&manifest.to_toml().unwrap()).unwrap(), manifest);
    let current = crate::import::current().unwrap();
    assert_eq!(Manifest::parse(&current.to_toml().unwrap()).unwrap(), current);
}

#[test]
fn an_unknown_key_is_refused_in_every_table() {
    for table in ["format = 1", "[detector]", "[landmarks]", "[embedder]", "[threshold]"] {
        let text = refusal(table, &format!("{table}\nsize_px_of_nothing = 3"));
        assert!(text.contains("unknown field `size_px_of_nothing`"), "{text}");
    }
}

#[test]
fn a_missing_key_is_refused_by_name() {
    assert!(refusal("divide = 256.0\n", "").contains("missing field `divide`"));
    assert!(refusal("version = \"1.7.15\"\n", "").contains("missing field `version`"));
}

#[test]
fn another_format_says_so_before_anything_else() {
    let error = Manifest::parse("format = 2\nnothing = \"else\"").unwrap_err();
    assert!(matches!(error, ManifestError::Format(2)), "{error}");
}

#[test]
fn a_digest_in_another_spelling_is_refused() {
    for wrong in ["111", &"A".repeat(64), &"g".repeat(64), ""] {
        assert!(refusal(&"1".repeat(64), wrong).contains("64 lower-case hexadecimal digits"));
    }
}

#[test]
fn names_cannot_leave_their_folder() {
    for wrong in [
        "../up.onnx",
        "/etc/x.onnx",
        "a/b.onnx",
        "..",
        ".onnx",
        ".hidden.onnx",
        "a.onnx\\u0000",
        "pack.toml",
        "a\\\\b.onnx",
        "",
    ] {
        let text = refusal("\"detector.onnx\"", &format!("\"{wrong}\""));
        assert!(text.contains("a file name is"), "{wrong}: {text}");
    }
    for wrong in ["..", ".x", "A", "a b", "a/b", "-x", "", &"a".repeat(65)] {
        assert!(refusal("\"face-api\"", &format!("\"{wrong}\"")).contains("a pack name is"), "{wrong}");
    }
}

#[test]
fn values_out_of_range_are_refused_by_key() {
    let cases = [
        ("divide = 256.0", "divide = 0.0", "embedder.divide"),
        ("divide = 256.0", "divide = nan", "embedder.divide"),
        ("divide = 256.0", "divide = inf", "embedder.divide"),
        ("mean = [117.001", "mean = [-1.0", "detector.mean"),
        ("mean = [117.001", "mean = [nan", "detector.mean"),
        ("[224, 608]", "[]", "detector.scales"),
        ("[224, 608]", "[608, 224]", "detector.scales"),
        ("[224, 608]", "[224, 224]", "detector.scales"),
        ("[224, 608]", "[225]", "detector.scales"),
        ("[224, 608]", "[8192]", "detector.scales"),
        ("score_threshold = 0.5", "score_threshold = 1.0", "detector.score_threshold"),
        ("nms_iou = 0.4", "nms_iou = nan", "detector.nms_iou"),
        ("size = 112", "size = 8", "landmarks.size"),
        ("size = 150", "size = 100000", "embedder.size"),
        ("dimension = 128", "dimension = 0", "embedder.dimension"),
        ("dimension = 128", "dimension = 100000", "embedder.dimension"),
        ("[47.73, 47.13]", "[147.73, 47.13]", "embedder.template"),
        ("[74.01, 80.0]", "[74.01, 20.0]", "embedder.template"),
        ("[74.01, 80.0]", "[74.01, nan]", "embedder.template"),
        ("similarity = 0.4", "similarity = 1.5", "threshold.similarity"),
        ("similarity = 0.4", "similarity = -inf", "threshold.similarity"),
        ("\"landmarks.onnx\"", "\"detector.onnx\"", "`file`"),
        ("\"1.7.15\"", "\" \"", "`version`"),
        ("\"1.7.15\"", "\"\\u001b[2J\"", "`version`"),
    ];
    for (from, to, field) in cases {
        let text = refusal(from, to);
        assert!(text.contains(field), "{to}: {text}");
    }
    let cosine =
        EXAMPLE.replace("\"euclidean\"", "\"cosine\"").replace("similarity = 0.4", "similarity = -2.0");
    assert!(Manifest::parse(&cosine).unwrap_err().to_string().contains("threshold.similarity"));
}

#[test]
fn a_detector_without_points_needs_a_landmarks_model() {
    let begin = EXAMPLE.find("[landmarks]").unwrap();
    let end = EXAMPLE.find("[embedder]").unwrap();
    let without = format!("{}{}", &EXAMPLE[..begin], &EXAMPLE[end..]);
    assert!(Manifest::parse(&without).unwrap_err().to_string().contains("`landmarks`"));
    let yunet = without.replace("\"tiny_face\"", "\"yunet\"");
    assert_eq!(Manifest::parse(&yunet).unwrap().landmarks, None);
}

#[test]
fn no_cut_of_a_manifest_panics_or_passes() {
    for end in 0..EXAMPLE.trim_end().len() {
        assert!(Manifest::parse(&EXAMPLE[..end]).is_err(), "{end}");
    }
}
