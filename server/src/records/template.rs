//! Templates as bytes, before they are sealed: little-endian 32-bit floats, nothing else.

use super::RecordError;
use zeroize::Zeroizing;

/// The values as bytes, four per value.
pub fn template_bytes(values: &[f32]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// The values from [`template_bytes`]; refuses a length that is no multiple of four.
pub fn template_values(bytes: &[u8]) -> Result<Vec<f32>, RecordError> {
    let (values, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(RecordError::Malformed { what: "a template" });
    }
    Ok(values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}
