//! Images that must be refused, each for its own reason, and none with a panic.
use image::{Rgb, RgbImage};
use likeness_matcher::{AnalyseError, Limits, Matcher, MatcherOptions, QualityPolicy, Selection};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::{
    faces::{png, scene},
    installed::{library, matcher, pack},
};

fn code(matcher: &Matcher, image: &[u8]) -> &'static str {
    match matcher.analyse(image, &Selection::Only, &QualityPolicy::default()) {
        Err(AnalyseError::Rejected(rejection)) => rejection.code(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_kind_of_bad_image_has_its_own_refusal() {
    let matcher = matcher(1);
    let good = scene(400, 400, &[(0, 90, 110, 190)]);
    let mut header = good.clone();
    // Width and height of the PNG header; its checksum no longer fits, but sizes are looked at in any case.
    header[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let mut junk = vec![0; 10 * 1024 * 1024];
    ChaCha8Rng::seed_from_u64(7).fill(&mut junk[..]);
    let cases: [(&str, &[u8], &[&str]); 7] = [
        ("nothing", b"", &["empty"]),
        ("a text", b"this is not an image", &["unknown_format"]),
        ("10 MiB of junk", &junk, &["unknown_format"]),
        ("one byte more than allowed", &vec![0; 10 * 1024 * 1024 + 1], &["too_many_bytes"]),
        ("30,000 x 30,000", &header, &["side_too_long", "undecodable"]),
        ("half a file", &good[..good.len() / 2], &["truncated", "undecodable"]),
        ("1 x 1", &png(RgbImage::new(1, 1)), &["too_small"]),
    ];
    for (what, image, expected) in cases {
        let found = code(&matcher, image);
        assert!(expected.contains(&found), "{what}: {found}");
    }
}

#[test]
fn images_without_a_face_have_none() {
    let matcher = matcher(1);
    for tone in [0, 1, 128, 254, 255] {
        assert_eq!(
            code(&matcher, &png(RgbImage::from_pixel(300, 200, Rgb([tone; 3])))),
            "no_face",
            "tone {tone}"
        );
    }
    let board = RgbImage::from_fn(640, 480, |x, y| Rgb([if (x + y) % 2 == 0 { 0 } else { 255 }; 3]));
    assert_eq!(code(&matcher, &png(board)), "no_face");
    let slope = RgbImage::from_fn(640, 480, |x, y| Rgb([(x / 3) as u8, (y / 2) as u8, ((x + y) / 5) as u8]));
    assert_eq!(code(&matcher, &png(slope)), "no_face");
    assert_eq!(code(&matcher, &png(RgbImage::new(5_000, 40))), "no_face");
    assert_eq!(code(&matcher, &png(RgbImage::new(32, 32))), "no_face");
}

#[test]
fn noise_is_answered_one_way_or_the_other() {
    let matcher = matcher(1);
    for seed in 0..6 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let noise = RgbImage::from_fn(200, 160, |_, _| Rgb(rng.random()));
        match matcher.analyse(&png(noise), &Selection::Largest, &QualityPolicy::default()) {
            Ok(analysed) => assert!(analysed.embedding.values().iter().all(|value| value.is_finite())),
            Err(AnalyseError::Rejected(_)) => {}
            Err(AnalyseError::Fault(fault)) => panic!("noise is nobody's fault but its own: {fault}"),
        }
    }
}

#[test]
fn a_face_too_small_to_embed_is_refused_by_the_default_policy() {
    // 30 pixels from chin to hair: about 11 between the eyes.
    let matcher = matcher(1);
    let image = scene(200, 200, &[(0, 80, 80, 34)]);
    let found = code(&matcher, &image);
    assert!(["quality_below_policy", "no_face"].contains(&found), "{found}");
}

#[test]
fn limits_are_those_of_the_options() {
    let limits = Limits { max_bytes: 1 << 20, max_pixels: 50_000, max_side: 300 };
    let options = MatcherOptions { sessions: 1, limits, ..MatcherOptions::default() };
    let matcher = Matcher::open(&pack(), &library(), &options).unwrap();
    assert_eq!(code(&matcher, &scene(301, 100, &[])), "side_too_long");
    assert_eq!(code(&matcher, &scene(250, 250, &[])), "too_many_pixels");
}
