//! `likeness-bench`: one subcommand per question, each prints a table and writes it with its circumstances to a
//! run folder. No subcommand passes or fails on a time.

use clap::{Parser, Subcommand};
use likeness_bench::{enrol, index, pipeline, readme, run::RunOptions, service};

#[derive(Parser)]
#[command(name = "likeness-bench", version, about = "How fast, against what the machine could do at best.")]
struct Arguments {
    #[command(flatten)]
    run: RunOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Exact index search against reading the same bytes, and against FAISS alone.
    Index(index::Options),
    /// Used by `pipeline`: the floor, in a process of its own.
    #[command(hide = true)]
    Floor(pipeline::floor::Options),
    /// Images per second against the floor: the same ONNX sessions on ready-made tensors.
    Pipeline(pipeline::Options),
    /// Latency of the search call over loopback, with audit, at several numbers of clients.
    Service(service::Options),
    /// Images enrolled per second through the bulk call.
    Enrol(enrol::Options),
    /// Put the tables of a run folder into benches/README.md.
    Readme(readme::Options),
}

fn main() -> anyhow::Result<()> {
    let Arguments { run, command } = Arguments::parse();
    match command {
        Command::Index(options) => index::run(&run, &options),
        Command::Floor(options) => pipeline::floor::run(&options),
        Command::Pipeline(options) => pipeline::run(&run, &options),
        Command::Service(options) => service::run(&run, &options),
        Command::Enrol(options) => enrol::run(&run, &options),
        Command::Readme(options) => readme::run(&options),
    }
}
