#![doc = include_str!("../README.md")]
#![allow(clippy::cast_precision_loss, reason = "numbers of things that were counted, far below 2^52")]

// What every measurement needs.
pub mod child;
pub mod machine;
mod plot;
pub mod readme;
pub mod run;
pub mod table;
pub mod timing;

// What is measured with.
pub mod fill;
pub mod gallery;
pub mod images;
pub mod server;

// How accurate: the algorithm tester's tool.
pub mod evaluate;
pub mod metrics;
pub mod report;

// How fast: one question each, in the order of the flow.
pub mod accountability;
pub mod agreement;
pub mod approximate;
pub mod authority;
pub mod changes;
pub mod enrol;
pub mod expiry;
pub mod pipeline;
pub mod refusals;
pub mod search;
pub mod service;
