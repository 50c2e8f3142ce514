//! Labelled pairs of real photographs: the bar that the default pack has to clear.
use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use likeness_matcher::{Embedding, Matcher, QualityPolicy, Selection};
use likeness_models::{AddDetector, AddOptions, DEFAULT_PACK, DetectorKind, Home, Pack, add};
use serde::Deserialize;

use crate::installed::{home, matcher, open, shared};

#[derive(Deserialize)]
struct Pair {
    file_x: String,
    file_y: String,
    #[serde(rename = "Decision")]
    decision: String,
}

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    mated: usize,
    non_mated: usize,
    missed: usize,
    false_alarms: usize,
    closest_mated: f64,
    closest_non_mated: f64,
}

impl Outcome {
    fn wrong(&self) -> usize {
        self.missed + self.false_alarms
    }
}

/// Each image once, on two threads.
fn embeddings(matcher: &Matcher, folder: &Path, names: &[String]) -> BTreeMap<String, Embedding> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            let bytes = std::fs::read(folder.join(name)).unwrap();
            // Several faces are in some of the images; the labels mean the largest.
            let analysed = matcher
                .analyse(&bytes, &Selection::Largest, &QualityPolicy::default())
                .unwrap_or_else(|error| panic!("{name} gives no face: {error}"));
            assert!(analysed.selected_largest);
            done.push((name.clone(), analysed.embedding));
        }
        done
    };
    thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// Decides all pairs at the pack's threshold, and prints the error rates.
fn decide(matcher: &Matcher, folder: &Path, what: &str) -> Outcome {
    let pairs: Vec<Pair> = csv::Reader::from_path(folder.join("pairs.csv"))
        .unwrap()
        .deserialize()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(pairs.len(), 300);
    let images =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = images.filter(|name| name.ends_with(".jpg")).collect();
    assert_eq!(names.len(), 64);
    let embeddings = embeddings(matcher, folder, &names);
    let mut outcome =
        Outcome { closest_mated: f64::INFINITY, closest_non_mated: f64::NEG_INFINITY, ..Outcome::default() };
    for pair in &pairs {
        let similarity =
            embeddings[&pair.file_x].similarity(&embeddings[&pair.file_y], matcher.metric()).unwrap();
        let above = similarity >= matcher.threshold().similarity;
        match pair.decision.as_str() {
            "Yes" => {
                outcome.mated += 1;
                outcome.missed += usize::from(!above);
                outcome.closest_mated = outcome.closest_mated.min(similarity);
            }
            "No" => {
                outcome.non_mated += 1;
                outcome.false_alarms += usize::from(above);
                outcome.closest_non_mated = outcome.closest_non_mated.max(similarity);
            }
            other => panic!("`{other}` is no label"),
        }
    }
    let rate = |count: usize, of: usize| count as f64 / of as f64;
    println!(
        "report: {what}: {} of 300 pairs right at similarity {}; FNMR {:.4} ({} of {}), FMR {:.4} ({} of {}); least \
         similar mated pair {:.4}, most similar non-mated {:.4}",
        300 - outcome.wrong(),
        matcher.threshold().similarity,
        rate(outcome.missed, outcome.mated),
        outcome.missed,
        outcome.mated,
        rate(outcome.false_alarms, outcome.non_mated),
        outcome.false_alarms,
        outcome.non_mated,
        outcome.closest_mated,
        outcome.closest_non_mated,
    );
    outcome
}

#[test]
fn the_default_pack_decides_299_of_300_pairs_and_yunet_no_fewer() {
    let Some(folder) = shared("faces/pairs-64") else { return };
    let default = decide(&matcher(2), &folder, "default pack");
    assert!(default.wrong() <= 1, "{default:?}");

    let Some(detector) = shared("models/yunet/yunet_n_dynamic.onnx") else { return };
    let pack = with_yunet(&detector);
    let yunet = decide(&open(&pack, 2), &folder, "YuNet with the default embedder");
    assert!(yunet.wrong() <= default.wrong(), "YuNet: {yunet:?}, default: {default:?}");
}

/// The default pack with another detector, added in a home of its own as an operator would.
fn with_yunet(detector: &Path) -> Pack {
    let folder = tempfile::tempdir().unwrap();
    let from = home().path().join("packs").join(DEFAULT_PACK);
    let to = folder.path().join("packs").join(DEFAULT_PACK);
    std::fs::create_dir_all(&to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    let home = Home::at(folder.path());
    let options = AddOptions {
        name: "yunet".to_owned(),
        version: "test".to_owned(),
        licence: "BSD-3-Clause".to_owned(),
        provenance: "the shared test material".to_owned(),
        base: Some(DEFAULT_PACK.to_owned()),
        detector: Some(AddDetector::new(detector, DetectorKind::YuNet)),
        ..AddOptions::default()
    };
    add(&home, &options).expect("the pack is added");
    Pack::open(&home, "yunet").expect("the added pack opens")
}
