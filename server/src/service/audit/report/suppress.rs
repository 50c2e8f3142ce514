//! Counts that may be published: none so small that it points at somebody.
use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Smallest count that is shown.
pub(super) const LEAST: u64 = 5;

/// Counts that add up to a total.
pub(super) type Group = BTreeMap<String, u64>;

/// What is shown of a group: counts of 1 to 4 as `<5`. When that hides exactly one count, the total would give it away, so the next
/// smallest is hidden with it, as `>=5`; when there is no other, the total is.
pub(super) fn shown(group: &Group) -> Value {
    let small = group.values().filter(|count| (1..LEAST).contains(*count)).count();
    let next = group.iter().filter(|(_, count)| **count >= LEAST).min_by_key(|(_, count)| **count);
    let covering = next.filter(|_| small == 1).map(|(name, _)| name.as_str());
    let counts: BTreeMap<&str, Value> = group
        .iter()
        .map(|(name, count)| {
            let text = match *count {
                1..LEAST => Value::from(format!("<{LEAST}")),
                _ if Some(name.as_str()) == covering => Value::from(format!(">={LEAST}")),
                count => count.into(),
            };
            (name.as_str(), text)
        })
        .collect();
    let total: u64 = group.values().sum();
    let total = match total {
        1..LEAST => format!("<{LEAST}").into(),
        _ if small == 1 && covering.is_none() => format!(">={LEAST}").into(),
        total => Value::from(total),
    };
    json!({ "counts": counts, "total": total })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(counts: &[u64]) -> Group {
        counts.iter().enumerate().map(|(at, count)| (at.to_string(), *count)).collect()
    }

    #[test]
    fn small_counts_are_hidden_and_cannot_be_subtracted_from_the_total() {
        let told = |counts: &[u64]| shown(&group(counts));
        assert_eq!(told(&[0, 7, 30]), json!({ "counts": {"0": 0, "1": 7, "2": 30}, "total": 37 }));
        assert_eq!(told(&[3, 7, 30]), json!({ "counts": {"0": "<5", "1": ">=5", "2": 30}, "total": 40 }));
        assert_eq!(told(&[3, 1, 30]), json!({ "counts": {"0": "<5", "1": "<5", "2": 30}, "total": 34 }));
        assert_eq!(told(&[4]), json!({ "counts": {"0": "<5"}, "total": "<5" }));
        assert_eq!(told(&[4, 0]), json!({ "counts": {"0": "<5", "1": 0}, "total": "<5" }));
        assert_eq!(told(&[5]), json!({ "counts": {"0": 5}, "total": 5 }));
    }

    #[test]
    fn no_hidden_count_follows_from_what_is_shown() {
        // Every group of three counts up to 9: another group must look exactly the same wherever something is hidden.
        let all: Vec<[u64; 3]> = (0..1000).map(|n| [n % 10, n / 10 % 10, n / 100]).collect();
        let mut alike: BTreeMap<String, Vec<[u64; 3]>> = BTreeMap::new();
        for counts in &all {
            alike.entry(shown(&group(counts)).to_string()).or_default().push(*counts);
        }
        for (text, sources) in alike.iter().filter(|(text, _)| text.contains("<5")) {
            for at in 0..3 {
                let hidden = sources.iter().any(|counts| (1..LEAST).contains(&counts[at]));
                let first = sources[0][at];
                assert!(!hidden || sources.iter().any(|counts| counts[at] != first), "{text}: {sources:?}");
            }
        }
    }
}
