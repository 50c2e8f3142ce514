//! Large buffers of this thread, used again.
//!
//! An image on its way to an embedding takes some ten megabytes in a few pieces. Taken from the system anew each time,
//! clearing them and mapping their pages costs more than any stage but the networks. What a buffer held before is still
//! in it: whoever takes one writes all of it before anything reads it.
use std::cell::RefCell;

/// Smaller buffers are the allocator's business (bytes).
const LEAST_BYTES: usize = 16 << 10;
/// Kept in all per thread and kind: more is too much for a thread that may never need it again. A photograph of 20
/// megapixels fits.
const MOST_BYTES: usize = 64 << 20;
/// Buffers kept per thread and kind.
const MOST: usize = 4;

/// Buffers that wait to be used again.
pub(crate) struct Spare<T>(RefCell<Vec<Vec<T>>>);

thread_local! {
    /// Pixels.
    pub(crate) static BYTES: Spare<u8> = const { Spare(RefCell::new(Vec::new())) };
    /// Tensors.
    pub(crate) static FLOATS: Spare<f32> = const { Spare(RefCell::new(Vec::new())) };
}

impl<T: Copy + Default> Spare<T> {
    /// A buffer of this length, holding anything.
    pub(crate) fn take(&self, length: usize) -> Vec<T> {
        let mut kept = self.0.borrow_mut();
        let fits = |buffer: &Vec<T>| (length..=length.saturating_mul(4)).contains(&buffer.capacity());
        let best = (0..kept.len()).filter(|&at| fits(&kept[at])).min_by_key(|&at| kept[at].capacity());
        match best {
            Some(at) => {
                let mut buffer = kept.swap_remove(at);
                buffer.resize(length, T::default());
                buffer
            }
            None => vec![T::default(); length],
        }
    }

    /// Keeps a buffer for later, if it is worth it.
    pub(crate) fn give(&self, buffer: Vec<T>) {
        let mut kept = self.0.borrow_mut();
        let bytes = |buffer: &Vec<T>| buffer.capacity() * size_of::<T>();
        if (LEAST_BYTES..=MOST_BYTES).contains(&bytes(&buffer)) {
            kept.push(buffer);
            while kept.len() > MOST || kept.iter().map(bytes).sum::<usize>() > MOST_BYTES {
                kept.remove(0);
            }
        }
    }
}

/// Pixels of any value.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    BYTES.try_with(|spare| spare.take(length)).unwrap_or_else(|_| vec![0; length])
}

/// Values of any value.
pub(crate) fn floats(length: usize) -> Vec<f32> {
    FLOATS.try_with(|spare| spare.take(length)).unwrap_or_else(|_| vec![0.0; length])
}

/// Back to this thread; when the thread is ending, to the allocator.
pub(crate) fn give_bytes(buffer: Vec<u8>) {
    let _ = BYTES.try_with(|spare| spare.give(buffer));
}

/// Back to this thread; when the thread is ending, to the allocator.
pub(crate) fn give_floats(buffer: Vec<f32>) {
    let _ = FLOATS.try_with(|spare| spare.give(buffer));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_at_any_length_it_has_room_for() {
        let spare = Spare(RefCell::new(Vec::new()));
        let buffer: Vec<u8> = vec![7; 100_000];
        let place = buffer.as_ptr();
        spare.give(buffer);
        assert_ne!(spare.take(100_001).len(), 100_000, "too small");
        let small = spare.take(10);
        assert_ne!(small.as_ptr(), place, "far too large");
        let again = spare.take(60_000);
        assert_eq!((again.len(), again.as_ptr()), (60_000, place));
        spare.give(again);
        assert_eq!(spare.take(100_000).len(), 100_000);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let spare = Spare(RefCell::new(Vec::new()));
        spare.give(vec![0_u8; 100]);
        spare.give(vec![0_u8; 65 << 20]);
        assert_eq!(spare.0.borrow().len(), 0);
        for _ in 0..10 {
            spare.give(vec![0_u8; 1 << 20]);
        }
        assert_eq!(spare.0.borrow().len(), MOST);
        // A large one takes the place of those that would be too much with it.
        spare.give(vec![0_u8; 62 << 20]);
        let lengths: Vec<usize> = spare.0.borrow().iter().map(|buffer| buffer.capacity() >> 20).collect();
        assert_eq!(lengths, [1, 1, 62]);
    }
}
