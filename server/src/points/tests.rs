#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use std::{collections::BTreeSet, fs, path::Path};

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::{keys::TesterKey, pool::PoolKind, seeded};

mod curves;
mod drift;
mod refusals;

const SPACE: &str = "abababababababababababababababababababababababababababababababab";

fn now() -> Timestamp {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

/// Steps from (threshold, false positives, missed).
fn rows(steps: &[(f64, u64, u64)]) -> Value {
    let row = |(threshold, false_positives, missed): &(f64, u64, u64)| json!({ "threshold": threshold, "non_mated_with_candidate": false_positives, "mated_missed": missed, "candidates": 0 });
    steps.iter().map(row).collect()
}

/// A run over two gallery sizes with 1,000 searches of each kind, in the form of `likeness-bench`.
fn metrics() -> Value {
    let small = rows(&[(0.1, 900, 0), (0.3, 60, 5), (0.4, 30, 10), (0.5, 4, 20), (0.6, 0, 40)]);
    let large = rows(&[(0.1, 1000, 0), (0.3, 120, 5), (0.4, 60, 10), (0.5, 9, 20), (0.6, 0, 40)]);
    let cell = |value: &str, worse: u64| {
        json!({
            "by": ["sex"], "values": [value], "mated_searches": 500, "non_mated_searches": 500,
            "rows": rows(&[(0.1, 500, 0), (0.3, 50, 1), (0.4, 20 + worse, 2 + worse), (0.5, 2, 9), (0.6, 0, 20)]),
        })
    };
    let size = |references: u64, rows: &Value| {
        json!({
            "subjects": references + 1, "references": references, "subjects_failed": 1, "mated_searches": 1000,
            "non_mated_searches": 1000, "rows": rows, "cmc": [], "operating_points": [],
            "cells": [cell("female", 7), cell("male", 0)],
        })
    };
    json!({
        "schema": "likeness-metrics-1",
        "tool": { "name": "likeness-bench", "version": "0.1.0" },
        "kind": "identify", "seed": 1, "run_digest": "1".repeat(64),
        "dataset": { "name": "faces", "digest": "2".repeat(64), "files": 3000, "synthetic": false },
        "pack": { "name": "face-api", "version": "1", "space_id": SPACE, "digest": "3".repeat(64), "metric": "euclidean" },
        "confidence": 0.95, "minimum_events": 30, "comparisons": null,
        "searches": { "list_length": 50, "gallery": "consolidated", "tie_rule": "", "sizes": [size(500, &small), size(1500, &large)] },
        "demographics": [],
    })
}

/// Writes a complete run folder.
fn run_folder(metrics: &Value) -> TempDir {
    let folder = TempDir::new().unwrap();
    write_run(folder.path(), metrics);
    folder
}

fn write_run(folder: &Path, metrics: &Value) {
    let bytes = serde_json::to_vec_pretty(metrics).unwrap();
    fs::write(folder.join("metrics.json"), &bytes).unwrap();
    fs::write(folder.join("report.html"), "report").unwrap();
    let digest = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let sums = format!("{}  metrics.json\n{}  report.html\n", digest(&bytes), digest(b"report"));
    fs::write(folder.join("SHA256SUMS"), sums).unwrap();
}

fn asked() -> Calibration {
    Calibration {
        pool_kinds: BTreeSet::from([PoolKind::Custody]),
        use_cases: BTreeSet::from(["criminal_investigation".to_owned()]),
        target_fpir: 0.06,
        gallery_from: 1,
        gallery_to: None,
        without_groups: None,
        approver: "p-9".to_owned(),
        expires_on: "2027-03-01".parse().unwrap(),
    }
}

fn calibrated(metrics: &Value, asked: &Calibration) -> Result<OperatingPoint, CalibrateError> {
    let folder = run_folder(metrics);
    calibrate(&Run::read(folder.path()).unwrap(), asked, now())
}

#[test]
fn a_run_becomes_the_record_that_hand_counting_gives() {
    let point = calibrated(&metrics(), &asked()).unwrap();
    // 6 % of 1,000 is 60: the first step of the larger gallery with at most 60 is 0.4.
    assert_eq!((point.threshold, point.fpir.count, point.fpir.of), (0.4, 60, 1000));
    assert_eq!((point.fnir.count, point.fnir.of), (10, 1000));
    assert_eq!((point.applies_to.gallery_from, point.applies_to.gallery_to), (1, 1500));
    let worst = point.worst.fpir.as_ref().unwrap();
    assert_eq!((worst.group.as_str(), worst.rate.count, worst.rate.of), ("sex=female", 27, 500));
    assert_eq!(point.worst.fnir.as_ref().unwrap().rate.count, 9);
    assert!(!point.demonstration_only);
    point.check().unwrap();

    // Meant for small galleries only, the same target allows a lower threshold.
    let small = calibrated(&metrics(), &Calibration { gallery_to: Some(400), ..asked() }).unwrap();
    assert_eq!((small.threshold, small.fpir.count), (0.3, 60));
}

#[test]
fn synthetic_data_makes_a_demonstration() {
    let mut metrics = metrics();
    metrics["dataset"]["synthetic"] = true.into();
    let mut point = calibrated(&metrics, &asked()).unwrap();
    assert!(point.demonstration_only);
    point.demonstration_only = false;
    assert!(point.check().is_err(), "a synthetic record cannot be made operational");
}

#[test]
fn a_signed_record_comes_back_and_a_changed_one_does_not() {
    let folder = TempDir::new().unwrap();
    let key = TesterKey::create(&folder.path().join("key")).unwrap();
    let other = TesterKey::create(&folder.path().join("other")).unwrap();
    let point = calibrated(&metrics(), &asked()).unwrap();
    let note = sign(&point, &key).unwrap();
    let (id, read) = open(&note, key.verifier()).unwrap();
    assert_eq!(read.curve, point.curve);
    assert_eq!((read.threshold, read.fpir.count, read.fnir.count), (0.4, 60, 10));
    assert_eq!(
        (&read.applies_to, &read.evidence, read.expires_on),
        (&point.applies_to, &point.evidence, point.expires_on)
    );
    assert_eq!(id.to_string().parse::<PointId>().unwrap(), id);
    assert!(matches!(open(&note, other.verifier()), Err(SignedError::Signature(_))));
    // Any changed byte of the text is noticed.
    let text = note.rfind("\n\n").unwrap();
    let mut runner = seeded::runner(200);
    runner
        .run(&(0..text, 1_u8..128), |(at, change)| {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= change;
            if let Ok(changed) = String::from_utf8(bytes) {
                prop_assert!(open(&changed, key.verifier()).is_err(), "byte {at}");
            }
            Ok(())
        })
        .unwrap();
    // A record that contradicts itself is not signed at all.
    let mut lying = point;
    lying.fpir.count = 1;
    assert!(matches!(sign(&lying, &key), Err(SignedError::Invalid(_))));
}
