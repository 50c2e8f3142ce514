//! The limit: reading bytes and doing next to nothing with them.
//!
//! How fast one core can read depends on how it asks. So several ways are tried when the memory is made, with one place
//! or several read side by side and with lines asked for some way ahead or not, in the widest registers there are; the
//! fastest on this machine is the limit. It lies in one piece, on pages of 2 MiB where the system has them, as our codes
//! do: without them a virtual machine reads more slowly.

use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use crate::timing::timed;

/// A cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([u64; 8]);

/// A way to read.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    /// Places read side by side: 1, 2, 4 or 8.
    streams: usize,
    /// How many lines ahead are asked for; 0 leaves it to the processor.
    ahead: usize,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} place(s)", instructions(), self.streams)?;
        if self.ahead > 0 { write!(f, ", {} lines ahead", self.ahead) } else { Ok(()) }
    }
}

/// A piece of memory, and the fastest way to read it on one thread.
pub(crate) struct Memory {
    lines: Vec<Line>,
    /// The way that is taken.
    pub(crate) way: Way,
}

impl Memory {
    /// So many bytes, written with something else than zeros, so that every page is a page of its own.
    pub(crate) fn of(bytes: u64) -> Self {
        let count = (bytes / 64).max(8);
        let mut lines: Vec<Line> = Vec::with_capacity(usize::try_from(count).unwrap_or(usize::MAX));
        ask_for_large_pages(&lines);
        lines.extend((0..count).map(|line| Line([line ^ 0x5555; 8])));
        let mut memory = Self { lines, way: Way { streams: 1, ahead: 0 } };
        let mut best = Duration::MAX;
        for streams in [1, 2, 4, 8] {
            for ahead in [0, 8, 16, 32, 64, 128] {
                let way = Way { streams, ahead };
                for _ in 0..3 {
                    let took = timed(|| read(&memory.lines, way)).1;
                    if took < best {
                        best = took;
                        memory.way = way;
                    }
                }
            }
        }
        memory
    }

    pub(crate) fn bytes(&self) -> usize {
        self.lines.len() * size_of::<Line>()
    }

    /// Reads every byte once, each thread its part.
    pub(crate) fn read(&self, threads: usize) -> u64 {
        let mut parts = self.lines.chunks(self.lines.len().div_ceil(threads));
        let own = parts.next().unwrap_or_default();
        std::thread::scope(|scope| {
            let others: Vec<_> = parts.map(|part| scope.spawn(|| read(part, self.way))).collect();
            let own = read(own, self.way);
            others.into_iter().filter_map(|other| other.join().ok()).fold(own, |sum, other| sum ^ other)
        })
    }
}

/// A wish, about the room of a vector in which nothing is yet.
#[cfg(target_os = "linux")]
fn ask_for_large_pages(room: &Vec<Line>) {
    const PAGE: usize = 2 << 20;
    let start = room.as_ptr().addr().next_multiple_of(PAGE);
    let end = (room.as_ptr().addr() + room.capacity() * size_of::<Line>()) / PAGE * PAGE;
    if start < end {
        let from = room.as_ptr().with_addr(start).cast_mut().cast();
        // SAFETY: the range lies inside of the room that the vector owns; the advice changes on what pages it lies, not
        // what it holds.
        #[expect(unsafe_code, reason = "a system call about the vector's own room")]
        let _refused = unsafe { libc::madvise(from, end - start, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages(_room: &Vec<Line>) {}

#[inline(never)]
fn read(lines: &[Line], way: Way) -> u64 {
    let lines = black_box(lines);
    black_box(match way.streams {
        1 => widest::<1>(lines, way.ahead),
        2 => widest::<2>(lines, way.ahead),
        4 => widest::<4>(lines, way.ahead),
        _ => widest::<8>(lines, way.ahead),
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> &'static str {
    "plain code"
}

#[cfg(not(target_arch = "x86_64"))]
fn widest<const STREAMS: usize>(lines: &[Line], ahead: usize) -> u64 {
    mixed::<STREAMS>(lines, ahead)
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> &'static str {
    if is_x86_feature_detected!("avx512f") {
        "64-byte loads"
    } else if is_x86_feature_detected!("avx2") {
        "32-byte loads"
    } else {
        "16-byte loads"
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "calls functions compiled for detected instructions")]
fn widest<const STREAMS: usize>(lines: &[Line], ahead: usize) -> u64 {
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the instructions that the function is compiled for were just detected.
        unsafe { avx512::<STREAMS>(lines, ahead) }
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: as above.
        unsafe { avx2::<STREAMS>(lines, ahead) }
    } else {
        mixed::<STREAMS>(lines, ahead)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512<const STREAMS: usize>(lines: &[Line], ahead: usize) -> u64 {
    mixed::<STREAMS>(lines, ahead)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<const STREAMS: usize>(lines: &[Line], ahead: usize) -> u64 {
    mixed::<STREAMS>(lines, ahead)
}

/// Mixes all words: one exclusive-or per register, which hides behind the load.
#[inline(always)]
fn mixed<const STREAMS: usize>(lines: &[Line], ahead: usize) -> u64 {
    let part = lines.len() / STREAMS;
    let parts: [&[Line]; STREAMS] = std::array::from_fn(|stream| &lines[stream * part..(stream + 1) * part]);
    let mut sums = [[0_u64; 8]; STREAMS];
    for at in 0..part {
        for (sum, lines) in sums.iter_mut().zip(parts) {
            if ahead > 0 {
                ask_for(&lines[at], ahead);
            }
            for (sum, word) in sum.iter_mut().zip(lines[at].0) {
                *sum ^= word;
            }
        }
    }
    let rest = lines[part * STREAMS..].iter().flat_map(|line| line.0);
    sums.into_iter().flatten().chain(rest).fold(0, |all, word| all ^ word)
}

/// Asks for a line some way ahead, which may lie beyond the memory's end.
#[inline(always)]
fn ask_for(line: &Line, ahead: usize) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "the instruction has no safe form")]
    // SAFETY: a prefetch is a hint: it reads nothing that the program can see and does not fault, whatever the
    // address; the pointer is made without leaving its provenance.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(line).wrapping_add(ahead).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (line, ahead);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_reads_every_byte() {
        // A number of lines that no number of places divides. Miri is some thousand times slower.
        let count = if cfg!(miri) { 11 } else { 1003 };
        let mut memory = Memory::of(64 * count);
        let expected = memory.lines.iter().flat_map(|line| line.0).fold(0, |all, word| all ^ word);
        for at in [0, count as usize / 2, count as usize - 1] {
            memory.lines[at].0[3] ^= 1 << 40;
            for streams in [1, 2, 4, 8] {
                for ahead in [0, 16] {
                    assert_eq!(read(&memory.lines, Way { streams, ahead }), expected ^ (1 << 40));
                }
            }
            assert_eq!(memory.read(2), expected ^ (1 << 40));
            memory.lines[at].0[3] ^= 1 << 40;
        }
        assert_eq!(memory.bytes() as u64, 64 * count);
    }
}
