//! From a native value to 0..100, in the form of ISO/IEC 29794-5: a clamped, rounded multiple of a sigmoid.

/// `1 / (1 + exp((middle - x) / width))`: a half at `middle`, rising with x; the smaller `width`, the steeper.
pub(super) fn sigmoid(x: f64, middle: f64, width: f64) -> f64 {
    1.0 / (1.0 + ((middle - x) / width).exp())
}

/// `100 * sigmoid`.
pub(super) fn rising(x: f64, middle: f64, width: f64) -> u8 {
    scalar(100.0 * sigmoid(x, middle, width))
}

/// Rounded into 0..100. What cannot be assessed is worth nothing: NaN is 0.
pub(super) fn scalar(value: f64) -> u8 {
    // The cast saturates, and takes NaN to 0.
    value.round().clamp(0.0, 100.0) as u8
}
