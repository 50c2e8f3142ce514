#![doc = include_str!("../README.md")]

pub mod capture;
mod colour;
pub mod degrade;
mod draw;
pub mod folder;
pub mod manifest;
mod noise;
pub mod pairs;
pub mod person;
pub mod render;
mod surface;
pub mod synth;
#[cfg(test)]
mod tests;

pub use capture::Capture;
pub use degrade::{Degradation, degrade};
pub use folder::{Labelled, folder_per_person};
pub use pairs::{Pair, read_pairs};
pub use person::Person;
pub use render::{EncodeError, encode_jpeg, render};
