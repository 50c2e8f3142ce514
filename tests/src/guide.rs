//! Runs the commands of a guide as they stand, in order, against a real server.
use std::{fs, path::Path, process::Command};

use crate::service::{Service, binary};

/// What a guide printed.
pub struct Said {
    /// Blocks of commands that were run.
    pub blocks: usize,
    /// Standard output.
    pub output: String,
}

/// The lines of all `sh` blocks of a guide, `docs/NAME`.
///
/// # Panics
/// When there is no such guide.
#[must_use]
pub fn blocks(name: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("docs").join(name);
    commands(&fs::read_to_string(guide).expect("the guide"))
}

/// The search path for programs, with `likeness` first.
///
/// # Panics
/// When the program was not built.
#[must_use]
pub fn path() -> String {
    let programs = binary("likeness").parent().expect("a folder").to_path_buf();
    format!("{}:{}", programs.display(), std::env::var("PATH").expect("a path"))
}

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

/// Runs every `sh` block of `docs/NAME` in `scratch`, with `likeness` on the path, `$DATA` and `$LIKENESS_PROFILE` set. The first
/// command that fails ends it.
///
/// # Panics
/// When a command fails, or the guide has fewer than ten blocks.
#[must_use]
pub fn run(service: &Service, name: &str, scratch: &Path) -> Said {
    let blocks = blocks(name);
    assert!(blocks.len() >= 10, "{} blocks", blocks.len());
    let script = scratch.join("guide.sh");
    fs::write(&script, format!("set -euo pipefail\n{}", blocks.concat())).expect("a file");
    let output = Command::new("bash")
        .arg("-x")
        .arg(&script)
        .current_dir(scratch)
        .env("PATH", path())
        .env("DATA", service.data())
        .env("LIKENESS_PROFILE", service.data().join("profile.toml"))
        .output()
        .expect("bash runs");
    let (said, steps) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{said}\n{steps}");
    println!("report: {} blocks of docs/{name} were run", blocks.len());
    Said { blocks: blocks.len(), output: said }
}
