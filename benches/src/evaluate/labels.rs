//! Demographic labels from a file.

use std::collections::HashMap;

use anyhow::ensure;
use likeness_datasets::people::read_manifest;

use super::description::Demographics;

/// Labels by the name of an image or a subject.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    attributes: Vec<String>,
    by_name: HashMap<String, Vec<String>>,
}

impl Labels {
    /// Reads the attributes that were asked for, or all there are.
    ///
    /// # Errors
    /// When the file is not what it should be, or has no such attribute.
    pub fn read(asked: &Demographics) -> anyhow::Result<Self> {
        let people = read_manifest(&asked.file)?;
        let wanted =
            if asked.attributes.is_empty() { people.attributes.clone() } else { asked.attributes.clone() };
        let mut places = Vec::new();
        for name in &wanted {
            let place = people.attributes.iter().position(|known| known == name);
            ensure!(
                place.is_some(),
                "`{}` has no attribute `{name}`; it has {}",
                asked.file.display(),
                people.attributes.join(", ")
            );
            places.extend(place);
        }
        let mut by_name = HashMap::new();
        for one in &people.images {
            let values: Vec<String> = places.iter().map(|&at| one.labels[at].clone()).collect();
            by_name.insert(one.name.clone(), values.clone());
            by_name.entry(one.subject.clone()).or_insert(values);
        }
        Ok(Self { attributes: wanted, by_name })
    }

    /// Names of the attributes.
    #[must_use]
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// Values for a name; `None` when the file does not have it.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&[String]> {
        self.by_name.get(name).map(Vec::as_slice)
    }
}
