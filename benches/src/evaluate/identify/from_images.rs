//! Galleries and probes given as images of labelled people.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use likeness_datasets::{People, read_people};

use crate::evaluate::algorithm::{Algorithm, Role};
use crate::evaluate::description::{Description, Identify};
use crate::evaluate::extract::{Extracted, dataset_digest, extract, image_file};
use crate::evaluate::gallery_plan::{Plan, Probe, Store, check_people, order, tally};
use crate::evaluate::groups::Groups;
use crate::evaluate::labels::Labels;
use crate::evaluate::output::Output;
use crate::evaluate::record::{Counts, Part};

struct Set {
    people: People,
    extracted: Vec<Extracted>,
}

impl Set {
    fn read(
        path: &Path,
        algorithm: &dyn Algorithm,
        role: Role,
        what: &str,
        output: &Output,
    ) -> anyhow::Result<Self> {
        let people = read_people(path)?;
        let images: Vec<_> =
            people.images.iter().map(|image| image_file(image.name.clone(), image.path.clone())).collect();
        let extracted = extract(algorithm, &images, role, what, &output.work())?;
        Ok(Self { people, extracted })
    }

    fn subjects(&self) -> BTreeSet<&str> {
        self.people.images.iter().map(|image| image.subject.as_str()).collect()
    }

    fn part(&self, refusals: &mut BTreeMap<String, u64>) -> Part {
        let codes = self.extracted.iter().filter_map(|image| image.made.template.as_ref().err());
        let failed = tally(refusals, codes);
        let made: BTreeSet<&str> = self
            .people
            .images
            .iter()
            .zip(&self.extracted)
            .filter(|(_, extracted)| extracted.made.template.is_ok())
            .map(|(image, _)| image.subject.as_str())
            .collect();
        let subjects = self.subjects().len() as u64;
        Part {
            images: self.extracted.len() as u64,
            subjects,
            images_failed: failed,
            subjects_failed: subjects - made.len() as u64,
        }
    }
}

/// Reads, checks and embeds the three sets.
pub(super) fn plan(
    description: &Description,
    asked: &Identify,
    algorithm: &dyn Algorithm,
    output: &Output,
) -> anyhow::Result<Plan> {
    // People are checked before anything expensive is done.
    let enrolled = read_people(&asked.gallery)?;
    let names: BTreeSet<&str> = enrolled.images.iter().map(|image| image.subject.as_str()).collect();
    let places = order(names.len(), description.seed);
    let place: HashMap<String, u32> =
        names.iter().zip(&places).map(|(name, &place)| ((*name).to_owned(), place)).collect();
    let (mated, non_mated) = (read_people(&asked.mated)?, read_people(&asked.nonmated)?);
    let subjects =
        |people: &People| people.images.iter().map(|image| image.subject.clone()).collect::<BTreeSet<_>>();
    let (mated_names, non_mated_names) = (subjects(&mated), subjects(&non_mated));
    check_people(
        &place,
        &mated_names.iter().map(String::as_str).collect(),
        &non_mated_names.iter().map(String::as_str).collect(),
    )?;

    let gallery = Set::read(&asked.gallery, algorithm, Role::Reference, "gallery templates", output)?;
    let mated = Set::read(&asked.mated, algorithm, Role::Probe, "mated probes", output)?;
    let non_mated = Set::read(&asked.nonmated, algorithm, Role::Probe, "non-mated probes", output)?;

    let mut refusals = BTreeMap::new();
    let counts = Counts {
        references: Some(gallery.part(&mut refusals)),
        mated_probes: Some(mated.part(&mut refusals)),
        non_mated_probes: Some(non_mated.part(&mut refusals)),
        refusals,
    };
    let mut in_order = vec![String::new(); place.len()];
    for (name, &at) in &place {
        in_order[at as usize].clone_from(name);
    }
    let mut rows = Vec::new();
    let mut templates = Vec::new();
    for (image, extracted) in gallery.people.images.iter().zip(&gallery.extracted) {
        if let Ok(template) = &extracted.made.template {
            rows.push((place[&image.subject], templates.len()));
            templates.push(template.clone());
        }
    }
    rows.sort_unstable();
    let (probes, persons) = probes(&place, &mated, &non_mated);
    let sets = [("gallery", &gallery), ("mated", &mated), ("nonmated", &non_mated)];
    let labelled =
        sets.iter().flat_map(|(part, set)| {
            set.people.images.iter().zip(&set.extracted).map(move |(image, extracted)| {
                (format!("{part}\t{}\t{}", image.subject, image.name), extracted)
            })
        });
    Ok(Plan {
        digest: dataset_digest(labelled),
        files: sets.iter().map(|(_, set)| set.extracted.len() as u64).sum(),
        synthetic: sets.iter().all(|(_, set)| set.people.synthetic()),
        groups: groups(description, &persons, &mated.people, &non_mated.people)?,
        subjects: in_order,
        rows,
        store: Store::Memory(templates),
        quality_names: algorithm.quality_names(),
        probes,
        counts,
    })
}

/// Probes of both sets, and the numbers of the people on them.
fn probes(place: &HashMap<String, u32>, mated: &Set, non_mated: &Set) -> (Vec<Probe>, BTreeMap<String, u32>) {
    let mut persons: BTreeMap<String, u32> = BTreeMap::new();
    let mut found = Vec::new();
    for (part, set) in [("mated", mated), ("nonmated", non_mated)] {
        for (image, extracted) in set.people.images.iter().zip(&set.extracted) {
            let next = persons.len() as u32;
            found.push(Probe {
                name: format!("{part}/{}", image.name),
                person: *persons.entry(image.subject.clone()).or_insert(next),
                mate: place.get(&image.subject).copied(),
                template: extracted.made.template.as_ref().ok().cloned(),
                refusal: extracted.made.template.as_ref().err().cloned(),
                quality: extracted.made.quality.clone(),
            });
        }
    }
    (found, persons)
}

/// Labels of the people on probes: from the file that the run names, else from the data sets' own manifests.
fn groups(
    description: &Description,
    persons: &BTreeMap<String, u32>,
    mated: &People,
    non_mated: &People,
) -> anyhow::Result<Groups> {
    if let Some(asked) = &description.demographics {
        let known = Labels::read(asked)?;
        let mut groups = Groups::new(known.attributes().to_vec());
        for (name, &number) in persons {
            if let Some(values) = known.of(name) {
                groups.label(number, values);
            }
        }
        return Ok(groups);
    }
    let attributes: Vec<String> =
        mated.attributes.iter().filter(|name| non_mated.attributes.contains(name)).cloned().collect();
    let mut groups = Groups::new(attributes.clone());
    for people in [mated, non_mated] {
        let at: Vec<Option<usize>> =
            attributes.iter().map(|name| people.attributes.iter().position(|known| known == name)).collect();
        for image in &people.images {
            let value =
                |at: &Option<usize>| at.and_then(|at| image.labels.get(at)).cloned().unwrap_or_default();
            let values: Vec<String> = at.iter().map(value).collect();
            groups.label(persons[&image.subject], &values);
        }
    }
    Ok(groups)
}
