//! The answer of a search for a person at a terminal.

use std::fmt::Write as _;

use likeness_proto::v1::{PoolResult, SearchResponse};

use crate::cli::{
    operating_point::words,
    output,
    text::{grouped, plain, short},
    wording::{self, image_age, paragraph, quality, reads_as, receipt_line},
};

/// Longest reference shown; the JSON and the page have them whole.
const REFERENCE: usize = 36;

/// Table, pools, meaning, caveat and receipt.
pub fn render(answer: &SearchResponse) -> String {
    let mut out = String::new();
    let mode = answer.mode();
    if answer.candidates.is_empty() {
        out.push_str(wording::no_candidate(mode));
        out.push('\n');
    } else {
        let _ = writeln!(out, "{}\n", candidates(answer).trim_fmt());
    }
    for pool in &answer.pools {
        let _ = writeln!(out, "{}", searched(pool));
    }
    for warning in answer.pools.iter().filter_map(wording::may_miss) {
        let _ = writeln!(out, "{}", paragraph("Approximate", &warning));
    }
    for pool in &answer.pools {
        for owner in &pool.contact_owners {
            let _ = writeln!(out, "{}", wording::contact_owner(&pool.pool, owner));
        }
    }
    for used in &answer.operating_points {
        if let Some(point) = &used.operating_point {
            let _ = writeln!(
                out,
                "\nOperating point of `{}`: {}\n{}",
                plain(&used.pool),
                plain(&point.id),
                words::paragraph(point)
            );
        }
    }
    let _ = writeln!(out, "\n{}", paragraph("Mode", &answer.mode_meaning));
    if let Some(meaning) = answer.candidates.first().and_then(|first| first.meaning.as_ref()) {
        let _ = writeln!(
            out,
            "{}",
            paragraph("False positives at the first candidate's similarity", &meaning.text)
        );
    }
    let _ = writeln!(out, "{}", paragraph("Similarity", &answer.similarity_meaning));
    let _ = writeln!(out, "{}", paragraph("Caveat", &answer.caveat));
    if let Some(receipt) = &answer.receipt {
        let _ = write!(out, "{}", receipt_line(receipt));
    }
    out
}

fn candidates(answer: &SearchResponse) -> comfy_table::Table {
    let mut table = output::table([
        "rank",
        "subject",
        "similarity",
        "false positives",
        "reads as",
        "quality of 100",
        "image",
        "pool",
        "image age",
        "outcome",
        "held because",
    ]);
    for candidate in &answer.candidates {
        table.add_row([
            candidate.rank.to_string(),
            short(&candidate.subject_reference, REFERENCE),
            format!("{:.4}", candidate.similarity),
            words::meaning(candidate.meaning.as_ref()),
            reads_as(candidate.above_pack_threshold, answer.pack_threshold),
            quality(candidate.quality.as_ref()),
            short(&candidate.source_reference, REFERENCE),
            short(&candidate.pool, REFERENCE),
            image_age(candidate),
            wording::outcome(candidate),
            wording::held(candidate),
        ]);
    }
    table
}

fn searched(pool: &PoolResult) -> String {
    let name = plain(&pool.pool);
    if pool.searched {
        return format!("Searched `{name}`: {} searchable images.", grouped(pool.gallery_size));
    }
    let why = pool.refusal.as_ref().map_or("no reason given", |refusal| refusal.message.as_str());
    format!("NOT searched `{name}`: {}", plain(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use likeness_proto::v1::{
        Candidate, Recall, RecallShare, Receipt, RecordStanding, Refusal, search_response::Exactness,
    };

    fn answer() -> SearchResponse {
        SearchResponse {
            candidates: vec![Candidate {
                rank: 1,
                subject_reference: "evil\u{1b}[2J\u{202e}\nrow".into(),
                source_reference: "x".repeat(100),
                similarity: 0.5,
                above_pack_threshold: true,
                image_age_days: Some(400),
                standing: Some(RecordStanding {
                    outcome_status: "not_convicted".into(),
                    disposition: "due".into(),
                    due_since: "2026-03-01".into(),
                    ..RecordStanding::default()
                }),
                ..Candidate::default()
            }],
            pools: vec![
                PoolResult {
                    pool: "custody".into(),
                    searched: true,
                    gallery_size: 1234,
                    ..PoolResult::default()
                },
                PoolResult {
                    pool: "missing".into(),
                    refusal: Some(Refusal { message: "purpose not permitted".into(), ..Refusal::default() }),
                    ..PoolResult::default()
                },
            ],
            pack_threshold: 0.4,
            caveat: "A candidate is intelligence, not an identification.".into(),
            receipt: Some(Receipt {
                event_id: "e1".into(),
                entry_index: 4,
                tree_size: 5,
                ..Receipt::default()
            }),
            ..SearchResponse::default()
        }
    }

    #[test]
    fn everything_promised_is_there() {
        let text = render(&answer());
        for part in [
            "0.5000",
            "at or above 0.40",
            "13 months",
            "NOT CONVICTED",
            "1,234",
            "NOT searched `missing`: purpose not permitted",
            "Caveat: A candidate",
            "event e1",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn hostile_references_stay_in_their_cell() {
        let text = render(&answer());
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
        assert_eq!(text.lines().filter(|line| line.contains("evil")).count(), 1);
    }

    #[test]
    fn an_approximate_pool_is_named_with_what_it_misses() {
        // As it reads, wherever its lines were broken.
        let read = |answer: &SearchResponse| -> String {
            render(answer).split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let mut answer = answer();
        assert!(!read(&answer).contains("APPROXIMATE"));
        answer.pools[0].exactness = Exactness::Approximate.into();
        assert!(read(&answer).contains("was APPROXIMATE: the list may miss people"));
        assert!(read(&answer).contains("How many is not measured."));
        answer.pools[0].recall = Some(Recall {
            measured_at: "2026-11-22T10:00:00Z".into(),
            rows: 1234,
            others: vec![RecallShare { list_length: 10, found: 630, of: 640 }],
            mates: Some(RecallShare { list_length: 50, found: 23, of: 24 }),
            ..Recall::default()
        });
        let text = read(&answer);
        for part in [
            "may miss people who belong in it",
            "at 1,234 images: for somebody who is not enrolled, 98.4 % of the right first 10 (630 of 640)",
            "for somebody who is, not measured. Of 24 enrolled people who belong in the first 50, 23 were listed",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn an_empty_answer_still_has_caveat_and_receipt() {
        let text = render(&SearchResponse { candidates: Vec::new(), ..answer() });
        assert!(text.starts_with("No candidate") && text.contains("Caveat") && text.contains("Receipt"));
    }
}
