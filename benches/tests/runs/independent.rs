//! Ten random score files of a million rows: every number agrees with another computation to 1e-9.
use std::path::Path;
use std::process::Command;

use crate::{python, succeeds, text};

const FILES: u32 = 10;
const ROWS: &str = "1000000";

#[test]
fn all_metrics_agree_with_an_independent_computation() {
    let Some(python) = python("numpy, scipy, sklearn") else { return };
    let helper = Path::new(env!("CARGO_MANIFEST_DIR")).join("independent/metrics.py");
    let folder = tempfile::tempdir().unwrap();
    let helped = |arguments: &[&str]| {
        let output = Command::new(&python).arg(&helper).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for seed in 0..FILES {
        let (file, out) = (folder.path().join("scores.csv"), folder.path().join(format!("out-{seed}")));
        // Pairs and full matrices by turns; every third file has coarse scores, so that ties are common.
        let kind = if seed % 2 == 0 { "pairs" } else { "matrix" };
        helped(&["make", text(&file), "--kind", kind, "--rows", ROWS, "--seed", &seed.to_string()]);
        succeeds(&["score", "--scores", text(&file), "--out", text(&out)]);
        let said = helped(&["check", text(&file), text(&out.join("metrics.json"))]);
        println!("report: score file {seed} ({kind}, {ROWS} rows): {}", said.trim());
        std::fs::remove_dir_all(&out).unwrap();
    }
}
