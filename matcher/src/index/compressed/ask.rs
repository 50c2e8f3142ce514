//! A search: one pass over the codes for a group of probes, then the most promising rows in full precision.

use std::sync::Arc;
use std::time::Instant;

use super::block::Block;
use super::code::ProbeCode;
use super::nominees::{Nominee, Nominees, Without};
use super::{CompressedIndex, PER_PLACE};
use crate::index::best::Best;
use crate::index::blocks::BAND_ROWS;
use crate::index::geometry::Template;
use crate::index::score::{TOGETHER, similarities};
use crate::index::{Hit, IndexFault};

/// Most probes of one pass.
const PROBES_PER_PASS: usize = 64;

/// Most nominees that the probes of one pass hold together, if it is more than one: some 100 MiB of them.
const MOST_NOMINEES: usize = 1 << 22;

/// By how much a search that found too few subjects looks at more rows.
const WIDER: usize = 4;

/// A probe, and whom to leave out.
pub(super) struct Asked<'a> {
    pub(super) template: &'a Template<'a>,
    pub(super) code: ProbeCode,
    pub(super) without: Without,
}

/// A list, and whether it could be longer if more rows were compared.
struct Listed {
    hits: Vec<Hit>,
    left_out: bool,
}

impl CompressedIndex {
    pub(super) fn asked<'a>(&self, template: &'a Template<'a>, without: Without) -> Asked<'a> {
        let rotated = self.coding.rotation.apply(&template.values);
        Asked { template, code: ProbeCode::new(&rotated, self.coding.bits), without }
    }

    /// The lists of all probes, in their order. A list is shorter than `limit` only when there are no more subjects.
    pub(super) fn ask(
        &self,
        probes: &[Asked<'_>],
        limit: usize,
        deadline: Option<Instant>,
    ) -> Result<Vec<Vec<Hit>>, IndexFault> {
        self.blocks.refuse_if_broken()?;
        if limit == 0 {
            return Ok(vec![Vec::new(); probes.len()]);
        }
        let most = self.rescored.get().max(limit.saturating_mul(PER_PLACE));
        let blocks = self.blocks.all();
        let pass = Pass { index: self, blocks: &blocks, limit, deadline };
        pass.check()?;
        let together = (MOST_NOMINEES / most.min(self.blocks.len().max(1))).clamp(1, PROBES_PER_PASS);
        let mut lists = Vec::with_capacity(probes.len());
        for probes in probes.chunks(together) {
            let probes: Vec<&Asked<'_>> = probes.iter().collect();
            for (probe, mut listed) in probes.iter().zip(pass.run(&probes, most)?) {
                let mut most = most;
                while listed.left_out && listed.hits.len() < limit {
                    most = most.saturating_mul(WIDER);
                    listed = match pass.run(&[probe], most)?.pop() {
                        Some(wider) => wider,
                        None => break,
                    };
                }
                lists.push(listed.hits);
            }
        }
        Ok(lists)
    }
}

/// What a pass needs to know.
struct Pass<'a> {
    index: &'a CompressedIndex,
    blocks: &'a [Arc<Block>],
    limit: usize,
    deadline: Option<Instant>,
}

impl Pass<'_> {
    fn check(&self) -> Result<(), IndexFault> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(IndexFault::DeadlineExceeded),
            _ => Ok(()),
        }
    }

    fn run(&self, probes: &[&Asked<'_>], most: usize) -> Result<Vec<Listed>, IndexFault> {
        // A thread is worth starting for a few blocks only.
        let threads = self.index.threads.get().min(self.blocks.len() / 4).max(1);
        let share = self.blocks.len().div_ceil(threads).max(1);
        let fresh =
            || -> Vec<Nominees> { probes.iter().map(|probe| Nominees::new(most, probe.without)).collect() };
        let shares: Vec<_> = self.blocks.chunks(share).enumerate().collect();
        let scanned = on_threads(&shares, |(number, blocks)| {
            let mut nominees = fresh();
            self.scan(probes, number * share, blocks, &mut nominees).map(|()| nominees)
        })?;
        let mut nominees = fresh();
        for scanned in scanned {
            for (nominees, scanned) in nominees.iter_mut().zip(scanned) {
                nominees.absorb(scanned);
            }
        }
        let nearest: Vec<(Vec<Nominee>, bool)> = nominees.into_iter().map(Nominees::into_nearest).collect();

        let parts: Vec<usize> = (0..threads).collect();
        let scored = on_threads(&parts, |part| {
            let scored = probes.iter().zip(&nearest).map(|(probe, (nearest, _))| {
                let share = nearest.len().div_ceil(threads).max(1);
                self.score(probe, nearest.chunks(share).nth(*part).unwrap_or_default())
            });
            scored.collect::<Result<Vec<Best>, _>>()
        })?;
        let mut lists: Vec<Best> = probes.iter().map(|_| Best::new(self.limit)).collect();
        for scored in scored {
            for (list, scored) in lists.iter_mut().zip(scored) {
                scored.into_hits().into_iter().for_each(|hit| list.offer(hit));
            }
        }
        let listed = lists.into_iter().zip(&nearest);
        Ok(listed
            .map(|(list, (_, left_out))| Listed { hits: list.into_hits(), left_out: *left_out })
            .collect())
    }

    /// Shows the rows of these blocks, the first of which has this number, to all probes.
    fn scan(
        &self,
        probes: &[&Asked<'_>],
        first: usize,
        blocks: &[Arc<Block>],
        nominees: &mut [Nominees],
    ) -> Result<(), IndexFault> {
        let mut nearness = [0.0; BAND_ROWS];
        for (number, block) in (first..).zip(blocks) {
            self.check()?;
            let rows = block.read()?;
            for band in rows.bands() {
                for (probe, nominees) in probes.iter().zip(&mut *nominees) {
                    let gate = nominees.gate();
                    let mut passing =
                        super::kernel::estimate(band.codes, band.factors, &probe.code, gate, &mut nearness)
                            & band.live;
                    while passing != 0 {
                        let row = passing.trailing_zeros() as usize;
                        passing &= passing - 1;
                        // INVARIANT: both fit: slots and blocks are counted by the memory they take.
                        #[expect(
                            clippy::cast_possible_truncation,
                            reason = "a block has a few thousand slots"
                        )]
                        let (block, slot) = (number as u32, (band.first + row) as u32);
                        if let Some(keys) = rows.keys(slot as usize) {
                            nominees.note(nearness[row], keys, block, slot);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Compares nominees in full precision. One may have been removed meanwhile, and its slot given to another row:
    /// that one is compared then. It was written during the search, which may consider it or not.
    fn score(&self, probe: &Asked<'_>, nominees: &[Nominee]) -> Result<Best, IndexFault> {
        let values = &probe.template.values;
        let mut best = Best::new(self.limit);
        let mut scratch = vec![0.0; values.len()];
        let mut rows = Vec::with_capacity(TOGETHER * values.len());
        let mut keys = Vec::with_capacity(TOGETHER);
        let mut scored = || -> Result<(), IndexFault> {
            for (number, together) in nominees.chunks(TOGETHER).enumerate() {
                if number % 16 == 0 {
                    self.check()?;
                }
                rows.clear();
                keys.clear();
                for nominee in together {
                    let block = self.blocks[nominee.block as usize].read()?;
                    let slot = nominee.slot as usize;
                    if let Some((row, subject)) = block.keys(slot)
                        && probe.without.admits(row, subject)
                    {
                        rows.extend_from_slice(block.template(slot, &mut scratch)?);
                        keys.push((row, subject));
                    }
                }
                let scores = similarities(values, &rows, self.index.geometry.metric);
                for (&(row, subject), similarity) in keys.iter().zip(scores) {
                    best.offer(Hit { row, subject, similarity });
                }
            }
            Ok(())
        };
        let outcome = scored();
        // Templates do not stay in freed memory.
        zeroize::Zeroize::zeroize(&mut rows);
        zeroize::Zeroize::zeroize(&mut scratch);
        outcome.map(|()| best)
    }
}

/// Does the work of each share, the first on the calling thread and the others beside it; in the order of the shares.
fn on_threads<S: Sync, T: Send>(
    shares: &[S],
    work: impl Fn(&S) -> Result<T, IndexFault> + Sync,
) -> Result<Vec<T>, IndexFault> {
    let work = &work;
    std::thread::scope(|scope| {
        let Some((first, rest)) = shares.split_first() else { return Ok(Vec::new()) };
        let others: Vec<_> = rest.iter().map(|share| scope.spawn(move || work(share))).collect();
        let first = work(first);
        let others: Vec<_> = others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect();
        std::iter::once(first).chain(others).collect()
    })
}
