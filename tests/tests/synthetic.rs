//! Synthetic persons are found by the real detector and told apart by the real embedder: 1,000 persons, two captures each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use likeness_datasets::{Capture, Person, encode_jpeg, render};
use likeness_matcher::{
    Embedding, Matcher, MatcherOptions, QualityPolicy, Selection,
    index::{FlatIndex, IndexRead as _, IndexRow, IndexWrite as _, RowKey, SubjectKey},
};
use likeness_models::{DEFAULT_PACK, Home, Pack};

const SEED: u64 = 20_261_122;
const PERSONS: u64 = 1000;

fn matcher() -> Matcher {
    let home = Home::locate().unwrap();
    let pack = Pack::open(&home, DEFAULT_PACK).expect("run `make setup` first");
    let options = MatcherOptions { sessions: 2, ..MatcherOptions::default() };
    Matcher::open(&pack, &home.runtime_library().unwrap(), &options).unwrap()
}

/// One embedding per person, none where no face was found.
fn embeddings(
    matcher: &Matcher,
    persons: u64,
    capture: impl Fn(&Person) -> Capture + Sync,
) -> Vec<Option<Embedding>> {
    let next = AtomicU64::new(0);
    let mut found: Vec<(u64, Option<Embedding>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut own = Vec::new();
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= persons {
                            return own;
                        }
                        let person = Person::from_seed(SEED, index);
                        let jpeg = encode_jpeg(&render(&person, &capture(&person)), 92).unwrap();
                        let analysed = matcher.analyse(&jpeg, &Selection::Only, &QualityPolicy::default());
                        own.push((index, analysed.ok().map(|analysed| analysed.embedding)));
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, embedding)| embedding).collect()
}

/// Share of probes whose own person tops the list; a probe without a face is a miss (as FRTE counts it).
fn rank_one(index: &FlatIndex, probes: &[Option<Embedding>]) -> f64 {
    let hits = probes
        .iter()
        .enumerate()
        .filter(|(person, probe)| {
            probe.as_ref().is_some_and(|probe| {
                index
                    .search(probe, 1)
                    .unwrap()
                    .first()
                    .is_some_and(|hit| hit.subject == SubjectKey(*person as u64))
            })
        })
        .count();
    hits as f64 / probes.len() as f64
}

#[test]
fn a_thousand_synthetic_persons_are_told_apart() {
    let matcher = matcher();
    let gallery = embeddings(&matcher, PERSONS, |person| Capture::plain(SEED, person, 0));
    let index = FlatIndex::new(matcher.space_id(), matcher.dimension(), matcher.metric()).unwrap();
    let rows: Vec<_> = gallery
        .iter()
        .enumerate()
        .filter_map(|(at, embedding)| {
            let key = at as u64;
            embedding.as_ref().map(|embedding| IndexRow {
                row: RowKey(key),
                subject: SubjectKey(key),
                embedding,
            })
        })
        .collect();
    index.insert(&rows).unwrap();
    let plain = embeddings(&matcher, PERSONS, |person| Capture::plain(SEED, person, 1));
    let cctv = embeddings(&matcher, 300, |person| Capture::cctv(SEED, person, 2));
    let missed = |set: &[Option<Embedding>]| set.iter().filter(|one| one.is_none()).count();
    let (plain_rank, cctv_rank) = (rank_one(&index, &plain), rank_one(&index, &cctv));
    println!(
        "report: synthetic persons, seed {SEED}, gallery {PERSONS}: no face in {} references, {} plain and {} of 300 CCTV-like probes; rank-1 plain {plain_rank:.3}, CCTV-like {cctv_rank:.3}",
        missed(&gallery),
        missed(&plain),
        missed(&cctv),
    );
    assert!(plain_rank >= 0.90, "rank-1 of plain captures is {plain_rank}");
}
