//! What a waiting person sees. Nothing when standard error is not a terminal.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for work of known size.
#[must_use]
pub fn bar(what: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if let Ok(style) =
        ProgressStyle::with_template("{msg:24} {wide_bar} {human_pos}/{human_len}, {per_sec}, {eta} left")
    {
        bar.set_style(style);
    }
    bar.with_message(what.to_owned())
}

/// A counter for work of unknown size.
#[must_use]
pub fn counter(what: &str) -> ProgressBar {
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{msg:24} {spinner} {human_pos}, {per_sec}") {
        bar.set_style(style);
    }
    bar.with_message(what.to_owned())
}

/// Says where the results are.
pub fn done(folder: &Path) {
    println!("{0}/report.html for reading, {0}/metrics.json for programs", folder.display());
}
