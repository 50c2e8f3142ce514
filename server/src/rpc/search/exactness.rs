//! What a search promises of its list, on the wire.
use likeness_matcher::index::{Exactness, Recall, Share};
use likeness_proto::v1::{self, search_response};

use crate::rpc::wire;

/// Unspecified where nothing was searched.
pub(super) fn of(exactness: Option<&Exactness>) -> search_response::Exactness {
    match exactness {
        None => search_response::Exactness::Unspecified,
        Some(Exactness::Exact) => search_response::Exactness::Exact,
        Some(Exactness::Certified) => search_response::Exactness::Certified,
        // Whatever else there will be promises less than what is known here.
        Some(_) => search_response::Exactness::Approximate,
    }
}

/// What was measured, where lists are approximate.
pub(super) fn recall(exactness: &Exactness) -> Option<v1::Recall> {
    match exactness {
        Exactness::Approximate { recall } => recall.as_ref().map(message),
        _ => None,
    }
}

fn message(recall: &Recall) -> v1::Recall {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let share = |share: &Share| v1::RecallShare {
        list_length: count(share.list_length),
        found: share.found,
        of: share.of,
    };
    v1::Recall {
        measured_at: jiff::Timestamp::try_from(recall.at).map(wire::time).unwrap_or_default(),
        rows: recall.rows as u64,
        mated_probes: count(recall.mated_probes),
        other_probes: count(recall.other_probes),
        mated: if recall.mated_probes == 0 { Vec::new() } else { recall.mated.iter().map(share).collect() },
        mates: (recall.mated_probes > 0).then(|| share(&recall.mates)),
        others: recall.others.iter().map(share).collect(),
    }
}
