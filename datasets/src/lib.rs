#![doc = include_str!("../README.md")]

pub mod capture;
mod colour;
pub mod degrade;
mod draw;
pub mod folder;
pub mod malformed;
pub mod manifest;
mod noise;
pub mod pairs;
pub mod people;
pub mod person;
pub mod protocol;
pub mod render;
pub mod scores;
pub mod sigset;
mod surface;
pub mod synth;
mod table;
#[cfg(test)]
mod tests;
pub mod type10;

pub use capture::Capture;
pub use degrade::{Degradation, degrade};
pub use folder::{Labelled, folder_per_person};
pub use malformed::{Place, ReadError};
pub use pairs::{Pair, read_pairs};
pub use people::{People, PersonImage, read_people};
pub use person::Person;
pub use protocol::PairLayout;
pub use render::{EncodeError, encode_jpeg, render};
pub use type10::image_bytes;
