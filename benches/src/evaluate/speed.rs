//! `speed`: how long an algorithm takes, in the terms of NIST's tests: a template on one thread, a comparison, a search.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use likeness_datasets::read_people;
use serde::Serialize;

use super::algorithm::{self, Role};
use super::compare::write_new;
use super::description::Description;
use super::extract::{image_file, read};
use super::progress;
use super::record::PackRecord;
use crate::gallery::Gallery;
use crate::machine::{Circumstances, peak_memory_mib};
use crate::table::Table;
use crate::timing::{Spread, timed};

/// Probes that are searched for at a time.
const BATCH: usize = 256;
/// Calls that are timed.
const ROUNDS: usize = 7;

#[derive(Serialize)]
struct Results {
    algorithm: PackRecord,
    circumstances: Circumstances,
    images: usize,
    refused: usize,
    template_bytes: usize,
    template: Spread,
    comparison: Option<Spread>,
    gallery: u32,
    search: Option<Spread>,
    peak_memory_mib: Option<u64>,
}

/// Times templates, comparisons and searches, one at a time.
///
/// # Errors
/// When images cannot be read, none gives a template, or the results cannot be written.
pub fn run(
    description: &Description,
    images: &Path,
    most: usize,
    gallery: u32,
    out: &Path,
) -> anyhow::Result<()> {
    let mut circumstances = Circumstances::now(description.seed);
    let algorithm = algorithm::open(description)?;
    let people = read_people(images)?;
    let mut templates = Vec::new();
    let (mut taken, mut refused) = (Vec::new(), 0);
    let bar = progress::bar("templates", people.images.len().min(most) as u64);
    for image in people.images.iter().take(most) {
        let bytes = read(&image_file(image.name.clone(), image.path.clone()))?;
        let (made, took) = timed(|| algorithm.make(&bytes, None, Role::Probe));
        taken.push(took);
        match made?.template {
            Ok(template) => templates.push(template),
            Err(_) => refused += 1,
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    ensure!(!templates.is_empty(), "none of the {} images gave a template", taken.len());
    let comparison: Vec<Duration> = templates
        .iter()
        .map(|other| {
            let (score, took) = timed(|| algorithm.compare(&templates[0], other));
            score.map(|_| took)
        })
        .collect::<anyhow::Result<_>>()?;
    let search = search(description, algorithm.as_ref(), &templates, gallery)?;
    circumstances.end();
    let results = Results {
        algorithm: algorithm.record().clone(),
        circumstances,
        images: taken.len(),
        refused,
        template_bytes: templates[0].len(),
        template: Spread::of(&taken).context("nothing was timed")?,
        comparison: Spread::of(&comparison),
        gallery,
        search: Spread::of(&search),
        peak_memory_mib: peak_memory_mib(),
    };
    println!("{}", table(&results).markdown());
    std::fs::create_dir_all(out).with_context(|| format!("cannot make `{}`", out.display()))?;
    write_new(&out.join("speed.json"), (serde_json::to_string_pretty(&results)? + "\n").as_bytes())
}

/// Time per probe in a gallery of real templates, filled up with made-up ones of the same length.
fn search(
    description: &Description,
    algorithm: &dyn algorithm::Algorithm,
    templates: &[Vec<u8>],
    gallery: u32,
) -> anyhow::Result<Vec<Duration>> {
    if algorithm.record().space_id.is_none() {
        // Only the algorithm itself knows what its templates look like: the gallery is what there is.
        let added: Vec<(u32, Vec<u8>)> = (0..).zip(templates.iter().cloned()).collect();
        algorithm.search(&added, &[Some(templates[0].clone())], 50, &|_| ())?;
        let one = |probe: &Vec<u8>| {
            let (found, took) = timed(|| algorithm.search(&[], &[Some(probe.clone())], 50, &|_| ()));
            found.map(|_| took)
        };
        return templates.iter().take(50).map(one).collect();
    }
    let made = Gallery::new(description.seed, templates[0].len() / 4);
    let fill = |subject: u32| match templates.get(subject as usize) {
        Some(template) => template.clone(),
        None => algorithm::bytes(&made.reference_of(u64::from(subject))),
    };
    let added: Vec<(u32, Vec<u8>)> = (0..gallery).map(|subject| (subject, fill(subject))).collect();
    // A call builds its own index. What that takes is measured right before each call and taken off, and many probes share a
    // call, so that little of it is left. Once before anything is timed: the first build also warms memory up.
    algorithm.search(&added, &[], 50, &|_| ())?;
    let probes: Vec<Option<Vec<u8>>> = templates.iter().cycle().take(BATCH).cloned().map(Some).collect();
    let mut each = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let (built, building) = timed(|| algorithm.search(&added, &[], 50, &|_| ()));
        built?;
        let (found, took) = timed(|| algorithm.search(&added, &probes, 50, &|_| ()));
        found?;
        // A difference that noise has swallowed is not a measurement of zero.
        each.extend(
            took.checked_sub(building).filter(|rest| !rest.is_zero()).map(|rest| rest / BATCH as u32),
        );
    }
    ensure!(
        each.len() > ROUNDS / 2,
        "a search among {gallery} people takes too little to be told from building the index on this machine now; name a larger \
         `--gallery`"
    );
    Ok(each)
}

fn table(results: &Results) -> Table {
    let title = format!("{} {} on one thread", results.algorithm.name, results.algorithm.version);
    let mut table = Table::new(&title, &["what", "median ms", "95 % ms", "longest ms", "times"]);
    let mut row = |what: String, spread: &Spread| {
        let ms = |value: f64| format!("{value:.4}");
        table.row(vec![
            what,
            ms(spread.median_ms),
            ms(spread.p95_ms),
            ms(spread.most_ms),
            spread.count.to_string(),
        ]);
    };
    row(format!("template ({} bytes)", results.template_bytes), &results.template);
    results.comparison.iter().for_each(|spread| row("comparison".to_owned(), spread));
    let among = match results.algorithm.space_id {
        Some(_) => format!("search among {} people, each of {BATCH} together", results.gallery),
        None => format!("search among {} people", results.gallery),
    };
    results.search.iter().for_each(|spread| row(among.clone(), spread));
    table
}
