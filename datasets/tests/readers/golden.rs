//! What each reader makes of its golden sample.
use likeness_datasets::protocol::{PairLayout, Protocol, Source, read_protocol};
use likeness_datasets::scores::read_scores;
use likeness_datasets::type10::read_type10;
use likeness_datasets::{image_bytes, read_people};

use crate::sample;

fn read(name: &str, layout: PairLayout) -> Protocol {
    let list = sample(name);
    let images = list.parent().unwrap().to_path_buf();
    read_protocol(&list, Some(&images), layout).unwrap_or_else(|error| panic!("{error}"))
}

/// Names of both sides, label, fold.
fn trials(protocol: &Protocol) -> Vec<(&str, &str, bool, u16)> {
    let name = |side: u32| protocol.sides[side as usize].name.as_str();
    protocol
        .trials
        .iter()
        .map(|trial| (name(trial.one), name(trial.other), trial.mated, trial.fold))
        .collect()
}

#[test]
fn csv_pairs() {
    let protocol = read("pairs.csv", PairLayout::Auto);
    assert_eq!(trials(&protocol), [("a.jpg", "b.jpg", true, 0), ("a.jpg", "c.jpg", false, 0)]);
    assert_eq!(protocol.images.len(), 3, "an image that appears twice is one image");
}

#[test]
fn lfw_folds() {
    let protocol = read("pairs.txt", PairLayout::Auto);
    let (ada, bo) = ("Ada_One/Ada_One_0001.jpg", "Bo_Two/Bo_Two_0001.jpg");
    assert_eq!(
        trials(&protocol),
        [
            (ada, "Ada_One/Ada_One_0002.jpg", true, 1),
            (ada, bo, false, 1),
            (bo, "Bo_Two/Bo_Two_0002.jpg", true, 2),
            ("Bo_Two/Bo_Two_0002.jpg", "Cy_Three/Cy_Three_0001.jpg", false, 2),
        ]
    );
    assert_eq!(protocol.sides[0].subject.as_deref(), Some("Ada_One"));
}

#[test]
fn pickled_pairs() {
    let protocol = read("pairs.bin", PairLayout::Auto);
    let labels: Vec<_> = protocol.trials.iter().map(|trial| (trial.one, trial.other, trial.mated)).collect();
    assert_eq!(labels, [(0, 1, true), (2, 3, false)]);
    for image in &protocol.images {
        let Source::Bytes(bytes) = &image.source else { panic!("{image:?}") };
        assert!(image::load_from_memory(bytes).is_ok(), "{} is an image", image.name);
    }
}

#[test]
fn cfp_frontal_to_profile() {
    let protocol = read("cfp/Protocol/Split/FP", PairLayout::Auto);
    assert_eq!(
        trials(&protocol),
        [
            ("001/frontal/01.jpg", "001/profile/01.jpg", true, 1),
            ("002/frontal/01.jpg", "002/profile/01.jpg", true, 1),
            ("001/frontal/01.jpg", "002/profile/01.jpg", false, 1),
        ]
    );
    assert_eq!(read("cfp/Protocol/Split/FF", PairLayout::Cfp).trials.len(), 2);
}

#[test]
fn agedb_labels() {
    let protocol = read("agedb.txt", PairLayout::AgeDb);
    assert_eq!(protocol.attributes, ["sex", "age_band"]);
    let labels: Vec<_> = protocol.sides.iter().map(|side| side.labels.join(" ")).collect();
    assert_eq!(labels, ["female 18-30", "female 56+", "male 0-17"]);
    assert_eq!(protocol.sides[2].subject.as_deref(), Some("Bo_Two"));
}

#[test]
fn ijb_templates() {
    let protocol = read("ijb/matches.csv", PairLayout::Ijb);
    assert_eq!(trials(&protocol), [("1", "2", true, 0), ("1", "3", false, 0)]);
    assert_eq!(protocol.sides[0].images, [0, 1]);
    assert_eq!(protocol.images[0].face, Some([10.0, 12.0, 80.0, 96.0]));
    assert_eq!(protocol.images[1].face, None);
}

#[test]
fn sigset() {
    let people = read_people(&sample("sigset.xml")).unwrap();
    let images: Vec<_> = people.images.iter().map(|one| (one.subject.as_str(), one.name.as_str())).collect();
    assert_eq!(images, [("S001", "S001/1.jpg"), ("S001", "S001/2.jpg"), ("S002", "S002/1.jpg")]);
}

#[test]
fn manifests() {
    let people = read_people(&sample("manifest.csv")).unwrap();
    assert_eq!(people.attributes, ["sex", "age_band"]);
    assert_eq!(people.images[1].labels, ["male", ""]);
    assert!(people.synthetic());
    assert_eq!(people.images[0].path, sample("ada/1.jpg"));
    assert_eq!(read_people(&sample("manifest.parquet")).unwrap(), people, "both tables say the same");
}

#[test]
fn scores() {
    let file = read_scores(&sample("scores.csv"), || {}).unwrap();
    assert_eq!(file.subjects, ["ada", "bo", "cy"]);
    assert_eq!(file.attributes, ["sex"]);
    assert_eq!(file.probes.labels, [["female"], ["female"]]);
    assert_eq!(file.references.labels, [["female"], ["male"]]);
    let rows: Vec<_> = file.rows.iter().map(|row| (row.probe, row.reference, row.mated, row.score)).collect();
    assert_eq!(rows, [(0, 0, true, Some(0.9)), (0, 1, false, Some(0.2)), (1, 0, false, None)]);
}

#[test]
fn type10() {
    let transaction = read_type10(&sample("face.an2")).unwrap();
    assert_eq!((transaction.version.as_str(), transaction.kind.as_str()), ("0501", "MUGSHOT"));
    let [image] = transaction.images.as_slice() else { panic!("one image is in the file") };
    assert_eq!(
        (image.image_type.as_str(), image.pose.as_str(), image.compression.as_str()),
        ("FACE", "F", "PNG")
    );
    assert_eq!((image.width, image.height, image.capture_date.as_str()), (8, 8, "20240131"));
    // The image holds the separators of the format, which must not end it.
    let png = std::fs::read(sample("grey.png")).unwrap();
    assert!([0x1c, 0x1d, 0x1e, 0x1f].iter().all(|separator| png.contains(separator)));
    assert_eq!(image.image, png);
    assert_eq!(image_bytes(&sample("face.an2")).unwrap(), png);
}

/// Spreadsheets on Windows save text like this.
#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let windows = |name: &str| {
        let text = std::fs::read_to_string(sample(name)).unwrap();
        let file = folder.path().join(std::path::Path::new(name).file_name().unwrap());
        std::fs::write(&file, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
        file
    };
    for (name, layout) in
        [("pairs.csv", PairLayout::Csv), ("pairs.txt", PairLayout::Lfw), ("agedb.txt", PairLayout::AgeDb)]
    {
        let found = read_protocol(&windows(name), None, layout).unwrap_or_else(|error| panic!("{error}"));
        let expected = read(name, layout);
        assert_eq!((trials(&found), &found.attributes), (trials(&expected), &expected.attributes), "{name}");
    }
    windows("ijb/templates.csv");
    let found = read_protocol(&windows("ijb/matches.csv"), None, PairLayout::Ijb).unwrap();
    assert_eq!(trials(&found), trials(&read("ijb/matches.csv", PairLayout::Ijb)));
    assert_eq!(
        read_scores(&windows("scores.csv"), || {}).unwrap(),
        read_scores(&sample("scores.csv"), || {}).unwrap()
    );
    let people = |path: &std::path::Path| {
        let read = read_people(path).unwrap_or_else(|error| panic!("{error}"));
        read.images.into_iter().map(|one| (one.subject, one.name, one.labels)).collect::<Vec<_>>()
    };
    for name in ["manifest.csv", "sigset.xml"] {
        assert_eq!(people(&windows(name)), people(&sample(name)), "{name}");
    }
}
