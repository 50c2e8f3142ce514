//! The matcher with the default pack and the real ONNX Runtime. `make setup` installs both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod detector;
mod faces;
mod golden;
mod installed;
mod pairs;
mod refusals;
mod runtime;
