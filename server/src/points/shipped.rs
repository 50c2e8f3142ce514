//! The operating points that come with the program: measured on synthetic persons, so that a new installation says something
//! measured about a similarity, and says what that is worth.
//!
//! Nobody approved them here. They give a similarity a meaning in rank lists, labelled as a demonstration in every answer; a
//! threshold comes from one only after it was approved, like any other, on a server that allows demonstrations. As soon as a
//! record measured on people was approved for an algorithm, its demonstration is silent.
use std::sync::Arc;

use super::{InvalidRecord, OperatingPoint, PointId, SignedError, signed};

/// A signed record and the public key it verifies with, as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShippedNote {
    /// Name for files.
    pub name: &'static str,
    /// The signed record.
    pub note: &'static str,
    /// The tester's public key.
    pub tester_key: &'static str,
}

/// Those that come with this program. `scripts/demonstration-point` makes them.
pub const SHIPPED: [ShippedNote; 1] = [ShippedNote {
    name: "face-api-demonstration",
    note: include_str!("../../config/operating-points/face-api-demonstration.point"),
    tester_key: include_str!("../../config/operating-points/face-api-demonstration.key.pub"),
}];

/// One of them, verified.
#[derive(Debug, Clone)]
pub(crate) struct Shipped {
    pub(crate) id: PointId,
    pub(crate) point: OperatingPoint,
}

/// Verifies those that come with the program.
///
/// # Errors
/// [`SignedError`] when one does not verify, or is not marked as a demonstration.
pub(crate) fn shipped() -> Result<Vec<Arc<Shipped>>, SignedError> {
    SHIPPED.iter().map(|shipped| open(shipped).map(Arc::new)).collect()
}

fn open(shipped: &ShippedNote) -> Result<Shipped, SignedError> {
    let key = shipped.tester_key.trim().parse().map_err(|_| SignedError::Form)?;
    let (id, point) = signed::open(shipped.note, &key)?;
    if !point.demonstration_only {
        return Err(InvalidRecord("what comes with the program must be for demonstration only".into()).into());
    }
    Ok(Shipped { id, point })
}
