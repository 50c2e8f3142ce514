//! Galleries and probes given as ready-made templates.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::ensure;
use likeness_models::{Digest, Home, Metric, Pack, SpaceId};

use crate::evaluate::algorithm::Templates;
use crate::evaluate::description::{Description, Identify};
use crate::evaluate::gallery_plan::{Plan, Probe, Store, check_people, order};
use crate::evaluate::groups::Groups;
use crate::evaluate::output::file_digest;
use crate::evaluate::record::{Counts, Part};
use crate::evaluate::template_file::TemplateFile;

/// Opens and checks the three files. Without a pack, templates compare by cosine.
pub(super) fn plan(description: &Description, asked: &Identify) -> anyhow::Result<(Plan, Templates)> {
    let gallery = TemplateFile::open(&asked.gallery)?;
    let mated = TemplateFile::open(&asked.mated)?;
    let non_mated = TemplateFile::open(&asked.nonmated)?;
    for (file, path) in [(&mated, &asked.mated), (&non_mated, &asked.nonmated)] {
        ensure!(
            file.dimension == gallery.dimension,
            "`{}` has templates of {} values, the gallery of {}",
            path.display(),
            file.dimension,
            gallery.dimension
        );
    }
    let templates = geometry(description, gallery.dimension)?;
    let places = order(gallery.subjects.len(), description.seed);
    let place: HashMap<String, u32> = gallery.subjects.iter().cloned().zip(places.iter().copied()).collect();
    let names = |file: &TemplateFile| file.subjects.iter().cloned().collect::<BTreeSet<String>>();
    let (mated_names, non_mated_names) = (names(&mated), names(&non_mated));
    check_people(
        &place,
        &mated_names.iter().map(String::as_str).collect(),
        &non_mated_names.iter().map(String::as_str).collect(),
    )?;
    let digests: Vec<String> = [&asked.gallery, &asked.mated, &asked.nonmated]
        .into_iter()
        .flat_map(|path| [path.clone(), path.with_extension("csv")])
        .map(|path| file_digest(&path))
        .collect::<anyhow::Result<_>>()?;

    let part = |file: &TemplateFile| {
        let subjects = file.subjects.len() as u64;
        Some(Part { images: file.rows as u64, subjects, images_failed: 0, subjects_failed: 0 })
    };
    let counts = Counts {
        references: part(&gallery),
        mated_probes: part(&mated),
        non_mated_probes: part(&non_mated),
        refusals: BTreeMap::new(),
    };
    let mut rows: Vec<(u32, usize)> =
        gallery.of_row.iter().enumerate().map(|(row, &subject)| (places[subject as usize], row)).collect();
    rows.sort_unstable();
    let mut subjects = vec![String::new(); gallery.subjects.len()];
    for (name, &at) in gallery.subjects.iter().zip(&places) {
        subjects[at as usize].clone_from(name);
    }
    let mut groups = Groups::new(
        mated.attributes.iter().filter(|name| non_mated.attributes.contains(name)).cloned().collect(),
    );
    let mut probes = Vec::new();
    let mut before = 0;
    for (file, path) in [(&mated, &asked.mated), (&non_mated, &asked.nonmated)] {
        add(file, path, before, &place, &mut probes, &mut groups)?;
        before += file.subjects.len() as u32;
    }
    let plan = Plan {
        digest: Digest::of(digests.join("\n").as_bytes()).to_string(),
        files: digests.len() as u64,
        synthetic: false,
        subjects,
        rows,
        store: Store::File(gallery),
        quality_names: Vec::new(),
        probes,
        groups,
        counts,
    };
    Ok((plan, templates))
}

fn geometry(description: &Description, dimension: usize) -> anyhow::Result<Templates> {
    let Some(name) = &description.pack else {
        let space = SpaceId::from(*Digest::of(b"templates of no pack").as_bytes());
        return Ok(Templates { space, dimension, metric: Metric::Cosine });
    };
    let pack = Pack::open(&Home::locate()?, name)?;
    let embedder = &pack.manifest().embedder;
    ensure!(
        embedder.dimension as usize == dimension,
        "the templates have {dimension} values, those of pack `{name}` {}",
        embedder.dimension
    );
    Ok(Templates { space: pack.space_id(), dimension, metric: embedder.metric })
}

fn add(
    file: &TemplateFile,
    path: &Path,
    before: u32,
    place: &HashMap<String, u32>,
    probes: &mut Vec<Probe>,
    groups: &mut Groups,
) -> anyhow::Result<()> {
    let part = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    for (row, &subject) in file.of_row.iter().enumerate() {
        probes.push(Probe {
            name: format!("{part}/{row}"),
            person: before + subject,
            mate: place.get(&file.subjects[subject as usize]).copied(),
            template: Some(file.template(row)?),
            refusal: None,
            quality: Vec::new(),
        });
    }
    let at: Vec<Option<usize>> = groups
        .attributes()
        .iter()
        .map(|name| file.attributes.iter().position(|known| known == name))
        .collect();
    for (number, labels) in (before..).zip(&file.labels) {
        let values: Vec<String> =
            at.iter().map(|at| at.and_then(|at| labels.get(at)).cloned().unwrap_or_default()).collect();
        groups.label(number, &values);
    }
    Ok(())
}
