//! Value noise: a lattice of hashed numbers, smoothly interpolated. Integer hashing, so the same on every machine.

/// A number in 0..1 for a lattice point.
fn lattice(x: i32, y: i32, seed: u64) -> f32 {
    let mut hash = seed ^ (u64::from(x.cast_unsigned()) << 32 | u64::from(y.cast_unsigned()));
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    ((hash ^ (hash >> 33)) >> 40) as f32 / (1u64 << 24) as f32
}

/// Smooth noise in -1..1 at `(x, y)`; features are about one unit large.
pub(crate) fn value(x: f32, y: f32, seed: u64) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (fx, fy) = (ease(x - left), ease(y - top));
    let (xi, yi) = (left as i32, top as i32);
    let at = |dx, dy| lattice(xi.wrapping_add(dx), yi.wrapping_add(dy), seed);
    let upper = at(0, 0) + (at(1, 0) - at(0, 0)) * fx;
    let lower = at(0, 1) + (at(1, 1) - at(0, 1)) * fx;
    2.0 * (upper + (lower - upper) * fy) - 1.0
}

/// Three octaves of [`value`].
pub(crate) fn fractal(x: f32, y: f32, seed: u64) -> f32 {
    (value(x, y, seed) + 0.5 * value(2.03 * x, 2.03 * y, seed ^ 1) + 0.25 * value(4.1 * x, 4.1 * y, seed ^ 2))
        / 1.75
}
