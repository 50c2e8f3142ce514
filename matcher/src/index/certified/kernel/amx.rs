//! Intel AMX: a matrix unit that multiplies sixteen probes with sixteen rows, 64 dimensions of each, by one instruction.
//!
//! `tdpbsud` multiplies a tile of 16 rows of 64 signed bytes (probes) with one of 16 rows of 64 unsigned bytes (sixteen steps
//! of a quarter: four dimensions of sixteen rows in each), and adds groups of four products to a tile of 16 by 16 sums of 32
//! bits (Intel, *Architecture Instruction Set Extensions Programming Reference*, chapter 3). Nothing saturates; the sums are
//! those of `Kernel::dots`. They start at minus the offset, so nothing is left to correct.
//!
//! The language has no stable functions for these instructions, so they are written out. Neither a sanitizer nor Miri sees into
//! them: what they read and write is checked before, and by the tests against sums by hand.

use std::arch::asm;
use std::sync::OnceLock;

use super::super::layout::{BAND_ROWS, Dots, MATRIX_PROBES, MATRIX_STEPS, QUARTERS, Step, Tile};

/// Bytes between the rows of a tile of codes.
const STRIDE: usize = size_of::<Step>();

/// Bytes between the rows of a tile of sums, where they are stored.
const DOTS_STRIDE: usize = size_of::<Dots>();

/// As `ldtilecfg` reads it: palette 1, and for each of eight tiles 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Configuration([u8; 64]);

const CONFIGURATION: Configuration = {
    let mut bytes = [0; 64];
    bytes[0] = 1;
    let mut tile = 0;
    while tile < 8 {
        bytes[16 + 2 * tile] = 64;
        bytes[48 + tile] = 16;
        tile += 1;
    }
    Configuration(bytes)
};

/// Whether the processor has the unit and the system lets this process use it. Asks once.
pub(super) fn is_available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| has_instructions() && may_use_tiles())
}

#[cfg(not(miri))]
fn has_instructions() -> bool {
    // Bits 24 and 25: AMX-TILE and AMX-INT8.
    const NEEDED: u32 = 1 << 24 | 1 << 25;
    std::arch::x86_64::__cpuid(0).eax >= 7 && std::arch::x86_64::__cpuid_count(7, 0).edx & NEEDED == NEEDED
}

#[cfg(miri)]
fn has_instructions() -> bool {
    false
}

/// The state of the tiles is large: Linux keeps it for those processes that ask (its documentation: x86, "Using XSTATE
/// features in user space applications").
#[cfg(all(target_os = "linux", not(miri)))]
fn may_use_tiles() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_int = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: a request to the system about this process, of two integers; no memory is handed over. It is refused (with
    // an error) when a thread's signal stack could not hold the state, and by systems that do not know it.
    #[expect(unsafe_code, reason = "a system call without a wrapper")]
    let answer = unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) };
    answer == 0
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn may_use_tiles() -> bool {
    false
}

/// As `Kernel::dots`, for tiles of a matrix: see [`Tile::for_matrix`].
pub(super) fn dots(tile: &Tile, band: &[Step], dots: &mut [Dots]) {
    assert!(is_available(), "there is no matrix unit");
    let sixteens = tile.matrix.len() / MATRIX_PROBES;
    let steps = band.len() / QUARTERS;
    // What the instructions read and write: see below.
    assert!(
        steps == sixteens * MATRIX_STEPS && tile.starts.len() == MATRIX_PROBES && dots.len() >= MATRIX_PROBES
    );
    if sixteens == 0 {
        return;
    }
    let sums = dots.as_mut_ptr().cast::<i32>();
    for pair in 0..QUARTERS / 2 {
        let first = &band[2 * pair * steps..][..steps];
        let second = &band[(2 * pair + 1) * steps..][..steps];
        let place = 2 * pair * (BAND_ROWS / QUARTERS);
        let sums = sums.wrapping_add(place);
        // Read are tiles of 1 KiB: two of `starts` (32 rows of sums), and in each of `sixteens` rounds two of `matrix` (32 steps
        // a round) and one each of `first` and `second` (16 steps a round). Written are sixteen times 64 bytes at a distance of
        // 256, at `place` and sixteen sums later, from the first and from the seventeenth probe's sums on.
        // SAFETY: the processor has the instructions and the system allows them, asserted above, as are the lengths of `starts`,
        // `matrix`, `first` and `second`: what is read lies in these borrowed slices. What is written lies in the sums of 32
        // probes, which are borrowed exclusively: `place + 32` is at most the 64 sums of one. The tiles are configured first
        // and released at the end; the compiler uses none.
        #[expect(unsafe_code, reason = "instructions without stable functions")]
        unsafe {
            asm!(
                "ldtilecfg [{configuration}]",
                "tileloadd tmm0, [{starts} + {stride}]",
                "tileloadd tmm1, [{starts} + {stride}]",
                "tileloadd tmm2, [{starts} + {stride} + 1024]",
                "tileloadd tmm3, [{starts} + {stride} + 1024]",
                "2:",
                "tileloadd tmm4, [{matrix} + {stride}]",
                "tileloadd tmm6, [{first} + {stride}]",
                "tdpbsud tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{second} + {stride}]",
                "tdpbsud tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{matrix} + {stride} + 1024]",
                "tdpbsud tmm2, tmm5, tmm6",
                "tdpbsud tmm3, tmm5, tmm7",
                "add {matrix}, 2048",
                "add {first}, 1024",
                "add {second}, 1024",
                "dec {rounds}",
                "jnz 2b",
                "tilestored [{sums} + {sums_stride}], tmm0",
                "tilestored [{sums} + {sums_stride} + 64], tmm1",
                "tilestored [{later} + {sums_stride}], tmm2",
                "tilestored [{later} + {sums_stride} + 64], tmm3",
                "tilerelease",
                configuration = in(reg) CONFIGURATION.0.as_ptr(),
                starts = in(reg) tile.starts.as_ptr(),
                stride = in(reg) STRIDE,
                matrix = inout(reg) tile.matrix.as_ptr() => _,
                first = inout(reg) first.as_ptr() => _,
                second = inout(reg) second.as_ptr() => _,
                rounds = inout(reg) sixteens => _,
                sums = in(reg) sums,
                later = in(reg) sums.wrapping_add(MATRIX_PROBES / 2 * BAND_ROWS),
                sums_stride = in(reg) DOTS_STRIDE,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}
