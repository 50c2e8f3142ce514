//! The conservative rule, against a model that knows every score.
use super::*;

#[test]
fn between_steps_the_lower_similarity_and_the_larger_gallery_stand_in() {
    let point = calibrated(&metrics(), &asked()).unwrap();
    let at = |similarity: f64, images: u64| {
        point.fpir_at(similarity, images).map(|(rate, size)| (rate.count, rate.of, size))
    };
    assert_eq!(at(0.4, 500), Some((30, 1000, 500)), "exactly measured");
    assert_eq!(at(0.45, 500), Some((30, 1000, 500)), "between steps");
    assert_eq!(at(0.45, 501), Some((60, 1000, 1500)), "between sizes");
    assert_eq!(at(0.45, 7), Some((30, 1000, 500)), "smaller than measured");
    assert_eq!(at(0.05, 500), Some((1000, 1000, 500)), "below the first step");
    assert_eq!(at(0.99, 1500), Some((0, 1000, 1500)), "above the last step");
    assert_eq!(at(0.4, 1501), None, "larger than measured");

    let id = PointId::of("x");
    let text = point.meaning(&id, 0.45, 700).text();
    assert!(text.contains("in 60 of 1000 searches") && text.contains("6 %"), "{text}");
    assert!(
        text.contains("measured with 1500 enrolled images; with 700 as today it is at most that"),
        "{text}"
    );
    let outside = point.meaning(&id, 0.45, 1501).text();
    assert!(outside.starts_with(
        "not measured: the pool has 1501 searchable images, the largest gallery measured had 1500"
    ));
    assert!(Meaning::unknown(3).text().starts_with("not measured: no approved operating point"));
    for (share, expected) in
        [(0.0, "0 %"), (0.06, "6 %"), (0.00342, "0.34 %"), (1.0, "100 %"), (0.125, "12 %")]
    {
        assert_eq!(percent(share), expected);
    }
}

/// Whatever the scores are and whichever of them became steps, the answer never understates.
#[test]
fn the_rule_never_understates() {
    let scores = prop::collection::vec(0_u32..200, 40..160);
    let kept = prop::collection::vec(any::<bool>(), 200);
    let mut runner = seeded::runner(300);
    runner
        .run(&(scores, kept, 0_u32..220), |(scores, kept, asked)| {
            let true_count =
                |threshold: u32| scores.iter().filter(|score| **score >= threshold).count() as u64;
            let missed = |threshold: u32| scores.iter().filter(|score| **score < threshold).count() as u64;
            // Real curves end just above the largest score, with nobody.
            let rows: Vec<CurveRow> = (0..=200)
                .filter(|threshold| *threshold == 200 || kept[*threshold as usize])
                .map(|threshold| CurveRow {
                    threshold: f64::from(threshold),
                    false_positives: true_count(threshold),
                    missed: missed(threshold),
                })
                .collect();
            let size = MeasuredSize {
                references: 10,
                subjects: 10,
                mated_searches: scores.len() as u64,
                non_mated_searches: scores.len() as u64,
                rows,
            };
            let similarity = f64::from(asked);
            prop_assert!(size.false_positives(similarity) >= true_count(asked));
            prop_assert!(size.missed(similarity) >= missed(asked));
            if kept.get(asked as usize) == Some(&true) {
                prop_assert_eq!(size.false_positives(similarity), true_count(asked));
                prop_assert_eq!(size.missed(similarity), missed(asked));
            }
            Ok(())
        })
        .unwrap();
}

/// A threshold is the same number in the run's file, in the signed record and in the service: one that differs in the last bit
/// would decide differently about the very score it was taken from.
#[test]
fn a_threshold_keeps_its_last_bit() {
    let folder = TempDir::new().unwrap();
    let key = TesterKey::create(&folder.path().join("key")).unwrap();
    let mut runner = seeded::runner(100);
    runner
        .run(&(0.301_f64..0.399), |threshold| {
            let mut metrics = metrics();
            metrics["searches"]["sizes"][1]["rows"][2]["threshold"] = threshold.into();
            let point = calibrated(&metrics, &asked()).unwrap();
            prop_assert_eq!(point.threshold.to_bits(), threshold.to_bits(), "calibrated from {}", threshold);
            let (_, read) = open(&sign(&point, &key).unwrap(), key.verifier()).unwrap();
            prop_assert_eq!(read.threshold.to_bits(), threshold.to_bits(), "signed and read: {}", threshold);
            Ok(())
        })
        .unwrap();
}
