//! The `likeness` command: makes a data folder, serves it, and is a client of it.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    cli::main(cli::Cli::parse())
}
