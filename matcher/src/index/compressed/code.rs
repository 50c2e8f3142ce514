//! Templates and probes in a few bits per coordinate.

use likeness_models::Metric;

/// Bits per coordinate of a stored code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// The sign alone.
    One,
    /// Four levels.
    Two,
    /// Sixteen levels.
    Four,
}

impl Bits {
    /// How many.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Bits per coordinate of a probe: so many that what rounding takes from the probe does not show beside what it takes
    /// from the rows.
    pub(super) const fn of_probe(self) -> usize {
        match self {
            Self::One => 4,
            Self::Two => 5,
            Self::Four => 6,
        }
    }

    /// Half the distance between levels that suits normally distributed coordinates of variance 1 (Max, *Quantizing for
    /// minimum distortion*, IRE Trans. Inf. Theory 6, 1960). A sign needs none.
    const fn half_step(self) -> f64 {
        match self {
            Self::One => 1.0,
            Self::Two => 0.498,
            Self::Four => 0.168,
        }
    }

    /// The largest level; levels are the odd numbers from its negative to it.
    const fn largest(self) -> i32 {
        (1 << self.count()) - 1
    }
}

/// Shares of the usual step that are tried; the code nearest in direction wins.
const STEPS: [f64; 7] = [0.7, 0.85, 1.0, 1.15, 1.35, 1.7, 2.5];

/// What turns the inner product of a code and a probe into an estimate. All zero where no row is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Factor {
    /// `2 |x|^2 / <v, x>` (Euclidean), or the same of `x / |x|` (cosine); 0 for a template of zeros.
    pub(super) scale: f32,
    /// `|x|^2` (Euclidean), or 0 (cosine).
    pub(super) norm: f32,
}

/// A template as levels.
pub(super) struct Code {
    /// Each coordinate's number of its level, lowest bit first: one plane of bits after the other, in words of 64.
    pub(super) planes: Vec<u64>,
    pub(super) factor: Factor,
}

impl Code {
    /// Of a rotated template: a multiple of 64 values, finite, of a length that an index takes.
    pub(super) fn new(rotated: &[f64], metric: Metric, bits: Bits) -> Self {
        let squared: f64 = rotated.iter().map(|value| value * value).sum();
        let usual = bits.half_step() * (squared / rotated.len() as f64).sqrt();
        let steps = if bits == Bits::One { &[1.0][..] } else { &STEPS[..] };
        let (mut best, mut product, mut half) = (f64::NEG_INFINITY, 0.0, usual);
        for share in steps {
            let (mut dot, mut length) = (0.0, 0.0);
            for value in rotated {
                let level = f64::from(2 * number(*value, usual * share, bits) - bits.largest());
                dot += level * value;
                length += level * level;
            }
            let nearness = dot / f64::sqrt(length);
            if nearness > best {
                (best, product, half) = (nearness, dot, usual * share);
            }
        }
        let mut planes = vec![0; bits.count() * rotated.len() / 64];
        fill(&mut planes, rotated.len(), rotated.iter().map(|value| number(*value, half, bits)));
        // A level has the sign of its value, so the product is positive unless all values are zero.
        #[expect(clippy::cast_possible_truncation, reason = "an estimate needs no more")]
        let factor = match metric {
            _ if product <= 0.0 => Factor::default(),
            Metric::Euclidean => Factor { scale: (2.0 * squared / product) as f32, norm: squared as f32 },
            Metric::Cosine => Factor { scale: (2.0 * squared.sqrt() / product) as f32, norm: 0.0 },
        };
        Self { planes, factor }
    }
}

/// A probe as whole numbers.
pub(super) struct ProbeCode {
    /// One plane of bits after the other, in words of 64, lowest first; the last one counts negative (two's complement).
    pub(super) planes: Vec<u64>,
    /// What a 1 stands for.
    pub(super) step: f32,
    /// Sum of all numbers times the largest level of a row: what is taken off for levels that begin below zero.
    pub(super) offset: i32,
    pub(super) bits: Bits,
    /// Words of a plane.
    pub(super) words: usize,
}

impl ProbeCode {
    /// Of a rotated probe, to be multiplied with codes of this many bits.
    pub(super) fn new(rotated: &[f64], bits: Bits) -> Self {
        let planes = bits.of_probe();
        let most = f64::from((1 << (planes - 1)) - 1);
        let step = rotated.iter().fold(0.0_f64, |largest, value| largest.max(value.abs())) / most;
        // 0 / 0 is cast to 0.
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the range")]
        let number = |value: &f64| (value / step).round().clamp(-most, most) as i32;
        let mut words = vec![0; planes * rotated.len() / 64];
        fill(&mut words, rotated.len(), rotated.iter().map(number));
        let sum: i32 = rotated.iter().map(number).sum();
        #[expect(clippy::cast_possible_truncation, reason = "an estimate needs no more")]
        let step = step as f32;
        Self { planes: words, step, offset: sum * bits.largest(), bits, words: rotated.len() / 64 }
    }
}

/// Number of the level of a value, from 0; level `n` is `2 n - largest`, in units of half a step.
fn number(value: f64, half: f64, bits: Bits) -> i32 {
    let middle = f64::from(1 << (bits.count() - 1));
    if bits == Bits::One {
        return i32::from(value >= 0.0);
    }
    // 0 / 0 is cast to 0, a level like others.
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range")]
    let number = (value / (2.0 * half) + middle).floor().clamp(0.0, f64::from(bits.largest())) as i32;
    number
}

/// Spreads the bits of the numbers over planes of so many bits each.
fn fill(planes: &mut [u64], coordinates: usize, numbers: impl Iterator<Item = i32>) {
    let words = coordinates / 64;
    for (coordinate, number) in numbers.enumerate() {
        for (bit, plane) in planes.chunks_exact_mut(words).enumerate() {
            plane[coordinate / 64] |= u64::from(number.cast_unsigned() >> bit & 1) << (coordinate % 64);
        }
    }
}
