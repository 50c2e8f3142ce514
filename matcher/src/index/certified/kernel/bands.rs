//! The memory that every search reads from end to end: codes and weights, band after band and block after block, in runs
//! of up to 32 blocks, on pages of 2 MiB where the system has them. What of the codes is rarely read lies *aside*: behind the
//! run, so that it does not interrupt it.
//!
//! `unsafe` here is memory that a vector cannot give: described to the system before it is touched, and shared by blocks
//! that each own a part of it. `scripts/kernels` runs its tests, and those of the index on top of it, under sanitizers and
//! in Miri.
//!
//! Long runs, because a processor reads fastest what lies in the order in which it is read: what it fetches ahead at the
//! end of a block is then the beginning of the next. Large pages, because with pages of 4 KiB the processor has to find out
//! more often where they are: more so on a virtual machine, where each address is looked up twice.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;

use super::super::layout::{BAND_ROWS, QUARTERS, Step, WEIGHT_STEPS, Weights};

/// Size of a large page.
pub(in crate::index::certified) const PAGE: usize = 2 << 20;

/// Blocks of full size that share a region: 64 MiB of addresses, and as many for what lies aside, of which a block takes
/// memory when it is made.
const BLOCKS: usize = 32;

/// Steps that a band takes.
#[derive(Clone, Copy)]
pub(in crate::index::certified) struct Shape {
    /// Of each quarter, in the run.
    pub(in crate::index::certified) steps: usize,
    /// Of all rows, aside.
    pub(in crate::index::certified) aside: usize,
}

/// A run of memory that blocks are cut from, one after the other, by the [`Ground`] that made it.
///
/// INVARIANT: `first` points to initialised steps, as many as the bands that it was made for have in the run, and `aside` to
/// as many as they have aside; both inside of an allocation of `layout` that begins at `allocated` and that no one else owns.
/// Each step belongs to one [`Bands`], or to none yet.
struct Region {
    allocated: NonNull<u8>,
    layout: Layout,
    first: NonNull<Step>,
    aside: NonNull<Step>,
}

/// Where the next block's bands come from. Blocks of full size share regions; smaller ones, which begin a pool, have
/// regions of their own and take no more memory than they need.
pub(in crate::index::certified) struct Ground {
    shape: Shape,
    full: usize,
    /// The region in use, and how many bands of it are cut off.
    region: Option<(Arc<Region>, usize)>,
}

/// The bands of one block.
///
/// INVARIANT: `first` points to `bands * (4 * shape.steps + WEIGHT_STEPS)` initialised steps of the region, and `aside` to
/// `bands * shape.aside` of them, which no other `Bands` has.
pub(in crate::index::certified) struct Bands {
    first: NonNull<Step>,
    aside: NonNull<Step>,
    bands: usize,
    shape: Shape,
    /// Keeps the memory.
    _region: Arc<Region>,
}

impl Ground {
    /// For blocks of at most `full` bands of this shape.
    pub(in crate::index::certified) const fn new(full: usize, shape: Shape) -> Self {
        Self { shape, full, region: None }
    }

    /// So many bands: codes of zeros, and these weights.
    pub(in crate::index::certified) fn cut(&mut self, bands: usize, weights: Weights) -> Bands {
        let (region, taken) = if bands < self.full {
            (Arc::new(Region::new(bands, self.shape)), 0)
        } else {
            match self.region.take() {
                Some((region, taken)) if taken + bands <= self.full * BLOCKS => (region, taken),
                _ => (Arc::new(Region::new((self.full * BLOCKS).max(bands), self.shape)), 0),
            }
        };
        let shape = self.shape;
        // SAFETY: the region has `full * BLOCKS` bands, or as many as are asked for, and `taken + bands` are at most as
        // many, so both offsets stay inside of it. What is cut off from there on is nobody's: every cut is made here, and
        // raises `taken`.
        #[expect(unsafe_code, reason = "parts of the region that nobody has")]
        let (first, aside) =
            unsafe { (region.first.add(taken * shape.run()), region.aside.add(taken * shape.aside)) };
        let mut made = Bands { first, aside, bands, shape, _region: region.clone() };
        if bands >= self.full {
            self.region = Some((region, taken + bands));
        }
        for band in 0..bands {
            *made.weights_mut(band) = weights;
        }
        made
    }
}

impl Region {
    /// Memory of zeros for so many bands, of which the system gives pages when they are first written to.
    fn new(bands: usize, shape: Shape) -> Self {
        let bytes = (bands * (shape.run() + shape.aside) * size_of::<Step>()).max(size_of::<Step>());
        let align = alignment(bytes);
        // Whole pages: the last rows are to lie on a large one, too.
        let bytes = bytes.next_multiple_of(align);
        // Room to begin where a page does. Asked for without that alignment, since memory that is aligned by the
        // allocator is zeroed by writing to it, all of it.
        let Ok(layout) = Layout::from_size_align(bytes + align, 1) else {
            handle_alloc_error(Layout::new::<Step>())
        };
        // SAFETY: the layout is not empty.
        #[expect(unsafe_code, reason = "a vector cannot ask for large pages before its memory is touched")]
        let allocated = unsafe { alloc_zeroed(layout) };
        let Some(allocated) = NonNull::new(allocated) else { handle_alloc_error(layout) };
        let gap = allocated.addr().get().next_multiple_of(align) - allocated.addr().get();
        // SAFETY: the gap is less than `align`, so `bytes` bytes from there on lie inside of the allocation. They are
        // zeros, which are steps, and aligned to at least 64.
        #[expect(unsafe_code, reason = "offset into the own allocation")]
        let first: NonNull<Step> = unsafe { allocated.add(gap) }.cast();
        // SAFETY: the bands' runs are a part of the `bytes`.
        #[expect(unsafe_code, reason = "offset into the own allocation")]
        let aside = unsafe { first.add(bands * shape.run()) };
        ask_for_large_pages(first, bytes);
        Self { allocated, layout, first, aside }
    }
}

impl Shape {
    /// Steps of a band in the run: codes and weights.
    const fn run(self) -> usize {
        QUARTERS * self.steps + WEIGHT_STEPS
    }

    /// Bytes of a band in the run.
    pub(in crate::index::certified) const fn run_bytes(self) -> usize {
        self.run() * size_of::<Step>()
    }
}

/// A page for what fills pages; what is smaller takes what it needs.
const fn alignment(bytes: usize) -> usize {
    let whole = bytes.next_multiple_of(PAGE);
    if whole - bytes <= bytes / 8 { PAGE } else { align_of::<Step>() }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, and not used any more: every `Bands` cut from it keeps it.
        #[expect(unsafe_code, reason = "frees the own allocation")]
        unsafe {
            dealloc(self.allocated.as_ptr(), self.layout);
        }
    }
}

impl Bands {
    /// How many there are.
    pub(in crate::index::certified) const fn len(&self) -> usize {
        self.bands
    }

    fn at(&self, band: usize) -> NonNull<Step> {
        assert!(band < self.bands, "there is no such band");
        // SAFETY: `band` is in range, so the offset, at most the size of the allocation, stays inside of it.
        #[expect(unsafe_code, reason = "offset into the own allocation")]
        unsafe {
            self.first.add(band * self.shape.run())
        }
    }

    /// The codes of a band.
    #[inline]
    pub(in crate::index::certified) fn codes(&self, band: usize) -> &[Step] {
        // SAFETY: a band begins with four quarters of `steps` initialised steps, and nothing changes them while `self` is borrowed.
        #[expect(unsafe_code, reason = "a part of the own allocation")]
        unsafe {
            NonNull::slice_from_raw_parts(self.at(band), QUARTERS * self.shape.steps).as_ref()
        }
    }

    /// The codes of a band, to write.
    pub(in crate::index::certified) fn codes_mut(&mut self, band: usize) -> &mut [Step] {
        // SAFETY: as in `codes`, and `self` is borrowed exclusively.
        #[expect(unsafe_code, reason = "a part of the own allocation")]
        unsafe {
            NonNull::slice_from_raw_parts(self.at(band), QUARTERS * self.shape.steps).as_mut()
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
            self.at(band).add(QUARTERS * self.shape.steps).cast::<Weights>().as_ref()
        }
    }

    /// The weights of a band, to write.
    pub(in crate::index::certified) fn weights_mut(&mut self, band: usize) -> &mut Weights {
        // SAFETY: as in `weights`, and `self` is borrowed exclusively; every number of `Weights` is a pattern of
        // bytes, and there is no padding.
        #[expect(unsafe_code, reason = "a part of the own allocation")]
        unsafe {
            self.at(band).add(QUARTERS * self.shape.steps).cast::<Weights>().as_mut()
        }
    }

    fn aside_at(&self, band: usize) -> NonNull<[Step]> {
        assert!(band < self.bands, "there is no such band");
        // SAFETY: `band` is in range, so the offset, at most the size of the allocation, stays inside of it.
        #[expect(unsafe_code, reason = "offset into the own allocation")]
        let first = unsafe { self.aside.add(band * self.shape.aside) };
        NonNull::slice_from_raw_parts(first, self.shape.aside)
    }

    /// What of a band lies aside.
    #[inline]
    pub(in crate::index::certified) fn aside(&self, band: usize) -> &[Step] {
        // SAFETY: `shape.aside` initialised steps of this band, and nothing changes them while `self` is borrowed.
        #[expect(unsafe_code, reason = "a part of the own allocation")]
        unsafe {
            self.aside_at(band).as_ref()
        }
    }

    /// The codes of a band and what of it lies aside, to write.
    pub(in crate::index::certified) fn halves_mut(&mut self, band: usize) -> (&mut [Step], &mut [Step]) {
        let (run, aside) = (self.at(band), self.aside_at(band));
        // SAFETY: as in `codes_mut` and `aside`, and `self` is borrowed exclusively. They do not overlap: a region's steps
        // aside begin where those of its runs end.
        #[expect(unsafe_code, reason = "two parts of the own allocation")]
        unsafe {
            let mut run = NonNull::slice_from_raw_parts(run, QUARTERS * self.shape.steps);
            let mut aside = aside;
            (run.as_mut(), aside.as_mut())
        }
    }

    fn overwrite(&mut self) {
        for band in 0..self.bands {
            let (run, aside) = self.halves_mut(band);
            run.fill(Step::ZERO);
            aside.fill(Step::ZERO);
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
    }
}

// SAFETY: a `Region` is memory and nothing else; what lies in it is reached through the `Bands` that own their parts.
#[expect(unsafe_code, reason = "the pointer is the only owner")]
unsafe impl Send for Region {}
// SAFETY: as above: `&Region` gives nothing out.
#[expect(unsafe_code, reason = "the pointer is the only owner")]
unsafe impl Sync for Region {}
// SAFETY: `Bands` owns plain bytes, like a `Vec<Step>`, and gives them out under the usual rules of borrowing.
#[expect(unsafe_code, reason = "the pointer is the only owner of its part")]
unsafe impl Send for Bands {}
// SAFETY: as above; `&Bands` gives out shared borrows only.
#[expect(unsafe_code, reason = "the pointer is the only owner of its part")]
unsafe impl Sync for Bands {}

/// A wish: without it, or when the system does not grant it, the same bytes lie on small pages.
#[cfg(all(target_os = "linux", not(miri)))]
fn ask_for_large_pages(first: NonNull<Step>, bytes: usize) {
    if !bytes.is_multiple_of(PAGE) {
        return;
    }
    // SAFETY: the range lies inside of a region that was just allocated and is used by nobody yet, and it begins (see
    // `Region::new`) and ends with a page; the advice changes on what pages it lies, not what it holds.
    #[expect(unsafe_code, reason = "a system call about the own allocation")]
    let _refused = unsafe { libc::madvise(first.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn ask_for_large_pages(_first: NonNull<Step>, _bytes: usize) {}

const _: () = assert!(size_of::<Weights>().is_multiple_of(size_of::<Step>()), "weights fill whole steps");
const _: () = assert!(align_of::<Weights>() == align_of::<Step>(), "weights are aligned like steps");

#[cfg(test)]
mod tests;
