//! How long until those whose time has come are gone, and what do searches notice of it?
//!
//! A pool of made-up references (`fill.rs`), a fifth of whose subjects become due on the same day. The server runs in this process
//! by a clock that is put forward: to that day, when the scheduler puts them beyond use, and then to the end of the time that
//! they stay there, when it erases them with everything that an erasure does: ledger, keys, content of the log, image files,
//! rows, certificates. One client searches over gRPC without a pause, before, during and after.

use std::cell::Cell;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use likeness_proto::v1::{ListRetentionRequest, ListRetentionResponse, RunRetentionRequest};
use likeness_server::clock::Clock;
use likeness_server::data::DataDir;
use likeness_server::pool::PoolKind;
use likeness_server::retention::{Facts, RuleSet, assess};
use likeness_server::serve::{self, ServeOptions};
use serde::Serialize;

use crate::fill::{Looks, Population};
use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::server::{Connection, POOL};
use crate::service::search;
use crate::table::Table;
use crate::timing::Spread;
use crate::{gallery, plot::short};

/// Pause between two looks at how far the scheduler is.
const LOOK: Duration = Duration::from_millis(500);
/// The scheduler is given up after so long.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Within so many days from now the old records become due.
const AHEAD: i32 = 4;

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// References in the pool.
    #[arg(long, default_value_t = 100_000)]
    references: u64,
    /// Every how manieth subject becomes due.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Bytes that stand in for each image.
    #[arg(long, default_value_t = 16_384)]
    image_bytes: usize,
    /// Seconds of searching before and after.
    #[arg(long, default_value_t = 15.0)]
    seconds: f64,
    /// Different probes.
    #[arg(long, default_value_t = 32)]
    probes: u64,
    /// Folder for the data folder; by default the system's for temporary files.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// The system's clock, put forward by whole days.
#[derive(Default)]
struct PutForward(AtomicI64);

impl Clock for PutForward {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_hours(24 * self.0.load(Ordering::Acquire))
    }
}

/// Searches while something went on.
#[derive(Debug, Serialize)]
struct Meanwhile {
    what: &'static str,
    search: Spread,
    /// Records that it was about, and how long it took.
    done: Option<(u64, f64)>,
}

/// Bytes on disk, by part of the data folder.
#[derive(Debug, Serialize)]
struct Disk {
    part: &'static str,
    before: u64,
    after: u64,
}

#[derive(Debug, Serialize)]
struct Results {
    references: u64,
    subjects: u64,
    due_subjects: u64,
    due_references: u64,
    image_bytes: usize,
    /// Seconds until every record was assessed for the first time, right after the start.
    assessed_s: f64,
    meanwhile: Vec<Meanwhile>,
    disk: Vec<Disk>,
}

/// Runs the measurement.
///
/// # Errors
/// When the server does not start, refuses something, or the numbers do not come out.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let circumstances = Circumstances::now(run.seed);
    let mut temporary = tempfile::Builder::new();
    temporary.prefix("likeness-bench-");
    let temporary = match &options.folder {
        Some(inside) => temporary.tempdir_in(inside)?,
        None => temporary.tempdir()?,
    };
    let data = temporary.path().join("data");
    let results = measure(run, options, &data)?;
    report(run, "expiry", circumstances, &results, &[searches(&results), work(&results), disk(&results)])
}

fn measure(run: &RunOptions, options: &Options, data: &Path) -> anyhow::Result<Results> {
    let rules = RuleSet::shipped()?;
    let now = Timestamp::now();
    let days = Days::of(&rules, now)?;
    let is_old = |subject: u64| subject.is_multiple_of(options.every);
    let population = Population::new(run.seed, options.probes)?;
    let image = vec![0x5a; options.image_bytes];
    let collected = |subject: u64| if is_old(subject) { days.old } else { now };
    population.settle(data, options.references, &Looks { image: &image, collected: &collected })?;
    let Population { probes, matcher, .. } = population;
    drop(matcher);
    let subjects = gallery::subjects(options.references);
    let due_subjects = (0..subjects).filter(|subject| is_old(*subject)).count() as u64;
    let due_references = (0..options.references).filter(|row| is_old(gallery::whose(*row).0)).count() as u64;

    let clock = Arc::new(PutForward::default());
    let serving = ServeOptions { data: data.to_path_buf(), listen: None, insecure_plaintext: false };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let running = runtime.block_on(serve::start_by(&serving, clock.clone()))?;
    // Of its own: the client does not wait behind the server's work.
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (assessed_s, meanwhile, disk) = client.block_on(async {
        let pool = Watched { connection: Connection::to(data).await?, probes };
        let began = Instant::now();
        pool.until_assessed().await?;
        let assessed_s = began.elapsed().as_secs_f64();
        let settled = pool.counts().await?;
        ensure!(settled.due == 0 && settled.beyond_use == 0, "records are due too early: {settled:?}");
        let pause = || async {
            tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
            anyhow::Ok(None)
        };
        // What the scheduler does on a day, and how long it takes.
        let on_day = async |day: i64, done: fn(&ListRetentionResponse, u64) -> bool| {
            let began = Instant::now();
            clock.0.store(day, Ordering::Release);
            running.service().retention_wanted().notify_one();
            pool.until(|counts| done(counts, due_subjects)).await?;
            anyhow::Ok(Some((due_subjects, began.elapsed().as_secs_f64())))
        };
        let before = disk_use(data);
        let mut meanwhile = vec![pool.meanwhile("left alone, before", pause()).await?];
        let gone = |counts: &ListRetentionResponse, due: u64| counts.beyond_use == due && counts.due == 0;
        meanwhile.push(pool.meanwhile("put beyond use", on_day(days.due, gone)).await?);
        let erased = |counts: &ListRetentionResponse, _: u64| counts.beyond_use + counts.erasing == 0;
        meanwhile.push(pool.meanwhile("erased", on_day(days.over, erased)).await?);
        meanwhile.push(pool.meanwhile("gone", pause()).await?);
        let left = pool.counts().await?;
        ensure!(
            left.active == settled.active - due_subjects && left.due == 0,
            "{} subjects were in use and {due_subjects} were due, but {left:?}",
            settled.active
        );
        let disk = before.into_iter().zip(disk_use(data));
        let disk = disk.map(|((part, before), (_, after))| Disk { part, before, after }).collect();
        anyhow::Ok((assessed_s, meanwhile, disk))
    })?;
    runtime.block_on(running.stop())?;
    let (references, image_bytes) = (options.references, options.image_bytes);
    Ok(Results {
        references,
        subjects,
        due_subjects,
        due_references,
        image_bytes,
        assessed_s,
        meanwhile,
        disk,
    })
}

/// When old records were collected, and how many days from now they are due and their time beyond use is over.
struct Days {
    old: Timestamp,
    due: i64,
    over: i64,
}

impl Days {
    /// Asks the rules: old enough that nothing retains the record in a few days, and something does today.
    fn of(rules: &RuleSet, now: Timestamp) -> anyhow::Result<Self> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let later = |days: i32| today.checked_add(jiff::Span::new().days(days));
        let is_due = |collected: Date, on: Date| {
            let kind = PoolKind::Custody;
            assess(rules, kind, &Facts::new(kind.usual_category(), collected), on).is_due()
        };
        let (soon, over) = (later(AHEAD)?, rules.beyond_use().after(later(AHEAD + 1)?));
        ensure!(!is_due(today, over), "records of today are due before the old ones are erased");
        let old = (1..20_000)
            .map_while(|days| later(-days).ok())
            .find(|day| is_due(*day, soon))
            .context("by these rules no record of a custody pool ever becomes due")?;
        ensure!(!is_due(old, today), "by these rules no record becomes due within {AHEAD} days");
        let over = today.until(over)?.get_days() + 1;
        let old = old.to_zoned(TimeZone::UTC)?.timestamp();
        Ok(Self { old, due: i64::from(AHEAD), over: i64::from(over) })
    }
}

/// The pool, as a client sees it.
struct Watched {
    connection: Connection,
    probes: Vec<Vec<u8>>,
}

impl Watched {
    /// Searches without a pause until `work` is done.
    async fn meanwhile(
        &self,
        what: &'static str,
        work: impl Future<Output = anyhow::Result<Option<(u64, f64)>>>,
    ) -> anyhow::Result<Meanwhile> {
        eprintln!("expiry: {what}");
        let over = Cell::new(false);
        let searching = async {
            let mut taken = Vec::new();
            for probe in self.probes.iter().cycle().take_while(|_| !over.get()) {
                taken.push(search(&self.connection, probe).await?);
            }
            anyhow::Ok(taken)
        };
        let working = async {
            let done = work.await;
            over.set(true);
            done
        };
        let (taken, done) = tokio::join!(searching, working);
        Ok(Meanwhile { what, search: Spread::of(&taken?).context("no searches")?, done: done? })
    }

    async fn counts(&self) -> anyhow::Result<ListRetentionResponse> {
        let request = ListRetentionRequest {
            context: Some(self.connection.context("record_management")),
            pool: POOL.to_owned(),
            list: "due".to_owned(),
            after: 0,
            limit: 1,
        };
        Ok(self.connection.retention().list_retention(request).await?.into_inner())
    }

    async fn until(&self, done: impl Fn(&ListRetentionResponse) -> bool) -> anyhow::Result<()> {
        let began = Instant::now();
        while !done(&self.counts().await?) {
            ensure!(began.elapsed() < PATIENCE, "the scheduler does not come to an end");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    async fn until_assessed(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let request = RunRetentionRequest {
                context: Some(self.connection.context("record_management")),
                pool: POOL.to_owned(),
                dry_run: true,
            };
            let left = self.connection.retention().run_retention(request).await?.into_inner();
            if left.assessed == 0 {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "the scheduler does not come to an end");
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Bytes that the parts of a data folder take on disk.
fn disk_use(data: &Path) -> Vec<(&'static str, u64)> {
    let data = DataDir::at(data);
    let pool = data.pools().join(POOL);
    let records = taken_by(&pool).saturating_sub(taken_by(&pool.join("blobs")));
    vec![
        ("sealed images", taken_by(&pool.join("blobs"))),
        ("records and templates", records),
        ("key store", taken_by(&data.keys())),
        ("audit log and content", taken_by(&data.audit())),
        ("erasure ledger", taken_by(&data.erasure())),
    ]
}

fn taken_by(folder: &Path) -> u64 {
    let bytes = |metadata: Metadata| metadata.blocks() * 512;
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => taken_by(&entry.path()),
            Ok(metadata) => bytes(metadata),
            Err(_) => 0,
        })
        .sum()
}

fn searches(results: &Results) -> Table {
    let title = format!(
        "Searches of one client among {} references, audit on (ms); {} of {} subjects, with {} references, are due",
        results.references, results.due_subjects, results.subjects, results.due_references
    );
    let head = ["meanwhile they are", "searches", "median", "p95", "p99", "most", "median against before"];
    let mut table = Table::new(&title, &head);
    let idle = results.meanwhile.first().map_or(f64::NAN, |before| before.search.median_ms);
    for Meanwhile { what, search, .. } in &results.meanwhile {
        let mut cells = vec![(*what).to_owned(), search.count.to_string()];
        cells.extend(
            [search.median_ms, search.p95_ms, search.p99_ms, search.most_ms].map(|ms| format!("{ms:.1}")),
        );
        cells.push(format!("{:.2}", search.median_ms / idle));
        table.row(cells);
    }
    table
}

fn work(results: &Results) -> Table {
    let mut table =
        Table::new("What the scheduler did, beside the searches", &["what", "subjects", "s", "subjects/s"]);
    let first = ("assessed for the first time (no searches)", Some((results.subjects, results.assessed_s)));
    let others = results.meanwhile.iter().map(|one| (one.what, one.done));
    for (what, work) in std::iter::once(first).chain(others) {
        let Some((subjects, seconds)) = work else { continue };
        let rate = short(subjects as f64 / seconds);
        table.row(vec![what.to_owned(), subjects.to_string(), short(seconds), rate]);
    }
    table
}

fn disk(results: &Results) -> Table {
    let title = format!("Disk (MiB; {} bytes stand in for each image)", results.image_bytes);
    let mut table = Table::new(&title, &["part", "before", "after", "returned"]);
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    for Disk { part, before, after } in &results.disk {
        let (before, after) = (mib(*before), mib(*after));
        let cells = [before, after, before - after].map(|mib| format!("{mib:.1}"));
        table.row([vec![(*part).to_owned()], cells.to_vec()].concat());
    }
    table
}
