//! The networks of a pack, loaded.
use std::{path::Path, sync::Arc};

use likeness_models::Pack;

use crate::{
    fault::{Fault, Network},
    runtime::{
        Inference, PoolSize, SessionPool,
        split::{self, SplitDetector},
    },
};

/// The networks of one pack.
#[derive(Clone)]
pub struct Models {
    /// Finds faces.
    pub detector: Arc<dyn Inference>,
    /// Finds 68 points, where the pack has a network for them.
    pub landmarks: Option<Arc<dyn Inference>>,
    /// Turns a chip into numbers.
    pub embedder: Arc<dyn Inference>,
}

impl Models {
    /// Loads each network into `size.sessions` sessions of ONNX Runtime. The first layers of the default pack's detector
    /// run in a kernel of our own where the machine has AVX-512.
    ///
    /// # Errors
    /// As [`SessionPool::start`].
    pub fn load(pack: &Pack, runtime: &Path, size: PoolSize) -> Result<Self, Fault> {
        let start = |network, onnx: &[u8]| -> Result<Arc<dyn Inference>, Fault> {
            Ok(Arc::new(SessionPool::start(runtime, network, onnx, size)?))
        };
        Ok(Self {
            detector: detector(pack, runtime, size)?,
            landmarks: pack.landmarks_onnx().map(|onnx| start(Network::Landmarks, onnx)).transpose()?,
            embedder: start(Network::Embedder, pack.embedder_onnx())?,
        })
    }
}

/// The default pack's detector with its first layers in a kernel of our own, where the machine has its instructions; any
/// other as it is.
fn detector(pack: &Pack, runtime: &Path, size: PoolSize) -> Result<Arc<dyn Inference>, Fault> {
    let start = |onnx: &[u8]| SessionPool::start(runtime, Network::Detector, onnx, size);
    if let Some((first, rest)) = pack.detector_in_two().filter(|_| split::is_possible())
        && let Some(detector) = SplitDetector::new(&first, start(&rest)?)
    {
        return Ok(Arc::new(detector));
    }
    Ok(Arc::new(start(pack.detector_onnx())?))
}
