//! The limit: reading bytes and doing next to nothing with them.

use std::hint::black_box;

/// As many bytes as the templates take.
pub(super) struct Memory(Vec<u64>);

impl Memory {
    /// Written with something else than zeros, so that every page is a page of its own.
    pub(super) fn of(bytes: u64) -> Self {
        Self((0..bytes / 8).map(|word| word ^ 0x5555).collect())
    }

    /// Reads every byte once on this thread.
    ///
    /// Four places are read side by side, which keeps more loads in flight than one, and the words are added up,
    /// which a compiler turns into vector loads: the additions hide behind the memory's speed.
    #[inline(never)]
    pub(super) fn read(&self) -> u64 {
        let (front, back) = black_box(&self.0[..]).split_at(self.0.len() / 2);
        let (first, second) = front.split_at(front.len() / 2);
        let (third, fourth) = back.split_at(back.len() / 2);
        let words = first.iter().zip(second).zip(third).zip(fourth);
        let add = |sum: u64, (((first, second), third), fourth): (((&u64, &u64), &u64), &u64)| {
            sum.wrapping_add(*first).wrapping_add(*second).wrapping_add(*third).wrapping_add(*fourth)
        };
        black_box(words.fold(0, add))
    }
}
