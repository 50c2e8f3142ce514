//! A home with model packs that a test can move a pool between: the default pack's networks, run in two ways.
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The pack that pools are made with.
pub const FIRST: &str = "first";
/// The pack that they move to.
pub const SECOND: &str = "second";

/// A pack whose detector is never sure enough: it refuses every image.
pub const BLIND: &str = "blind";

/// Makes the home in `folder`, from the installed default pack: one detector scale, so that it is quick; with and without
/// averaging over the mirrored face, so that the two spaces differ.
///
/// # Panics
/// When the default pack is not installed: `make setup` installs it.
#[must_use]
pub fn home(folder: &Path) -> PathBuf {
    let installed = likeness_models::Home::locate().expect("a home for model packs");
    let home = folder.join("home");
    fs::create_dir_all(&home).expect("a folder");
    std::os::unix::fs::symlink(installed.path().join("runtime"), home.join("runtime")).expect("a link");
    let from = installed.path().join("packs/face-api");
    let manifest = fs::read_to_string(from.join("pack.toml")).expect("the default pack: run `make setup`");
    for (name, mirror) in [(FIRST, "false"), (SECOND, "true"), (BLIND, "true")] {
        let to = home.join("packs").join(name);
        fs::create_dir_all(&to).expect("a folder");
        for entry in fs::read_dir(&from).expect("the default pack").flatten() {
            if entry.file_name() != "pack.toml" {
                std::os::unix::fs::symlink(entry.path(), to.join(entry.file_name())).expect("a link");
            }
        }
        let mut text = String::new();
        for line in manifest.lines() {
            if line.starts_with("name = ") {
                text.push_str(&format!("name = \"{name}\""));
            } else if line.starts_with("mirror_average = ") {
                text.push_str(&format!("mirror_average = {mirror}"));
            } else if line.starts_with("score_threshold = ") && name == BLIND {
                text.push_str("score_threshold = 0.9999");
            } else if line.trim() != "608," {
                text.push_str(line);
            }
            text.push('\n');
        }
        fs::write(to.join("pack.toml"), text).expect("a file");
    }
    home
}
