//! The tester's commands as a tester types them: real program, real pack, synthetic faces.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "runs/folder.rs"]
mod folder;
#[path = "runs/identify.rs"]
mod identify;
#[path = "runs/independent.rs"]
mod independent;
#[path = "runs/score.rs"]
mod score;
#[path = "runs/verify.rs"]
mod verify;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// The program with these arguments, not started yet.
fn bench(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_likeness-bench"));
    command.args(arguments);
    command
}

/// Runs it and expects success.
fn succeeds(arguments: &[&str]) -> String {
    let output = bench(arguments).output().expect("the program starts");
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs it and expects a refusal. Returns what it says.
fn refused(arguments: &[&str]) -> String {
    let output = bench(arguments).output().expect("the program starts");
    assert!(!output.status.success(), "{arguments:?} succeeded: {}", said(&output));
    said(&output)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn metrics(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("metrics.json")).unwrap()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Renders persons `from..from + count`, captures `first..first + captures`, a folder each.
fn synthetic(out: &Path, from: u64, count: u64, captures: std::ops::Range<u32>) {
    let order = likeness_datasets::synth::Order {
        seed: 5,
        persons: from..from + count,
        captures,
        style: likeness_datasets::synth::Style::Plain,
        quality: 90,
    };
    likeness_datasets::synth::write(out, &order, || {}).unwrap();
}

/// A Python with these modules, or nothing after saying why the test is skipped. `LIKENESS_PYTHON` names another one.
fn python(modules: &str) -> Option<String> {
    let python = std::env::var("LIKENESS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!(
        "skipped: no Python with {modules}; set LIKENESS_PYTHON, see benches/independent/requirements.txt"
    );
    None
}
