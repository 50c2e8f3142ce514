#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn near(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * right.abs().max(1.0)
}

fn comparisons(mated: &[f64], non_mated: &[f64]) -> Comparisons {
    let one = |mated: bool| move |&score: &f64| Comparison { mated, score };
    Comparisons::new(mated.iter().map(one(true)).chain(non_mated.iter().map(one(false)))).unwrap()
}

/// By hand: 4 mated and 5 non-mated scores, one of each at 0.5.
#[test]
fn a_score_at_the_threshold_counts_as_above_it() {
    let all = comparisons(&[0.9, 0.7, 0.5, 0.2], &[0.6, 0.5, 0.3, 0.1, -0.2]);
    assert_eq!((all.false_matches(0.5), all.false_non_matches(0.5)), (2, 1));
    assert_eq!(all.fmr(0.5, 0.95).rate, Some(0.4));
    assert_eq!(all.fnmr(0.5, 0.95).rate, Some(0.25));
    assert_eq!((all.false_matches(0.51), all.false_non_matches(0.51)), (1, 2));
    assert_eq!(all.fmr(-1.0, 0.95).rate, Some(1.0));
    assert_eq!(all.fnmr(2.0, 0.95).rate, Some(1.0));
}

#[test]
fn failures_count_in_far_and_frr_only() {
    let mut all = comparisons(&[0.9, 0.2], &[0.6, 0.1]);
    (all.mated_failed, all.non_mated_failed) = (2, 6);
    assert_eq!(all.fnmr(0.5, 0.95).rate, Some(0.5));
    assert_eq!(all.frr(0.5, 0.95).rate, Some(0.75));
    assert_eq!(all.fmr(0.5, 0.95).rate, Some(0.5));
    assert_eq!(all.far(0.5, 0.95).rate, Some(0.125));
}

/// By hand: five mated searches (first, third, not listed, no template, first but low), four non-mated.
#[test]
fn searches_are_counted_as_nist_counts_them() {
    let mate = |mate| MatedSearch { mate };
    let mated =
        vec![mate(Some((1, 0.9))), mate(Some((3, 0.6))), mate(None), mate(None), mate(Some((1, 0.4)))];
    let non_mated =
        [vec![0.7, 0.5], vec![0.5, 0.1], vec![0.3], vec![]].map(|scores| NonMatedSearch { scores });
    let all = Searches::new(mated, &non_mated).unwrap();
    assert_eq!((all.mated(), all.non_mated()), (5, 4));
    // A probe without template is a miss when mated, and a search without candidates when not.
    assert_eq!(all.fnir(Some(1), None, 0.95).rate, Some(0.6));
    assert_eq!(all.fnir(Some(3), None, 0.95).rate, Some(0.4));
    assert_eq!(all.fnir(None, Some(0.5), 0.95).rate, Some(0.6));
    assert_eq!(all.tpir(Some(1), Some(0.4), 0.95).rate, Some(0.4));
    assert_eq!(all.fpir(0.5, 0.95).rate, Some(0.5));
    assert_eq!(all.fpir(0.51, 0.95).rate, Some(0.25));
    assert_eq!(all.selectivity(0.5), Some(0.75));
    assert_eq!(all.selectivity(0.0), Some(1.25));
}

#[test]
fn the_threshold_is_the_kth_largest_score() {
    let scores: Vec<f64> = (0..1_000).map(|n| f64::from(n) / 1_000.0).collect();
    let found = threshold_for(0.03, &scores, 1_000, 30).unwrap();
    assert_eq!((found.threshold, found.tied), (0.97, 1));
    assert_eq!(at_or_above(&scores, found.threshold), 30);
    // Trials without a score count: 3 % of 2,000 are 60.
    assert_eq!(threshold_for(0.03, &scores, 2_000, 30).unwrap().threshold, 0.94);
}

#[test]
fn ties_never_push_the_rate_above_the_target() {
    // Ranks 25 to 44 share one score, so that the 30th largest would have 44 at or above it.
    let mut scores: Vec<f64> = (0..956).map(|n| f64::from(n) / 10_000.0).collect();
    scores.extend([0.5; 20]);
    scores.extend((0..24).map(|n| 0.6 + f64::from(n) / 1_000.0));
    let found = threshold_for(0.03, &scores, 1_000, 30).unwrap();
    assert_eq!((found.threshold, found.tied), (0.6, 20));
    assert_eq!(at_or_above(&scores, found.threshold), 24);
    let all_equal = threshold_for(0.03, &[0.5; 1_000], 1_000, 30).unwrap();
    assert!(all_equal.threshold > 0.5 && at_or_above(&[0.5; 1_000], all_equal.threshold) == 0);
}

#[test]
fn a_rate_that_the_trials_cannot_support_is_refused_with_what_it_would_take() {
    let refused = threshold_for(0.003, &[0.1; 1_000], 1_000, MINIMUM_EVENTS).unwrap_err();
    assert_eq!((refused.have, refused.needed), (1_000, 10_000));
    assert!(refused.reason.contains("10000"), "{}", refused.reason);
    assert!(threshold_for(0.003, &[0.1; 10_000], 10_000, MINIMUM_EVENTS).is_ok());
}

#[test]
fn the_smallest_fractions_of_a_target_round_as_meant() {
    let scores: Vec<f64> = (0..100).map(f64::from).collect();
    // 0.29 * 100 is 28.999999999999996 in floating point; 29 are meant.
    assert_eq!(threshold_for(0.29, &scores, 100, 1).unwrap().threshold, 71.0);
}

/// Values of scipy's `beta.ppf` for 4 of 20 at 90 %, and zero events, which have a closed form.
#[test]
fn intervals_have_their_known_values() {
    let (low, high) = clopper_pearson(4, 20, 0.90);
    assert!(near(low, 0.071_353_884_308_618_2) && near(high, 0.401_028_117_331_974_5), "{low} {high}");
    let (_, high) = clopper_pearson(0, 1_000, 0.90);
    assert!(near(high, 1.0 - 0.05_f64.powf(1e-3)));
    assert_eq!(clopper_pearson(0, 0, 0.95), (0.0, 1.0));
    assert_eq!(wilson(0, 0, 0.95), (0.0, 1.0));
}

/// Fisher's tea: 3 of 4 against 1 of 4.
#[test]
fn fishers_exact_test_has_its_textbook_value() {
    assert!(near(fisher_exact(3, 4, 1, 4), 0.485_714_285_714_285_7));
    assert!(near(fisher_exact(0, 10, 0, 10), 1.0));
}

#[test]
fn groups_without_errors_enter_with_half_an_error_and_small_ones_not_at_all() {
    let group = |name: &str, errors, trials| (vec![name.to_owned()], errors, trials);
    let by = ["group".to_owned()];
    let plain = differential(&by, &[group("a", 10, 1_000), group("b", 40, 1_000)], 30, 0.95);
    assert!(near(plain.max_over_min.unwrap(), 4.0) && near(plain.max_over_geometric_mean.unwrap(), 2.0));
    assert!(!plain.half_error_added && plain.worst == Some(vec!["b".to_owned()]));
    assert!(plain.cells[1].p_value.unwrap() < 1e-4);
    let zero = differential(&by, &[group("a", 0, 999), group("b", 4, 999), group("c", 9, 10)], 30, 0.95);
    assert!(near(zero.max_over_min.unwrap(), 9.0) && zero.half_error_added);
    assert!(!zero.cells[2].counted && zero.cells[2].p_value.is_none());
    let none = differential(&by, &[group("a", 0, 100), group("b", 0, 100)], 30, 0.95);
    assert_eq!((none.max_over_min, none.half_error_added), (None, false));
}

#[test]
fn the_bootstrap_is_wider_when_trials_of_a_subject_fail_together() {
    let alone: Vec<Cluster> =
        (0..400).map(|n| Cluster { errors: u64::from(n % 10 == 0), trials: 1 }).collect();
    let together: Vec<Cluster> =
        (0..40).map(|n| Cluster { errors: if n % 10 == 0 { 10 } else { 0 }, trials: 10 }).collect();
    let width = |clusters: &[Cluster]| {
        let found = bootstrap(clusters, 2_000, 0.95, 7).unwrap();
        assert_eq!(Some(found), bootstrap(clusters, 2_000, 0.95, 7));
        assert!(found.low <= 0.1 && found.high >= 0.1);
        found.high - found.low
    };
    assert!(width(&together) > 2.0 * width(&alone));
    assert_eq!(bootstrap(&[], 10, 0.95, 1), None);
}

#[test]
fn setting_aside_bad_images_removes_their_misses() {
    let pairs = [(10.0, 0.1), (20.0, 0.9), (30.0, 0.2), (40.0, 0.8)];
    let curve = error_versus_discard(&pairs, 0.5, 4, 1.0);
    let counts: Vec<_> = curve.iter().map(|point| (point.left, point.below)).collect();
    assert_eq!(counts, [(4, 2), (3, 1), (2, 1), (1, 0), (0, 0)]);
    assert!(near(curve[1].ideal, 1.0 / 3.0) && near(curve[2].ideal, 0.0));
}

/// By hand: the threshold of fold 1 comes from fold 2 and the other way round.
#[test]
fn folds_do_not_see_their_own_threshold() {
    let found = folds(&[(1, true, 0.9), (1, false, 0.1), (2, true, 0.5), (2, false, 0.3)]).unwrap();
    // Above 0.3 fold 2 is all right, and so is fold 1; above 0.1 fold 1 is all right, and half of fold 2.
    assert_eq!(found.accuracy, [1.0, 0.5]);
    assert!(near(found.mean, 0.75) && near(found.standard_error, 0.25));
    assert_eq!(folds(&[(0, true, 0.9), (0, false, 0.1)]), None);
}

#[test]
fn scores_that_are_no_numbers_are_refused() {
    assert_eq!(Comparisons::new([Comparison { mated: true, score: f64::NAN }]), Err(NotFinite));
    let search = NonMatedSearch { scores: vec![f64::INFINITY] };
    assert_eq!(Searches::new(Vec::new(), &[search]), Err(NotFinite));
}

proptest! {
    /// Counting by looking at every score, and at the list of thresholds that a table has.
    #[test]
    fn counts_are_those_of_the_definition(
        mated in prop::collection::vec(-20..20_i32, 0..60),
        non_mated in prop::collection::vec(-20..20_i32, 0..60),
    ) {
        let scores = |of: &[i32]| of.iter().map(|&score| f64::from(score) / 8.0).collect::<Vec<_>>();
        let (mated, non_mated) = (scores(&mated), scores(&non_mated));
        let all = comparisons(&mated, &non_mated);
        let table = thresholds(all.non_mated(), all.mated());
        prop_assert!(table.windows(2).all(|two| two[0] < two[1]));
        for at in table {
            let count = |of: &[f64], wanted: &dyn Fn(f64) -> bool| of.iter().filter(|score| wanted(**score)).count() as u64;
            prop_assert_eq!(all.false_matches(at), count(&non_mated, &|score| score >= at));
            prop_assert_eq!(all.false_non_matches(at), count(&mated, &|score| score < at));
        }
        if let Some(above) = all.non_mated().last() {
            prop_assert_eq!(all.false_matches(above.next_up()), 0);
        }
    }

    #[test]
    fn a_threshold_keeps_its_promise(scores in prop::collection::vec(0..50_i32, 1..200), target in 0.01..0.9_f64) {
        let sorted = ascending(scores.iter().map(|&score| f64::from(score)).collect()).unwrap();
        let trials = sorted.len() as u64;
        if let Ok(found) = threshold_for(target, &sorted, trials, 1) {
            let above = at_or_above(&sorted, found.threshold);
            prop_assert!(above as f64 <= target * trials as f64 + 1e-9);
            // The next smaller score would break it.
            let smaller = sorted.iter().rev().find(|score| **score < found.threshold);
            let wanted = (target * trials as f64 + 1e-9).floor();
            if let Some(smaller) = smaller {
                prop_assert!(at_or_above(&sorted, *smaller) as f64 > wanted || above as f64 == wanted);
            }
        }
    }

    #[test]
    fn intervals_hold_their_rate(count in 0..500_u64, more in 0..500_u64) {
        let of = count + more;
        prop_assume!(of > 0);
        for (low, high) in [clopper_pearson(count, of, 0.95), wilson(count, of, 0.95)] {
            let rate = count as f64 / of as f64;
            prop_assert!(0.0 <= low && low <= rate && rate <= high && high <= 1.0);
        }
    }
}
