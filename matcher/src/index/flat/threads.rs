//! One searching thread uses one core.
//!
//! FAISS spreads work over OpenMP, whose default team is the whole machine *per calling thread*: sixteen
//! concurrent searches on sixteen cores would run 256 threads. The service's parallelism is its own searching
//! threads, so each of them tells OpenMP to work alone.

use std::cell::Cell;
use std::ffi::c_int;

#[expect(unsafe_code, reason = "OpenMP's setting has no safe wrapper; it is declared here and nowhere else")]
mod openmp {
    use super::c_int;

    // SAFETY: the signature is the specification's. The OpenMP runtime is linked by `faiss-sys`, which is compiled against
    // it.
    unsafe extern "C" {
        /// `void omp_set_num_threads(int num_threads)`, OpenMP 5.2 section 18.2.1.
        fn omp_set_num_threads(threads: c_int);
    }

    pub(super) fn set_threads_of_this_thread(threads: c_int) {
        // SAFETY: the function takes an integer by value, keeps no pointer, may be called at any time outside a
        // parallel region (Rust code never runs inside one), and changes a setting of the calling thread only
        // (the `nthreads-var` of its data environment). The argument is positive, as OpenMP requires.
        unsafe { omp_set_num_threads(threads.max(1)) }
    }
}

/// Makes FAISS work on the calling thread alone, from now on. Cheap to call before every search.
///
/// It lasts for the life of the thread, and holds for any other OpenMP user on it; the service has none.
pub(super) fn search_on_this_thread_only() {
    thread_local!(static DONE: Cell<bool> = const { Cell::new(false) });
    DONE.with(|done| {
        if !done.replace(true) {
            openmp::set_threads_of_this_thread(1);
        }
    });
}
