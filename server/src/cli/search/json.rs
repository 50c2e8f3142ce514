//! The answer of a search as JSON.

use likeness_proto::v1::{
    Candidate, PoolResult, Recall, RecallShare, RecordStanding, SearchResponse,
    search_response::{Exactness, Mode},
};
use serde_json::{Value, json};

use crate::cli::{json as part, operating_point::words};

/// The whole answer.
pub fn render(answer: &SearchResponse) -> Value {
    json!({
        "candidates": answer.candidates.iter().map(candidate).collect::<Value>(),
        "pools": answer.pools.iter().map(pool).collect::<Value>(),
        "mode": match answer.mode() {
            Mode::Unspecified => Value::Null,
            Mode::Investigation => "investigation".into(),
            Mode::Identification => "identification".into(),
        },
        "mode_meaning": answer.mode_meaning,
        "operating_points": answer.operating_points.iter().map(|used| json!({
            "pool": used.pool,
            "operating_point": used.operating_point.as_ref().map(words::json),
        })).collect::<Value>(),
        "exactness": exactness(answer.exactness()),
        "algorithm": part::algorithm(answer.algorithm.as_ref()),
        "probe": {
            "face": part::maybe_face(answer.probe_face.as_ref()),
            "faces": part::faces(&answer.faces),
            "quality": part::quality(answer.probe_quality.as_ref()),
        },
        "similarity_meaning": answer.similarity_meaning,
        "pack_threshold": answer.pack_threshold,
        "caveat": answer.caveat,
        "receipt": part::maybe_receipt(answer.receipt.as_ref()),
    })
}

fn candidate(candidate: &Candidate) -> Value {
    json!({
        "rank": candidate.rank,
        "subject": candidate.subject_reference,
        "image": candidate.source_reference,
        "similarity": candidate.similarity,
        "above_pack_threshold": candidate.above_pack_threshold,
        "meaning": words::meaning_json(candidate.meaning.as_ref()),
        "pool": candidate.pool,
        "pool_kind": part::kind(candidate.pool_kind()),
        "subject_id": candidate.subject_id,
        "image_id": candidate.image_id,
        "source_system": candidate.source_system,
        "quality": part::quality(candidate.quality.as_ref()),
        "capture_date": part::text(&candidate.capture_date),
        "image_age_days": candidate.image_age_days,
        "capture_circumstance": part::text(&candidate.capture_circumstance),
        "details": part::details(candidate.details.as_ref()),
        "standing": candidate.standing.as_ref().map(standing),
        "protection": candidate.protection.as_ref().map(crate::cli::protect::mark_json),
    })
}

fn standing(standing: &RecordStanding) -> Value {
    json!({
        "outcome_status": standing.outcome_status,
        "disposition": standing.disposition,
        "due_since": part::text(&standing.due_since),
        "next_review_on": part::text(&standing.next_review_on),
        "review_overdue": standing.review_overdue,
    })
}

fn exactness(exactness: Exactness) -> Value {
    match exactness {
        Exactness::Unspecified => Value::Null,
        Exactness::Exact => "exact".into(),
        Exactness::Certified => "certified".into(),
        Exactness::Approximate => "approximate".into(),
    }
}

fn recall(recall: &Recall) -> Value {
    let share = |share: &RecallShare| json!({ "list_length": share.list_length, "found": share.found, "of": share.of });
    json!({
        "measured_at": recall.measured_at,
        "rows": recall.rows,
        "mated_probes": recall.mated_probes,
        "other_probes": recall.other_probes,
        "mates": recall.mates.as_ref().map(share),
        "mated": recall.mated.iter().map(share).collect::<Value>(),
        "others": recall.others.iter().map(share).collect::<Value>(),
    })
}

fn pool(pool: &PoolResult) -> Value {
    json!({
        "pool": pool.pool,
        "searched": pool.searched,
        "gallery_size": pool.gallery_size,
        "contact_owners": pool.contact_owners,
        "exactness": exactness(pool.exactness()),
        "recall": pool.recall.as_ref().map(recall),
        "refusal": pool.refusal.as_ref().map(part::refusal),
        "receipt": part::maybe_receipt(pool.receipt.as_ref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_have_the_promised_keys() {
        let answer = SearchResponse {
            candidates: vec![Candidate {
                rank: 1,
                subject_reference: "S\"1".into(),
                source_reference: "S\"1/a.jpg".into(),
                similarity: 0.75,
                ..Candidate::default()
            }],
            ..SearchResponse::default()
        };
        let value = render(&answer);
        let first = &value["candidates"][0];
        assert_eq!(first["rank"], 1);
        assert_eq!(first["subject"], "S\"1");
        assert_eq!(first["image"], "S\"1/a.jpg");
        assert_eq!(first["similarity"], 0.75);
        assert!(first["image_age_days"].is_null());
        assert!(value["receipt"].is_null());
    }

    #[test]
    fn an_approximate_pool_says_so_with_its_recall() {
        let share = |list_length, found| RecallShare { list_length, found, of: 640 };
        let recall = Recall { rows: 9, others: vec![share(10, 639)], ..Recall::default() };
        let approximate = Exactness::Approximate.into();
        let answer = SearchResponse {
            pools: vec![
                PoolResult { exactness: approximate, recall: Some(recall), ..PoolResult::default() },
                PoolResult { exactness: approximate, ..PoolResult::default() },
                PoolResult { exactness: Exactness::Certified.into(), ..PoolResult::default() },
            ],
            exactness: approximate,
            ..SearchResponse::default()
        };
        let value = render(&answer);
        assert_eq!(value["exactness"], "approximate");
        assert_eq!(value["pools"][0]["recall"]["others"][0]["found"], 639);
        assert_eq!(value["pools"][1]["exactness"], "approximate");
        assert!(value["pools"][1]["recall"].is_null());
        assert_eq!(value["pools"][2]["exactness"], "certified");
    }
}
