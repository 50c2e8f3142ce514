//! A run folder as `likeness-bench identify` leaves it, with counts that a test makes up.
use std::{fs, path::Path};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What a test wants a run to have measured.
pub struct MadeUp<'a> {
    /// Space of the pack, hex.
    pub space: &'a str,
    /// Enrolled images, ascending.
    pub galleries: &'a [u64],
    /// Steps of the curve: threshold, false positives of 1,000, missed of 1,000. The same at every size.
    pub steps: &'a [(f64, u64, u64)],
    /// Whether the data set says that it is synthetic.
    pub synthetic: bool,
}

/// Writes the folder, complete with its digests.
pub fn write(folder: &Path, run: &MadeUp<'_>) {
    fs::create_dir_all(folder).expect("a folder");
    let rows = |share: u64| -> Value {
        run.steps
            .iter()
            .map(|(threshold, false_positives, missed)| {
                json!({ "threshold": threshold, "non_mated_with_candidate": false_positives / share, "candidates": 0,
                        "mated_missed": missed / share })
            })
            .collect()
    };
    let sizes: Value = run
        .galleries
        .iter()
        .map(|images| {
            json!({
                "subjects": images, "references": images, "subjects_failed": 0,
                "mated_searches": 1000, "non_mated_searches": 1000, "rows": rows(1), "cmc": [], "operating_points": [],
                "cells": [{ "by": ["sex"], "values": ["female"], "mated_searches": 500, "non_mated_searches": 500, "rows": rows(2) }],
            })
        })
        .collect();
    let metrics = json!({
        "schema": "likeness-metrics-1",
        "tool": { "name": "a-test", "version": "0" },
        "kind": "identify", "seed": 1, "run_digest": "1".repeat(64),
        "dataset": { "name": "made up by a test", "digest": "2".repeat(64), "files": 1, "synthetic": run.synthetic },
        "pack": { "name": "face-api", "version": "1.7.15", "space_id": run.space, "digest": "3".repeat(64), "metric": "euclidean" },
        "confidence": 0.95, "minimum_events": 30, "comparisons": null,
        "searches": { "list_length": 20, "gallery": "consolidated", "tie_rule": "", "sizes": sizes },
        "demographics": [],
    });
    let bytes = serde_json::to_vec_pretty(&metrics).expect("JSON");
    fs::write(folder.join("metrics.json"), &bytes).expect("a file");
    let sums = format!("{}  metrics.json\n", hex::encode(Sha256::digest(&bytes)));
    fs::write(folder.join("SHA256SUMS"), sums).expect("a file");
}
