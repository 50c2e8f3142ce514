//! The one file that knows `ort`.
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ort::{
    environment::Environment,
    session::{Session as OrtSession, builder::GraphOptimizationLevel},
    value::{TensorRef, ValueType},
};

use super::{Output, Side, Tensor};
use crate::fault::{Fault, Network};

/// The runtime of this process and where it came from. `ort` allows one environment per process, for ever; a second
/// path is refused instead of being silently answered by the first library.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// One network, loaded for one thread.
pub(super) struct Session {
    network: Network,
    inner: OrtSession,
    input: Vec<Side>,
}

fn environment(library: &Path) -> Result<Environment, Fault> {
    let refused = |reason: String| Fault::Runtime { path: library.to_path_buf(), reason };
    let path = library.canonicalize().map_err(|error| refused(error.to_string()))?;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((from, environment)) = &*loaded {
        if *from == path {
            return Ok(environment.clone());
        }
        return Err(Fault::RuntimeDiffers { loaded: from.clone(), asked: path });
    }
    let environment = ort::init_from(&path)
        .map_err(|error| refused(error.to_string()))?
        .with_name("likeness")
        .with_telemetry(false)
        .build()
        .map_err(|error| refused(error.to_string()))?;
    *loaded = Some((path, environment.clone()));
    Ok(environment)
}

impl Session {
    /// Loads a network from the bytes of its ONNX file.
    ///
    /// One thread, no spinning: throughput comes from several sessions, and an idle service takes no processor time.
    pub(super) fn load(library: &Path, network: Network, onnx: &[u8]) -> Result<Self, Fault> {
        let environment = environment(library)?;
        let build = || -> ort::Result<OrtSession> {
            OrtSession::builder(&environment)?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .with_intra_threads(1)?
                .with_inter_threads(1)?
                .with_intra_op_spinning(false)?
                .with_inter_op_spinning(false)?
                .commit_from_memory(onnx)
        };
        let refused = |reason: String| Fault::Model { network, reason };
        let inner = build().map_err(|error| refused(error.to_string()))?;
        let [outlet] = inner.inputs() else {
            return Err(refused(format!("it has {} inputs, not one", inner.inputs().len())));
        };
        let ValueType::Tensor { shape, .. } = outlet.dtype() else {
            return Err(refused("its input is no tensor".to_owned()));
        };
        let input = shape.iter().map(|&side| usize::try_from(side).ok()).collect();
        Ok(Self { network, inner, input })
    }

    pub(super) fn input(&self) -> &[Side] {
        &self.input
    }

    pub(super) fn run(&mut self, input: &Tensor) -> Result<Vec<Output>, Fault> {
        let network = self.network;
        let failed = |error: ort::Error| Fault::Inference { network, reason: error.to_string() };
        let value = TensorRef::from_array_view((input.shape(), input.values())).map_err(failed)?;
        let outputs = self.inner.run(ort::inputs![value]).map_err(failed)?;
        outputs
            .iter()
            .map(|(name, value)| {
                let (shape, values) = value.try_extract_tensor::<f32>().map_err(failed)?;
                let shape = shape.iter().map(|&side| usize::try_from(side).unwrap_or_default()).collect();
                let tensor = Tensor::new(shape, values.to_vec()).ok_or_else(|| Fault::Inference {
                    network,
                    reason: "an output contradicts its shape".to_owned(),
                })?;
                Ok(Output { name: name.to_owned(), tensor })
            })
            .collect()
    }
}
