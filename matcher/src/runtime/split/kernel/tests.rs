//! The kernel against its definition, at every small size and every place in memory.
#![allow(clippy::unwrap_used, reason = "tests")]
use likeness_models::FirstLayers;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{Layers, NARROW, STEP, WIDE, is_possible};

/// Sides that are tried, in steps. Miri is some thousand times slower.
const SIDES: usize = if cfg!(miri) { 1 } else { 6 };

/// What images and layers are filled with.
#[derive(Clone, Copy, Debug)]
enum Fill {
    Any,
    Ends,
    /// One value everywhere, so that sums become as large as they can.
    Largest,
}

fn number(rng: &mut ChaCha8Rng, fill: Fill) -> f32 {
    match fill {
        Fill::Any => rng.random_range(-1.0..1.0),
        Fill::Ends => [-1.0, 1.0, 0.0, -0.0][rng.random_range(0..4)],
        Fill::Largest => 1.0,
    }
}

fn layers(rng: &mut ChaCha8Rng, fill: Fill) -> FirstLayers {
    let mut numbers = |count: usize| (0..count).map(|_| number(rng, fill)).collect::<Vec<_>>();
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

/// Runs the kernel with planes and results that begin `before` numbers into their memory and end where it ends, so that
/// a sanitizer sees a step too far; and compares.
fn check(rng: &mut ChaCha8Rng, size: [usize; 2], fill: Fill, before: usize) {
    let from = layers(rng, fill);
    let mut planes = vec![f32::NAN; before + 3 * size[0] * size[1]].into_boxed_slice();
    planes[before..].fill_with(|| number(rng, fill));
    let mut results = vec![f32::NAN; before + WIDE * size[0] * size[1] / 16].into_boxed_slice();
    Layers::new(&from).unwrap().run(&planes[before..], size, &mut results[before..]);
    let expected = defined(&from, size, &planes[before..]);
    assert_eq!(expected.values.len(), results.len() - before);
    for (at, (found, expected)) in results[before..].iter().zip(&expected.values).enumerate() {
        let most = 1e-3 + 1e-5 * expected.abs();
        let off = (f64::from(*found) - expected).abs();
        assert!(off < most, "{size:?} {fill:?}, {before} before, at {at}: {found}, not {expected}");
    }
    assert!(results[..before].iter().all(|number| number.is_nan()), "{size:?}: written before its place");
}

#[test]
fn the_kernel_computes_what_is_defined_at_every_size_and_place() {
    if !is_possible() {
        println!("skipped: this machine lacks the instructions of the detector's own kernel");
        return;
    }
    println!("report: kernels of the detector's first layers, compared with their definition: avx512");
    let mut rng = ChaCha8Rng::seed_from_u64(20_260_101);
    let mut before = 0;
    for tall in 1..=SIDES {
        for wide in 1..=SIDES {
            for fill in [Fill::Any, Fill::Ends, Fill::Largest] {
                check(&mut rng, [STEP * tall, STEP * wide], fill, before % (NARROW + 1));
                before += 1;
            }
        }
    }
    // All sixteen places that a number may have in a cache line were met, on planes and on results.
    assert!(cfg!(miri) || before > NARROW);
}

#[test]
#[cfg_attr(miri, ignore = "hundreds of thousands of places")]
fn long_and_tall_images_are_computed_as_defined() {
    if !is_possible() {
        println!("skipped: this machine lacks the instructions of the detector's own kernel");
        return;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(20_260_102);
    for size in [[STEP, 20 * STEP], [20 * STEP, STEP], [7 * STEP, 19 * STEP]] {
        check(&mut rng, size, Fill::Any, 3);
    }
}

#[test]
fn layers_that_lack_a_number_are_none() {
    let whole = layers(&mut ChaCha8Rng::seed_from_u64(1), Fill::Any);
    assert_eq!(Layers::new(&whole).is_some(), is_possible());
    assert!(Layers::new(&FirstLayers { bias: vec![0.0; 15], ..whole.clone() }).is_none());
    assert!(Layers::new(&FirstLayers { pointwise: Vec::new(), ..whole }).is_none());
}
