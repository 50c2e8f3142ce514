//! House rules that neither the compiler nor clippy can state. Each test names the rule it keeps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod dependencies;
mod documents;
mod layers;
mod sources;
mod tree;
mod unsafe_code;
