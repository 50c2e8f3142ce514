//! The guides for outsiders are true: their commands run, in order, against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{fs, path::PathBuf, process::Command};

use likeness_tests::{faces, guide, service::Service};

/// A service with a pool of eight persons, and a folder with a still of one of them.
fn prepared() -> (Service, PathBuf) {
    let service = Service::start();
    let scratch = service.scratch().join("guide");
    fs::create_dir(&scratch).unwrap();
    let images = scratch.join("photographs");
    faces::folder(&images, 0..8, 1);
    service.ok(&["pool", "create", "custody-images", "--kind", "custody"]);
    service.ok(&["enrol", "--pool", "custody-images", images.to_str().unwrap()]);
    fs::write(scratch.join("still.jpg"), faces::plain(7, 1)).unwrap();
    (service, scratch)
}

#[test]
fn every_command_of_the_accountability_guide_does_what_it_says() {
    let (service, scratch) = prepared();
    let said = guide::run(&service, "accountability.md", &scratch).output;
    assert!(said.contains("hashes checked") && said.contains("THE BUNDLE DOES NOT VERIFY"), "{said}");
}

#[test]
fn every_command_of_the_retention_guide_does_what_it_says() {
    let (service, scratch) = prepared();
    let said = guide::run(&service, "retention.md", &scratch).output;
    for promised in [
        "due since",
        "kept by the legal hold `H-2026-7`",
        "Deletion is presumed.",
        "An appeal can come in until",
        "agreed on appeal",
        "leaves use within moments",
        "is beyond use",
        "THE LIST DOES NOT VERIFY",
        "gone here, kept by the force",
        "adds up to the total",
        "is erased",
        "Verified: signed by",
        "THE CERTIFICATE DOES NOT VERIFY",
        "held_for_decision",
        "may come in",
        "The audit log is sound",
    ] {
        assert!(said.contains(promised), "`{promised}` is not in {said}");
    }
}

#[test]
fn every_command_of_the_backup_guide_does_what_it_says() {
    let blocks = guide::blocks("backup.md");
    assert_eq!(blocks.len(), 3, "made, put back, put onto a new machine");
    let mut service = Service::start();
    let scratch = service.scratch().to_path_buf();
    let images = scratch.join("photographs");
    faces::folder(&images, 0..5, 1);
    service.ok(&["pool", "create", "custody-images", "--kind", "custody"]);
    service.ok(&["enrol", "--pool", "custody-images", images.to_str().unwrap()]);
    let (backup, new) = (scratch.join("backup"), scratch.join("new"));
    for (number, block) in blocks.iter().enumerate() {
        // The first while the server works, the others when it has stopped.
        if number == 1 {
            service.stop();
        }
        let output = Command::new("bash")
            .args(["-euxo", "pipefail", "-c", block])
            .current_dir(&scratch)
            .env("PATH", guide::path())
            .env("DATA", service.data())
            .env("BACKUP", &backup)
            .env("NEW", &new)
            .env("LIKENESS_PROFILE", service.data().join("profile.toml"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(number == 0 || said.contains("5 subjects, 5 images"), "{said}");
    }
    assert!(new.join("keys").is_dir() && !backup.join("keys").exists());
    service.serve();
    service.ok(&["audit", "verify"]);
    println!("report: {} blocks of docs/backup.md were run", blocks.len());
}
