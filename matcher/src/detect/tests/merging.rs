//! What suppression keeps and drops.
use proptest::prelude::*;

use super::{BoundingBox, Found};
use crate::detect::merge::merge;

fn found(left: f32, top: f32, width: f32, height: f32, confidence: f32) -> Found {
    Found { area: BoundingBox { left, top, width, height }, confidence, points: None }
}

fn covers(stronger: &Found, weaker: &Found, most_overlap: f32) -> bool {
    let smaller = stronger.area.area().min(weaker.area.area());
    stronger.area.overlap(&weaker.area) > most_overlap
        || stronger.area.intersection(&weaker.area) / smaller > 0.7
}

#[test]
fn a_part_of_a_face_is_not_a_face() {
    let whole = found(0.0, 0.0, 400.0, 400.0, 0.95);
    let eye = found(100.0, 100.0, 60.0, 60.0, 0.8);
    assert_eq!(merge(vec![eye, whole], 0.4), [whole]);
    let neighbour = found(380.0, 0.0, 60.0, 60.0, 0.8);
    assert_eq!(merge(vec![neighbour, whole], 0.4).len(), 2);
}

#[test]
fn broken_boxes_go() {
    let broken = [
        found(f32::NAN, 0.0, 5.0, 5.0, 0.9),
        found(0.0, 0.0, 0.0, 5.0, 0.9),
        found(0.0, 0.0, 5.0, f32::INFINITY, 0.9),
        found(0.0, 0.0, 1e30, 1e30, 0.9),
        found(0.0, 0.0, 5.0, 5.0, f32::NAN),
        Found { points: Some([[f32::NAN; 2]; 5]), ..found(0.0, 0.0, 5.0, 5.0, 0.9) },
    ];
    assert!(merge(broken.to_vec(), 0.4).is_empty());
}

#[test]
fn work_is_bounded() {
    let many: Vec<_> = (0..100_000_u32)
        .map(|at| found((at % 1_000) as f32 * 10.0, (at / 1_000) as f32 * 10.0, 5.0, 5.0, 0.9))
        .collect();
    assert!(merge(many, 0.4).len() <= 2_000);
}

fn boxes() -> impl Strategy<Value = Vec<Found>> {
    let one = (0..60_u8, 0..60_u8, 1..40_u8, 1..40_u8, 0..100_u8).prop_map(
        |(left, top, width, height, confidence)| {
            found(left.into(), top.into(), width.into(), height.into(), f32::from(confidence) / 100.0)
        },
    );
    prop::collection::vec(one, 0..60)
}

proptest! {
    #[test]
    fn suppression_keeps_its_promises(candidates in boxes(), most_overlap in 0.1..0.9_f32) {
        let kept = merge(candidates.clone(), most_overlap);
        prop_assert!(kept.is_sorted_by(|a, b| a.confidence >= b.confidence));
        for (at, one) in kept.iter().enumerate() {
            prop_assert!(candidates.contains(one));
            prop_assert!(kept[..at].iter().all(|other| !covers(other, one, most_overlap)), "two boxes for one face");
        }
        for candidate in &candidates {
            let stands_for = |kept: &Found| {
                kept == candidate || (kept.confidence >= candidate.confidence && covers(kept, candidate, most_overlap))
            };
            prop_assert!(kept.iter().any(stands_for), "a face was lost");
        }
        prop_assert_eq!(&merge(kept.clone(), most_overlap), &kept, "merging twice changes nothing");
    }

    #[test]
    fn the_order_of_scales_does_not_matter(candidates in boxes(), seed in any::<prop::sample::Index>()) {
        let mut other = candidates.clone();
        if !other.is_empty() {
            let at = seed.index(other.len());
            other.rotate_left(at);
            other.reverse();
        }
        prop_assert_eq!(merge(candidates, 0.4), merge(other, 0.4));
    }
}
