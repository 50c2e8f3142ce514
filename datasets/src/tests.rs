#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{collections::BTreeSet, fs};

use image::RgbImage;

use crate::{
    Capture, Degradation, Person, degrade,
    folder::FolderError,
    folder_per_person,
    pairs::PairsError,
    read_pairs, render,
    synth::{self, Order, Style},
};

/// Mean absolute difference of two pictures, 0 to 255.
fn difference(one: &RgbImage, other: &RgbImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let sum: u64 = one.as_raw().iter().zip(other.as_raw()).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    sum as f64 / one.as_raw().len() as f64
}

#[test]
fn the_same_seed_gives_the_same_picture_and_another_a_different_one() {
    let person = Person::from_seed(3, 8);
    assert_eq!(person, Person::from_seed(3, 8));
    let capture = Capture::plain(3, &person, 1);
    let picture = render(&person, &capture);
    assert_eq!(picture.as_raw(), render(&person, &capture).as_raw());
    assert_eq!(picture.dimensions(), (400, 500));
    assert!(difference(&picture, &render(&person, &Capture::plain(3, &person, 2))) > 1.0, "captures differ");
    let other = Person::from_seed(3, 9);
    assert!(difference(&picture, &render(&other, &capture)) > 4.0, "persons differ");
    assert_ne!(Person::from_seed(4, 8), person);
}

#[test]
fn a_thousand_persons_cover_the_range() {
    let persons: Vec<_> = (0..1000).map(|index| Person::from_seed(1, index)).collect();
    let tones: BTreeSet<_> = persons.iter().map(|person| person.monk_tone).collect();
    assert_eq!(tones, (1..=10).collect());
    let groups: BTreeSet<_> = persons.iter().map(|person| (person.sex, person.age)).collect();
    assert_eq!(groups.len(), 6);
    let glasses = persons.iter().filter(|person| person.glasses.is_some()).count();
    assert!((50..200).contains(&glasses), "{glasses}");
}

#[test]
fn the_camera_spoils_what_it_should() {
    let person = Person::from_seed(3, 1);
    let picture = render(&person, &Capture::plain(3, &person, 0));
    let mut how = Degradation {
        defocus: 0.0,
        motion: 0,
        scale: 1.0,
        gain: 1.0,
        contrast: 1.0,
        saturation: 1.0,
        noise: 0.0,
        jpeg: None,
    };
    assert!(difference(&picture, &degrade(&picture, &how, 1).unwrap()) < 1.0, "nothing asked, nothing done");
    how.saturation = 0.0;
    let grey = degrade(&picture, &how, 1).unwrap();
    assert!(grey.pixels().all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]));
    how.scale = 0.3;
    how.noise = 6.0;
    how.jpeg = Some(30);
    let spoilt = degrade(&picture, &how, 1).unwrap();
    assert_eq!(spoilt.dimensions(), picture.dimensions());
    assert_eq!(spoilt.as_raw(), degrade(&picture, &how, 1).unwrap().as_raw());
    let tiny = degrade(&RgbImage::new(1, 1), &how, 1).unwrap();
    assert_eq!(tiny.dimensions(), (1, 1));
}

#[test]
fn a_written_data_set_reads_back() {
    let folder = std::env::temp_dir().join(format!("likeness-synth-{}", std::process::id()));
    let order = Order { seed: 2, persons: 4..6, captures: 0..2, style: Style::Cctv, quality: 80 };
    assert_eq!(synth::write(&folder, &order, || {}).unwrap(), 4);
    let read = folder_per_person(&folder).unwrap();
    let names: Vec<_> = read
        .iter()
        .map(|one| (one.subject.as_str(), one.image.file_name().unwrap().to_str().unwrap()))
        .collect();
    assert_eq!(
        names,
        [
            ("person-000004", "capture-1.jpg"),
            ("person-000004", "capture-2.jpg"),
            ("person-000005", "capture-1.jpg"),
            ("person-000005", "capture-2.jpg")
        ]
    );
    let manifest = fs::read_to_string(folder.join("manifest.csv")).unwrap();
    assert_eq!(manifest.lines().count(), 5);
    assert!(
        manifest.starts_with(
            "subject,image,capture_date,capture_circumstance,attr.sex,attr.age_band,attr.monk_tone"
        ),
        "{manifest}"
    );
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn bad_layouts_are_refused_with_the_place() {
    let folder = std::env::temp_dir().join(format!("likeness-layout-{}", std::process::id()));
    fs::create_dir_all(folder.join("person")).unwrap();
    assert!(matches!(folder_per_person(&folder), Err(FolderError::Empty(_))));
    assert!(matches!(folder_per_person(&folder.join("nowhere")), Err(FolderError::Unreadable { .. })));

    let list = folder.join("pairs.csv");
    fs::write(&list, "file_x,file_y,Decision\na.jpg,b.jpg,Yes\nc.jpg,d.jpg,Perhaps\n").unwrap();
    match read_pairs(&list) {
        Err(PairsError::Decision { line, found, .. }) => assert_eq!((line, found.as_str()), (3, "Perhaps")),
        other => panic!("{other:?}"),
    }
    fs::write(&list, "file_x,Decision\na.jpg,Yes\n").unwrap();
    assert!(matches!(read_pairs(&list), Err(PairsError::Csv { .. })));
    fs::write(&list, "file_x,file_y,Decision\n").unwrap();
    assert!(matches!(read_pairs(&list), Err(PairsError::Empty(_))));
    fs::write(&list, "file_x,file_y,Decision\na.jpg, b.jpg ,no\n").unwrap();
    let pairs = read_pairs(&list).unwrap();
    assert_eq!((pairs[0].other.as_str(), pairs[0].mated), ("b.jpg", false));
    fs::remove_dir_all(&folder).unwrap();
}
