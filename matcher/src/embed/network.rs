//! Running the embedder.
use std::sync::Arc;

use likeness_models::{Embedder as EmbedderManifest, Metric, SpaceId};
use thiserror::Error;

use super::Embedding;
use crate::{
    decode::Image,
    detect::Normalise,
    fault::{Fault, Network},
    quality::Passed,
    rejection::Rejection,
    runtime::{Inference, Tensor},
    spare,
};

/// Why a chip did not become an embedding.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EmbedError {
    /// The image's fault.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A loaded embedder.
pub struct Embedder {
    network: Arc<dyn Inference>,
    space: SpaceId,
    size: u32,
    dimension: usize,
    metric: Metric,
    mirror_average: bool,
    normalise: Normalise,
    /// How many chips one run takes.
    most_at_once: usize,
}

impl Embedder {
    /// Makes an embedder of a network, and runs it once on a grey chip to see that its output is what the manifest
    /// promises.
    ///
    /// # Errors
    /// [`Fault::Model`] when the input or the output has another shape, and the faults of running it.
    pub fn new(
        manifest: &EmbedderManifest,
        space: SpaceId,
        network: Arc<dyn Inference>,
    ) -> Result<Self, Fault> {
        let size = manifest.size;
        let fits = |found: Option<usize>| found.is_none_or(|found| found == size as usize);
        let most_at_once = match network.input() {
            [batch, Some(3) | None, rows, columns] if fits(*rows) && fits(*columns) => batch.unwrap_or(2),
            _ => return Err(refused(format!("its input is not 1 x 3 x {size} x {size}"))),
        };
        let embedder = Self {
            network,
            space,
            size,
            dimension: manifest.dimension as usize,
            metric: manifest.metric,
            mirror_average: manifest.mirror_average,
            normalise: Normalise::new(manifest.colour, manifest.mean, manifest.divide),
            most_at_once,
        };
        let grey = Image::from_rgb(size, size, vec![128; size as usize * size as usize * 3]);
        embedder.descriptors(
            &grey.ok_or_else(|| refused("its size is no size".to_owned()))?,
            embedder.mirror_average,
        )?;
        Ok(embedder)
    }

    /// Embeds a chip that passed the quality stage.
    ///
    /// # Errors
    /// [`Rejection::NotFinite`] when the network has no finite answer for it, or a [`Fault`].
    pub fn embed(&self, passed: &Passed) -> Result<Embedding, EmbedError> {
        let mut descriptors = self.descriptors(passed.chip(), self.mirror_average)?;
        let mut values = vec![0.0; self.dimension];
        let share = 1.0 / descriptors.len().max(1) as f32;
        for descriptor in &mut descriptors {
            if self.metric == Metric::Cosine {
                // Only directions count: the chip and its mirror image get the same say.
                to_unit_length(descriptor)?;
            }
            for (sum, value) in values.iter_mut().zip(descriptor) {
                *sum += *value * share;
            }
        }
        if self.metric == Metric::Cosine {
            to_unit_length(&mut values)?;
        }
        if values.iter().all(|value| value.is_finite()) {
            Ok(Embedding { space: self.space, values })
        } else {
            Err(Rejection::NotFinite.into())
        }
    }

    /// What the network gives for a chip, as it comes. For comparison with golden values only: it is no embedding.
    pub(crate) fn descriptor(&self, chip: &Image) -> Result<Vec<f32>, Fault> {
        let mut all = self.descriptors(chip, false)?;
        Ok(all.pop().unwrap_or_default())
    }

    /// One descriptor, or two when the mirror image is wanted too.
    fn descriptors(&self, chip: &Image, with_mirror: bool) -> Result<Vec<Vec<f32>>, Fault> {
        if chip.width() != self.size || chip.height() != self.size {
            let (width, height) = (chip.width(), chip.height());
            return Err(refused(format!("it takes chips of side {}, not {width} x {height}", self.size)));
        }
        let images: &[bool] = if with_mirror { &[false, true] } else { &[false] };
        let side = self.size as usize;
        let mut descriptors = Vec::with_capacity(images.len());
        for group in images.chunks(self.most_at_once.max(1)) {
            let mut values = spare::floats(group.len() * 3 * side * side);
            for (&mirrored, planes) in group.iter().zip(values.chunks_exact_mut(3 * side * side)) {
                if mirrored {
                    self.normalise.fill_mirrored(chip, planes);
                } else {
                    self.normalise.fill(chip, planes, side, side);
                }
            }
            let outputs = self.network.run(&Tensor::images(group.len(), side, side, values))?;
            match outputs.as_slice() {
                [output] if output.tensor.values().len() == group.len() * self.dimension => {
                    descriptors
                        .extend(output.tensor.values().chunks_exact(self.dimension).map(<[f32]>::to_vec));
                }
                _ => {
                    return Err(refused(format!(
                        "its output is not one row of {} values per chip",
                        self.dimension
                    )));
                }
            }
        }
        Ok(descriptors)
    }

    /// The space of the embeddings made here.
    #[must_use]
    pub fn space(&self) -> SpaceId {
        self.space
    }

    /// Values per embedding.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// How embeddings made here compare.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.metric
    }
}

fn refused(reason: String) -> Fault {
    Fault::Model { network: Network::Embedder, reason }
}

fn to_unit_length(values: &mut [f32]) -> Result<(), Rejection> {
    let length = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt();
    if !(length.is_finite() && length > 1e-12) {
        return Err(Rejection::NotFinite);
    }
    for value in values {
        *value = (f64::from(*value) / length) as f32;
    }
    Ok(())
}
