//! `likeness-bench`: how accurate (`verify`, `identify`, `score`, `compare`, ...) and how fast (`search`, `pipeline`, ...), one
//! subcommand per question. No subcommand passes or fails on a time.

use clap::{Parser, Subcommand};
use likeness_bench::evaluate::{commands, sharing_commands};
use likeness_bench::{
    accountability, agreement, approximate, authority, changes, enrol, expiry, pipeline, readme, refusals,
    run::RunOptions, search, service,
};

#[derive(Parser)]
#[command(
    name = "likeness-bench",
    version,
    about = "How accurate, and how fast against what the machine could do at best."
)]
struct Arguments {
    #[command(flatten)]
    run: RunOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Accuracy one-to-one: pairs of images.
    Verify(commands::Verify),
    /// Accuracy one-to-many: a gallery, probes of people in it, and probes of people not in it.
    Identify(commands::Identify),
    /// Accuracy from scores that somebody else made.
    Score(commands::Score),
    /// Accuracy as a run file describes it.
    Run(commands::Run),
    /// Which quality measures predict misses: error versus discard.
    Quality(commands::Verify),
    /// How long an algorithm takes for a template, a comparison and a search.
    Speed(commands::Speed),
    /// Two runs on the same data side by side: champion and challenger.
    Compare(commands::Compare),
    /// The report of a run folder, after checking its digests.
    Report(commands::Report),
    /// Register a report, and that a body was given it.
    Share(sharing_commands::Share),
    /// Reports that a body should have been given by now; fails when there are any.
    Overdue(sharing_commands::Overdue),
    /// The report in a page for the public.
    Summary(sharing_commands::Summary),
    /// Pairs whose labels may be wrong, for a person to look at.
    Audit(commands::Audit),
    /// Make template files of a made-up population, to measure searches at sizes that images do not reach.
    Templates(commands::Templates),
    /// Every answer of the certified index compared with the right one.
    Agreement(agreement::Options),
    /// Used by `agreement`: one size, in a process of its own.
    #[command(hide = true)]
    AgreementCase,
    /// Inverted files and graphs: how much faster, and how much they miss.
    Approximate(approximate::Options),
    /// Used by `approximate`: one size, in a process of its own.
    #[command(hide = true)]
    ApproximateCase,
    /// Latency of searches beside a bulk insertion and a bulk erasure.
    Changes(changes::Options),
    /// Used by `changes`: one size, in a process of its own.
    #[command(hide = true)]
    ChangesCase,
    /// Used by `pipeline`: the floor, in a process of its own.
    #[command(hide = true)]
    Floor(pipeline::floor::Options),
    /// Images per second against the floor: the same ONNX sessions on ready-made tensors.
    Pipeline(pipeline::Options),
    /// Certified-exact search against reading the same bytes, and against other libraries.
    Search(search::Options),
    /// Used by `search`: one size, in a process of its own.
    #[command(hide = true)]
    SearchCase,
    /// Latency of the search call over loopback, with audit, at several numbers of clients.
    Service(service::Options),
    /// Search calls with the durable audit log against the same server with a log that records nothing.
    Accountability(accountability::Options),
    /// Used by `accountability`: a server, in a process of its own.
    #[command(hide = true)]
    AccountabilityServer(accountability::ServeOptions),
    /// A fifth of a pool becomes due: how long until it is gone, and what searches notice of it.
    Expiry(expiry::Options),
    /// Images enrolled per second through the bulk call.
    Enrol(enrol::Options),
    /// Decisions about who may do what: microseconds each.
    Authority(authority::Options),
    /// Whether the time of a refusal tells what is there: hidden and forbidden against never there.
    Refusals(refusals::Options),
    /// Put the tables of a run folder into benches/README.md.
    Readme(readme::Options),
}

fn main() -> anyhow::Result<()> {
    let Arguments { run, command } = Arguments::parse();
    match command {
        Command::Verify(options) => options.run(run.seed).map(drop),
        Command::Identify(options) => options.run(run.seed),
        Command::Score(options) => options.run(run.seed),
        Command::Run(options) => options.run(),
        Command::Quality(options) => options.run_quality(run.seed),
        Command::Speed(options) => options.run(run.seed),
        Command::Compare(options) => options.run(),
        Command::Report(options) => options.run(),
        Command::Share(options) => options.run(),
        Command::Overdue(options) => options.run(),
        Command::Summary(options) => options.run(),
        Command::Audit(options) => options.run(),
        Command::Templates(options) => options.run(run.seed),
        Command::Agreement(options) => agreement::run(&run, &options),
        Command::AgreementCase => agreement::run_case(),
        Command::Approximate(options) => approximate::run(&run, &options),
        Command::ApproximateCase => approximate::run_case(),
        Command::Changes(options) => changes::run(&run, &options),
        Command::ChangesCase => changes::run_case(),
        Command::Floor(options) => pipeline::floor::run(&options),
        Command::Pipeline(options) => pipeline::run(&run, &options),
        Command::Search(options) => search::run(&run, &options),
        Command::SearchCase => search::run_case(),
        Command::Service(options) => service::run(&run, &options),
        Command::Accountability(options) => accountability::run(&run, &options),
        Command::AccountabilityServer(options) => accountability::serve(&options),
        Command::Expiry(options) => expiry::run(&run, &options),
        Command::Enrol(options) => enrol::run(&run, &options),
        Command::Authority(options) => authority::run(&run, &options),
        Command::Refusals(options) => refusals::run(&run, &options),
        Command::Readme(options) => readme::run(&options),
    }
}
