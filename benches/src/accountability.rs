//! What does the audit cost? Search calls against a server whose log is durable, and against the same server behind a log that records
//! nothing, by turns, on the same data and probes.
//!
//! The log that records nothing is in this crate only. Nothing that is shipped depends on it.

mod nothing;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use likeness_server::serve;
use serde::Serialize;

use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::server::Server;
use crate::service::{Clients, many_clients};
use crate::table::Table;
use crate::{enrol, images};

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Enrolled images to search among. Enrolling them takes most of the time: keep them with `--data`.
    #[arg(long, default_value_t = 300)]
    gallery: u64,
    /// Keep the server's data here (made when absent, filled up when it holds fewer).
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Different probes.
    #[arg(long, default_value_t = 32)]
    probes: u64,
    /// Searches per turn.
    #[arg(long, default_value_t = 320)]
    searches: usize,
    /// Clients, each with a connection of its own.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Turns with each log.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Which log.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Log {
    /// As shipped.
    Durable,
    /// Records nothing.
    Nothing,
}

/// A server for one turn.
#[derive(Args, Clone, Debug)]
pub struct ServeOptions {
    #[arg(long)]
    data: PathBuf,
    #[arg(long, value_enum)]
    log: Log,
}

/// Serves until it is told to stop.
///
/// # Errors
/// When the server does not start, or ends badly.
pub fn serve(options: &ServeOptions) -> anyhow::Result<()> {
    let serving = serve::ServeOptions { data: options.data.clone(), listen: None, insecure_plaintext: false };
    match options.log {
        Log::Durable => serve::run(&serving, |_, _| ())?,
        Log::Nothing => serve::run_behind(&serving, nothing::in_front_of, |_, _| ())?,
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct Turn {
    log: Log,
    clients: Clients,
}

#[derive(Debug, Serialize)]
struct Results {
    gallery: u64,
    turns: Vec<Turn>,
    /// Median searches per second with the durable log over that without.
    throughput_share: f64,
    /// Median of the turns' median latencies with the durable log, minus that without; ms.
    median_latency_added_ms: f64,
}

/// Runs the measurements.
///
/// # Errors
/// When a server does not start or refuses a search.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let circumstances = Circumstances::now(run.seed);
    let temporary = tempfile::Builder::new().prefix("likeness-bench-").tempdir()?;
    let data = options.data.clone().unwrap_or_else(|| temporary.path().join("data"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let this = std::env::current_exe()?;
    let start = |log: Log| {
        Server::start_as(Some(&data), |_| {
            let mut command = Command::new(&this);
            let log = log.to_possible_value().map(|value| value.get_name().to_owned());
            command.args(["accountability-server", "--log", &log.unwrap_or_default()]);
            command
        })
    };
    let probes = Arc::new(images::synthetic(run.seed, 0..options.probes, 1)?);
    ensure!(!probes.is_empty(), "at least one probe is needed");
    let gallery = {
        let server = start(Log::Durable)?;
        runtime.block_on(async {
            let connection = server.connect().await?;
            let held = connection.pool().await?;
            if held < options.gallery {
                eprintln!("accountability: enrolling {} images", options.gallery - held);
                enrol::send(&connection, held, images::synthetic(run.seed, held..options.gallery, 0)?)
                    .await?;
            }
            connection.pool().await
        })?
    };
    let mut turns = Vec::new();
    for round in 0..options.rounds {
        // Which goes first alternates, so that a machine that warms up or slows down favours neither.
        let order = if round % 2 == 0 { [Log::Durable, Log::Nothing] } else { [Log::Nothing, Log::Durable] };
        for log in order {
            eprintln!("accountability: turn {} of {}, {log:?}", round + 1, options.rounds);
            let server = start(log)?;
            let clients =
                runtime.block_on(many_clients(&server, &probes, options.clients, options.searches))?;
            turns.push(Turn { log, clients });
        }
    }
    let middle = |log: Log, of: fn(&Clients) -> f64| {
        let mut values: Vec<f64> =
            turns.iter().filter(|turn| turn.log == log).map(|turn| of(&turn.clients)).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().context("no turns")
    };
    let (rate, latency) =
        (|clients: &Clients| clients.searches_per_s, |clients: &Clients| clients.call.median_ms);
    let results = Results {
        throughput_share: middle(Log::Durable, rate)? / middle(Log::Nothing, rate)?,
        median_latency_added_ms: middle(Log::Durable, latency)? - middle(Log::Nothing, latency)?,
        gallery,
        turns,
    };
    let tables = [turns_table(&results, options.clients), cost_table(&results)];
    report(run, "accountability", circumstances, &results, &tables)
}

fn turns_table(results: &Results, clients: usize) -> Table {
    let title =
        format!("Search calls, {clients} clients, {} enrolled images, by turns (ms)", results.gallery);
    let mut table = Table::new(&title, &["log", "median", "p95", "p99", "searches/s"]);
    for Turn { log, clients } in &results.turns {
        let [median, p95, p99] =
            [clients.call.median_ms, clients.call.p95_ms, clients.call.p99_ms].map(|ms| format!("{ms:.1}"));
        let log = if *log == Log::Durable { "durable" } else { "none" };
        table.row(vec![log.to_owned(), median, p95, p99, format!("{:.1}", clients.searches_per_s)]);
    }
    table
}

fn cost_table(results: &Results) -> Table {
    let mut table =
        Table::new("Cost of the audit (medians of the turns)", &["throughput kept", "median latency added"]);
    table.row(vec![
        format!("{:.1} %", 100.0 * results.throughput_share),
        format!("{:.1} ms", results.median_latency_added_ms),
    ]);
    table
}
