//! Checks of an operating point in service, and what may be compared in one.
use super::*;

/// The point of the made-up run: at 1,500 images 60 of 1,000 at its threshold 0.4, nine at 0.5, 120 at 0.3.
fn point() -> OperatingPoint {
    calibrated(&metrics(), &asked()).unwrap()
}

#[test]
fn levels_begin_with_the_threshold_and_follow_the_curve() {
    let point = point();
    assert_eq!(
        point.levels(),
        [0.4, 0.3, 0.5],
        "half and a fifth, a tenth and the threshold are the same steps here"
    );
    let drift = point.drift(1500, 400, &[24, 48, 4]);
    assert_eq!((drift.state(), drift.levels.len()), ("holds", 3));
    assert_eq!((drift.levels[0].observed.count, drift.levels[0].approved.count), (24, 60));
    assert!(drift.notices.is_empty() == (drift.gallery <= 1350), "{drift:?}");
}

#[test]
fn more_than_approved_is_an_alert_and_chance_is_not() {
    let point = point();
    // Twice the approved rate at the threshold.
    let drift = point.drift(1200, 500, &[60, 60, 5]);
    assert_eq!(drift.state(), "alert", "{drift:?}");
    assert!(
        drift.alerts[0].contains("60 of 500 control searches")
            && drift.alerts[0].contains("approved was 6 %")
    );
    // A rate as approved, drawn from few controls, is none.
    assert_eq!(point.drift(1200, 50, &[5, 6, 1]).state(), "holds");
    // The threshold holds, the tail does not.
    let tail = point.drift(1200, 500, &[30, 60, 28]);
    assert_eq!(tail.alerts.len(), 1, "{tail:?}");
    assert!(tail.alerts[0].contains("at or above 0.5000"), "{tail:?}");
}

/// Under the approved rates themselves, alerts are no more frequent than the confidence allows.
#[test]
fn false_alarms_are_as_rare_as_stated() {
    let point = point();
    let levels = point.levels();
    let mut alarms = 0_u32;
    let mut state = 7_u64;
    for _ in 0..1000 {
        let mut counts = vec![0; levels.len()];
        for _ in 0..300 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let draw = (state >> 33) as f64 / f64::from(1_u32 << 31);
            // One draw is one control: at or above 0.5 in 9 of 1,000, at or above 0.4 in 60, at or above 0.3 in 120.
            counts[0] += u64::from(draw < 0.060);
            counts[1] += u64::from(draw < 0.120);
            counts[2] += u64::from(draw < 0.009);
        }
        alarms += u32::from(point.drift(1000, 300, &counts).state() == "alert");
    }
    assert!(alarms <= 25, "{alarms} of 1000 checks raised a false alarm; one tail of 95 % is 25");
}

#[test]
fn a_pool_that_leaves_the_approved_range_is_an_alert_by_itself() {
    let point = point();
    let sizes =
        |gallery: u64| (point.drift(gallery, 0, &[]).state(), point.drift(gallery, 0, &[]).notices.len());
    assert_eq!(sizes(1000), ("holds", 0));
    assert_eq!(sizes(1400), ("holds", 1));
    assert_eq!(sizes(1501), ("alert", 0));
    assert_eq!(sizes(0), ("alert", 0), "below the approved range");
    let outside = point.drift(1501, 500, &[500, 500, 500]);
    assert!(
        outside.levels.is_empty() && outside.alerts[0].contains("measure again at this size"),
        "{outside:?}"
    );
    let few = point.drift(1000, 20, &[1, 2, 0]);
    assert!(few.notices[0].contains("are needed"), "{few:?}");
}

#[test]
fn only_what_the_tester_signed_is_a_control() {
    let folder = TempDir::new().unwrap();
    let key = TesterKey::create(&folder.path().join("key")).unwrap();
    let other = TesterKey::create(&folder.path().join("other")).unwrap();
    let images: Vec<Vec<u8>> =
        (0..FEWEST_CONTROLS as u32).map(|number| number.to_be_bytes().to_vec()).collect();
    let all = || images.iter().map(Vec::as_slice);
    let set = ControlSet::of("synthetic persons of seed 7", all()).unwrap();
    let note = set.sign(&key).unwrap();
    assert_eq!(ControlSet::open(&note, key.verifier()).unwrap(), set);
    assert!(set.has(&images[3]) && !set.has(b"a suspect"));
    assert!(matches!(ControlSet::open(&note, other.verifier()), Err(SignedError::Signature(_))));
    let changed = note.replacen("seed 7", "seed 8", 1);
    assert!(matches!(ControlSet::open(&changed, key.verifier()), Err(SignedError::Signature(_))));
    let few = ControlSet::of("people", all().skip(1)).unwrap_err().to_string();
    assert!(few.contains("50 to 20000 different images; this one has 49"), "{few}");
    assert!(ControlSet::of(" ", all()).is_err(), "nobody says who they are");
    // An operating point is no control set, and the other way round.
    let record = sign(&point(), &key).unwrap();
    assert!(matches!(ControlSet::open(&record, key.verifier()), Err(SignedError::Json { .. })));
    assert!(matches!(open(&note, key.verifier()), Err(SignedError::Json { .. })));
}

#[test]
fn what_comes_with_the_program_is_a_demonstration() {
    for shipped in crate::points::SHIPPED {
        let key = shipped.tester_key.trim().parse().unwrap();
        let (_, point) = open(shipped.note, &key).unwrap();
        assert!(point.demonstration_only && point.evidence.synthetic, "{}", shipped.name);
        assert_eq!(
            point.applies_to.pool_kinds.len(),
            PoolKind::ALL.len(),
            "{}: a kind of pool is missing",
            shipped.name
        );
        let meaning = point.meaning(&PointId::of("x"), 0.5, 1);
        assert!(meaning.fpir.is_ok() && meaning.text().contains("DEMONSTRATION"), "{}", meaning.text());
    }
}
