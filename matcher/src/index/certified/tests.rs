//! The certified index against the oracle: identical, bit for bit, on vectors made to break it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use likeness_models::Metric;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::CertifiedIndex;
use super::kernel::Kernel;
use super::layout::Form;
use crate::embed::Embedding;
use crate::index::conformance::{at, home};
use crate::index::geometry::Geometry;
use crate::index::{Hit, RowKey, SubjectKey};

mod adversarial;
mod interval;
mod questions;

/// Repeats a failure: `LIKENESS_TEST_SEED=<seed>`. Printed by every run.
pub(super) fn seed() -> u64 {
    let seed =
        std::env::var("LIKENESS_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_101);
    eprintln!("seed: LIKENESS_TEST_SEED={seed}");
    seed
}

/// How many: `usual`, and fewer under Miri, which is some thousand times slower.
pub(super) fn unless_miri<T>(usual: T, fewer: T) -> T {
    if cfg!(miri) { fewer } else { usual }
}

/// Equal bit for bit, similarity included.
fn same(left: &[Vec<Hit>], right: &[Vec<Hit>]) {
    let bits = |lists: &[Vec<Hit>]| -> Vec<Vec<(RowKey, SubjectKey, u64)>> {
        let hit = |hit: &Hit| (hit.row, hit.subject, hit.similarity.to_bits());
        lists.iter().map(|list| list.iter().map(hit).collect()).collect()
    };
    assert_eq!(bits(left), bits(right));
}

/// An index in blocks of one band, for each kernel of this machine and each form that templates of this metric may have.
fn for_each_kernel(dimension: usize, metric: Metric) -> Vec<CertifiedIndex> {
    let geometry = Geometry::new(home(), dimension, metric).unwrap();
    let growth = super::Growth { most_bands: 1 };
    let forms = FORMS.iter().filter(|(of, _)| *of == metric).map(|(_, form)| *form);
    Kernel::available()
        .into_iter()
        .flat_map(|kernel| forms.clone().map(move |form| (kernel, form)))
        .map(|(kernel, form)| CertifiedIndex::made_of(geometry, growth, kernel, form))
        .collect()
}

/// How rows may lie.
const FORMS: [(Metric, Form); 3] =
    [(Metric::Euclidean, Form::Whole), (Metric::Cosine, Form::Whole), (Metric::Cosine, Form::Halved)];

/// An empty index in blocks of one band.
fn in_form(dimension: usize, metric: Metric, form: Form) -> CertifiedIndex {
    let make = match form {
        Form::Whole => CertifiedIndex::in_small_blocks,
        Form::Halved => CertifiedIndex::in_halves,
    };
    make(home(), dimension, metric).unwrap()
}

/// Kinds of vectors that an index could stumble over.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Around a few centres: some equal, some apart by less than `f32` scores, or int8, can tell.
    Clusters,
    /// Every scale from subnormal to as long as is taken, side by side.
    EveryScale,
    /// One value and its negative, everywhere: each vector is some other's opposite.
    SignFlips,
    /// Nearly all values zero, one large: the worst for one scale per vector.
    Spikes,
    /// All equal.
    Equal,
    /// Of a coarse grid: ties and duplicates without end.
    Grid,
    /// Far from the origin, close together.
    FarAway,
}

const KINDS: [Kind; 7] =
    [Kind::Clusters, Kind::EveryScale, Kind::SignFlips, Kind::Spikes, Kind::Equal, Kind::Grid, Kind::FarAway];

/// One vector; never zero when the metric is cosine.
fn vector(random: &mut ChaCha8Rng, kind: Kind, dimension: usize, metric: Metric) -> Embedding {
    let mut values: Vec<f32> = match kind {
        Kind::Clusters => {
            let centre = random.random_range(0..4_u32);
            let spread = [0.0, 1e-8, 1e-6, 1e-4, 1e-2][random.random_range(0..5)];
            (0..dimension as u32)
                .map(|i| {
                    ((centre * 7919 + i * 104_729) as f32).sin() + random.random_range(-1.0..=1.0) * spread
                })
                .collect()
        }
        Kind::EveryScale => {
            let scale = 10_f32.powi(random.random_range(-44..14));
            (0..dimension).map(|_| random.random_range(-1.0..1.0) * scale).collect()
        }
        Kind::SignFlips => (0..dimension).map(|_| [0.7, -0.7][random.random_range(0..2)]).collect(),
        Kind::Spikes => {
            let mut values = vec![0.0; dimension];
            values[random.random_range(0..dimension)] = [1.0, -1.0, 5.0][random.random_range(0..3)];
            values[random.random_range(0..dimension)] += 1e-3;
            values
        }
        Kind::Equal => vec![0.3; dimension],
        Kind::Grid => (0..dimension).map(|_| random.random_range(-1..=1) as f32 * 0.5).collect(),
        Kind::FarAway => (0..dimension).map(|_| 1000.0 + random.random_range(-1.0..1.0_f32)).collect(),
    };
    if metric == Metric::Cosine && values.iter().all(|value| *value == 0.0) {
        values[0] = 1.0;
    }
    at(&values)
}
