//! What can go wrong on our side. The image is not to blame; the same image may succeed later or elsewhere.
use std::{fmt, path::PathBuf, time::Duration};

use thiserror::Error;

/// One of the networks of a model pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// Finds faces.
    Detector,
    /// Finds 68 points on a face.
    Landmarks,
    /// Turns a chip into numbers.
    Embedder,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Detector => "detector",
            Self::Landmarks => "landmark network",
            Self::Embedder => "embedder",
        })
    }
}

/// A failure of the service, its models or its machine.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// ONNX Runtime could not be loaded.
    #[error("ONNX Runtime `{}` cannot be used: {reason}; install it with `likeness models pull`", path.display())]
    Runtime {
        /// The library that was asked for.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// This process has already loaded another ONNX Runtime; a process can hold only one.
    #[error("this process runs ONNX Runtime `{}` and cannot also load `{}`; use one of them", loaded.display(), asked.display())]
    RuntimeDiffers {
        /// The library in use.
        loaded: PathBuf,
        /// The library that was asked for.
        asked: PathBuf,
    },
    /// A network of the pack cannot be loaded, or has not the inputs and outputs that its manifest promises.
    #[error("the pack's {network} cannot be used: {reason}; check the pack with `likeness models verify`")]
    Model {
        /// Which network.
        network: Network,
        /// What does not fit.
        reason: String,
    },
    /// A network failed while running.
    #[error("the pack's {network} failed: {reason}")]
    Inference {
        /// Which network.
        network: Network,
        /// What the runtime said.
        reason: String,
    },
    /// A setting that cannot work.
    #[error("{0}")]
    Options(&'static str),
    /// As many callers wait as may wait. Nothing was done; try again later.
    #[error("the matcher is busy: {waiting} callers already wait; try again later")]
    Busy {
        /// Callers allowed to wait.
        waiting: usize,
    },
    /// The work did not finish in the time allowed.
    #[error("the matcher gave no answer within {} ms; try again later", waited.as_millis())]
    Deadline {
        /// The time allowed.
        waited: Duration,
    },
}
