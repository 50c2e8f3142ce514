//! What one probe has found so far: rows that could still be in its list, and the line that others fell short of.

use likeness_models::Metric;

use super::ask::Wanted;
use super::block::Block;
use super::bound::{ProbeBound, Range};
use super::filter::Filter;
use super::gate::Gate;
use super::kernel::Kernel;
use super::layout::{Form, LowerProbe, Step, UPPER_UNIT, Weight};
use super::quantise::{Quantised, above};
use crate::index::best::Best;
use crate::index::geometry::Template;
use crate::index::score::{TOGETHER, similarities};
use crate::index::{Hit, IndexFault, RowKey, SubjectKey};

/// Candidates of one probe at which a search stops collecting and looks at them: 96 KiB of them.
const CROWD: usize = 8192;

/// Nominees of one probe at which a search stops putting them off: 3 MiB of them.
const FULL: usize = 131_072;

/// Nominees whose lower halves are asked for together: as many lines as a core can wait for at a time, and some.
const AHEAD: usize = 16;

/// A probe in both precisions.
pub(super) struct Probe<'a> {
    pub(super) template: &'a Template<'a>,
    pub(super) quantised: Quantised,
    pub(super) bound: ProbeBound,
    /// For rows in halves.
    lower: Option<LowerProbe>,
    metric: Metric,
}

impl<'a> Probe<'a> {
    pub(super) fn new(template: &'a Template<'a>, metric: Metric, form: Form) -> Self {
        let quantised = Quantised::new(&template.values, metric);
        let bound = ProbeBound::new(&quantised, metric);
        let lower = (form == Form::Halved).then(|| LowerProbe::new(&quantised));
        Self { template, quantised, bound, lower, metric }
    }

    /// The dot product with the whole codes of a row, from that with its upper halves.
    pub(super) fn whole(&self, kernel: Kernel, upper: i32, lower: &[Step]) -> i32 {
        let lower = self.lower.as_ref().map_or(0, |probe| kernel.lower_dot(probe, lower));
        i32::from(UPPER_UNIT) * upper + lower
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

/// A row that could be in the list as far as its upper halves tell.
#[derive(Clone, Copy)]
struct Nominee {
    /// No less than its similarity.
    upper: f32,
    block: u32,
    slot: u32,
    /// The dot product with its upper halves.
    dot: i32,
    /// Weights of the whole codes.
    scale: f32,
    residual: f32,
}

/// INVARIANT: every row that was scanned and is neither in `nominees` nor in `candidates` nor was offered to `best` had a
/// similarity below `line`.
pub(super) struct Collector<'a> {
    pub(super) probe: &'a Probe<'a>,
    wanted: Wanted,
    filter: Filter<'a>,
    line: Option<f64>,
    gate: Gate,
    /// The same for upper halves.
    upper_gate: Gate,
    /// In the order in which they lie.
    nominees: Vec<Nominee>,
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
        let gate = probe.bound.gate(line);
        Self {
            probe,
            wanted,
            filter,
            line,
            gate,
            upper_gate: gate.of_upper(),
            nominees: Vec::new(),
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

    pub(super) fn upper_gate(&self) -> &Gate {
        &self.upper_gate
    }

    /// Hears of a row that the gate let through on its upper halves. Whether it should be looked at right away: because it
    /// promises to raise the line. The others are put off until the line is as high as it gets, and most are never looked at.
    pub(super) fn nominate(&mut self, (block, slot): (usize, usize), weight: Weight, dot: i32) -> bool {
        let Range { lower, upper } = self.probe.bound.range(weight.upper(), dot);
        let Some(line) = self.line else { return true };
        if upper < line {
            return false;
        }
        // Not a number where the halves say nothing.
        let middle = f64::midpoint(lower, upper);
        if middle >= line || middle.is_nan() {
            return true;
        }
        let (block, slot) = place(block, slot);
        let Weight { scale, residual, .. } = weight.whole();
        self.nominees.push(Nominee { upper: above(upper), block, slot, dot, scale, residual });
        false
    }

    /// Whether it is time to [`Self::sweep`] in the middle of a pass.
    pub(super) fn full(&self) -> bool {
        self.nominees.len() >= FULL
    }

    /// Looks at the nominees that the line has not passed meanwhile.
    ///
    /// A nominee may have been removed meanwhile, and its slot given to another row. That one was written during the
    /// search, which may consider it or not; what it is taken for is at worst a line that is too high, which
    /// [`Self::certified`] finds.
    pub(super) fn sweep(
        &mut self,
        kernel: Kernel,
        blocks: &[std::sync::Arc<Block>],
    ) -> Result<(), IndexFault> {
        let mut nominees = std::mem::take(&mut self.nominees);
        if let Some(line) = self.line {
            nominees.retain(|nominee| f64::from(nominee.upper) >= line);
        }
        for nominees in nominees.chunk_by(|one, other| one.block == other.block) {
            let Some(block) = nominees.first().map(|first| first.block as usize) else { continue };
            let rows = blocks[block].read()?;
            for nominees in nominees.chunks(AHEAD) {
                let lowers = nominees.iter().map(|nominee| rows.lower(nominee.slot as usize));
                lowers.clone().for_each(|lower| kernel.prefetch(lower));
                for (nominee, lower) in nominees.iter().zip(lowers) {
                    let slot = nominee.slot as usize;
                    let Nominee { scale, residual, .. } = *nominee;
                    let dot = self.probe.whole(kernel, nominee.dot, lower);
                    if rows.is_live(slot) {
                        let weight = Weight { scale, residual, norm: 0.0 };
                        self.note((block, slot), || rows.keys(slot), weight, dot);
                    }
                }
            }
        }
        nominees.clear();
        self.nominees = nominees;
        Ok(())
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
        let (block, slot) = place(block, slot);
        self.candidates.push(Candidate { upper: above(upper), block, slot });
    }

    fn raise(&mut self, to: Option<f64>) {
        if let Some(to) = to
            && self.line.is_none_or(|line| to > line)
        {
            self.line = Some(to);
            self.gate = self.probe.bound.gate(self.line);
            self.upper_gate = self.gate.of_upper();
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

    /// Joins what another collector, which was swept, found for the same probe in other blocks.
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

/// INVARIANT: both fit: slots and blocks are counted by the memory they take.
#[expect(clippy::cast_possible_truncation, reason = "a block has at most 16,384 slots")]
const fn place(block: usize, slot: usize) -> (u32, u32) {
    (block as u32, slot as u32)
}
