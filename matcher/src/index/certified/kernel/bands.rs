//! The memory that every search reads from end to end: codes and weights of a block, band after band, in one run of
//! bytes, on pages of 2 MiB where the system has them.
//!
//! `unsafe` here is memory that a vector cannot give: aligned to its page, and described to the system before it is
//! touched. `scripts/miri` runs Miri over it; named tests of the index on top of it run there with the portable kernel.
//!
//! One run, because a processor reads fastest what lies in the order in which it is read. Large pages, because with
//! pages of 4 KiB the processor has to find out more often where they are: more so on a virtual
//! machine, where each address is looked up twice.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use super::super::layout::{BAND_ROWS, QUARTERS, Step, Weights};

/// Size of a large page.
pub(in crate::index::certified) const PAGE: usize = 2 << 20;

/// Steps that the weights of a band take.
const WEIGHT_STEPS: usize = size_of::<Weights>() / size_of::<Step>();

/// The bands of one block.
///
/// INVARIANT: `first` points to `bands * (codes + WEIGHT_STEPS)` initialised steps, allocated with `layout`, which no
/// one else owns.
pub(in crate::index::certified) struct Bands {
    first: NonNull<Step>,
    layout: Layout,
    bands: usize,
    /// Steps of all four quarters of a band.
    codes: usize,
}

impl Bands {
    /// So many bands of so many steps a quarter: codes of zeros, and these weights.
    pub(in crate::index::certified) fn new(bands: usize, steps: usize, weights: Weights) -> Self {
        let layout = layout(bands, steps);
        let mut made = Self { first: allocate(layout), layout, bands, codes: QUARTERS * steps };
        for band in 0..bands {
            *made.weights_mut(band) = weights;
        }
        made
    }

    /// Bytes that one band of so many steps a quarter takes.
    pub(in crate::index::certified) const fn band_bytes(steps: usize) -> usize {
        (QUARTERS * steps + WEIGHT_STEPS) * size_of::<Step>()
    }

    fn at(&self, band: usize) -> NonNull<Step> {
        assert!(band < self.bands, "there is no such band");
        // SAFETY: `band` is in range, so the offset, at most the size of the allocation, stays inside of it.
        #[expect(unsafe_code, reason = "offset into the own allocation")]
        unsafe {
            self.first.add(band * (self.codes + WEIGHT_STEPS))
        }
    }

    /// The codes of a band.
    #[inline]
    pub(in crate::index::certified) fn codes(&self, band: usize) -> &[Step] {
        // SAFETY: a band begins with `codes` initialised steps, and nothing changes them while `self` is borrowed.
        #[expect(unsafe_code, reason = "a part of the own allocation")]
        unsafe {
            NonNull::slice_from_raw_parts(self.at(band), self.codes).as_ref()
        }
    }

    /// The codes of a band, to write.
    pub(in crate::index::certified) fn codes_mut(&mut self, band: usize) -> &mut [Step] {
        // SAFETY: as in `codes`, and `self` is borrowed exclusively.
        #[expect(unsafe_code, reason = "a part of the own allocation")]
        unsafe {
            NonNull::slice_from_raw_parts(self.at(band), self.codes).as_mut()
        }
    }

    /// The weights of a band.
    #[inline]
    pub(in crate::index::certified) fn weights(&self, band: usize) -> &Weights {
        // SAFETY: the last `WEIGHT_STEPS` steps of a band are initialised bytes of the size of `Weights`; both types
        // are aligned to 64, and every pattern of bits is a number of `Weights`. Nothing changes them while `self`
        // is borrowed.
        #[expect(unsafe_code, reason = "a part of the own allocation")]
        unsafe {
            self.at(band).add(self.codes).cast::<Weights>().as_ref()
        }
    }

    /// The weights of a band, to write.
    pub(in crate::index::certified) fn weights_mut(&mut self, band: usize) -> &mut Weights {
        // SAFETY: as in `weights`, and `self` is borrowed exclusively; every number of `Weights` is a pattern of
        // bytes, and there is no padding.
        #[expect(unsafe_code, reason = "a part of the own allocation")]
        unsafe {
            self.at(band).add(self.codes).cast::<Weights>().as_mut()
        }
    }

    fn overwrite(&mut self) {
        for band in 0..self.bands {
            self.codes_mut(band).fill(Step::ZERO);
            *self.weights_mut(band) =
                Weights { scale: [0.0; BAND_ROWS], residual: [0.0; BAND_ROWS], norm: [0.0; BAND_ROWS] };
        }
        std::hint::black_box(self.first);
    }
}

impl Drop for Bands {
    /// Codes are templates too: see `MemoryTier`.
    fn drop(&mut self) {
        self.overwrite();
        // SAFETY: allocated in `new` with this layout, and not used any more.
        #[expect(unsafe_code, reason = "frees the own allocation")]
        unsafe {
            dealloc(self.first.as_ptr().cast(), self.layout);
        }
    }
}

// SAFETY: `Bands` owns plain bytes, like a `Vec<Step>`, and gives them out under the usual rules of borrowing.
#[expect(unsafe_code, reason = "the pointer is the only owner")]
unsafe impl Send for Bands {}
// SAFETY: as above; `&Bands` gives out shared borrows only.
#[expect(unsafe_code, reason = "the pointer is the only owner")]
unsafe impl Sync for Bands {}

/// INVARIANT of the callers: sizes are bounded (see `Growth`), and there is at least one band of one step.
fn layout(bands: usize, steps: usize) -> Layout {
    let bytes = bands * Bands::band_bytes(steps);
    // Whole pages where hardly anything of them is left over; small blocks, of small pools, take what they need.
    let whole = bytes.next_multiple_of(PAGE);
    let (bytes, align) = if whole - bytes <= bytes / 8 { (whole, PAGE) } else { (bytes, align_of::<Step>()) };
    match Layout::from_size_align(bytes.max(size_of::<Step>()), align) {
        Ok(layout) => layout,
        Err(_) => handle_alloc_error(Layout::new::<Step>()),
    }
}

/// Memory of zeros.
fn allocate(layout: Layout) -> NonNull<Step> {
    // SAFETY: the layout is not empty: see `layout`.
    #[expect(unsafe_code, reason = "a vector cannot ask for large pages before its memory is touched")]
    let start = unsafe { alloc(layout) };
    let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
    ask_for_large_pages(start, layout);
    // SAFETY: `start` was just allocated with as many bytes.
    #[expect(unsafe_code, reason = "initialises the own allocation")]
    unsafe {
        start.write_bytes(0, layout.size());
    }
    start.cast()
}

/// A wish: without it, or when the system does not grant it, the same bytes lie on small pages.
#[cfg(all(target_os = "linux", not(miri)))]
fn ask_for_large_pages(start: NonNull<u8>, layout: Layout) {
    if layout.align() < PAGE {
        return;
    }
    // SAFETY: the range was just allocated, is this block's own and begins and ends with a page; the advice changes
    // on what pages it lies, not what it holds.
    #[expect(unsafe_code, reason = "a system call about the own allocation")]
    let _refused = unsafe { libc::madvise(start.as_ptr().cast(), layout.size(), libc::MADV_HUGEPAGE) };
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn ask_for_large_pages(_start: NonNull<u8>, _layout: Layout) {}

const _: () = assert!(size_of::<Weights>().is_multiple_of(size_of::<Step>()), "weights fill whole steps");
const _: () = assert!(align_of::<Weights>() == align_of::<Step>(), "weights are aligned like steps");

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Weights =
        Weights { scale: [0.0; BAND_ROWS], residual: [f32::NEG_INFINITY; BAND_ROWS], norm: [1.0; BAND_ROWS] };

    #[test]
    fn bands_begin_empty_and_do_not_overlap() {
        for (count, steps) in [(1, 1), (3, 2), (5, 33)] {
            let mut bands = Bands::new(count, steps, EMPTY);
            for band in 0..count {
                assert!(bands.codes(band).iter().all(|step| step.0 == Step::ZERO.0));
                assert_eq!(bands.codes(band).len(), QUARTERS * steps);
                assert_eq!(bands.weights(band).residual, EMPTY.residual);
                bands.codes_mut(band).fill(Step([band as u8 + 1; size_of::<Step>()]));
                bands.weights_mut(band).scale = [band as f32 + 0.5; BAND_ROWS];
            }
            // From another thread: what `Sync` promises.
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    for band in 0..count {
                        assert!(
                            bands.codes(band).iter().flat_map(|step| step.0).all(|c| c == band as u8 + 1)
                        );
                        assert_eq!(bands.weights(band).scale, [band as f32 + 0.5; BAND_ROWS]);
                        assert_eq!(bands.weights(band).norm, EMPTY.norm);
                    }
                });
            });
        }
    }

    #[test]
    fn blocks_that_fill_pages_are_aligned_to_them() {
        for (count, steps, aligned) in [(62, 128, true), (1, 16_384, false), (234, 32, true), (8, 32, false)]
        {
            let layout = layout(count, steps);
            assert_eq!(layout.align() == PAGE, aligned, "{count} bands of {steps} steps");
            let bytes = count * Bands::band_bytes(steps);
            assert!(layout.size() >= bytes && layout.size() <= bytes + bytes / 8);
            assert!(!aligned || layout.size().is_multiple_of(PAGE));
        }
    }
}
