//! How long does a search call take, and how much of that is the service rather than the algorithm?
//!
//! A server in a process of its own holds a pool of made-up templates (`fill.rs`) and the persons whom the probes
//! show, enrolled as anybody is. Probes are other captures of them. Every call goes over TLS on loopback, is authorised,
//! audited durably before it is answered, and returns full candidates. With one client, each probe is also analysed in
//! this process, by turns with the calls; the time of an index search of the same size is measured too. What a call takes
//! beyond those two is the service's *overhead*: wire, authorisation, audit, records. With more clients, latency and
//! searches per second are measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use likeness_matcher::embed::Embedding;
use likeness_matcher::index::{
    CertifiedIndex, IndexRead as _, IndexRow, IndexWrite as _, RowKey, SubjectKey,
};
use likeness_matcher::pipeline::Analysed;
use likeness_matcher::{Matcher, QualityPolicy, Selection};
use likeness_proto::v1::{FaceSelection, ProbeSource, SearchRequest, face_selection::Choice};
use serde::{Deserialize, Serialize};

use crate::fill::{Looks, NO_IMAGE, Population};
use crate::gallery::{Gallery, embedding};
use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::server::{Connection, POOL, Server};
use crate::table::Table;
use crate::timing::{Spread, timed};

/// Length of the candidate list.
const CANDIDATES: usize = 50;

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Templates to search among.
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    galleries: Vec<u64>,
    /// Folder for the data folder of each gallery, about 7 KB per template; by default the system's for temporary files.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Different probes, each of an enrolled person.
    #[arg(long, default_value_t = 64)]
    probes: u64,
    /// Searches per number of clients; at least eight per client.
    #[arg(long, default_value_t = 400)]
    searches: usize,
    /// Numbers of clients, each with a connection of its own.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 4, 8, 16, 32, 64])]
    clients: Vec<usize>,
}

/// One size of gallery.
#[derive(Debug, Deserialize, Serialize)]
pub struct Results {
    /// Searchable images.
    pub gallery: u64,
    /// Length of the list.
    pub candidates: usize,
    /// Seconds from the server's start until it answers: its pool is loaded and checked.
    pub start_seconds: f64,
    /// With one client.
    pub one_client: OneClient,
    /// With several.
    pub clients: Vec<Clients>,
    /// Resident memory of the server before the first search, in MiB.
    pub loaded_mib: Option<u64>,
    /// And after the last.
    pub server_memory_mib: Option<u64>,
}

/// By turns on the same probes.
#[derive(Debug, Deserialize, Serialize)]
pub struct OneClient {
    /// A whole call.
    pub call: Spread,
    /// The pipeline alone.
    pub pipeline: Spread,
    /// An index search alone.
    pub index: Spread,
    /// Median over the probes of call minus pipeline, minus the median index search. Milliseconds.
    pub overhead_ms: f64,
}

/// So many clients at once.
#[derive(Debug, Deserialize, Serialize)]
pub struct Clients {
    /// How many.
    pub clients: usize,
    /// A whole call.
    pub call: Spread,
    /// All clients together.
    pub searches_per_s: f64,
}

/// Runs the measurements: one file per size of gallery.
///
/// # Errors
/// When the server does not start or refuses a search.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    for &rows in &options.galleries {
        let circumstances = Circumstances::now(run.seed);
        let mut folder = tempfile::Builder::new();
        folder.prefix("likeness-bench-");
        let folder = match &options.folder {
            Some(inside) => folder.tempdir_in(inside)?,
            None => folder.tempdir()?,
        };
        let results = one_size(run, options, rows, &folder.path().join("data"))?;
        let tables = [overhead_table(&results), clients_table(&results)];
        report(run, &format!("service-{rows}"), circumstances, &results, &tables)?;
    }
    Ok(())
}

fn one_size(run: &RunOptions, options: &Options, rows: u64, data: &Path) -> anyhow::Result<Results> {
    let population = Population::new(run.seed, options.probes)?;
    let collected = jiff::Timestamp::now();
    population.settle(data, rows, &Looks { image: NO_IMAGE, collected: &|_| collected })?;
    let Population { matcher, probes, analysed, gallery, .. } = population;
    let probes = Arc::new(probes);
    // Dropped before the server is: it then has no open connections to wait for.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let server = Server::start(Some(data))?;
    let loaded_mib = server.memory_mib();
    let (held, one_client, clients) = runtime.block_on(async {
        let connection = server.connect().await?;
        let held = connection.pool().await?;
        let index = index_alone(&matcher, &gallery, rows, &analysed)?;
        let one_client = one_client(&connection, &matcher, index, &probes, options.searches).await?;
        let mut clients = Vec::new();
        for &count in &options.clients {
            eprintln!("service: {rows} templates, {count} client(s)");
            let searches = options.searches.max(8 * count);
            clients.push(many_clients(&server, &probes, count, searches).await?);
        }
        anyhow::Ok((held, one_client, clients))
    })?;
    Ok(Results {
        gallery: held,
        candidates: CANDIDATES,
        start_seconds: server.start.as_secs_f64(),
        one_client,
        clients,
        loaded_mib,
        server_memory_mib: server.memory_mib(),
    })
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
            origin: 0,
        }),
        selection: Some(FaceSelection { choice: Some(Choice::Largest(true)) }),
        pools: vec![POOL.to_owned()],
        candidate_list_length: u32::try_from(CANDIDATES).unwrap_or(u32::MAX),
        ..SearchRequest::default()
    }
}

/// One search; the time includes making the message.
pub(crate) async fn search(connection: &Connection, probe: &[u8]) -> anyhow::Result<Duration> {
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
    matcher: &Matcher,
    index: Spread,
    probes: &[Vec<u8>],
    searches: usize,
) -> anyhow::Result<OneClient> {
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

/// Index searches for the same probes among the same templates, on one thread.
fn index_alone(
    matcher: &Matcher,
    gallery: &Gallery,
    rows: u64,
    probes: &[Analysed],
) -> anyhow::Result<Spread> {
    let space = matcher.space_id();
    let index = CertifiedIndex::new(space, matcher.dimension(), matcher.metric())?;
    gallery.each_block(0..rows, |first, references| {
        let embeddings: Vec<Embedding> = references
            .iter()
            .map(|reference| embedding(space, reference.values.clone()))
            .collect::<Result<_, _>>()?;
        let rows: Vec<IndexRow<'_>> = (first..)
            .zip(references.iter().zip(&embeddings))
            .map(|(row, (reference, embedding))| IndexRow {
                row: RowKey(row),
                subject: SubjectKey(reference.subject),
                embedding,
            })
            .collect();
        Ok(index.insert(&rows)?)
    })?;
    let mut taken = Vec::new();
    for probe in probes.iter().cycle().take(100) {
        let (found, took) = timed(|| index.search(&probe.embedding, CANDIDATES));
        found?;
        taken.push(took);
    }
    Spread::of(&taken).context("no searches")
}

pub(crate) async fn many_clients(
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
    let mut table = Table::new(
        &title,
        &[
            "search call",
            "pipeline alone",
            "index alone",
            "overhead",
            "server starts in (s)",
            "MiB then",
            "MiB after",
        ],
    );
    let cells = [call.median_ms, pipeline.median_ms, index.median_ms, *overhead_ms];
    let mut cells = cells.map(|ms| format!("{ms:.2}")).to_vec();
    cells.push(format!("{:.1}", results.start_seconds));
    let memory = [results.loaded_mib, results.server_memory_mib];
    cells.extend(memory.map(|mib| mib.map_or_else(String::new, |mib| mib.to_string())));
    table.row(cells);
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
