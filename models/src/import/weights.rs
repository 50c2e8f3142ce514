//! TensorFlow.js weight manifests: a list of named arrays, laid end to end in binary files, many of them
//! quantised to one byte per number with a scale and a minimum.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ImportError;
use crate::onnx::Tensor;

/// Weights by name, each to be taken once and with the shape that the network has.
#[derive(Debug)]
pub(crate) struct Weights(BTreeMap<String, Tensor>);

/// One group of a manifest: the arrays in `weights` fill the files in `paths`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) paths: Vec<String>,
    weights: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    shape: Vec<usize>,
    dtype: String,
    quantization: Option<Quantization>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quantization {
    dtype: String,
    #[serde(deserialize_with = "rounded_twice")]
    scale: f64,
    #[serde(deserialize_with = "rounded_twice")]
    min: f64,
}

/// A number as the digests of the packs were pinned with: its digits are rounded, then their quotient by a power of ten, which for
/// numbers of 17 digits may end one bit beside the nearest. That is how `serde_json` reads by default; with its feature
/// `float_roundtrip`, which the thresholds of this workspace need, some weights would come out as others.
fn rounded_twice<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let nearest = f64::deserialize(deserializer)?;
    Ok(round_twice(nearest).unwrap_or(nearest))
}

pub(super) fn round_twice(nearest: f64) -> Option<f64> {
    // The shortest digits that mean the number: those that the file has.
    let text = format!("{nearest:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: f64 = format!("{whole}{fraction}").parse().ok()?;
    let power = exponent.parse::<i64>().ok()? - i64::try_from(fraction.len()).ok()?;
    let scale: f64 = format!("1e{}", power.unsigned_abs()).parse().ok()?;
    Some(if power < 0 { digits / scale } else { digits * scale })
}

/// Reads the manifest itself.
pub(crate) fn groups(file: &str, json: &[u8]) -> Result<Vec<Group>, ImportError> {
    serde_json::from_slice(json).map_err(|source| ImportError::Syntax { file: file.to_owned(), source })
}

fn refuse(name: &str, problem: impl Into<String>) -> ImportError {
    let name = name.chars().take(64).flat_map(char::escape_debug).collect();
    ImportError::Weight { name, problem: problem.into() }
}

impl Weights {
    /// Decodes all groups; `file` gives the bytes of one path.
    pub(crate) fn read<'a>(
        groups: &[Group],
        file: impl Fn(&str) -> Option<&'a [u8]>,
    ) -> Result<Self, ImportError> {
        let mut weights = BTreeMap::new();
        for group in groups {
            let mut bytes = Vec::new();
            for path in &group.paths {
                bytes.extend_from_slice(file(path).ok_or_else(|| ImportError::FileMissing(path.clone()))?);
            }
            let mut rest = bytes.as_slice();
            for entry in &group.weights {
                let (tensor, after) = entry.decode(rest)?;
                rest = after;
                if weights.insert(entry.name.clone(), tensor).is_some() {
                    return Err(refuse(&entry.name, "is there twice"));
                }
            }
            if !rest.is_empty() {
                let last = group.weights.last().map_or("", |entry| &entry.name);
                return Err(refuse(last, format!("is followed by {} bytes that belong to none", rest.len())));
            }
        }
        Ok(Self(weights))
    }

    /// Takes one array, which must have this shape.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, ImportError> {
        let tensor = self.0.remove(name).ok_or_else(|| refuse(name, "is missing"))?;
        if tensor.dims() != shape {
            return Err(refuse(name, format!("has shape {:?}, expected {shape:?}", tensor.dims())));
        }
        Ok(tensor)
    }

    /// Filters of a convolution: TensorFlow's rows, columns, in, out become ONNX's out, in, rows, columns.
    pub(crate) fn filters(
        &mut self,
        name: &str,
        side: usize,
        channels_in: usize,
        channels_out: usize,
    ) -> Result<Tensor, ImportError> {
        let tensor = self.take(name, &[side, side, channels_in, channels_out])?;
        tensor.transposed(&[3, 2, 0, 1]).ok_or_else(|| refuse(name, "has no four axes"))
    }

    /// 3x3 filters of a depthwise convolution: rows, columns, channels, 1 become channels, 1, rows, columns.
    pub(crate) fn depthwise(&mut self, name: &str, channels: usize) -> Result<Tensor, ImportError> {
        let tensor = self.take(name, &[3, 3, channels, 1])?;
        tensor.transposed(&[2, 3, 0, 1]).ok_or_else(|| refuse(name, "has no four axes"))
    }

    /// Ends the reading. Weights that nobody took mean that the network is another one.
    pub(crate) fn finish(self) -> Result<(), ImportError> {
        match self.0.keys().next() {
            Some(name) => Err(refuse(name, "is not part of the network")),
            None => Ok(()),
        }
    }
}

impl Entry {
    /// This array, and the bytes after it.
    fn decode<'a>(&self, bytes: &'a [u8]) -> Result<(Tensor, &'a [u8]), ImportError> {
        let refuse = |problem: &str| refuse(&self.name, problem);
        if self.dtype != "float32" {
            return Err(refuse("is not of type float32"));
        }
        let count = self.shape.iter().try_fold(1_usize, |count, dim| count.checked_mul(*dim));
        let width = match &self.quantization {
            None => 4,
            Some(quantization) if quantization.dtype == "uint8" => 1,
            Some(_) => return Err(refuse("is quantised to something else than uint8")),
        };
        let (own, after) = count
            .and_then(|count| count.checked_mul(width))
            .and_then(|length| bytes.split_at_checked(length))
            .ok_or_else(|| refuse("is longer than its file"))?;
        let values: Vec<f32> = match &self.quantization {
            None => own.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)).collect(),
            // In 64 bits and rounded once, as JavaScript does it: the last digit matters for the digests.
            #[expect(
                clippy::cast_possible_truncation,
                reason = "rounding to f32 is the point; infinities are refused below"
            )]
            Some(q) => own.iter().map(|byte| (f64::from(*byte) * q.scale + q.min) as f32).collect(),
        };
        if values.iter().any(|value| !value.is_finite()) {
            return Err(refuse("holds a number that is not finite"));
        }
        let tensor =
            Tensor::new(self.shape.clone(), values).ok_or_else(|| refuse("does not fill its shape"))?;
        Ok((tensor, after))
    }
}
