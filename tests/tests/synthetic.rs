//! A thousand synthetic persons, twice each: the real detector finds them, the real embedder tells them apart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use likeness_datasets::{Capture, Person, encode_jpeg, render};
use likeness_matcher::{AnalyseError, Matcher, MatcherOptions, QualityPolicy, Selection, similarity};
use likeness_models::{Home, Pack};
use likeness_tests::faces::SEED;

/// Persons in the gallery.
const PERSONS: u64 = 1000;
/// Of these, so many are also searched with a CCTV-like still.
const STILLS: u64 = 500;
/// JPEG quality of the files.
const QUALITY: u8 = 90;

/// The embedding of one capture per person; `None` where the pipeline refused the image.
type Embeddings = Vec<Option<Vec<f32>>>;

/// Renders and embeds on every core; the results are in the order of the persons.
fn embed(matcher: &Matcher, persons: Range<u64>, capture: impl Fn(&Person) -> Capture + Sync) -> Embeddings {
    let next = AtomicU64::new(persons.start);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= persons.end {
                return done;
            }
            let person = Person::from_seed(SEED, index);
            let bytes = encode_jpeg(&render(&person, &capture(&person)), QUALITY).unwrap();
            let embedding = match matcher.analyse(&bytes, &Selection::Only, &QualityPolicy::default()) {
                Ok(analysed) => Some(analysed.embedding.values().to_vec()),
                Err(AnalyseError::Rejected(_)) => None,
                Err(AnalyseError::Fault(fault)) => panic!("{fault}"),
            };
            done.push((index, embedding));
        }
    };
    let mut all: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> =
            (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    all.sort_by_key(|&(index, _)| index);
    all.into_iter().map(|(_, embedding)| embedding).collect()
}

/// What searching a gallery with one probe per person shows.
struct Outcome {
    /// Per probe: was its own person the most alike? A probe without an embedding was not.
    first: Vec<bool>,
    refused: usize,
    mated: Vec<f64>,
    others: Vec<f64>,
}

impl Outcome {
    fn of(matcher: &Matcher, gallery: &Embeddings, probes: &Embeddings) -> Self {
        let mut outcome = Self { first: Vec::new(), refused: 0, mated: Vec::new(), others: Vec::new() };
        for (own, probe) in probes.iter().enumerate() {
            let Some(probe) = probe else {
                outcome.refused += 1;
                outcome.first.push(false);
                continue;
            };
            let mut best: Option<(f64, usize)> = None;
            for (index, reference) in gallery.iter().enumerate() {
                let Some(reference) = reference else { continue };
                let alike = similarity(probe, reference, matcher.metric());
                if index == own { &mut outcome.mated } else { &mut outcome.others }.push(alike);
                if best.is_none_or(|(highest, _)| alike > highest) {
                    best = Some((alike, index));
                }
            }
            outcome.first.push(best.is_some_and(|(_, index)| index == own));
        }
        outcome.mated.sort_by(f64::total_cmp);
        outcome.others.sort_by(f64::total_cmp);
        outcome
    }

    fn rank_one(&self) -> f64 {
        share(self.first.iter().copied())
    }

    fn report(&self, name: &str) {
        println!(
            "report: seed {SEED}, {PERSONS} synthetic persons, {name}: rank-1 {:.3} of {} probes, {} refused; \
             median similarity mated {:.3}, non-mated {:.3}",
            self.rank_one(),
            self.first.len(),
            self.refused,
            quantile(&self.mated, 0.5),
            quantile(&self.others, 0.5),
        );
        // The generator's own parameters, not estimates. Nobody should be harder to find for the tone of a skin that we drew.
        for (label, tones) in [("1 to 3", 1..4u8), ("4 to 6", 4..7), ("7 to 10", 7..11)] {
            let of_tone = |&(index, _): &(usize, &bool)| {
                tones.contains(&Person::from_seed(SEED, index as u64).monk_tone)
            };
            let group = share(self.first.iter().enumerate().filter(of_tone).map(|(_, &first)| first));
            println!("report: {name}, Monk tones {label}: rank-1 {group:.3}");
        }
    }
}

fn share(of: impl Iterator<Item = bool>) -> f64 {
    let (hits, all) = of.fold((0u32, 0u32), |(hits, all), hit| (hits + u32::from(hit), all + 1));
    f64::from(hits) / f64::from(all.max(1))
}

/// The value below which a share of the sorted `values` lies.
fn quantile(values: &[f64], share: f64) -> f64 {
    values[((values.len() - 1) as f64 * share) as usize]
}

#[test]
fn a_thousand_synthetic_persons_are_told_apart() {
    let home = Home::locate().unwrap();
    let pack = Pack::open(&home, "face-api").expect("the default pack is missing: run `make setup`");
    let runtime = home.runtime_library().expect("ONNX Runtime is missing: run `make setup`");
    let matcher = Matcher::open(&pack, &runtime, &MatcherOptions::default()).unwrap();

    let gallery = embed(&matcher, 0..PERSONS, |person| Capture::plain(SEED, person, 0));
    let refused = gallery.iter().filter(|reference| reference.is_none()).count();
    println!("report: {refused} of {PERSONS} plain references refused");
    assert!(refused * 100 <= gallery.len(), "the detector should find at least 99 % of plain captures");

    let probes = embed(&matcher, 0..PERSONS, |person| Capture::plain(SEED, person, 1));
    let plain = Outcome::of(&matcher, &gallery, &probes);
    plain.report("plain captures");
    assert!(plain.rank_one() >= 0.90, "seed {SEED}: rank-1 {}", plain.rank_one());
    // They do not collapse: strangers seldom look as alike as a person does to themselves on a bad day.
    let (worst, strangers) = (quantile(&plain.mated, 0.02), quantile(&plain.others, 0.99));
    assert!(worst > strangers, "seed {SEED}: mated {worst}, strangers {strangers}");

    // Reported, not required: how far a poor camera spoils it.
    let stills = embed(&matcher, 0..STILLS, |person| Capture::cctv(SEED, person, 2));
    Outcome::of(&matcher, &gallery, &stills).report("CCTV-like stills");
}
