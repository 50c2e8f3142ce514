//! How codes lie in memory: the form that the kernels read from end to end without a shuffle.
//!
//! Rows lie in *bands* of 64, and a band in *quarters* of 16. A quarter is a run of *steps*; a step holds four
//! dimensions of its 16 rows, four bytes per row: one load of 64 bytes. An instruction that multiplies bytes and adds
//! them up in groups of four leaves one sum per row in each lane, and nothing is ever summed across lanes.
//!
//! One probe is multiplied with one quarter after the other, so that memory is read strictly in order, by one load
//! in one loop, and not by four loads per turn, as a step of 64 rows would ask for. Several probes are multiplied with
//! four quarters side by side. Sixteen steps of a quarter, 1 KiB in a row, are one tile of a matrix unit (Intel AMX).
//!
//! Of long templates the codes lie in *halves* ([`Form::Halved`]): the upper four bits of every code in bands, where two
//! steps share one load, and the lower four elsewhere, row by row. A search reads the upper halves from end to end, and the
//! lower ones of the few rows that the upper do not rule out: half of the memory.

use likeness_models::Metric;

use super::quantise::Quantised;

/// Rows of a band: one bit each in a `u64`.
pub(super) const BAND_ROWS: usize = 64;

/// Rows of a quarter of a band.
pub(super) const QUARTER_ROWS: usize = 16;

/// Quarters of a band.
pub(super) const QUARTERS: usize = BAND_ROWS / QUARTER_ROWS;

/// Dimensions of a step.
pub(super) const STEP_DIMENSIONS: usize = 4;

/// What a code of 0 is stored as.
pub(super) const OFFSET: u8 = 128;

/// Most probes of a tile: as many as the widest kernel keeps in registers.
pub(super) const TILE_PROBES: usize = 6;

/// Probes of a tile for a matrix unit.
pub(super) const MATRIX_PROBES: usize = 32;

/// Steps that a matrix unit multiplies at a time: it takes quarters of a multiple of so many.
pub(super) const MATRIX_STEPS: usize = 16;

/// Dot products of one probe with the rows of a band.
pub(super) type Dots = [i32; BAND_ROWS];

/// Four dimensions of the 16 rows of a quarter: row `r` in bytes `4 r` to `4 r + 3`, as `code + 128`.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Step(pub(super) [u8; QUARTER_ROWS * STEP_DIMENSIONS]);

impl Step {
    /// What memory holds where no row is.
    pub(super) const ZERO: Self = Self([0; QUARTER_ROWS * STEP_DIMENSIONS]);
}

/// How the codes of an index lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One byte after the other.
    Whole,
    /// Upper and lower four bits apart.
    ///
    /// Upper halves lie as codes do, two steps in one: byte `4 r + i` of step `k` has dimension `8 k + i` of row `r` in its
    /// lower four bits, and dimension `8 k + 4 + i` in its upper ones. Lower halves lie row by row: byte `4 k + i` of a row
    /// has the same two dimensions.
    Halved,
}

/// Steps of whole codes whose lower halves fill one: halved rows are as long as a multiple of this, the rest codes of 0.
const STEPS_BY_HALF: usize = 2 * size_of::<Step>() / STEP_DIMENSIONS;

/// From so many dimensions on, halves are worth it: what a search saves outweighs the second look at some rows.
const HALVED_FROM: usize = 256;

/// A unit of upper halves is so many of whole codes: `code = 8 * (2 upper - 15) + (lower - 8)`, all of them integers.
pub(super) const UPPER_UNIT: i16 = 8;

impl Form {
    /// The form for templates like these, if the kernel is fast at both: halves, where they are worth it and take no more
    /// than an eighth of their length for what fills them up. The weights of Euclidean rows have no room for a second
    /// residual.
    pub(super) const fn of(dimension: usize, metric: Metric) -> Self {
        let surplus = Self::Halved.probe_steps(dimension) - steps(dimension);
        if matches!(metric, Metric::Cosine) && dimension >= HALVED_FROM && surplus <= steps(dimension) / 8 {
            Self::Halved
        } else {
            Self::Whole
        }
    }

    /// Steps of a probe.
    pub(super) const fn probe_steps(self, dimension: usize) -> usize {
        match self {
            Self::Whole => steps(dimension),
            Self::Halved => steps(dimension).next_multiple_of(STEPS_BY_HALF),
        }
    }

    /// Steps of a quarter, which every search reads.
    pub(super) const fn steps(self, dimension: usize) -> usize {
        match self {
            Self::Whole => self.probe_steps(dimension),
            Self::Halved => self.probe_steps(dimension) / 2,
        }
    }

    /// Steps of a band that lie aside.
    pub(super) const fn aside(self, dimension: usize) -> usize {
        match self {
            Self::Whole => 0,
            Self::Halved => QUARTERS * self.steps(dimension),
        }
    }
}

/// What turns the dot products of a band into bounds: see `bound.rs`.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Weights {
    pub(super) scale: [f32; BAND_ROWS],
    pub(super) residual: [f32; BAND_ROWS],
    pub(super) norm: [f32; BAND_ROWS],
}

/// Steps that the weights of a band would be: they lie behind its codes.
pub(super) const WEIGHT_STEPS: usize = size_of::<Weights>() / size_of::<Step>();

/// The weights of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight {
    pub(super) scale: f32,
    /// Of the codes that lie in the band: of the upper halves, where these are apart.
    pub(super) residual: f32,
    /// Of Euclidean rows the norm; of halved ones, which are never Euclidean, the residual of the whole codes.
    pub(super) norm: f32,
}

impl Weight {
    /// From the weight of a halved row to that of its upper halves.
    pub(super) fn upper(self) -> Self {
        Self { scale: self.scale * f32::from(UPPER_UNIT), residual: self.residual, norm: 0.0 }
    }

    /// From the weight of a halved row to that of its whole codes.
    pub(super) fn whole(self) -> Self {
        Self { scale: self.scale, residual: self.norm, norm: 0.0 }
    }
}

impl Weights {
    pub(super) fn get(&self, row: usize) -> Weight {
        Weight { scale: self.scale[row], residual: self.residual[row], norm: self.norm[row] }
    }

    /// From the weights of halved rows to those of their whole codes.
    pub(super) fn whole(&self) -> Self {
        Self { scale: self.scale, residual: self.norm, norm: [0.0; BAND_ROWS] }
    }

    pub(super) fn set(&mut self, row: usize, weight: Weight) {
        self.scale[row] = weight.scale;
        self.residual[row] = weight.residual;
        self.norm[row] = weight.norm;
    }
}

/// Steps of a quarter for so many dimensions.
pub(super) const fn steps(dimension: usize) -> usize {
    dimension.div_ceil(STEP_DIMENSIONS)
}

/// Up to [`TILE_PROBES`] probes that are multiplied with a band together, or up to [`MATRIX_PROBES`] by a matrix unit.
pub(super) struct Tile {
    /// Four codes of one probe in each: step by step, and within a step probe by probe.
    pub(super) codes: Vec<[i8; STEP_DIMENSIONS]>,
    /// `128 * sum(codes)` of each probe: what the offset of the rows adds to a dot product.
    pub(super) offsets: Vec<i32>,
    /// For a matrix unit: sixteen steps of one probe in each, as `i8`; for [`MATRIX_PROBES`] probes, then the next sixteen
    /// steps. What is beyond the probes is zeros.
    pub(super) matrix: Vec<Step>,
    /// For a matrix unit: what the sums of each probe with a quarter start at.
    pub(super) starts: Vec<[i32; QUARTER_ROWS]>,
}

impl Tile {
    /// INVARIANT: the probes, 1 to [`TILE_PROBES`] of them, have equally many codes.
    pub(super) fn new(probes: &[&Quantised], form: Form) -> Self {
        let length = probes.first().map_or(0, |probe| probe.codes.len());
        let codes = (0..form.probe_steps(length))
            .flat_map(|step| probes.iter().map(move |probe| four(&probe.codes, step)))
            .collect();
        let offsets = probes.iter().map(|probe| i32::from(OFFSET) * sum(&probe.codes)).collect();
        Self { codes, offsets, matrix: Vec::new(), starts: Vec::new() }
    }

    /// INVARIANT: the probes, 1 to [`MATRIX_PROBES`] of them, have equally many codes, and [`Form::probe_steps`] of that is a
    /// multiple of [`MATRIX_STEPS`].
    pub(super) fn for_matrix(probes: &[&Quantised], form: Form) -> Self {
        let length = probes.first().map_or(0, |probe| probe.codes.len());
        let mut matrix = Vec::with_capacity(form.probe_steps(length) / MATRIX_STEPS * MATRIX_PROBES);
        for first in (0..form.probe_steps(length)).step_by(MATRIX_STEPS) {
            for probe in 0..MATRIX_PROBES {
                let mut step = Step::ZERO;
                if let Some(probe) = probes.get(probe) {
                    for (number, bytes) in step.0.as_chunks_mut::<STEP_DIMENSIONS>().0.iter_mut().enumerate()
                    {
                        *bytes = four(&probe.codes, first + number).map(i8::cast_unsigned);
                    }
                }
                matrix.push(step);
            }
        }
        let offsets: Vec<i32> = probes.iter().map(|probe| i32::from(OFFSET) * sum(&probe.codes)).collect();
        let start = |probe: usize| [offsets.get(probe).map_or(0, |offset| -offset); QUARTER_ROWS];
        let starts = (0..MATRIX_PROBES).map(start).collect();
        Self { codes: Vec::new(), offsets, matrix, starts }
    }

    /// Whether it was made for a matrix unit.
    pub(super) const fn is_for_matrix(&self) -> bool {
        !self.starts.is_empty()
    }

    pub(super) fn probes(&self) -> usize {
        self.offsets.len()
    }

    /// The sum of the codes of each probe.
    pub(super) fn sums(&self) -> impl Iterator<Item = i32> {
        self.offsets.iter().map(|offset| offset / i32::from(OFFSET))
    }
}

/// The codes of a probe in the order of the lower halves of a row.
pub(super) struct LowerProbe {
    /// For each step of a row two: what its lower four bits are multiplied with, and its upper four bits. Bytes are `i8`.
    pub(super) codes: Vec<[Step; 2]>,
    /// The sum of the codes.
    pub(super) sum: i32,
}

impl LowerProbe {
    pub(super) fn new(probe: &Quantised) -> Self {
        let steps = Form::Halved.probe_steps(probe.codes.len());
        let half = |first: usize| {
            let mut step = Step::ZERO;
            for (number, bytes) in step.0.as_chunks_mut::<STEP_DIMENSIONS>().0.iter_mut().enumerate() {
                *bytes = four(&probe.codes, first + 2 * number).map(i8::cast_unsigned);
            }
            step
        };
        let codes = (0..steps).step_by(STEPS_BY_HALF).map(|first| [half(first), half(first + 1)]).collect();
        Self { codes, sum: sum(&probe.codes) }
    }
}

fn sum(codes: &[i8]) -> i32 {
    codes.iter().map(|&code| i32::from(code)).sum()
}

/// The codes of a step; beyond the last dimension they are 0.
pub(super) fn four(codes: &[i8], step: usize) -> [i8; STEP_DIMENSIONS] {
    std::array::from_fn(|i| codes.get(step * STEP_DIMENSIONS + i).copied().unwrap_or(0))
}

/// Writes one row into its band.
pub(super) fn write_row(band: &mut [Step], row: usize, codes: &[i8]) {
    for (number, stored) in row_mut(band, row).enumerate() {
        *stored = four(codes, number).map(|code| code.cast_unsigned().wrapping_add(OFFSET));
    }
}

/// Overwrites one row with zeros.
pub(super) fn erase_row(band: &mut [Step], row: usize) {
    for stored in row_mut(band, row) {
        *stored = [0; STEP_DIMENSIONS];
    }
}

/// Writes one row in halves.
pub(super) fn write_halves(band: &mut [Step], aside: &mut [Step], row: usize, codes: &[i8]) {
    let stored = |number: usize| four(codes, number).map(|code| code.cast_unsigned().wrapping_add(OFFSET));
    let pairs = |number: usize, half: fn(u8) -> u8| {
        let (first, second) = (stored(2 * number), stored(2 * number + 1));
        std::array::from_fn(|i| half(first[i]) | half(second[i]) << 4)
    };
    for (number, upper) in row_mut(band, row).enumerate() {
        *upper = pairs(number, |code| code >> 4);
    }
    for (number, lower) in lower_mut(aside, row).enumerate() {
        *lower = pairs(number, |code| code & 0x0F);
    }
}

/// Overwrites one row in both halves with zeros.
pub(super) fn erase_halves(band: &mut [Step], aside: &mut [Step], row: usize) {
    erase_row(band, row);
    for stored in lower_mut(aside, row) {
        *stored = [0; STEP_DIMENSIONS];
    }
}

/// The lower halves of one row.
pub(super) fn lower(aside: &[Step], row: usize) -> &[Step] {
    let steps = aside.len() / BAND_ROWS;
    &aside[row * steps..][..steps]
}

fn lower_mut(aside: &mut [Step], row: usize) -> impl Iterator<Item = &mut [u8; STEP_DIMENSIONS]> {
    let steps = aside.len() / BAND_ROWS;
    aside[row * steps..][..steps].iter_mut().flat_map(|step| step.0.as_chunks_mut::<STEP_DIMENSIONS>().0)
}

/// The bytes of one row, step by step.
fn row_mut(band: &mut [Step], row: usize) -> impl Iterator<Item = &mut [u8; STEP_DIMENSIONS]> {
    let steps = band.len() / QUARTERS;
    let quarter = &mut band[row / QUARTER_ROWS * steps..][..steps];
    quarter.iter_mut().filter_map(move |step| {
        let (rows, _) = step.0.as_chunks_mut::<STEP_DIMENSIONS>();
        rows.get_mut(row % QUARTER_ROWS)
    })
}
