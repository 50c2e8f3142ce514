//! What the certified index can be asked beyond a top list, and what happens beside writes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rand::SeedableRng as _;
use roaring::RoaringTreemap;

use super::super::{AskFault, Filter, Question, Wanted};
use super::*;
use crate::index::conformance::row;
use crate::index::{IndexFault, IndexRead as _, IndexRow, IndexWrite as _, OracleIndex};

fn filled(
    random: &mut ChaCha8Rng,
    (metric, form): (Metric, Form),
    rows: u64,
) -> (CertifiedIndex, OracleIndex, Vec<Embedding>) {
    let index = in_form(24, metric, form);
    let oracle = OracleIndex::new(home(), 24, metric).unwrap();
    let templates: Vec<Embedding> = (0..rows).map(|_| vector(random, Kind::Clusters, 24, metric)).collect();
    let keyed: Vec<IndexRow> = (0..).zip(&templates).map(|(i, e)| row(i, i / 3, e)).collect();
    index.insert(&keyed).unwrap();
    oracle.insert(&keyed).unwrap();
    (index, oracle, templates)
}

fn ask(index: &CertifiedIndex, probes: &[&Embedding], question: &Question<'_>) -> Vec<Vec<Hit>> {
    index.ask(probes, question).unwrap().into_iter().map(|answer| answer.hits).collect()
}

#[test]
fn a_threshold_lists_all_at_or_above_it() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    for form in FORMS {
        let (index, oracle, templates) = filled(&mut random, form, unless_miri(900, 150));
        let probes: Vec<&Embedding> = templates.iter().step_by(97).collect();
        let all = oracle.search_batch(&probes, usize::MAX, None).unwrap();
        for (probe, all) in probes.iter().zip(&all) {
            // At a similarity that occurs, just above it, and beyond both ends.
            let occurs = all[all.len() / 3].similarity;
            for threshold in [occurs, occurs.next_up(), 2.0, -1e9, f64::NEG_INFINITY, f64::INFINITY] {
                let right: Vec<Hit> = all.iter().filter(|hit| hit.similarity >= threshold).copied().collect();
                same(&ask(&index, &[probe], &Question::new(Wanted::AtLeast(threshold))), &[right]);
            }
        }
        let nan = index.ask(&probes, &Question::new(Wanted::AtLeast(f64::NAN)));
        assert_eq!(nan, Err(AskFault::Threshold));
    }
}

#[test]
fn a_filter_answers_as_if_the_others_were_not_there() {
    for form in FORMS {
        a_filter_answers(form);
    }
}

fn a_filter_answers(form: (Metric, Form)) {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let rows = unless_miri(900, 150);
    let (index, oracle, templates) = filled(&mut random, form, rows);
    let held_out: RoaringTreemap = (0..rows).filter(|_| random.random_range(0..3) > 0).collect();
    let others: RoaringTreemap = (0..rows).filter(|row| !held_out.contains(*row)).collect();
    let admits = |row: RowKey, _: SubjectKey| !held_out.contains(row.0);
    let probes: Vec<&Embedding> = templates.iter().step_by(50).collect();
    let all = oracle.search_batch(&probes, 12, None).unwrap();
    same(&ask(&index, &probes, &Question::new(Wanted::Best(12))), &all);
    oracle.remove(&held_out.iter().map(RowKey).collect::<Vec<_>>()).unwrap();
    let right = oracle.search_batch(&probes, 12, None).unwrap();
    for filter in [Filter::Except(&held_out), Filter::Only(&others), Filter::Where(&admits)] {
        let question = Question { filter, ..Question::new(Wanted::Best(12)) };
        same(&ask(&index, &probes, &question), &right);
        // A few probes are asked another way than many.
        for (probes, right) in probes.chunks(4).zip(right.chunks(4)) {
            same(&ask(&index, probes, &question), right);
        }
    }
    // A threshold and a filter together.
    let mut list = oracle.search_batch(&probes[..1], usize::MAX, None).unwrap().remove(0);
    let threshold = list[list.len() / 2].similarity;
    list.retain(|hit| hit.similarity >= threshold);
    let question = Question { filter: Filter::Only(&others), ..Question::new(Wanted::AtLeast(threshold)) };
    same(&ask(&index, &probes[..1], &question), &[list]);
    // Nothing is admitted: nothing is listed.
    let none = RoaringTreemap::new();
    let question = Question { filter: Filter::Only(&none), ..Question::new(Wanted::Best(12)) };
    same(&ask(&index, &probes[..1], &question), &[vec![]]);
}

#[test]
#[cfg_attr(miri, ignore = "thousands of rows")]
fn few_rows_are_scored_when_codes_tell_them_apart() {
    for dimension in [128, 512] {
        let mut random = ChaCha8Rng::seed_from_u64(seed());
        let index = CertifiedIndex::new(home(), dimension, Metric::Cosine).unwrap();
        let templates: Vec<Embedding> = (0..5000)
            .map(|_| at(&(0..dimension).map(|_| random.random_range(-1.0..1.0)).collect::<Vec<_>>()))
            .collect();
        let rows: Vec<IndexRow> = (0..).zip(&templates).map(|(i, e)| row(i, i, e)).collect();
        index.insert(&rows).unwrap();
        for probes in [1, 9] {
            let probes: Vec<&Embedding> = templates[7..7 + probes].iter().collect();
            for (answer, own) in index.ask(&probes, &Question::new(Wanted::Best(10))).unwrap().iter().zip(7..)
            {
                assert_eq!(answer.hits[0].row, RowKey(own));
                assert!((10..200).contains(&answer.scored), "{} rows were scored", answer.scored);
            }
        }
    }
}

/// What is worth halving is halved, by kernels that are fast at it, and nothing else.
#[test]
fn long_templates_compared_by_cosine_lie_in_halves() {
    let forms = [
        (512, Metric::Cosine, Form::Halved),
        (256, Metric::Cosine, Form::Halved),
        (500, Metric::Cosine, Form::Halved),
        // Filled up by more than an eighth.
        (300, Metric::Cosine, Form::Whole),
        (128, Metric::Cosine, Form::Whole),
        (512, Metric::Euclidean, Form::Whole),
    ];
    for (dimension, metric, form) in forms {
        assert_eq!(Form::of(dimension, metric), form, "{dimension} {metric:?}");
        let index = CertifiedIndex::new(home(), dimension, metric).unwrap();
        let chosen = if index.kernel.likes_halves() { form } else { Form::Whole };
        assert_eq!(index.form, chosen, "{dimension} {metric:?}");
    }
}

#[test]
fn deadline_and_cancellation_give_no_answer() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let (index, _, templates) = filled(&mut random, FORMS[0], unless_miri(300, 70));
    let question = Question::new(Wanted::Best(3));
    let cancelled = AtomicBool::new(true);
    let stopped = Question { cancelled: Some(&cancelled), ..question };
    assert_eq!(index.ask(&[&templates[0]], &stopped), Err(AskFault::Cancelled));
    let late = Question { deadline: Some(Instant::now()), ..question };
    assert_eq!(index.ask(&[&templates[0]], &late), Err(IndexFault::DeadlineExceeded.into()));
}

/// Rows at the top of every list come and go while it is searched for, so that lines are raised by rows that are
/// gone before they are scored. Whatever happens, what stays is listed, and in order.
#[test]
fn what_stays_is_listed_while_the_best_come_and_go() {
    let place = |key: u64| at(&[1.0, key as f32 * 0.01]);
    for (metric, form) in FORMS {
        let index = in_form(2, metric, form);
        // The best rows lie in the first block, and the rest in many: time passes before they are scored.
        let staying: Vec<Embedding> = (0..unless_miri(2000, 70)).map(|key| place(100 + key)).collect();
        let coming: Vec<Embedding> = (0..8).map(place).collect();
        let best: Vec<IndexRow> = (0..).zip(&coming).map(|(key, e)| row(key, key, e)).collect();
        index.insert(&best).unwrap();
        let rows: Vec<IndexRow> = (100..).zip(&staying).map(|(key, e)| row(key, key, e)).collect();
        index.insert(&rows).unwrap();
        let done = AtomicBool::new(false);
        let removed: Vec<RowKey> = best.iter().map(|row| row.row).collect();
        std::thread::scope(|scope| {
            let searching = scope.spawn(|| {
                let mut without = 0;
                for _ in 0..unless_miri(4000, 10) {
                    let hits = index.search(&place(0), 8).unwrap();
                    let stays: Vec<u64> =
                        hits.iter().map(|hit| hit.row.0).filter(|row| *row >= 100).collect();
                    assert_eq!(stays, (100..100 + stays.len() as u64).collect::<Vec<_>>());
                    assert_eq!(hits.len(), 8);
                    without += usize::from(stays.len() == 8);
                }
                done.store(true, Ordering::Relaxed);
                without
            });
            while !done.load(Ordering::Relaxed) && !searching.is_finished() {
                index.remove(&removed).unwrap();
                index.insert(&best).unwrap();
            }
            searching.join().unwrap();
        });
    }
}

#[test]
fn removed_templates_are_overwritten_in_both_precisions() {
    let mut random = ChaCha8Rng::seed_from_u64(seed());
    let rows = unless_miri(300, 70);
    for form in FORMS {
        let (index, _, _) = filled(&mut random, form, rows);
        let blank = |block: &super::super::Block| block.read().unwrap().is_blank(24);
        assert!(index.blocks().iter().all(|block| !blank(block)));
        let keys: Vec<RowKey> = (0..rows).map(RowKey).collect();
        assert_eq!(index.remove(&keys), Ok(keys.len()));
        assert!(index.blocks().iter().all(|block| blank(block)), "{form:?}");
    }
}
