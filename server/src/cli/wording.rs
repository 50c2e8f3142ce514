//! How measured values are put into words, the same in every table and page.

use likeness_proto::v1::{
    Candidate, PoolResult, Quality, RecallShare, Receipt,
    search_response::{Exactness, Mode},
};

use super::text::{age, grouped, plain};

/// Columns of running text on a terminal.
const WIDTH: usize = 100;

/// `Label: text`, broken between words, later lines indented.
pub fn paragraph(label: &str, text: &str) -> String {
    let mut out = format!("{label}:");
    let mut column = out.chars().count();
    for word in plain(text).split_whitespace() {
        let length = word.chars().count();
        if column + 1 + length > WIDTH {
            out.push_str("\n ");
            column = 1;
        }
        out.push(' ');
        out.push_str(word);
        column += 1 + length;
    }
    out
}

/// What a similarity means on the only scale that is published: which side of the pack's threshold it is on.
pub fn reads_as(above: bool, threshold: f64) -> String {
    let side = if above { "at or above" } else { "below" };
    format!("{side} {threshold:.2}")
}

/// An empty list, which means something else in each mode.
pub fn no_candidate(mode: Mode) -> &'static str {
    match mode {
        Mode::Identification => {
            "No candidate at or above the threshold. That does not mean that the person is not enrolled."
        }
        Mode::Investigation | Mode::Unspecified => "No candidate: nothing is enrolled in what was searched.",
    }
}

/// What may be missing from a pool's part of a list; nothing where nothing can be.
pub fn may_miss(pool: &PoolResult) -> Option<String> {
    if pool.exactness() != Exactness::Approximate {
        return None;
    }
    let warning = format!(
        "The search of `{}` was APPROXIMATE: the list may miss people who belong in it.",
        plain(&pool.pool)
    );
    let Some(recall) = &pool.recall else {
        return Some(warning + " How many is not measured.");
    };
    let share = |share: &RecallShare| {
        format!(
            "{:.1} % of the right first {} ({} of {})",
            100.0 * share.found as f64 / share.of.max(1) as f64,
            share.list_length,
            share.found,
            share.of
        )
    };
    let shares = |shares: &[RecallShare]| {
        let told: Vec<String> = shares.iter().filter(|share| share.of > 0).map(share).collect();
        if told.is_empty() { "not measured".to_owned() } else { told.join(" and ") }
    };
    let mates = recall.mates.as_ref().filter(|mates| mates.of > 0).map_or_else(String::new, |mates| {
        format!(
            " Of {} enrolled people who belong in the first {}, {} were listed.",
            mates.of, mates.list_length, mates.found
        )
    });
    Some(format!(
        "{warning} Measured recall on {} at {} images: for somebody who is not enrolled, {}; for somebody who is, {}.{mates}",
        plain(&recall.measured_at),
        grouped(recall.rows),
        shares(&recall.others),
        shares(&recall.mated)
    ))
}

/// The lowest component, and which ones were flagged.
pub fn quality(quality: Option<&Quality>) -> String {
    match quality {
        None => "not known".to_owned(),
        Some(quality) if quality.flags.is_empty() => quality.lowest.to_string(),
        Some(quality) => format!("{} ({} flagged)", quality.lowest, quality.flags.len()),
    }
}

/// The age of the image when the search ran.
pub fn image_age(candidate: &Candidate) -> String {
    candidate.image_age_days.map_or_else(|| "not known".to_owned(), age)
}

/// How the person's case ended, as far as the record tells.
pub fn outcome(candidate: &Candidate) -> String {
    let status = candidate.standing.as_ref().map_or("", |standing| standing.outcome_status.as_str());
    match status {
        "" => "not told by the server".to_owned(),
        "not_applicable" => "not a custody record".to_owned(),
        "no_event" => "no custody event recorded".to_owned(),
        "pending" => "pending: not decided".to_owned(),
        "not_convicted" => "NOT CONVICTED".to_owned(),
        other => plain(&other.replace('_', " ")),
    }
}

/// Why the record is still held.
pub fn held(candidate: &Candidate) -> String {
    let Some(standing) = &candidate.standing else { return "not told by the server".to_owned() };
    let review = if standing.review_overdue { "review overdue since" } else { "next review" };
    let review = format!("{review} {}", plain(&standing.next_review_on));
    let due = plain(&standing.due_since);
    match standing.disposition.as_str() {
        "retain" => format!("a rule retains it; {review}"),
        "due" => format!("NOTHING RETAINS IT since {due}: due for deletion"),
        "held" if due.is_empty() => format!("legal hold; {review}"),
        "held" => format!("legal hold only; due for deletion since {due}"),
        other => plain(other),
    }
}

/// Whom to ask about what is under a protected view. It says nothing of what there is.
pub fn contact_owner(pool: &str, owner: &str) -> String {
    format!(
        "In `{}` a record under a protected view may bear on this search; ask {}, and quote the event id.",
        plain(pool),
        plain(owner)
    )
}

/// The receipt in one line.
pub fn receipt_line(receipt: &Receipt) -> String {
    format!(
        "Receipt: event {}, entry {} of {}, {} (whole with --json; keep it to check the log later)",
        plain(&receipt.event_id),
        receipt.entry_index,
        receipt.tree_size,
        plain(&receipt.occurred_at)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_broken_between_words() {
        let text = paragraph("Caveat", &"word ".repeat(60));
        assert!(
            text.lines().count() == 4 && text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
        assert_eq!(text.split_whitespace().count(), 61);
        assert_eq!(paragraph("A", "b"), "A: b");
    }
}
