//! `docs/testing.md` does what it says: its commands, in order, in a new folder, on made-up faces.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::env;
use std::path::Path;
use std::process::Command;

use likeness_tests::service::binary;

/// The command blocks of the guide, one after the other.
fn commands() -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/testing.md");
    let text = std::fs::read_to_string(guide).unwrap();
    let blocks: Vec<&str> =
        text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 5, "the guide has lost its commands");
    blocks.concat()
}

#[test]
fn the_testing_guide_runs_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let programs = binary("likeness-bench").parent().unwrap().to_path_buf();
    let (_, _) = (binary("likeness"), binary("likeness-datasets"));
    let script = commands().replace("EXPIRES", "$(date -u -d '+300 days' +%F)");
    let path = env::join_paths(
        [programs].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
    );
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(folder.path())
        .env("PATH", path.unwrap())
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    for file in [
        "run-1/report.html",
        "run-2/metrics.json",
        "comparison.html",
        "point.json",
        "reports.csv",
        "summary.html",
    ] {
        assert!(folder.path().join(file).is_file(), "{file} is missing: {said}");
    }
    let summary = std::fs::read_to_string(folder.path().join("summary.html")).unwrap();
    assert!(summary.contains("made by a computer program") && summary.contains("Biometrics Commissioner"));
}
