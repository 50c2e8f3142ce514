//! What was measured.
use serde::{Deserialize, Deserializer, Serialize};

use super::Component;

/// One measure. It can be read back from a record; the unit then comes from the component.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measure {
    /// What was measured.
    pub component: Component,
    /// The value as measured. Finite.
    pub native: f64,
    /// The unit of `native`.
    pub unit: &'static str,
    /// The value mapped to 0 (worst) to 100 (best).
    pub scalar: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    component: Component,
    native: f64,
    #[serde(rename = "unit")]
    _unit: String,
    scalar: u8,
}

// By hand: the derived code would ask that the input live for ever, because of the unit.
impl<'de> Deserialize<'de> for Measure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { component, native, scalar, .. } = Stored::deserialize(deserializer)?;
        Ok(Self::new(component, native, scalar))
    }
}

impl Measure {
    pub(super) fn new(component: Component, native: f64, scalar: u8) -> Self {
        Self { component, native, unit: component.unit(), scalar }
    }
}

/// All measures of one face, and what the policy says to look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityReport {
    /// One per component, in the order of [`Component::ALL`].
    pub measures: Vec<Measure>,
    /// Components that the policy accepts with a mark.
    pub flags: Vec<Component>,
}

impl QualityReport {
    /// The measure with the lowest mapped value; the first of equals.
    #[must_use]
    pub fn lowest(&self) -> Option<&Measure> {
        self.measures.iter().min_by_key(|measure| measure.scalar)
    }

    /// The measure of a component.
    #[must_use]
    pub fn of(&self, component: Component) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.component == component)
    }
}
