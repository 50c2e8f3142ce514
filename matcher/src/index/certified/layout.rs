//! How codes lie in memory: the form that the kernels read from end to end without a shuffle.
//!
//! Rows lie in *bands* of 64, and a band in *quarters* of 16. A quarter is a run of *steps*; a step holds four
//! dimensions of its 16 rows, four bytes per row: one load of 64 bytes. An instruction that multiplies bytes and adds
//! them up in groups of four leaves one sum per row in each lane, and nothing is ever summed across lanes.
//!
//! One probe is multiplied with one quarter after the other, so that memory is read strictly in order, by one load
//! in one loop, and not by four loads per turn, as a step of 64 rows would ask for. Several probes are multiplied with
//! four quarters side by side. Sixteen steps of a quarter, 1 KiB in a row, are one tile of a matrix unit (Intel AMX).

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
    pub(super) residual: f32,
    pub(super) norm: f32,
}

impl Weights {
    pub(super) fn get(&self, row: usize) -> Weight {
        Weight { scale: self.scale[row], residual: self.residual[row], norm: self.norm[row] }
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

/// Up to [`TILE_PROBES`] probes that are multiplied with a band together.
pub(super) struct Tile {
    /// Four codes of one probe in each: step by step, and within a step probe by probe.
    pub(super) codes: Vec<[i8; STEP_DIMENSIONS]>,
    /// `128 * sum(codes)` of each probe: what the offset of the rows adds to a dot product.
    pub(super) offsets: Vec<i32>,
}

impl Tile {
    /// INVARIANT: the probes, 1 to [`TILE_PROBES`] of them, have equally many codes.
    pub(super) fn new(probes: &[&Quantised]) -> Self {
        let length = probes.first().map_or(0, |probe| probe.codes.len());
        let codes = (0..steps(length))
            .flat_map(|step| probes.iter().map(move |probe| four(&probe.codes, step)))
            .collect();
        let offsets = probes.iter().map(|probe| i32::from(OFFSET) * sum(&probe.codes)).collect();
        Self { codes, offsets }
    }

    pub(super) fn probes(&self) -> usize {
        self.offsets.len()
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

/// The bytes of one row, step by step.
fn row_mut(band: &mut [Step], row: usize) -> impl Iterator<Item = &mut [u8; STEP_DIMENSIONS]> {
    let steps = band.len() / QUARTERS;
    let quarter = &mut band[row / QUARTER_ROWS * steps..][..steps];
    quarter.iter_mut().filter_map(move |step| {
        let (rows, _) = step.0.as_chunks_mut::<STEP_DIMENSIONS>();
        rows.get_mut(row % QUARTER_ROWS)
    })
}
