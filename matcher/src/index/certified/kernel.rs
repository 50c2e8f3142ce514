//! Integer dot products of probes with bands of rows, by the fastest instructions that the machine has.
//!
//! All kernels compute the same exact integers (see [`Kernel::dots`]); the portable one is the definition, and
//! the others are tested against it for every length. `unsafe` lies in this file's dispatch and in the files
//! under `kernel/`, and nowhere else in the certified index. `scripts/kernels` runs the tests under sanitizers, in Miri and
//! in qemu: the kernels, their memory (`bands.rs`) and the index on top of them.

use std::fmt;

use super::gate::Gate;
use super::layout::{
    BAND_ROWS, Dots, LowerProbe, MATRIX_PROBES, MATRIX_STEPS, Step, TILE_PROBES, Tile, Weights,
};

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod bands;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

#[cfg(test)]
mod tests;

pub(super) use bands::{Bands, Ground, PAGE, Shape};

/// A way to compute, that this machine has.
///
/// INVARIANT: a value exists only where the instructions exist: made by [`Kernel::available`] alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kernel(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A matrix unit for many probes, and AVX-512 for all else.
    #[cfg(target_arch = "x86_64")]
    Amx,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
}

impl Kernel {
    /// Every kernel that this machine can run, the fastest first. Never empty.
    pub(super) fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vnni")
            {
                if amx::is_available() {
                    found.push(Self(Kind::Amx));
                }
                found.push(Self(Kind::Avx512Vnni));
            }
            if is_x86_feature_detected!("avx2") {
                found.push(Self(Kind::Avx2));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            found.push(Self(Kind::Neon));
        }
        found.push(Self::portable());
        found
    }

    pub(super) fn best() -> Self {
        Self::available().first().copied().unwrap_or(Self::portable())
    }

    /// The definition of the right answer, on every machine.
    pub(super) const fn portable() -> Self {
        Self(Kind::Portable)
    }

    /// How many probes of a group should share a tile, whose rows have so many steps.
    pub(super) const fn tile_probes(self, group: usize, steps: usize) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Amx if group > TILE_PROBES && steps.is_multiple_of(MATRIX_STEPS) => MATRIX_PROBES,
            _ => TILE_PROBES,
        }
    }

    /// The dot product of each probe of the tile with each row of the band: `dots[probe][row]`, exactly.
    ///
    /// Rows are stored as `code + 128` in `u8`, probes as `i8` codes of -127 to 127. What is returned is the dot
    /// product of the *codes*: `sum((stored - 128) * probe)`. With at most 65,536 dimensions every partial sum,
    /// and the offset `128 * sum(probe)` too, stays within `i32`: 65,536 * 255 * 127 < 2^31.
    ///
    /// `dots` must hold as many rows as the tile has probes, and the band as many steps as the tile; the surplus
    /// of either is ignored. Tiles that are wider than [`TILE_PROBES`] are for the kernel that asked for them
    /// ([`Kernel::tile_probes`]); `dots` must then hold [`MATRIX_PROBES`] rows, and those beyond the probes are overwritten.
    pub(super) fn dots(self, tile: &Tile, band: &[Step], dots: &mut [Dots]) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Amx if tile.is_for_matrix() => amx::dots(tile, band, dots),
            // SAFETY: the invariant of `Kernel`: the value was made by `available`, which saw every feature that
            // the function enables.
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "calls a function compiled for detected instructions")]
            Kind::Amx | Kind::Avx512Vnni => unsafe { avx512::dots(tile, band, dots) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "calls a function compiled for detected instructions")]
            Kind::Avx2 => unsafe { avx2::dots(tile, band, dots) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            #[expect(unsafe_code, reason = "calls a function compiled for detected instructions")]
            Kind::Neon => unsafe { neon::dots(tile, band, dots) },
            Kind::Portable => portable::dots(tile, band, dots),
        }
    }

    /// Whether the kernel is faster than memory also with halves. AVX2 needs so many instructions for a product that there is
    /// little to win, and batches would lose more.
    pub(super) const fn likes_halves(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Amx | Kind::Avx512Vnni => true,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => false,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => false,
            Kind::Portable => false,
        }
    }

    /// As [`Kernel::dots`], of the upper halves of a band: `sum((2 upper - 15) * probe)`, exactly. See
    /// [`super::layout::Form::Halved`].
    pub(super) fn upper_dots(self, tile: &Tile, band: &[Step], dots: &mut [Dots]) {
        match self.0 {
            // SAFETY: as in `dots`.
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "calls a function compiled for detected instructions")]
            Kind::Amx | Kind::Avx512Vnni => unsafe { avx512::upper_dots(tile, band, dots) },
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => portable::upper_dots(tile, band, dots),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => portable::upper_dots(tile, band, dots),
            Kind::Portable => portable::upper_dots(tile, band, dots),
        }
    }

    /// What the lower halves of a row add to a dot product: `sum((lower - 8) * probe)`, exactly. The dot product of whole
    /// codes is this and 8 times that of the upper halves.
    ///
    /// The row must have as many steps as the probe has pairs of them; the surplus of either is ignored.
    pub(super) fn lower_dot(self, probe: &LowerProbe, row: &[Step]) -> i32 {
        match self.0 {
            // SAFETY: as in `dots`.
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "calls a function compiled for detected instructions")]
            Kind::Amx | Kind::Avx512Vnni => unsafe { avx512::lower_dot(probe, row) },
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => portable::lower_dot(probe, row),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => portable::lower_dot(probe, row),
            Kind::Portable => portable::lower_dot(probe, row),
        }
    }

    /// Asks memory for steps that will be read soon: a hint, where it is worth one.
    pub(super) fn prefetch(self, steps: &[Step]) {
        match self.0 {
            // SAFETY: as in `dots`.
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "calls a function compiled for detected instructions")]
            Kind::Amx | Kind::Avx512Vnni => unsafe { avx512::prefetch_all(steps) },
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => {}
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => {}
            Kind::Portable => {}
        }
    }

    /// Puts the halves of a band together again: `whole` becomes a band of whole codes, of twice as many steps as either
    /// half has.
    pub(super) fn join(self, band: &[Step], aside: &[Step], whole: &mut [Step]) {
        match self.0 {
            // SAFETY: as in `dots`.
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "calls a function compiled for detected instructions")]
            Kind::Amx | Kind::Avx512Vnni => unsafe { avx512::join(band, aside, whole) },
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => portable::join(band, aside, whole),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => portable::join(band, aside, whole),
            Kind::Portable => portable::join(band, aside, whole),
        }
    }

    /// Which rows of a band the gate lets through, as a bit per row. Kernels round differently: rows on the line itself
    /// may pass one and not another, and the gate is drawn so that neither stops a row that reaches it.
    pub(super) fn passing(self, gate: &Gate, dots: &Dots, weights: &Weights) -> u64 {
        match self.0 {
            // SAFETY: as in `dots`.
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "calls a function compiled for detected instructions")]
            Kind::Amx | Kind::Avx512Vnni => unsafe { avx512::passing(gate, dots, weights) },
            // SAFETY: as in `dots`.
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "calls a function compiled for detected instructions")]
            Kind::Avx2 => unsafe { avx2::passing(gate, dots, weights) },
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => gate.passing(dots, weights),
            Kind::Portable => gate.passing(dots, weights),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Amx => "amx-int8 and avx512-vnni",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512Vnni => "avx512-vnni",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
            Kind::Portable => "portable",
        })
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const _: () = assert!(BAND_ROWS == 64, "the kernels are written for bands of 64 rows");
