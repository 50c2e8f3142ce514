//! Does the time that a refusal takes tell what is there?
//!
//! Over TLS on loopback, one client, with audit: each kind of question once about something that is there and hidden or
//! forbidden, and once about something that never was, by turns in a seeded order. The two must take as long: what counts is the
//! difference of their medians beside the spread of either.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use likeness_proto::v1::{
    GetSubjectRequest, ProbeSource, ProtectRequest, ProtectedView, Protection, SearchRequest,
    get_subject_request, protect_request,
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::server::{Connection, POOL, Server};
use crate::table::Table;
use crate::timing::Spread;
use crate::{enrol, images};

/// A pool that the asking person may not search for the stated purpose.
const FORBIDDEN: &str = "bench-missing";
/// A pool that is not there; as long a name.
const ABSENT: &str = "bench-nowhere";

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Refusals of each kind.
    #[arg(long, default_value_t = 500)]
    refusals: usize,
    /// Enrolled images.
    #[arg(long, default_value_t = 60)]
    gallery: u64,
    /// Keep the server's data here (made when absent, filled up when it holds fewer).
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// The same question about something that is there and something that never was.
#[derive(Debug, Serialize)]
struct Pair {
    question: &'static str,
    there: Spread,
    absent: Spread,
    /// Median when it is there minus median when it is not; ms.
    difference_ms: f64,
    /// How often the one that is there took longer than the one after it that is not: half, when time tells nothing.
    longer_when_there: f64,
}

#[derive(Debug, Serialize)]
struct Results {
    gallery: u64,
    pairs: Vec<Pair>,
}

/// Runs the measurement.
///
/// # Errors
/// When the server does not start, or answers what it should refuse.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let circumstances = Circumstances::now(run.seed);
    ensure!(options.refusals > 0, "at least one refusal is needed");
    let temporary = tempfile::Builder::new().prefix("likeness-bench-").tempdir()?;
    let data = options.data.clone().unwrap_or_else(|| temporary.path().join("data"));
    let server = Server::start(Some(&data))?;
    let likeness = std::env::current_exe()?.with_file_name("likeness");
    let token = Command::new(likeness)
        .args(["token", "issue", "--person", "bench-2", "--name", "Without the right", "--org", "local"])
        .args(["--role", "searcher", "--role", "enroller", "--days", "1", "--data"])
        .arg(&data)
        .output()?;
    ensure!(token.status.success(), "no token: {}", String::from_utf8_lossy(&token.stderr));
    let token = String::from_utf8(token.stdout)?;
    let mut random = ChaCha8Rng::seed_from_u64(run.seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let results = runtime.block_on(async {
        let operator = server.connect().await?;
        let held = operator.pool().await?;
        if held < options.gallery {
            let wanted = images::synthetic(run.seed, held..options.gallery, 0)?;
            enrol::send(&operator, held, wanted).await?;
        }
        let gallery = operator.pool().await?;
        operator.pool_of(FORBIDDEN, likeness_proto::v1::PoolKind::MissingPerson).await?;
        let probe = images::synthetic(run.seed, 0..1, 1)?.pop().context("no probe")?;
        let hidden = hide_first(&operator, &probe).await?;
        let asking = operator.as_person(token.trim())?;
        let mut pairs = Vec::new();
        let nobody = "01890a5d-ac96-774b-bcce-b302099a8057".to_owned();
        let questions: [(&'static str, [Question; 2]); 2] = [
            (
                "read a subject: under a protected view, or never there",
                [Question::Subject(hidden), Question::Subject(nobody)],
            ),
            (
                "search a pool: forbidden, or never there",
                [Question::Search(FORBIDDEN), Question::Search(ABSENT)],
            ),
        ];
        for (question, both) in &questions {
            let (mut taken, mut longer) = ([Vec::new(), Vec::new()], 0);
            for round in 0..options.refusals + 20 {
                let first = (random.next_u32() & 1) as usize;
                let mut once = [Duration::ZERO; 2];
                for at in [first, 1 - first] {
                    once[at] = both[at].refused(&asking, &probe).await?;
                }
                // The first ones warm the connection and the caches up.
                if round >= 20 {
                    longer += usize::from(once[0] > once[1]);
                    taken[0].push(once[0]);
                    taken[1].push(once[1]);
                }
            }
            let (Some(there), Some(absent)) = (Spread::of(&taken[0]), Spread::of(&taken[1])) else {
                bail!("nothing was measured");
            };
            pairs.push(Pair {
                question,
                difference_ms: there.median_ms - absent.median_ms,
                longer_when_there: longer as f64 / options.refusals as f64,
                there,
                absent,
            });
        }
        anyhow::Ok(Results { gallery, pairs })
    })?;
    let mut table = Table::new(
        "A refusal over TLS, audited: what is there and hidden or forbidden, and what never was; ms",
        &[
            "question",
            "there, median",
            "95 of 100",
            "never there, median",
            "95 of 100",
            "difference",
            "longer when there",
        ],
    );
    for pair in &results.pairs {
        table.row(vec![
            pair.question.to_owned(),
            format!("{:.3}", pair.there.median_ms),
            format!("{:.3}", pair.there.p95_ms),
            format!("{:.3}", pair.absent.median_ms),
            format!("{:.3}", pair.absent.p95_ms),
            format!("{:+.3}", pair.difference_ms),
            format!("{:.0} %", 100.0 * pair.longer_when_there),
        ]);
    }
    report(run, "refusals", circumstances, &results, &[table])
}

/// What is asked.
enum Question {
    Subject(String),
    Search(&'static str),
}

impl Question {
    /// Asks, and says how long the refusal took.
    async fn refused(&self, connection: &Connection, probe: &[u8]) -> anyhow::Result<Duration> {
        let began = std::time::Instant::now();
        let refused = match self {
            Question::Subject(id) => {
                let request = GetSubjectRequest {
                    context: Some(connection.context("record_management")),
                    pool: POOL.to_owned(),
                    subject: Some(get_subject_request::Subject::SubjectId(id.clone())),
                };
                connection.subject().get_subject(request).await.err()
            }
            Question::Search(pool) => {
                let request = SearchRequest {
                    context: Some(connection.context("criminal_investigation")),
                    probe: probe.to_vec().into(),
                    source: Some(source()),
                    pools: vec![(*pool).to_owned()],
                    ..SearchRequest::default()
                };
                connection.search().search(request).await.err()
            }
        };
        let took = began.elapsed();
        ensure!(refused.is_some(), "what should have been refused was answered");
        Ok(took)
    }
}

fn source() -> ProbeSource {
    ProbeSource {
        source_type: "other".to_owned(),
        acquired_under: "made for a measurement".to_owned(),
        investigation_ref: "BENCH".to_owned(),
        ..ProbeSource::default()
    }
}

/// Puts the person most like the probe under a protected view, and gives their id.
async fn hide_first(operator: &Connection, probe: &[u8]) -> anyhow::Result<String> {
    let request = SearchRequest {
        context: Some(operator.context("criminal_investigation")),
        probe: probe.to_vec().into(),
        source: Some(source()),
        pools: vec![POOL.to_owned()],
        ..SearchRequest::default()
    };
    let found = operator.search().search(request).await?.into_inner();
    let subject = found.candidates.into_iter().next().context("nobody was found")?.subject_id;
    let request = ProtectRequest {
        context: Some(operator.context("record_management")),
        pool: POOL.to_owned(),
        subject: Some(protect_request::Subject::SubjectId(subject.clone())),
        protection: Some(Protection {
            view: ProtectedView::ExistenceSuppressed.into(),
            owner: "bench".to_owned(),
            reason: "to measure how long a refusal takes".to_owned(),
            review_due: (jiff::Zoned::now().date() + jiff::Span::new().days(30)).to_string(),
            ends_on: String::new(),
        }),
    };
    operator.protection().protect(request).await?;
    Ok(subject)
}
