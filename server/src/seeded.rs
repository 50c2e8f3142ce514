//! Randomness for tests that can be repeated: the seed is printed, and set by `LIKENESS_TEST_SEED`.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The seed of this run. Fixed unless the environment says otherwise, so that no test depends on luck.
fn seed() -> u64 {
    let seed =
        std::env::var("LIKENESS_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_101);
    eprintln!("repeat with LIKENESS_TEST_SEED={seed}");
    seed
}

/// A property test of `cases` cases. Leaves no files of failed cases in the source tree.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// A stream of numbers (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub fn seeded() -> Self {
        Self(seed())
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, not including, `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}
