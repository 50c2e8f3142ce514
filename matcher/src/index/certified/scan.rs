//! One pass over the blocks for a group of probes.

use std::sync::Arc;

use super::ask::{AskFault, Stop};
use super::block::{Band, Block, Rows};
use super::collect::{Collector, Probe};
use super::kernel::Kernel;
use super::layout::{BAND_ROWS, Dots, Form, MATRIX_PROBES, Step, TILE_PROBES, Tile, Weights, lower};

/// Probes that share a pass. More would push each other's codes out of the second-level cache, and their
/// candidates take memory.
pub(super) const PROBES_PER_PASS: usize = 256;

/// From so many probes per thread on, threads share out the probes and not the rows.
const PROBES_PER_THREAD: usize = if cfg!(test) { 8 } else { 32 };

/// The probes of a pass, as the kernel wants them.
struct Tiles {
    tiles: Vec<Tile>,
    /// Probes of each tile; the last may have fewer.
    width: usize,
    /// Whether they are shown upper halves first.
    halves: bool,
}

/// What a pass needs to know.
pub(super) struct Pass<'a> {
    pub(super) kernel: Kernel,
    pub(super) form: Form,
    pub(super) threads: usize,
    pub(super) stop: Stop<'a>,
    pub(super) blocks: &'a [Arc<Block>],
}

impl Pass<'_> {
    /// Shows every row to every collector, and settles them. `probes` and `collectors` go together, one to one.
    pub(super) fn run<'c>(
        &self,
        probes: &[&Probe<'_>],
        collectors: Vec<Collector<'c>>,
        fresh: impl Fn() -> Vec<Collector<'c>>,
    ) -> Result<Vec<Collector<'c>>, AskFault> {
        let tiles = self.tiles(probes);
        let mut collectors = collectors;
        if self.threads > 1 && probes.len() >= PROBES_PER_THREAD * self.threads {
            self.scan_by_probes(&tiles, &mut collectors)?;
        } else {
            self.scan_by_blocks(&tiles, &mut collectors, fresh)?;
        }
        self.settle(&mut collectors)?;
        Ok(collectors)
    }

    fn tiles(&self, probes: &[&Probe<'_>]) -> Tiles {
        let length = probes.first().map_or(0, |probe| probe.quantised.codes.len());
        let width = self.kernel.tile_probes(probes.len(), self.form.probe_steps(length));
        let new = if width > TILE_PROBES { Tile::for_matrix } else { Tile::new };
        let tiles = probes
            .chunks(width)
            .map(|probes| probes.iter().map(|probe| &probe.quantised).collect::<Vec<_>>())
            .map(|probes| new(&probes, self.form))
            .collect();
        // A few probes take as long as memory, of which the upper halves are less. With more, multiplying is what takes
        // long, and a second look at every row that passes would cost more than reading all of it once.
        let halves = self.form == Form::Halved && probes.len() <= TILE_PROBES;
        Tiles { tiles, width, halves }
    }

    /// Each thread shows its share of the rows to all probes. What each of them learns of a probe, the others do not
    /// know yet: so they look at more rows than one would.
    fn scan_by_blocks<'c>(
        &self,
        tiles: &Tiles,
        collectors: &mut [Collector<'c>],
        fresh: impl Fn() -> Vec<Collector<'c>>,
    ) -> Result<(), AskFault> {
        let share = self.blocks.len().div_ceil(self.threads).max(1);
        let mut rest = self.blocks.chunks(share).enumerate().skip(1).map(|(n, blocks)| (n * share, blocks));
        let own = self.blocks.get(..share.min(self.blocks.len())).unwrap_or_default();
        let others = std::thread::scope(|scope| {
            let others: Vec<_> = rest
                .by_ref()
                .map(|(first, blocks)| {
                    let mut collectors = fresh();
                    scope.spawn(move || {
                        self.scan(tiles, &tiles.tiles, first, blocks, &mut collectors).map(|()| collectors)
                    })
                })
                .collect();
            let own = self.scan(tiles, &tiles.tiles, 0, own, collectors);
            let others: Vec<_> = others
                .into_iter()
                .map(|other| other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect();
            own.and_then(|()| others.into_iter().collect::<Result<Vec<_>, _>>())
        })?;
        for other in others {
            for (collector, other) in collectors.iter_mut().zip(other) {
                collector.absorb(other);
            }
        }
        Ok(())
    }

    /// Each thread shows all rows to its share of the probes. Memory is read once per thread, which many probes to a
    /// thread outweigh: all that is learnt of a probe is known to the thread that needs it.
    fn scan_by_probes(&self, tiles: &Tiles, collectors: &mut [Collector<'_>]) -> Result<(), AskFault> {
        let share = tiles.tiles.len().div_ceil(self.threads).max(1);
        let scan = |share, collectors| self.scan(tiles, share, 0, self.blocks, collectors);
        let scan = &scan;
        std::thread::scope(|scope| {
            let mut shares = tiles.tiles.chunks(share).zip(collectors.chunks_mut(share * tiles.width));
            let own = shares.next();
            let others: Vec<_> =
                shares.map(|(share, collectors)| scope.spawn(move || scan(share, collectors))).collect();
            let own = own.map_or(Ok(()), |(share, own)| scan(share, own));
            others.into_iter().fold(own, |sofar, other| {
                sofar.and(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            })
        })
    }

    /// Shows these blocks, of which the first has this number, to a share of the tiles.
    fn scan(
        &self,
        Tiles { width, halves, .. }: &Tiles,
        tiles: &[Tile],
        first: usize,
        blocks: &[Arc<Block>],
        collectors: &mut [Collector<'_>],
    ) -> Result<(), AskFault> {
        let mut dots = [[0; BAND_ROWS]; MATRIX_PROBES];
        let mut joined = Joined(Vec::new());
        for (number, block) in (first..).zip(blocks) {
            self.stop.check()?;
            let rows = block.read()?;
            for band in rows.bands() {
                let mut shown = Shown {
                    kernel: self.kernel,
                    number,
                    rows: &rows,
                    band: &band,
                    width: *width,
                    dots: &mut dots,
                };
                match self.form {
                    Form::Halved if *halves => shown.halves(tiles, collectors),
                    Form::Halved => {
                        joined.0.resize(2 * band.codes.len(), Step::ZERO);
                        self.kernel.join(band.codes, band.aside, &mut joined.0);
                        shown.whole(&joined.0, &band.weights.whole(), tiles, collectors);
                    }
                    Form::Whole => shown.whole(band.codes, band.weights, tiles, collectors),
                }
            }
            // Settling and sweeping take the locks of blocks, this one among them.
            drop(rows);
            for collector in &mut *collectors {
                if collector.full() {
                    collector.sweep(self.kernel, self.blocks)?;
                }
                if collector.crowded() {
                    collector.settle(self.blocks)?;
                }
            }
        }
        for collector in collectors {
            collector.sweep(self.kernel, self.blocks)?;
        }
        Ok(())
    }

    fn settle(&self, collectors: &mut [Collector<'_>]) -> Result<(), AskFault> {
        let share = collectors.len().div_ceil(self.threads).max(1);
        let settle = |collectors: &mut [Collector<'_>]| -> Result<(), AskFault> {
            for collector in collectors {
                self.stop.check()?;
                collector.settle(self.blocks)?;
            }
            Ok(())
        };
        let mut shares = collectors.chunks_mut(share);
        let own = shares.next();
        let settle = &settle;
        std::thread::scope(|scope| {
            let others: Vec<_> = shares.map(|share| scope.spawn(move || settle(share))).collect();
            let own = own.map_or(Ok(()), settle);
            others.into_iter().fold(own, |sofar, other| {
                sofar.and(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            })
        })
    }
}

/// Halves of a band, put together.
struct Joined(Vec<Step>);

impl Drop for Joined {
    /// Codes are templates too, also when a search ends early.
    fn drop(&mut self) {
        self.0.fill(Step::ZERO);
        std::hint::black_box(&self.0);
    }
}

/// A band that is shown to the collectors.
struct Shown<'a> {
    kernel: Kernel,
    number: usize,
    rows: &'a Rows,
    band: &'a Band<'a>,
    width: usize,
    dots: &'a mut [Dots],
}

impl Shown<'_> {
    /// With codes and weights of whole codes.
    #[inline]
    fn whole(&mut self, codes: &[Step], weights: &Weights, tiles: &[Tile], collectors: &mut [Collector<'_>]) {
        for (tile, collectors) in tiles.iter().zip(collectors.chunks_mut(self.width)) {
            self.kernel.dots(tile, codes, self.dots);
            for (dots, collector) in self.dots.iter().zip(collectors) {
                let passing = self.kernel.passing(collector.gate(), dots, weights) & self.band.live;
                for row in ones(passing) {
                    let slot = self.band.first + row;
                    let keys = || self.rows.keys(slot);
                    collector.note((self.number, slot), keys, weights.get(row), dots[row]);
                }
            }
        }
    }

    /// With the upper halves, and the lower ones of rows that promise to raise the line.
    #[inline]
    fn halves(&mut self, tiles: &[Tile], collectors: &mut [Collector<'_>]) {
        let Band { first, codes, weights, aside, live } = *self.band;
        for (tile, collectors) in tiles.iter().zip(collectors.chunks_mut(self.width)) {
            self.kernel.upper_dots(tile, codes, self.dots);
            for (dots, collector) in self.dots.iter().zip(collectors) {
                let passing = self.kernel.passing(collector.upper_gate(), dots, weights) & live;
                for row in ones(passing) {
                    let (slot, weight) = (first + row, weights.get(row));
                    if collector.nominate((self.number, slot), weight, dots[row]) {
                        let dot = collector.probe.whole(self.kernel, dots[row], lower(aside, row));
                        collector.note((self.number, slot), || self.rows.keys(slot), weight.whole(), dot);
                    }
                }
            }
        }
    }
}

/// The places of the ones.
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        place
    })
}
