#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use likeness_models::{Metric, SpaceId};
use proptest::prelude::*;

use super::{Embedding, EmbeddingError, similarity};

fn space(byte: u8) -> SpaceId {
    SpaceId::from([byte; 32])
}

#[test]
fn stored_values_are_checked() {
    assert!(Embedding::from_stored(space(1), vec![1.0, 2.0], 2).is_ok());
    let short = Embedding::from_stored(space(1), vec![1.0], 2);
    assert_eq!(short.err(), Some(EmbeddingError::Dimension { expected: 2, found: 1 }));
    for poison in [f32::NAN, f32::INFINITY] {
        assert_eq!(
            Embedding::from_stored(space(1), vec![1.0, poison], 2).err(),
            Some(EmbeddingError::NotFinite)
        );
    }
}

#[test]
fn spaces_do_not_mix() {
    let [left, right] = [1, 2].map(|byte| Embedding::from_stored(space(byte), vec![1.0], 1).unwrap());
    let refused = left.similarity(&right, Metric::Cosine).expect_err("two spaces");
    assert_eq!((refused.left, refused.right), (space(1), space(2)));
}

#[test]
fn debug_output_shows_no_values() {
    let shown = format!("{:?}", Embedding::from_stored(space(1), vec![0.123_456], 1).unwrap());
    assert!(!shown.contains("0.123"), "{shown}");
}

#[test]
fn similarity_is_one_for_the_same_face() {
    assert_eq!(similarity(&[3.0, 4.0], &[3.0, 4.0], Metric::Euclidean), 1.0);
    assert_eq!(similarity(&[0.0, 0.0], &[3.0, 4.0], Metric::Euclidean), -4.0);
    assert_eq!(similarity(&[2.0, 0.0], &[5.0, 0.0], Metric::Cosine), 1.0);
    assert_eq!(similarity(&[2.0, 0.0], &[-5.0, 0.0], Metric::Cosine), -1.0);
    assert_eq!(similarity(&[0.0, 0.0], &[5.0, 0.0], Metric::Cosine), 0.0);
}

proptest! {
    #[test]
    fn similarity_has_no_direction(pairs in prop::collection::vec((-10.0..10.0_f32, -10.0..10.0_f32), 1..40)) {
        let (left, right): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let there = similarity(&left, &right, metric);
            prop_assert_eq!(there.to_bits(), similarity(&right, &left, metric).to_bits());
            prop_assert!(there <= 1.0 + 1e-9);
        }
    }
}
