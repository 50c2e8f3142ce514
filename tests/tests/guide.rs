//! The guide for outsiders is true: its commands run, in order, against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{fs, path::Path, process::Command};

use likeness_tests::{
    faces,
    service::{Service, binary},
};

/// The lines of all `sh` blocks of a Markdown text.
fn commands(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (&mut block, line.trim()) {
            (None, "```sh") => block = Some(String::new()),
            (Some(done), "```") => {
                blocks.push(std::mem::take(done));
                block = None;
            }
            (Some(open), _) => {
                open.push_str(line);
                open.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(block.is_none(), "a block does not end");
    blocks
}

#[test]
fn every_command_of_the_accountability_guide_does_what_it_says() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("docs").join("accountability.md");
    let blocks = commands(&fs::read_to_string(guide).unwrap());
    assert!(blocks.len() >= 10, "{} blocks", blocks.len());
    let service = Service::start();
    let scratch = service.scratch().join("guide");
    fs::create_dir(&scratch).unwrap();
    let images = scratch.join("photographs");
    faces::folder(&images, 0..8, 1);
    service.ok(&["pool", "create", "custody-images", "--kind", "custody"]);
    service.ok(&["enrol", "--pool", "custody-images", images.to_str().unwrap()]);
    fs::write(scratch.join("still.jpg"), faces::plain(7, 1)).unwrap();
    let script = scratch.join("guide.sh");
    fs::write(&script, format!("set -euo pipefail\n{}", blocks.concat())).unwrap();
    let programs = binary("likeness").parent().unwrap().to_path_buf();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .arg("-x")
        .arg(&script)
        .current_dir(&scratch)
        .env("PATH", path)
        .env("DATA", service.data())
        .env("LIKENESS_PROFILE", service.data().join("profile.toml"))
        .output()
        .unwrap();
    let (said, steps) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{said}\n{steps}");
    assert!(said.contains("hashes checked") && said.contains("THE BUNDLE DOES NOT VERIFY"), "{said}");
    println!("report: {} blocks of docs/accountability.md were run", blocks.len());
}

#[test]
fn every_command_of_the_backup_guide_does_what_it_says() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("docs").join("backup.md");
    let blocks = commands(&fs::read_to_string(guide).unwrap());
    assert_eq!(blocks.len(), 3, "made, put back, put onto a new machine");
    let mut service = Service::start();
    let scratch = service.scratch().to_path_buf();
    let images = scratch.join("photographs");
    faces::folder(&images, 0..5, 1);
    service.ok(&["pool", "create", "custody-images", "--kind", "custody"]);
    service.ok(&["enrol", "--pool", "custody-images", images.to_str().unwrap()]);
    let programs = binary("likeness").parent().unwrap().to_path_buf();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let (backup, new) = (scratch.join("backup"), scratch.join("new"));
    for (number, block) in blocks.iter().enumerate() {
        // The first while the server works, the others when it has stopped.
        if number == 1 {
            service.stop();
        }
        let output = Command::new("bash")
            .args(["-euxo", "pipefail", "-c", block])
            .current_dir(&scratch)
            .env("PATH", &path)
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
