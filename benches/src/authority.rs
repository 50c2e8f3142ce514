//! How long does it take to decide whether a caller may do something?
//!
//! The real authoriser on the built-in policies, one thread, questions of every kind: allowed and denied, every role, kind
//! of pool, purpose and origin, in a seeded order so that no cache of the processor is flattered. Everything a call pays is
//! in it: putting the question in the policies' words, evaluating every policy, the red lines, and naming the reasons. The
//! floor beside it is copying the caller, which a decision cannot do without.

use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use likeness_server::authorise::{
    Authoriser,
    matrix::{Matrix, Stage},
};
use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::machine::Circumstances;
use crate::run::{RunOptions, report};
use crate::table::Table;
use crate::timing::{Spread, timed};

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Decisions to take.
    #[arg(long, default_value_t = 50_000)]
    decisions: usize,
}

#[derive(Debug, Serialize)]
struct Results {
    policies: usize,
    policy_set: String,
    decisions: usize,
    allowed: usize,
    load_ms: f64,
    decide: Spread,
    allowed_only: Spread,
    floor: Spread,
}

/// Runs the measurement.
///
/// # Errors
/// When the built-in policies do not load.
pub fn run(run: &RunOptions, options: &Options) -> anyhow::Result<()> {
    let circumstances = Circumstances::now(run.seed);
    let (authoriser, load) = timed(Authoriser::built_in);
    let authoriser = authoriser?;
    let stage = Stage::new(authoriser.purposes())?;
    let mut cells = Matrix::cells(authoriser.purposes());
    cells.shuffle(&mut ChaCha8Rng::seed_from_u64(run.seed));
    let (mut all, mut allowed, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for cell in cells.iter().cycle().take(options.decisions) {
        let (decision, took) = stage.ask(cell, None, |question| timed(|| authoriser.decide(question)));
        all.push(took);
        if decision.allowed {
            allowed.push(took);
        }
        floor.push(stage.ask(cell, None, |question| timed(|| question.caller.clone())).1);
    }
    let spread = |taken: &[Duration]| Spread::of(taken);
    let (Some(decide), Some(allowed_only), Some(floor)) = (spread(&all), spread(&allowed), spread(&floor))
    else {
        anyhow::bail!("nothing was decided, or nothing was allowed");
    };
    ensure!(allowed.len() < all.len(), "everything was allowed");
    let results = Results {
        policies: authoriser.described().len(),
        policy_set: authoriser.digest().to_owned(),
        decisions: all.len(),
        allowed: allowed.len(),
        load_ms: load.as_secs_f64() * 1e3,
        decide,
        allowed_only,
        floor,
    };
    let mut table = Table::new(
        "One authorisation decision, microseconds",
        &["questions", "count", "median", "95 of 100", "99 of 100", "longest"],
    );
    for (name, spread) in
        [("all", decide), ("the allowed ones", allowed_only), ("floor: copying the caller", floor)]
    {
        let us = |ms: f64| format!("{:.1}", ms * 1e3);
        table.row(vec![
            name.to_owned(),
            spread.count.to_string(),
            us(spread.median_ms),
            us(spread.p95_ms),
            us(spread.p99_ms),
            us(spread.most_ms),
        ]);
    }
    let mut loading = Table::new("Loading and checking the policies, once at start", &["policies", "ms"]);
    loading.row(vec![results.policies.to_string(), format!("{:.0}", results.load_ms)]);
    report(run, "authority", circumstances, &results, &[table, loading])
}
