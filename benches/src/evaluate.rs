//! The algorithm tester's tool: a run described by a file becomes a folder that is made once and never changed.
//!
//! ```text
//! description -> templates (or scores) -> comparisons, searches -> counts -> metrics.json -> report.html
//! ```

// What is asked.
pub mod commands;
pub mod description;
pub mod settings;

// What is tested, and on what.
pub mod algorithm;
pub mod extract;
pub mod gallery_plan;
pub mod labels;
pub mod process;
pub mod template_file;

// From scores to counts.
pub mod groups;
pub mod one_to_many;
pub mod one_to_one;
pub mod quality_curves;

// What is written.
pub mod finish;
pub mod output;
mod progress;
pub mod raw_scores;
pub mod record;

// What becomes of a report.
pub mod sharing;
pub mod sharing_commands;

// One run each.
pub mod audit;
pub mod compare;
pub mod identify;
pub mod score;
pub mod speed;
pub mod verify;
