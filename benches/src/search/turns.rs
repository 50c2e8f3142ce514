//! Everybody searches in turn, round by round, so that whatever else the machine does meets all of them.

use std::time::Duration;

use likeness_matcher::embed::Embedding;
use serde::{Deserialize, Serialize};

use super::Measure;
use super::contestants::Contestant;
use super::memory::Memory;
use super::oracle::{Right, differences};
use super::ours::Ours;
use super::rival::shared_out;
use crate::timing::{Spread, timed};

/// Most turns of one contestant at one question.
const MOST_ROUNDS: usize = 60;

/// Longest batch of a library that searches for one probe after the other: what that takes is known, and minutes of it
/// would tell nothing.
const LONGEST_BATCH_MS: f64 = 10_000.0;

/// One question to one contestant: so many probes in a call, with so many threads.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Cell {
    /// Probes in a call.
    pub probes: usize,
    /// Threads.
    pub threads: usize,
    /// Time of a call.
    pub call: Spread,
}

/// Questions and answers so far.
pub(super) struct Turns<'a> {
    probes: &'a [Embedding],
    right: &'a [Right],
    dimension: usize,
    measure: &'a Measure,
    /// By contestant: ours, the memory, then the rivals.
    cells: Vec<Vec<Cell>>,
    pub(super) compared: usize,
    pub(super) differences: usize,
    /// Rows scored and probes asked one at a time, for mated ones and others.
    scored: [(usize, usize); 2],
}

impl<'a> Turns<'a> {
    pub(super) fn new(
        probes: &'a [Embedding],
        right: &'a [Right],
        dimension: usize,
        measure: &'a Measure,
    ) -> Self {
        let (cells, scored) = (Vec::new(), [(0, 0); 2]);
        Self { probes, right, dimension, measure, cells, compared: 0, differences: 0, scored }
    }

    /// Every question, to everybody.
    pub(super) fn run(
        &mut self,
        ours: &mut Ours,
        memory: &Memory,
        rivals: &[Contestant],
    ) -> anyhow::Result<()> {
        self.cells = vec![Vec::new(); rivals.len() + 2];
        for &threads in &self.measure.threads {
            ours.use_threads(threads);
            for probes in std::iter::once(1).chain(self.measure.batches.iter().copied()) {
                eprintln!("search: {probes} probe(s), {threads} thread(s)");
                self.question(ours, memory, rivals, (probes, threads))?;
            }
        }
        Ok(())
    }

    fn question(
        &mut self,
        ours: &Ours,
        memory: &Memory,
        rivals: &[Contestant],
        (probes, threads): (usize, usize),
    ) -> anyhow::Result<()> {
        let budget = Duration::from_secs_f64(self.measure.seconds);
        let mut taken: Vec<Vec<Duration>> = vec![Vec::new(); rivals.len() + 2];
        // The first turn touches buffers of this size for the first time, and is not counted for whoever gets another.
        for round in 0..=MOST_ROUNDS {
            let from = round * probes % self.probes.len();
            let from = if from + probes > self.probes.len() { 0 } else { from };
            for (at, taken) in taken.iter_mut().enumerate() {
                let spent: Duration = taken.iter().sum();
                let pointless = (at == 1 && probes > 1) || (at > 1 && probes == 1 && threads > 1);
                let endless = at > 1
                    && !rivals[at - 2].rival.has_batch_path()
                    && self.one_by_one_ms(at, probes) > LONGEST_BATCH_MS;
                if pointless || endless || (!taken.is_empty() && spent > budget) {
                    continue;
                }
                taken.push(match at {
                    0 => self.ours(ours, from, probes, threads)?,
                    1 => timed(|| memory.read(threads)).1,
                    rival => self.rival(&rivals[rival - 2], from, probes, threads)?,
                });
            }
        }
        for (cells, taken) in self.cells.iter_mut().zip(&taken) {
            let counted = if taken.len() > 1 { &taken[1..] } else { taken };
            if let Some(call) = Spread::of(counted) {
                cells.push(Cell { probes, threads, call });
            }
        }
        Ok(())
    }

    /// What so many probes take a contestant one after the other; 0 before it was asked any.
    fn one_by_one_ms(&self, contestant: usize, probes: usize) -> f64 {
        self.cells[contestant]
            .first()
            .map_or(0.0, |one| one.call.least_ms * probes as f64 / one.probes as f64)
    }

    fn ours(&mut self, ours: &Ours, from: usize, probes: usize, threads: usize) -> anyhow::Result<Duration> {
        let asked: Vec<&Embedding> = self.probes[from..from + probes].iter().collect();
        let (answered, took) = timed(|| ours.search(&asked, self.measure.limit));
        let answered = answered?;
        let right = &self.right[from..from + probes];
        self.differences += differences(answered.lists.iter().map(Vec::as_slice), right);
        self.compared += probes;
        if probes == 1 && threads == 1 {
            let (scored, asked) = &mut self.scored[from % 2];
            *scored += answered.scored;
            *asked += 1;
        }
        Ok(took)
    }

    fn rival(
        &self,
        contestant: &Contestant,
        from: usize,
        probes: usize,
        threads: usize,
    ) -> anyhow::Result<Duration> {
        let values: Vec<f32> =
            self.probes[from..from + probes].iter().flat_map(Embedding::values).copied().collect();
        let (found, took) =
            timed(|| shared_out(&*contestant.rival, &values, self.dimension, self.measure.limit, threads));
        anyhow::ensure!(found?.len() == probes, "{} answered too few probes", contestant.name);
        Ok(took)
    }

    /// The times of a contestant.
    pub(super) fn take_cells(&mut self, contestant: usize) -> Vec<Cell> {
        std::mem::take(&mut self.cells[contestant])
    }

    /// Rows looked at in full precision for a mated probe, and for another.
    pub(super) fn scored(&self) -> [f64; 2] {
        self.scored.map(|(scored, asked)| scored as f64 / asked.max(1) as f64)
    }
}
