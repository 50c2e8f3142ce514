//! Counts that may be published: none so small that it points at somebody.
use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Smallest count that is shown.
pub(super) const LEAST: u64 = 5;

/// Counts that add up to a total.
pub(super) type Group = BTreeMap<String, u64>;

/// What is shown of a group: counts of 1 to 4 as `<5`, and then no total, from which they could be subtracted.
pub(super) fn shown(group: &Group) -> Value {
    let small = |count: &u64| (1..LEAST).contains(count);
    let counts: BTreeMap<&str, Value> = group
        .iter()
        .map(|(name, count)| {
            let text = if small(count) { format!("<{LEAST}").into() } else { Value::from(*count) };
            (name.as_str(), text)
        })
        .collect();
    let total = if group.values().any(small) { Value::Null } else { group.values().sum::<u64>().into() };
    json!({ "counts": counts, "total": total })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(counts: &[u64]) -> Group {
        counts.iter().enumerate().map(|(at, count)| (at.to_string(), *count)).collect()
    }

    #[test]
    fn small_counts_are_hidden_and_the_total_with_them() {
        let told = |counts: &[u64]| shown(&group(counts));
        assert_eq!(told(&[0, 7, 30]), json!({ "counts": {"0": 0, "1": 7, "2": 30}, "total": 37 }));
        assert_eq!(told(&[3, 7, 30]), json!({ "counts": {"0": "<5", "1": 7, "2": 30}, "total": null }));
        assert_eq!(told(&[4]), json!({ "counts": {"0": "<5"}, "total": null }));
        assert_eq!(told(&[5]), json!({ "counts": {"0": 5}, "total": 5 }));
    }

    #[test]
    fn no_hidden_count_follows_from_what_is_shown_of_its_group() {
        // Every group of three counts up to 9: wherever one is hidden, groups with each other small count look the same.
        let all: Vec<[u64; 3]> = (0..1000).map(|n| [n % 10, n / 10 % 10, n / 100]).collect();
        let mut alike: BTreeMap<String, Vec<[u64; 3]>> = BTreeMap::new();
        for counts in &all {
            alike.entry(shown(&group(counts)).to_string()).or_default().push(*counts);
        }
        for (text, sources) in &alike {
            for at in 0..3 {
                if (1..LEAST).contains(&sources[0][at]) {
                    let seen: std::collections::BTreeSet<u64> =
                        sources.iter().map(|counts| counts[at]).collect();
                    assert_eq!(seen, (1..LEAST).collect(), "{text}");
                }
            }
        }
    }
}
