//! One size, measured.

use anyhow::Context as _;
use likeness_matcher::embed::Embedding;
use serde::{Deserialize, Serialize};

use super::kinds::{self, Made};
use super::{Case, Family, Kind, Point, compressed};
use crate::gallery::{Gallery, embedding, space};
use crate::search::{Batch, Built, Oracle, Ours, Right, Tier, writes};
use crate::timing::{Spread, timed};

/// Probes, half of them mated.
const PROBES: u64 = 256;

/// Rounds of a batch.
const ROUNDS: usize = 3;

/// References to learn from, per list: FAISS's own minimum before it warns.
const PER_LIST: u64 = 40;

/// What one process measures.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Job {
    pub(super) rows: u64,
    pub(super) dimension: usize,
    pub(super) family: Family,
    pub(super) limit: usize,
    pub(super) seed: u64,
}

/// Measures.
pub(super) fn measure(job: &Job) -> anyhow::Result<Case> {
    let gallery = Gallery::new(job.seed, job.dimension);
    let space = space()?;
    let probes: Vec<Embedding> = gallery
        .probes(0..PROBES, job.rows)
        .into_iter()
        .map(|(values, _)| embedding(space, values))
        .collect::<Result<_, _>>()?;
    let ours = Ours::new(&gallery, Tier::Memory, &std::env::temp_dir())?;
    let mut oracle = Oracle::new(&gallery, &probes);
    let mut built = Built::default();
    gallery.each_block(0..job.rows, |first, references| {
        oracle.look_at(first, references)?;
        let batch = Batch::of(first, references)?;
        built.add(|| batch.insert(ours.index()?))
    })?;
    let right = oracle.answers(job.limit);
    let made = match job.family {
        Family::Graphs => kinds::graphs(job.dimension, gallery.metric())?,
        Family::Inverted => kinds::inverted(job.rows, job.dimension, gallery.metric())?,
        Family::Compressed => compressed::compressed(job.dimension, gallery.metric())?,
    };
    let kinds = made
        .into_iter()
        .map(|made| kind(job, &gallery, &probes, &right, &ours, made))
        .collect::<Result<_, _>>()?;
    Ok(Case {
        rows: job.rows,
        dimension: job.dimension,
        metric: gallery.metric(),
        limit: job.limit,
        ours_build_seconds: built.took.as_secs_f64(),
        ours_bytes_per_template: built.bytes as f64 / job.rows as f64,
        kinds,
    })
}

fn kind(
    job: &Job,
    gallery: &Gallery,
    probes: &[Embedding],
    right: &[Right],
    ours: &Ours,
    mut made: Made,
) -> anyhow::Result<Kind> {
    eprintln!("approximate: building {} of {} x {}", made.name, job.rows, job.dimension);
    let mut built = Built::default();
    if job.family == Family::Inverted {
        let wanted = (kinds::lists(job.rows) as u64 * PER_LIST).min(job.rows);
        let mut values = Vec::new();
        gallery.each_block(0..wanted, |_, references| {
            values.extend(references.iter().flat_map(|reference| &reference.values));
            Ok(())
        })?;
        built.add(|| made.index.train(&values))?;
    }
    gallery.each_block(0..job.rows, |first, references| {
        let values: Vec<f32> = references.iter().flat_map(|reference| &reference.values).copied().collect();
        built.add(|| made.index.add(first, &values))
    })?;
    let mut points = Vec::new();
    for value in std::mem::take(&mut made.values) {
        made.index.set(value)?;
        let point = point(job, probes, right, ours, &made, value)?;
        let (one, [mated, _, others, _]) = (point.one.median_ms, point.recall);
        let (name, setting) = (&made.name, made.setting);
        eprintln!(
            "approximate: {name}, {setting} {value}: {one:.2} ms, recall@10 {mated:.4} and {others:.4}"
        );
        points.push(point);
    }
    let removal = writes::of_rival(&mut *made.index, job.rows).map_err(|error| reason(&error));
    Ok(Kind {
        name: made.name,
        setting: made.setting.to_owned(),
        build_seconds: built.took.as_secs_f64(),
        bytes_per_template: built.bytes as f64 / job.rows as f64,
        removal,
        points,
    })
}

/// What a library says of a removal that it does not do, without the place in its sources where it says so.
fn reason(error: &anyhow::Error) -> String {
    let said = error.to_string();
    format!("cannot: {}", said.rsplit(": ").next().unwrap_or_default())
}

/// Asks the other and ours, by turns.
fn point(
    job: &Job,
    probes: &[Embedding],
    right: &[Right],
    ours: &Ours,
    made: &Made,
    value: usize,
) -> anyhow::Result<Point> {
    let (mut theirs, mut own) = (Vec::new(), Vec::new());
    let mut shares = [const { Vec::<f64>::new() }; 4];
    for (at, (probe, right)) in probes.iter().zip(right).enumerate().take(128) {
        let (found, took) = timed(|| made.index.search(probe.values(), job.limit));
        let found = found?.pop().context("no answer")?;
        theirs.push(took);
        let (answered, took) = timed(|| ours.search(&[probe], job.limit));
        answered?;
        own.push(took);
        for (place, length) in [10, 50].into_iter().enumerate() {
            shares[at % 2 * 2 + place].push(right.recall(&found, length));
        }
    }
    let values: Vec<f32> = probes.iter().flat_map(Embedding::values).copied().collect();
    let asked: Vec<&Embedding> = probes.iter().collect();
    let (mut theirs_batch, mut own_batch) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (found, took) = timed(|| made.index.search(&values, job.limit));
        found?;
        theirs_batch.push(took);
        let (answered, took) = timed(|| ours.search(&asked, job.limit));
        answered?;
        own_batch.push(took);
    }
    let spread = |taken: &[std::time::Duration]| Spread::of(taken).context("nothing was asked");
    Ok(Point {
        value,
        one: spread(&theirs)?,
        ours_one: spread(&own)?,
        batch_ms: spread(&theirs_batch)?.median_ms / probes.len() as f64,
        ours_batch_ms: spread(&own_batch)?.median_ms / probes.len() as f64,
        recall: shares.map(|shares| shares.iter().sum::<f64>() / shares.len().max(1) as f64),
    })
}
