#![allow(clippy::unwrap_used, reason = "tests")]
use likeness_models::FirstLayers;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::{Layers, NARROW, WIDE, first_layers, is_possible};

fn layers(rng: &mut ChaCha8Rng) -> FirstLayers {
    let mut numbers = |count: usize| (0..count).map(|_| rng.random_range(-1.0..1.0_f32)).collect::<Vec<_>>();
    FirstLayers {
        filters: numbers(NARROW * 27),
        bias: numbers(NARROW),
        depthwise: numbers(NARROW * 9),
        pointwise: numbers(WIDE * NARROW),
        pointwise_bias: numbers(WIDE),
        slope: 0.1,
    }
}

/// Planes of `size` rows and columns, indexed by channel, row and column; 0 outside.
struct Planes {
    size: [usize; 2],
    values: Vec<f64>,
}

impl Planes {
    fn made(channels: usize, size: [usize; 2], of: impl Fn([usize; 3]) -> f64) -> Self {
        let places = (0..size[0]).flat_map(|row| (0..size[1]).map(move |column| [row, column]));
        let values = (0..channels)
            .flat_map(|channel| places.clone().map(move |[row, column]| [channel, row, column]))
            .map(of)
            .collect();
        Self { size, values }
    }

    fn at(&self, channel: usize, row: isize, column: isize) -> Option<f64> {
        let inside = |at: isize, end: usize| usize::try_from(at).ok().filter(|&at| at < end);
        let (row, column) = (inside(row, self.size[0])?, inside(column, self.size[1])?);
        Some(self.values[(channel * self.size[0] + row) * self.size[1] + column])
    }

    /// The maximum of two by two places, those outside never winning; then the leaky ReLU.
    fn shrunk(&self, channels: usize, size: [usize; 2], slope: f32) -> Self {
        Self::made(channels, size, |[channel, row, column]| {
            let near = [[0, 0], [0, 1], [1, 0], [1, 1]];
            let (row, column) = (2 * row as isize, 2 * column as isize);
            let best = near.iter().filter_map(|[down, across]| self.at(channel, row + down, column + across));
            let best = best.fold(f64::NEG_INFINITY, f64::max);
            if best < 0.0 { best * f64::from(slope) } else { best }
        })
    }
}

/// The definition, in 64 bits, layer by layer.
fn defined(layers: &FirstLayers, [rows, columns]: [usize; 2], image: &[f32]) -> Planes {
    let weight = |of: &[f32], at: usize| f64::from(of[at]);
    let image = Planes { size: [rows, columns], values: image.iter().copied().map(f64::from).collect() };
    let window = |planes: &Planes,
                  channel: usize,
                  row: usize,
                  column: usize,
                  shift: isize,
                  of: &dyn Fn(usize) -> f64| {
        (0..9_usize)
            .map(|place| {
                let [down, across] = [(place / 3) as isize - shift, (place % 3) as isize - shift];
                of(place) * planes.at(channel, row as isize + down, column as isize + across).unwrap_or(0.0)
            })
            .sum::<f64>()
    };
    let first = Planes::made(NARROW, [rows - 2, columns - 2], |[channel, row, column]| {
        let sums = (0..3).map(|input| {
            window(&image, input, row, column, 0, &|place| {
                weight(&layers.filters, (channel * 3 + input) * 9 + place)
            })
        });
        weight(&layers.bias, channel) + sums.sum::<f64>()
    });
    let first = first.shrunk(NARROW, [rows / 2 - 1, columns / 2 - 1], layers.slope);
    let filtered = Planes::made(NARROW, first.size, |[channel, row, column]| {
        window(&first, channel, row, column, 1, &|place| weight(&layers.depthwise, channel * 9 + place))
    });
    let mixed = Planes::made(WIDE, first.size, |[channel, row, column]| {
        let parts = (0..NARROW).map(|input| {
            weight(&layers.pointwise, channel * NARROW + input)
                * filtered.at(input, row as isize, column as isize).unwrap_or(0.0)
        });
        weight(&layers.pointwise_bias, channel) + parts.sum::<f64>()
    });
    mixed.shrunk(WIDE, [rows / 4, columns / 4], layers.slope)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_kernel_computes_what_is_defined(seed: u64, tall in 1..5_usize, wide in 1..5_usize) {
        if !is_possible() {
            println!("skipped: this machine lacks the kernel's instructions");
            return Ok(());
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let from = layers(&mut rng);
        let size = [32 * tall, 32 * wide];
        let image: Vec<f32> = (0..3 * size[0] * size[1]).map(|_| rng.random_range(-1.0..1.0)).collect();
        let mut results = vec![f32::NAN; WIDE * size[0] * size[1] / 16];
        first_layers(&Layers::new(&from).unwrap(), &image, size, &mut results);
        let expected = defined(&from, size, &image);
        for (at, (found, expected)) in results.iter().zip(&expected.values).enumerate() {
            prop_assert!((f64::from(*found) - expected).abs() < 1e-3, "at {at}: {found}, not {expected}");
        }
    }
}

#[test]
fn layers_that_lack_a_number_are_none() {
    let whole = layers(&mut ChaCha8Rng::seed_from_u64(1));
    assert!(Layers::new(&whole).is_some());
    assert!(Layers::new(&FirstLayers { bias: vec![0.0; 15], ..whole.clone() }).is_none());
    assert!(Layers::new(&FirstLayers { pointwise: Vec::new(), ..whole }).is_none());
}
