//! What one probe has found so far: rows that could still be in its list, and the line that others fell short of.

use likeness_models::Metric;

use super::ask::Wanted;
use super::block::Block;
use super::bound::{ProbeBound, Range};
use super::filter::Filter;
use super::gate::Gate;
use super::layout::Weight;
use super::quantise::{Quantised, above};
use crate::index::best::Best;
use crate::index::geometry::Template;
use crate::index::score::{TOGETHER, similarities};
use crate::index::{Hit, IndexFault, RowKey, SubjectKey};

/// Candidates of one probe at which a search stops collecting and looks at them: 96 KiB of them.
const CROWD: usize = 8192;

/// A probe in both precisions.
pub(super) struct Probe<'a> {
    pub(super) template: &'a Template<'a>,
    pub(super) quantised: Quantised,
    pub(super) bound: ProbeBound,
    metric: Metric,
}

impl<'a> Probe<'a> {
    pub(super) fn new(template: &'a Template<'a>, metric: Metric) -> Self {
        let quantised = Quantised::new(&template.values, metric);
        let bound = ProbeBound::new(&quantised, metric);
        Self { template, quantised, bound, metric }
    }
}

/// A row that could be in the list.
#[derive(Clone, Copy)]
struct Candidate {
    /// No less than its similarity.
    upper: f32,
    block: u32,
    slot: u32,
}

/// INVARIANT: every row that was scanned and is neither in `candidates` nor was offered to `best` had a similarity
/// below `line`.
pub(super) struct Collector<'a> {
    probe: &'a Probe<'a>,
    wanted: Wanted,
    filter: Filter<'a>,
    line: Option<f64>,
    gate: Gate,
    candidates: Vec<Candidate>,
    /// The best lower bounds, one per subject: the worst of them raises the line. `None` when the line may rise on
    /// exact similarities only.
    leaders: Option<Best>,
    /// Exact similarities.
    best: Best,
    scored: usize,
}

impl<'a> Collector<'a> {
    /// For a pass over at most `rows` rows.
    pub(super) fn new(probe: &'a Probe<'a>, wanted: Wanted, filter: Filter<'a>, rows: usize) -> Self {
        let (limit, line) = match wanted {
            Wanted::Best(limit) => (limit, None),
            Wanted::AtLeast(threshold) => (usize::MAX, Some(threshold)),
        };
        Self {
            probe,
            wanted,
            filter,
            line,
            gate: probe.bound.gate(line),
            candidates: Vec::new(),
            leaders: (limit < rows).then(|| Best::new(limit)),
            best: Best::new(limit),
            scored: 0,
        }
    }

    /// The same, for another pass, in which the line rises on exact similarities only: such a pass certifies
    /// whatever is removed meanwhile.
    pub(super) fn again(self) -> Self {
        let mut again = Self::new(self.probe, self.wanted, self.filter, 0);
        again.scored = self.scored;
        again.best = self.best;
        again.raise(again.best.floor());
        again
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Takes note of a row that the gate let through. Its keys lie far from its codes: they are fetched when they are
    /// needed, which for most rows is never.
    pub(super) fn note(
        &mut self,
        (block, slot): (usize, usize),
        keys: impl Fn() -> (RowKey, SubjectKey),
        weight: Weight,
        dot: i32,
    ) {
        let Range { lower, upper } = self.probe.bound.range(weight, dot);
        if self.line.is_some_and(|line| upper < line) {
            return;
        }
        let leads = self.leaders.is_some() && self.line.is_none_or(|line| lower > line);
        if leads || !matches!(self.filter, Filter::All) {
            let (row, subject) = keys();
            if !self.filter.admits(row, subject) {
                return;
            }
            if let Some(leaders) = &mut self.leaders
                && leads
            {
                leaders.offer(Hit { row, subject, similarity: lower });
                let floor = leaders.floor();
                self.raise(floor);
            }
        }
        // INVARIANT: both fit: slots and blocks are counted by the memory they take.
        #[expect(clippy::cast_possible_truncation, reason = "a block has at most 16,384 slots")]
        let (block, slot) = (block as u32, slot as u32);
        self.candidates.push(Candidate { upper: above(upper), block, slot });
    }

    fn raise(&mut self, to: Option<f64>) {
        if let Some(to) = to
            && self.line.is_none_or(|line| to > line)
        {
            self.line = Some(to);
            self.gate = self.probe.bound.gate(self.line);
        }
    }

    /// Whether it is time to [`Self::settle`] in the middle of a pass.
    pub(super) fn crowded(&self) -> bool {
        let crowd = if self.leaders.is_some() { CROWD } else { 1 };
        self.candidates.len() >= crowd
    }

    /// Scores the candidates exactly, the most promising first, until none that is left could enter the list.
    ///
    /// A candidate may have been removed meanwhile, and its slot given to another row: that one is scored then. It
    /// was written during the search, which may consider it or not.
    pub(super) fn settle(&mut self, blocks: &[std::sync::Arc<Block>]) -> Result<(), IndexFault> {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.sort_unstable_by(|a, b| b.upper.total_cmp(&a.upper));
        let values = &self.probe.template.values;
        let mut scratch = vec![0.0; values.len()];
        let mut rows = Vec::with_capacity(TOGETHER * values.len());
        let mut keys = Vec::with_capacity(TOGETHER);
        for together in candidates.chunks(TOGETHER) {
            let upper = together.first().map_or(f64::NEG_INFINITY, |first| f64::from(first.upper));
            let short_of = |line: Option<f64>| line.is_some_and(|line| upper < line);
            if short_of(self.line) || short_of(self.best.floor()) {
                break;
            }
            rows.clear();
            keys.clear();
            for candidate in together {
                let block = blocks[candidate.block as usize].read()?;
                if let Some(((row, subject), stored)) = block.row(candidate.slot as usize, &mut scratch)?
                    && self.filter.admits(row, subject)
                {
                    rows.extend_from_slice(stored);
                    keys.push((row, subject));
                }
            }
            self.scored += keys.len();
            let scores = similarities(values, &rows, self.probe.metric);
            for (&(row, subject), similarity) in keys.iter().zip(scores) {
                if !matches!(self.wanted, Wanted::AtLeast(threshold) if similarity < threshold) {
                    self.best.offer(Hit { row, subject, similarity });
                }
            }
        }
        // Templates do not stay in freed memory.
        rows.resize(rows.capacity(), 0.0);
        rows.fill(0.0);
        std::hint::black_box(&rows);
        scratch.fill(0.0);
        std::hint::black_box(&scratch);
        candidates.clear();
        self.candidates = candidates;
        self.raise(self.best.floor());
        Ok(())
    }

    /// Joins what another collector found for the same probe in other blocks.
    pub(super) fn absorb(&mut self, other: Self) {
        self.candidates.extend_from_slice(&other.candidates);
        for hit in other.best.into_hits() {
            self.best.offer(hit);
        }
        self.scored += other.scored;
        self.raise(other.line);
    }

    /// Whether, everything settled, no row that fell short of the line belongs in the list. It can only fail when
    /// a row that raised the line was removed before it was scored.
    pub(super) fn certified(&self) -> bool {
        match (self.wanted, self.line) {
            (Wanted::AtLeast(_), _) | (Wanted::Best(_), None) => true,
            (Wanted::Best(_), Some(line)) => self.best.floor().is_some_and(|floor| floor >= line),
        }
    }

    /// The list, best first, and how many rows were scored exactly.
    pub(super) fn into_answer(self) -> (Vec<Hit>, usize) {
        (self.best.into_hits(), self.scored)
    }
}
