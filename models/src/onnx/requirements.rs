//! What each part of a pack must take and give. A mismatch is found when a pack is opened, not at the first face.

use super::interface::{Dimension, Interface, InterfaceError, Port};
use super::schema::FLOAT;
use crate::manifest::{Detector, DetectorKind, Embedder, LANDMARK_VALUES, Landmarks, Manifest};

/// Strides of the detectors that have three.
const STRIDES: [u32; 3] = [8, 16, 32];

/// Checks one ONNX file against the part of the manifest that names it.
pub(crate) mod check {
    use super::*;

    /// `[N, 3, H, W]` in, and the outputs of its kind.
    pub(crate) fn detector(bytes: &[u8], manifest: &Manifest) -> Result<(), InterfaceError> {
        let interface = Interface::read(bytes)?;
        let detector = &manifest.detector;
        image_input(&interface, detector)?;
        match detector.kind {
            DetectorKind::TinyFace => {
                let [output] = interface.outputs.as_slice() else {
                    return Err(output_count(&interface, "1"));
                };
                give(output, &[&[BATCH, Want::Exactly(25), Want::Any, Want::Any]])
            }
            DetectorKind::YuNet => yunet(&interface),
            DetectorKind::Scrfd => scrfd(&interface, manifest.landmarks.is_some()),
        }
    }

    /// `[N, 3, size, size]` in, `[N, 136]` out.
    pub(crate) fn landmarks(bytes: &[u8], landmarks: &Landmarks) -> Result<(), InterfaceError> {
        vector(&Interface::read(bytes)?, landmarks.size, LANDMARK_VALUES)
    }

    /// `[N, 3, size, size]` in, `[N, dimension]` out.
    pub(crate) fn embedder(bytes: &[u8], embedder: &Embedder) -> Result<(), InterfaceError> {
        vector(&Interface::read(bytes)?, embedder.size, embedder.dimension)
    }
}

/// What a dimension must be.
#[derive(Clone, Copy)]
enum Want {
    /// A number of images at a time: any, or one.
    Batch,
    /// This number, stated in the file.
    Exactly(u32),
    /// A side of the image: any, or this when it is the only scale.
    Side(Option<u32>),
    /// Whatever the file says.
    Any,
}

const BATCH: Want = Want::Batch;

impl Want {
    fn allows(self, found: Dimension) -> bool {
        match (self, found) {
            (Self::Any, _) | (Self::Batch | Self::Side(_), Dimension::Free) => true,
            (Self::Batch, Dimension::Fixed(value)) => value == 1,
            (Self::Exactly(want), Dimension::Fixed(value)) => value == u64::from(want),
            (Self::Side(want), Dimension::Fixed(value)) => want.map(u64::from) == Some(value),
            (Self::Exactly(_), Dimension::Free) => false,
        }
    }

    fn shown(self) -> String {
        match self {
            Self::Batch => "any or 1".to_owned(),
            Self::Exactly(value) => value.to_string(),
            Self::Side(Some(value)) => format!("any or {value}"),
            Self::Side(None) | Self::Any => "any".to_owned(),
        }
    }
}

fn fits(port: &Port, want: &[Want]) -> bool {
    port.element == Some(FLOAT)
        && port.shape.as_ref().is_some_and(|shape| {
            shape.len() == want.len() && want.iter().zip(shape).all(|(want, found)| want.allows(*found))
        })
}

fn shown(wants: &[&[Want]]) -> String {
    let one = |want: &&[Want]| {
        let dims: Vec<String> = want.iter().map(|want| want.shown()).collect();
        format!("float [{}]", dims.join(", "))
    };
    wants.iter().map(one).collect::<Vec<_>>().join(" or ")
}

fn take(interface: &Interface, want: &[Want]) -> Result<(), InterfaceError> {
    let [input] = interface.inputs.as_slice() else {
        return Err(InterfaceError::InputCount { found: interface.inputs.len() });
    };
    if fits(input, want) {
        return Ok(());
    }
    Err(InterfaceError::Input { name: input.shown(), found: input.to_string(), expected: shown(&[want]) })
}

fn give(output: &Port, wants: &[&[Want]]) -> Result<(), InterfaceError> {
    if wants.iter().any(|want| fits(output, want)) {
        return Ok(());
    }
    Err(InterfaceError::Output { name: output.shown(), found: output.to_string(), expected: shown(wants) })
}

fn output_count(interface: &Interface, expected: &'static str) -> InterfaceError {
    InterfaceError::OutputCount { found: interface.outputs.len(), expected }
}

fn image_input(interface: &Interface, detector: &Detector) -> Result<(), InterfaceError> {
    // A model exported for one size can serve a pack that runs at that size alone.
    let only = match detector.scales.as_slice() {
        [scale] => Some(*scale),
        _ => None,
    };
    take(interface, &[BATCH, Want::Exactly(3), Want::Side(only), Want::Side(only)])
}

fn yunet(interface: &Interface) -> Result<(), InterfaceError> {
    if interface.outputs.len() != 12 {
        return Err(output_count(interface, "12"));
    }
    for (kind, values) in [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)] {
        for stride in STRIDES {
            let name = format!("{kind}_{stride}");
            let Some(output) = interface.outputs.iter().find(|output| output.name == name) else {
                return Err(InterfaceError::OutputMissing { name });
            };
            give(output, &[&[BATCH, Want::Any, Want::Exactly(values)]])?;
        }
    }
    Ok(())
}

/// Exports number their outputs as they please, so the order is what counts.
fn scrfd(interface: &Interface, landmarks: bool) -> Result<(), InterfaceError> {
    let groups: &[u32] = match (interface.outputs.len(), landmarks) {
        (9, _) => &[1, 4, 10],
        (6, true) => &[1, 4],
        (_, true) => return Err(output_count(interface, "9, or 6 without points")),
        (_, false) => return Err(output_count(interface, "9 (without points it needs a landmarks model)")),
    };
    for (outputs, values) in interface.outputs.chunks(STRIDES.len()).zip(groups) {
        for output in outputs {
            give(
                output,
                &[&[BATCH, Want::Any, Want::Exactly(*values)], &[Want::Any, Want::Exactly(*values)]],
            )?;
        }
    }
    Ok(())
}

fn vector(interface: &Interface, size: u32, values: u32) -> Result<(), InterfaceError> {
    take(interface, &[BATCH, Want::Exactly(3), Want::Exactly(size), Want::Exactly(size)])?;
    let [output] = interface.outputs.as_slice() else {
        return Err(output_count(interface, "1"));
    };
    give(output, &[&[BATCH, Want::Exactly(values)]])
}
