//! Every cell, every condition, every policy loosened: the policies come to what people agreed on, and to nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
mod explained;
mod linted;
mod loading;
mod loosen;
mod mutation;
mod walk;
