//! The networks of a pack, loaded.
use std::{path::Path, sync::Arc};

use likeness_models::Pack;

use crate::{
    fault::{Fault, Network},
    runtime::{Inference, PoolSize, SessionPool},
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
    /// Loads each network into `size.sessions` sessions of ONNX Runtime.
    ///
    /// # Errors
    /// As [`SessionPool::start`].
    pub fn load(pack: &Pack, runtime: &Path, size: PoolSize) -> Result<Self, Fault> {
        let start = |network, onnx: &[u8]| -> Result<Arc<dyn Inference>, Fault> {
            Ok(Arc::new(SessionPool::start(runtime, network, onnx, size)?))
        };
        Ok(Self {
            detector: start(Network::Detector, pack.detector_onnx())?,
            landmarks: pack.landmarks_onnx().map(|onnx| start(Network::Landmarks, onnx)).transpose()?,
            embedder: start(Network::Embedder, pack.embedder_onnx())?,
        })
    }
}
