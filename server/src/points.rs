//! Operating points: thresholds that somebody measured, and somebody else approved (R65, R60).
//!
//! A tester's run becomes a signed record (`calibrate`); a person whom the record names approves it, which is audited; from
//! then on, and until it expires, the service may search with its threshold in the pools and for the uses it states. Its
//! curve gives every similarity a meaning: how often somebody who is *not* enrolled scores this high.
//!
//! ```text
//! run folder -> calibrate -> signed record -> approve (audited) -> store -> search
//! ```

mod calibrate;
mod controls;
mod drift;
mod interval;
mod meaning;
mod record;
mod run;
mod shipped;
mod signed;
mod store;
#[cfg(test)]
mod tests;
mod validate;

pub use calibrate::{CalibrateError, Calibration, calibrate};
pub use controls::{ControlSet, FEWEST_CONTROLS, control_files};
pub use drift::{Drift, Level};
pub(crate) use meaning::DEMONSTRATION;
pub use meaning::{Meaning, NotMeasured, percent};
pub use record::{
    CurveRow, Evidence, GroupRate, Measured, MeasuredSize, OperatingPoint, PointId, PointIdError, Rate, Use,
    WorstGroups,
};
pub use run::{Run, RunError};
pub(crate) use shipped::Shipped;
pub use shipped::{SHIPPED, ShippedNote};
pub use signed::{MOST_BYTES as MOST_NOTE_BYTES, SignedError, open, sign};
pub(crate) use store::{APPROVE, Approval, DIGEST_NOTE, Revocation, Store, digest};
pub use store::{Kept, Situation, State, StoreError};
pub use validate::InvalidRecord;
