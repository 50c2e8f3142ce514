//! Who belongs to which demographic group: labels that came with the data, never estimates.

use std::collections::BTreeMap;

/// Labels by number: of a subject, a probe or an image, as the evaluation counts them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    attributes: Vec<String>,
    labels: BTreeMap<u32, Vec<Option<String>>>,
}

impl Groups {
    /// No labels yet for these attributes.
    #[must_use]
    pub fn new(attributes: Vec<String>) -> Self {
        Self { attributes, labels: BTreeMap::new() }
    }

    /// Labels a number; an empty value is no label. Values beyond the attributes are not kept.
    pub fn label(&mut self, number: u32, values: &[String]) {
        let values = values.iter().map(|value| (!value.is_empty()).then(|| value.clone()));
        self.labels.insert(number, values.take(self.attributes.len()).collect());
    }

    /// Names of the attributes, in the order of the data.
    #[must_use]
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// The values of some attributes; `None` when any of them is not labelled.
    #[must_use]
    pub fn values(&self, number: u32, by: &[usize]) -> Option<Vec<String>> {
        let labels = self.labels.get(&number)?;
        by.iter().map(|&at| labels.get(at).cloned().flatten()).collect()
    }
}

/// What groups are made by: each attribute, each two, and all of them.
#[must_use]
pub fn subsets(attributes: &[String]) -> Vec<Vec<usize>> {
    let count = attributes.len();
    let mut found: Vec<Vec<usize>> = (0..count).map(|at| vec![at]).collect();
    for one in 0..count {
        found.extend((one + 1..count).map(|other| vec![one, other]));
    }
    if count > 2 {
        found.push((0..count).collect());
    }
    found
}
