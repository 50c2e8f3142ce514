//! A fixed rotation that spreads every template evenly over all coordinates.
//!
//! Three rounds of sign flips, each followed by a Walsh-Hadamard transform: orthogonal, `n log n` additions, and close
//! enough to a rotation drawn at random that no coordinate of an ordinary template stays larger than others (Ailon and
//! Chazelle, *The fast Johnson-Lindenstrauss transform*, SIAM J. Comput. 39, 2009). The signs are fixed: the same
//! template has the same code in every process.

/// Rounds of signs and transform.
const ROUNDS: usize = 3;

/// Where the signs begin. Any number would do.
const SEED: u64 = 0x6c69_6b65_6e65_7373;

/// Fewest coordinates: one word of bits.
const LEAST: usize = 64;

/// A rotation of templates of one dimension.
pub(super) struct Rotation {
    /// Coordinates after the rotation: the dimension, padded with zeros to a power of two.
    padded: usize,
    /// `1` or `-1` for each coordinate of each round, the whole scaled so that lengths stay what they are.
    signs: [Vec<f64>; ROUNDS],
}

impl Rotation {
    pub(super) fn new(dimension: usize) -> Self {
        let padded = dimension.next_power_of_two().max(LEAST);
        let shrink = 1.0 / (padded as f64).sqrt();
        let mut state = SEED;
        let signs = std::array::from_fn(|_| {
            (0..padded)
                .map(|_| {
                    state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                    if mixed(state) & 1 == 0 { shrink } else { -shrink }
                })
                .collect()
        });
        Self { padded, signs }
    }

    /// Coordinates after the rotation: a power of two, 64 at least.
    pub(super) fn padded(&self) -> usize {
        self.padded
    }

    /// The values, rotated. As long as before, up to rounding.
    pub(super) fn apply(&self, values: &[f32]) -> Vec<f64> {
        let mut rotated: Vec<f64> = values.iter().map(|&value| f64::from(value)).collect();
        rotated.resize(self.padded, 0.0);
        for signs in &self.signs {
            for (value, sign) in rotated.iter_mut().zip(signs) {
                *value *= sign;
            }
            transform(&mut rotated);
        }
        rotated
    }
}

/// The Walsh-Hadamard transform, unscaled. The length is a power of two.
fn transform(values: &mut [f64]) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (left, right) in left.iter_mut().zip(right) {
                (*left, *right) = (*left + *right, *left - *right);
            }
        }
        half *= 2;
    }
}

/// The output function of SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014):
/// every bit of the result depends on every bit of `state`.
pub(super) fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
