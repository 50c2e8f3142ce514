//! How long does a search call take, and how much of that is the service rather than the algorithm?
//!
//! A server in a process of its own holds a gallery of synthetic persons. Probes are other captures of them. Every
//! call goes over TLS on loopback, is authorised, audited durably before it is answered, and returns full
//! candidates. With one client, each probe is also analysed in this process, by turns with the calls; the time of an
//! index search of the same size is measured too. What a call takes beyond those two is the service's *overhead*:
//! wire, authorisation, audit, records. With more clients, latency and searches per second are measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use likeness_matcher::embed::Embedding;
use likeness_matcher::index::{FlatIndex, IndexRead as _, IndexRow, IndexWrite as _, RowKey, SubjectKey};
use likeness_matcher::{Matcher, MatcherOptions, QualityPolicy, Selection};
use likeness_models::{Home, Pack};
use likeness_proto::v1::{FaceSelection, ProbeSource, SearchRequest, face_selection::Choice};
use serde::Serialize;

use crate::gallery::Gallery;
use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::server::{Connection, POOL, Server};
use crate::timing::{Spread, timed};
use crate::{enrol, images, table::Table};

/// Persons rendered and enrolled at a time.
const BATCH: u64 = 500;

/// Length of the candidate list.
const CANDIDATES: usize = 50;

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Enrolled images to search among. Enrolling them takes most of the time: keep them with `--data`.
    #[arg(long, default_value_t = 2_000)]
    gallery: u64,
    /// Keep the server's data here (made when absent, filled up when it holds fewer).
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Different probes.
    #[arg(long, default_value_t = 64)]
    probes: u64,
    /// Searches per number of clients.
    #[arg(long, default_value_t = 256)]
    searches: usize,
    /// Numbers of clients, each with a connection of its own.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16])]
    clients: Vec<usize>,
}

#[derive(Debug, Serialize)]
struct Results {
    gallery: u64,
    candidates: usize,
    one_client: OneClient,
    clients: Vec<Clients>,
    server_memory_mib: Option<u64>,
}

/// By turns on the same probes.
#[derive(Debug, Serialize)]
struct OneClient {
    call: Spread,
    pipeline: Spread,
    index: Spread,
    /// Median over the probes of call minus pipeline, minus the median index search. Milliseconds.
    overhead_ms: f64,
}

#[derive(Debug, Serialize)]
struct Clients {
    clients: usize,
    call: Spread,
    searches_per_s: f64,
}

/// Runs the measurements.
///
/// # Errors
/// When the server does not start or refuses a search.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let circumstances = Circumstances::now(run.seed);
    let server = Server::start(options.data.as_deref())?;
    // Dropped before the server is: it then has no open connections to wait for.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (gallery, one_client, clients) = runtime.block_on(async {
        let connection = server.connect().await?;
        let gallery = fill(&connection, run.seed, options.gallery).await?;
        let probes = Arc::new(images::synthetic(run.seed, 0..options.probes, 1)?);
        ensure!(!probes.is_empty(), "at least one probe is needed");
        let one_client = one_client(&connection, &probes, gallery, run.seed, options.searches).await?;
        let mut clients = Vec::new();
        for &count in &options.clients {
            eprintln!("service: {count} client(s)");
            clients.push(many_clients(&server, &probes, count, options.searches).await?);
        }
        anyhow::Ok((gallery, one_client, clients))
    })?;
    let results = Results {
        gallery,
        candidates: CANDIDATES,
        one_client,
        clients,
        server_memory_mib: server.memory_mib(),
    };
    let tables = [overhead_table(&results), clients_table(&results)];
    report(run, "service", circumstances, &results, &tables)
}

/// Enrols synthetic persons until the pool holds so many searchable images; returns how many it holds.
async fn fill(connection: &Connection, seed: u64, wanted: u64) -> anyhow::Result<u64> {
    let mut next = 0;
    loop {
        let held = connection.pool().await?;
        if held >= wanted {
            return Ok(held);
        }
        // Persons that are there already are skipped by the server, at the price of a look at the bytes.
        next = next.max(held);
        eprintln!("service: enrolling, {held} of {wanted}");
        let persons = next..next + BATCH.min(wanted - held);
        let sent =
            enrol::send(connection, persons.start, images::synthetic(seed, persons.clone(), 0)?).await?;
        ensure!(sent.refused * 2 < BATCH as usize, "more than half of the synthetic persons were refused");
        next = persons.end;
    }
}

fn request(connection: &Connection, probe: &[u8]) -> SearchRequest {
    SearchRequest {
        context: Some(connection.context("criminal_investigation")),
        probe: probe.to_vec().into(),
        source: Some(ProbeSource {
            source_type: "other".to_owned(),
            acquired_under: "rendered for this measurement".to_owned(),
            investigation_ref: "BENCH-1".to_owned(),
            offence_type: String::new(),
            edits: String::new(),
        }),
        selection: Some(FaceSelection { choice: Some(Choice::Largest(true)) }),
        pools: vec![POOL.to_owned()],
        candidate_list_length: u32::try_from(CANDIDATES).unwrap_or(u32::MAX),
    }
}

/// One search; the time includes making the message.
async fn search(connection: &Connection, probe: &[u8]) -> anyhow::Result<Duration> {
    let began = std::time::Instant::now();
    let answer = connection.search().search(request(connection, probe)).await?.into_inner();
    let took = began.elapsed();
    ensure!(
        !answer.candidates.is_empty() && answer.receipt.is_some(),
        "a search came back without candidates or receipt"
    );
    Ok(took)
}

async fn one_client(
    connection: &Connection,
    probes: &[Vec<u8>],
    gallery: u64,
    seed: u64,
    searches: usize,
) -> anyhow::Result<OneClient> {
    let home = Home::locate()?;
    let pack = Pack::open(&home, likeness_models::DEFAULT_PACK)?;
    let matcher = Matcher::open(&pack, &home.runtime_library()?, &MatcherOptions::default())?;
    let index = index_alone(&matcher, gallery, seed)?;
    let (mut calls, mut pipelines, mut beyond) = (Vec::new(), Vec::new(), Vec::new());
    search(connection, &probes[0]).await?;
    for probe in probes.iter().cycle().take(searches) {
        let (analysed, pipeline) =
            timed(|| matcher.analyse(probe, &Selection::Largest, &QualityPolicy::default()));
        analysed?;
        let call = search(connection, probe).await?;
        beyond.push(call.as_secs_f64() * 1e3 - pipeline.as_secs_f64() * 1e3);
        pipelines.push(pipeline);
        calls.push(call);
    }
    beyond.sort_by(f64::total_cmp);
    let overhead_ms = beyond.get(beyond.len() / 2).context("no searches")? - index.median_ms;
    let spread = |taken: &[Duration]| Spread::of(taken).context("no searches");
    Ok(OneClient { call: spread(&calls)?, pipeline: spread(&pipelines)?, index, overhead_ms })
}

/// Index searches among as many templates as the pool holds, of the same dimension.
fn index_alone(matcher: &Matcher, rows: u64, seed: u64) -> anyhow::Result<Spread> {
    let (space, dimension) = (matcher.space_id(), matcher.dimension());
    let gallery = Gallery::new(seed, dimension);
    let index = FlatIndex::new(space, dimension, matcher.metric())?;
    for (row, reference) in (0..).zip(gallery.references(0..rows)) {
        let embedding = Embedding::from_stored(space, reference.values, dimension)?;
        index.insert(&[IndexRow {
            row: RowKey(row),
            subject: SubjectKey(reference.subject),
            embedding: &embedding,
        }])?;
    }
    let mut taken = Vec::new();
    for number in 0..100 {
        let probe = Embedding::from_stored(space, gallery.other_probe(number), dimension)?;
        let (found, took) = timed(|| index.search(&probe, CANDIDATES));
        found?;
        taken.push(took);
    }
    Spread::of(&taken).context("no searches")
}

async fn many_clients(
    server: &Server,
    probes: &Arc<Vec<Vec<u8>>>,
    count: usize,
    searches: usize,
) -> anyhow::Result<Clients> {
    let mut connections = Vec::new();
    for _ in 0..count {
        let connection = server.connect().await?;
        search(&connection, &probes[0]).await?;
        connections.push(connection);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let began = std::time::Instant::now();
    let working: Vec<_> = connections
        .into_iter()
        .map(|connection| {
            let (next, probes) = (next.clone(), probes.clone());
            tokio::spawn(async move {
                let mut taken = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= searches {
                        return anyhow::Ok(taken);
                    }
                    taken.push(search(&connection, &probes[number % probes.len()]).await?);
                }
            })
        })
        .collect();
    let mut taken = Vec::new();
    for client in working {
        taken.extend(client.await??);
    }
    let searches_per_s = taken.len() as f64 / began.elapsed().as_secs_f64();
    Ok(Clients { clients: count, call: Spread::of(&taken).context("no searches")?, searches_per_s })
}

fn overhead_table(results: &Results) -> Table {
    let OneClient { call, pipeline, index, overhead_ms } = &results.one_client;
    let title = format!(
        "One client, {} enrolled images, {} candidates, audit on (median ms)",
        results.gallery, results.candidates
    );
    let mut table = Table::new(&title, &["search call", "pipeline alone", "index alone", "overhead"]);
    let cells = [call.median_ms, pipeline.median_ms, index.median_ms, *overhead_ms];
    table.row(cells.map(|ms| format!("{ms:.2}")).to_vec());
    table
}

fn clients_table(results: &Results) -> Table {
    let mut table =
        Table::new("Search calls (ms)", &["clients", "median", "p95", "p99", "most", "searches/s"]);
    for Clients { clients, call, searches_per_s } in &results.clients {
        let times = [call.median_ms, call.p95_ms, call.p99_ms, call.most_ms].map(|ms| format!("{ms:.1}"));
        let [median, p95, p99, most] = times;
        table.row(vec![clients.to_string(), median, p95, p99, most, format!("{searches_per_s:.1}")]);
    }
    table
}
