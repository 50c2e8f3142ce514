#![doc = include_str!("../README.md")]

// What everything stands on.
pub mod clock;
pub mod data;
pub mod durable;
pub mod ids;
pub mod seal;
#[cfg(test)]
mod seeded;
mod sqlite;
mod text;

// How it is set up and found.
pub mod config;
pub mod init;
pub mod profile;
pub mod tls;

// Who asks, may they, what is kept, what is recorded.
pub mod audit;
pub mod authorise;
pub mod blobs;
pub mod erasure;
pub mod identity;
pub mod keys;
pub mod lists;
pub mod points;
pub mod pool;
pub mod records;
pub mod retention;
pub mod siem;

// What the service does.
pub mod service;

// Copies that outlive the machine.
pub mod backup;

// The wire.
mod rpc;
pub mod serve;
