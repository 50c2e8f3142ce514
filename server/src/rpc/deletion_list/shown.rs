//! What the calls about deletion lists answer, as messages.
use likeness_proto::v1;

use crate::{
    retention::deletion_list::{Acknowledgement, Answered},
    rpc::wire,
    service::{AgeingAnswer, DeletionListRead, DeletionListSummary, ListReconciled},
};

pub(super) fn summary(list: &DeletionListSummary) -> v1::DeletionListSummary {
    let (heading, tally) = (&list.heading, &list.tally);
    v1::DeletionListSummary {
        id: heading.id.clone(),
        pool: heading.pool.clone(),
        force: heading.force.clone(),
        made_at: wire::time(heading.made_at),
        made_by: heading.authority.clone(),
        rules_version: heading.rules_version.clone(),
        rules_digest: heading.rules.clone(),
        acknowledge_by: heading.acknowledge_by.to_string(),
        overdue: list.overdue,
        lines: tally.lines,
        open: tally.open,
        deleted: tally.deleted,
        retained: tally.retained,
        not_found: tally.not_found,
        erased: tally.erased,
        number: list.number,
    }
}

/// What was answered, and why.
fn answered(said: Option<&Acknowledgement>) -> (String, String) {
    let reason = match said.map(|said| &said.answered) {
        Some(Answered::Retained { reason }) => reason.clone(),
        Some(Answered::Deleted | Answered::NotFound) | None => String::new(),
    };
    (said.map(|said| said.answered.code().to_owned()).unwrap_or_default(), reason)
}

/// Without the list itself.
pub(super) fn read(read: &DeletionListRead) -> v1::GetDeletionListResponse {
    let lines = read.lines.iter().map(|line| {
        let said = line.progress.acknowledgement.as_ref();
        let (answered, reason) = answered(said);
        v1::DeletionListLine {
            image_id: line.progress.image_id.clone(),
            subject_id: line.subject.to_string(),
            answered,
            answered_on: said.map(|said| said.on.to_string()).unwrap_or_default(),
            answered_by: said.map(|said| said.by.clone()).unwrap_or_default(),
            reason,
            erased: line.erased,
        }
    });
    v1::GetDeletionListResponse {
        list: Some(summary(&read.list)),
        lines: lines.collect(),
        statement: read.list.heading.statement.clone(),
        ..v1::GetDeletionListResponse::default()
    }
}

pub(super) fn ageing(aged: &AgeingAnswer) -> v1::GetDeletionListAgeingResponse {
    let days = |days: i32| u32::try_from(days).unwrap_or_default();
    let forces = aged.forces.iter().map(|of| v1::ForceAgeing {
        force: of.force.clone(),
        lists: of.lists,
        lines: of.lines,
        most_days_late: days(of.most_days_late),
    });
    let late = aged.late.iter().map(|shown| v1::LateLine {
        list_id: shown.late.list.clone(),
        force: shown.late.force.clone(),
        image_id: shown.late.image_id.clone(),
        subject_id: shown.subject.to_string(),
        acknowledge_by: shown.late.acknowledge_by.to_string(),
        days_late: days(shown.late.days_late),
    });
    let unlisted = aged.unlisted.clone().unwrap_or_default();
    v1::GetDeletionListAgeingResponse {
        forces: forces.collect(),
        late: late.collect(),
        unlisted: unlisted.images,
        unlisted_erased_at: unlisted.first_erased_at.map(wire::time).unwrap_or_default(),
        receipt: None,
    }
}

pub(super) fn reconciled(found: &ListReconciled) -> v1::ReconcileDeletionListResponse {
    let differ = found.differ.iter().map(|one| {
        let (answered, reason) = answered(one.acknowledgement.as_ref());
        v1::ListDifference {
            image_id: one.image_id.clone(),
            subject_id: one.subject.to_string(),
            difference: one.difference.code().to_owned(),
            national: one.national.code().to_owned(),
            answered,
            reason,
        }
    });
    v1::ReconcileDeletionListResponse {
        list: Some(summary(&found.list)),
        agreed: found.agreed,
        differ: differ.collect(),
        receipt: None,
    }
}
