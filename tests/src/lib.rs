#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test harness: a broken promise is a panic"
)]

pub mod applying;
pub mod auditing;
pub mod client;
pub mod faces;
pub mod guide;
pub mod hidden;
pub mod ledger;
pub mod listing;
pub mod log;
pub mod run_folder;
pub mod scan;
pub mod service;
pub mod two_packs;
