//! Every reader on its golden sample, on files that are wrong in one place, and on bytes that nobody meant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "readers/golden.rs"]
mod golden;
#[path = "readers/malformed.rs"]
mod malformed;
#[path = "readers/mutations.rs"]
mod mutations;

use std::path::{Path, PathBuf};

/// A file of the golden samples.
fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}
