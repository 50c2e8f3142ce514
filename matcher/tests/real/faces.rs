//! Scenes made of the golden synthetic faces: how many faces there are, which one is chosen, and that results repeat.
use std::thread;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, imageops};
use likeness_matcher::{
    AnalyseError, BoundingBox, Embedding, Matcher, MatcherOptions, QualityPolicy, Rejection, Selection,
};
use likeness_models::golden;

use crate::installed::{library, matcher, pack};

/// Synthetic face `number`, 150 x 150 pixels.
pub(crate) fn face(number: usize) -> RgbImage {
    let golden = golden(pack().manifest()).unwrap();
    image::load_from_memory(golden[number].png).unwrap().into_rgb8()
}

/// Grey, with faces at these places and sizes.
pub(crate) fn scene(width: u32, height: u32, faces: &[(usize, u32, u32, u32)]) -> Vec<u8> {
    let mut scene = RgbImage::from_pixel(width, height, Rgb([120, 125, 130]));
    for &(number, left, top, side) in faces {
        let face = imageops::resize(&face(number), side, side, imageops::FilterType::CatmullRom);
        imageops::replace(&mut scene, &face, left.into(), top.into());
    }
    png(scene)
}

pub(crate) fn png(image: RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn embed(matcher: &Matcher, image: &[u8], selection: Selection) -> Embedding {
    matcher.analyse(image, &selection, &QualityPolicy::default()).unwrap().embedding
}

#[test]
fn the_same_face_at_other_sizes_and_places_stays_alike() {
    let matcher = matcher(1);
    let small = embed(&matcher, &scene(500, 400, &[(0, 60, 80, 150)]), Selection::Only);
    let large = embed(&matcher, &scene(1_600, 1_400, &[(0, 500, 300, 700)]), Selection::Only);
    let other = embed(&matcher, &scene(500, 400, &[(1, 60, 80, 150)]), Selection::Only);
    let same = small.similarity(&large, matcher.metric()).unwrap();
    let different = small.similarity(&other, matcher.metric()).unwrap();
    println!("report: synthetic face at 150 and 700 px: similarity {same:.3}; another face {different:.3}");
    assert!(same > 0.7 && same > different + 0.1, "same {same}, different {different}");
}

#[test]
fn several_faces_need_a_choice_and_every_choice_works() {
    let matcher = matcher(1);
    let scene = scene(1_000, 500, &[(0, 80, 150, 200), (1, 400, 100, 300), (2, 780, 180, 150)]);
    let policy = QualityPolicy::default();
    let refused = matcher.analyse(&scene, &Selection::Only, &policy).expect_err("three faces");
    let AnalyseError::Rejected(rejection) = refused else { panic!("{refused}") };
    assert_eq!(rejection.code(), "several_faces");
    let faces = rejection.faces().to_vec();
    assert_eq!(faces.len(), 3, "{faces:?}");
    assert!(faces.is_sorted_by(|a, b| a.bounding_box.area() >= b.bounding_box.area()));
    assert_eq!(matcher.find_faces(&scene).unwrap(), faces);

    let largest = matcher.analyse(&scene, &Selection::Largest, &policy).unwrap();
    assert!(largest.selected_largest && largest.chosen == 0 && largest.faces == faces);
    let drawn = BoundingBox { left: 780.0, top: 180.0, width: 150.0, height: 150.0 };
    let boxed = matcher.analyse(&scene, &Selection::Box(drawn), &policy).unwrap();
    assert!(!boxed.selected_largest);
    let centre =
        boxed.faces[boxed.chosen].bounding_box.left + boxed.faces[boxed.chosen].bounding_box.width / 2.0;
    assert!((780.0..930.0).contains(&centre));
    let indexed = matcher.analyse(&scene, &Selection::Index(boxed.chosen), &policy).unwrap();
    assert_eq!(indexed.embedding, boxed.embedding);

    let alone = embed(&matcher, &crate::faces::scene(400, 400, &[(2, 100, 100, 150)]), Selection::Only);
    let similarity = alone.similarity(&boxed.embedding, matcher.metric()).unwrap();
    assert!(similarity > 0.7, "the chosen face is the one in the box: {similarity}");
}

#[test]
fn a_crowd_is_found_face_by_face() {
    let places: Vec<_> =
        (0..12_u32).map(|at| (at as usize % 4, 60 + at % 4 * 300, 60 + at / 4 * 300, 190 + at * 4)).collect();
    let found = matcher(1).find_faces(&scene(1_300, 1_000, &places)).unwrap();
    println!("report: {} of 12 synthetic faces found in one image", found.len());
    assert!((10..=12).contains(&found.len()), "{found:?}");
}

#[test]
fn results_do_not_depend_on_threads_or_company() {
    let images: Vec<_> = (0..4).map(|number| scene(400, 400, &[(number, 90, 110, 190)])).collect();
    let alone = matcher(1);
    let expected: Vec<_> = images.iter().map(|image| embed(&alone, image, Selection::Only)).collect();
    let shared = matcher(3);
    thread::scope(|scope| {
        for at in 0..8 {
            let (images, expected, shared) = (&images, &expected, &shared);
            scope.spawn(move || {
                for turn in 0..4 {
                    let which = (at + turn) % images.len();
                    assert_eq!(embed(shared, &images[which], Selection::Only), expected[which]);
                }
            });
        }
    });
}

#[test]
fn a_full_matcher_refuses_instead_of_queueing_for_ever() {
    let options = MatcherOptions { sessions: 1, queue: 0, ..MatcherOptions::default() };
    let matcher = Matcher::open(&pack(), &library(), &options).unwrap();
    let image = scene(400, 400, &[(0, 90, 110, 190)]);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| matcher.analyse(&image, &Selection::Only, &QualityPolicy::default())))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(outcomes.iter().any(Result::is_ok));
    for outcome in &outcomes {
        let busy = matches!(outcome, Err(AnalyseError::Fault(likeness_matcher::Fault::Busy { waiting: 0 })));
        assert!(outcome.is_ok() || busy, "{outcome:?}");
    }
}

#[test]
fn stage_times_add_up() {
    let matcher = matcher(1);
    let image = scene(600, 800, &[(3, 150, 250, 300)]);
    let before = std::time::Instant::now();
    let (_, times) = matcher.analyse_timed(&image, &Selection::Only, &QualityPolicy::default()).unwrap();
    assert!(times.total() <= before.elapsed());
    assert!(times.stages()[1..].iter().all(|(_, time)| !time.is_zero()), "{times:?}");
}

#[test]
fn quality_refuses_by_policy_and_says_what() {
    let policy: QualityPolicy =
        serde_json::from_str(r#"{"limits": [{"component": "inter_eye_distance", "refuse_below": 90}]}"#)
            .unwrap();
    let image = scene(400, 400, &[(0, 100, 100, 150)]);
    let refused = matcher(1).analyse(&image, &Selection::Only, &policy).expect_err("about 50 pixels");
    let AnalyseError::Rejected(Rejection::QualityBelowPolicy { report, refused }) = refused else {
        panic!("{refused}")
    };
    assert_eq!(refused.len(), 1);
    assert_eq!(report.measures.len(), 15);
}
