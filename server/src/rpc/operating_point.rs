//! `OperatingPointService`, and the shapes that search answers share with it.
use likeness_proto::v1::{self, operating_point_service_server::OperatingPointService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, wire};
use crate::{
    points::{GroupRate, Kept, Meaning, Rate},
    service::{CheckAnswer, CheckRequest, PointAnswer, PointList, Rendered},
};

const APPROVE: &str = crate::points::APPROVE;
const LIST: &str = "likeness.v1.OperatingPointService/ListOperatingPoints";
const CHECK: &str = "likeness.v1.OperatingPointService/CheckOperatingPoint";
const REVOKE: &str = "likeness.v1.OperatingPointService/RevokeOperatingPoint";

#[tonic::async_trait]
impl OperatingPointService for Desk {
    async fn approve_operating_point(
        &self,
        request: Request<v1::ApproveOperatingPointRequest>,
    ) -> Result<Response<v1::ApproveOperatingPointResponse>, Status> {
        self.unary(APPROVE, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(APPROVE, message.context, kept);
            service.approve_point(asked, &message.record, &message.tester_key, |answer| {
                wire::rendered(v1::ApproveOperatingPointResponse {
                    operating_point: Some(point(answer)),
                    receipt: None,
                })
            })
        })
        .await
    }

    async fn list_operating_points(
        &self,
        request: Request<v1::ListOperatingPointsRequest>,
    ) -> Result<Response<v1::ListOperatingPointsResponse>, Status> {
        self.unary(LIST, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(LIST, message.context, kept);
            service.list_points(asked, &message.id, render_list)
        })
        .await
    }

    async fn revoke_operating_point(
        &self,
        request: Request<v1::RevokeOperatingPointRequest>,
    ) -> Result<Response<v1::RevokeOperatingPointResponse>, Status> {
        self.unary(REVOKE, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(REVOKE, message.context, kept);
            service.revoke_point(asked, &message.id, &message.reason, |answer| {
                wire::rendered(v1::RevokeOperatingPointResponse {
                    operating_point: Some(point(answer)),
                    receipt: None,
                })
            })
        })
        .await
    }

    async fn check_operating_point(
        &self,
        request: Request<v1::CheckOperatingPointRequest>,
    ) -> Result<Response<v1::CheckOperatingPointResponse>, Status> {
        self.unary(CHECK, request, |service, arrived, mut message| {
            let controls = std::mem::take(&mut message.control_images);
            let kept = message.encode_to_vec();
            let asked = arrived.asked(CHECK, message.context, kept);
            let request = CheckRequest {
                id: message.id,
                pool: message.pool,
                controls,
                control_set: message.control_set,
            };
            service.check_point(asked, &request, checked)
        })
        .await
    }
}

fn checked(answer: &CheckAnswer) -> Rendered<v1::CheckOperatingPointResponse> {
    let applies = &answer.kept.point.applies_to;
    let level = |level: &crate::points::Level| v1::CheckedLevel {
        threshold: level.threshold,
        observed: Some(rate(&level.observed, "")),
        approved: Some(rate(&level.approved, "")),
    };
    wire::rendered(v1::CheckOperatingPointResponse {
        pool: answer.pool.clone(),
        gallery_size: answer.drift.gallery,
        gallery_from: applies.gallery_from,
        gallery_to: applies.gallery_to,
        controls: answer.controls,
        controls_failed: answer.failed,
        levels: answer.drift.levels.iter().map(level).collect(),
        state: answer.drift.state().to_owned(),
        alerts: answer.drift.alerts.clone(),
        notices: answer.drift.notices.clone(),
        receipt: None,
    })
}

fn render_list(list: &PointList) -> Rendered<v1::ListOperatingPointsResponse> {
    wire::rendered(v1::ListOperatingPointsResponse {
        operating_points: list.points.iter().map(point).collect(),
        record: match list.points.as_slice() {
            [only] if list.whole => only.kept.note.clone(),
            _ => String::new(),
        },
        receipt: None,
    })
}

fn point(answer: &PointAnswer) -> v1::OperatingPoint {
    v1::OperatingPoint { state: answer.state.code().to_owned(), ..described(&answer.kept) }
}

/// The operating points that a search used: they were in force, or it would have been refused.
pub(super) fn used(points: &[(String, std::sync::Arc<Kept>)]) -> Vec<v1::OperatingPointUsed> {
    points
        .iter()
        .map(|(pool, kept)| v1::OperatingPointUsed {
            pool: pool.clone(),
            operating_point: Some(v1::OperatingPoint { state: "in_force".to_owned(), ..described(kept) }),
        })
        .collect()
}

fn described(kept: &Kept) -> v1::OperatingPoint {
    let at = &kept.point;
    v1::OperatingPoint {
        id: kept.id.to_string(),
        pack: at.algorithm.pack.clone(),
        space_id: at.algorithm.space_id.clone(),
        pool_kinds: at.applies_to.pool_kinds.iter().map(|kind| wire::kind(*kind).into()).collect(),
        use_cases: at.applies_to.use_cases.iter().cloned().collect(),
        gallery_from: at.applies_to.gallery_from,
        gallery_to: at.applies_to.gallery_to,
        threshold: at.threshold,
        target_fpir: at.target_fpir,
        fpir: Some(rate(&at.fpir, "")),
        fnir: Some(rate(&at.fnir, "")),
        worst_fpir: at.worst.fpir.as_ref().map(group),
        worst_fnir: at.worst.fnir.as_ref().map(group),
        groups_not_measured: at.worst.not_measured.clone().unwrap_or_default(),
        measured_gallery_sizes: at.curve.iter().map(|size| size.references).collect(),
        confidence: at.confidence,
        data_set: at.evidence.data_set.clone(),
        data_set_digest: at.evidence.data_set_digest.clone(),
        report_id: at.evidence.report_id.clone(),
        demonstration_only: at.demonstration_only,
        tester_key: kept.tester_key.to_string(),
        made_at: wire::time(at.made_at),
        expires_on: at.expires_on.to_string(),
        approved_by: kept.approval.by.clone(),
        approved_at: wire::time(kept.approval.at),
        approval_event_id: kept.approval.event.to_string(),
        revoked_by: kept.revocation.as_ref().map(|end| end.by.clone()).unwrap_or_default(),
        revoked_at: kept.revocation.as_ref().map(|end| wire::time(end.at)).unwrap_or_default(),
        revocation_reason: kept.revocation.as_ref().map(|end| end.reason.clone()).unwrap_or_default(),
        state: String::new(),
    }
}

fn group(group: &GroupRate) -> v1::MeasuredRate {
    rate(&group.rate, &group.group)
}

fn rate(rate: &Rate, group: &str) -> v1::MeasuredRate {
    let Rate { count, of, rate, low, high } = *rate;
    v1::MeasuredRate { count, of, rate, low, high, group: group.to_owned() }
}

pub(super) fn meaning(meaning: &Meaning) -> v1::SimilarityMeaning {
    let found = meaning.fpir.as_ref().ok();
    v1::SimilarityMeaning {
        measured: found.is_some(),
        fpir: found.map(|(rate, _)| rate.rate),
        low: found.map(|(rate, _)| rate.low),
        high: found.map(|(rate, _)| rate.high),
        confidence: meaning.confidence,
        false_positives: found.map(|(rate, _)| rate.count).unwrap_or_default(),
        non_mated_searches: found.map(|(rate, _)| rate.of).unwrap_or_default(),
        measured_gallery_size: found.map(|(_, size)| *size).unwrap_or_default(),
        gallery_size: meaning.gallery,
        measured_gallery_sizes: meaning.measured_sizes.clone(),
        operating_point: meaning.point.as_ref().map(ToString::to_string).unwrap_or_default(),
        demonstration: meaning.demonstration,
        approved: meaning.approved,
        text: meaning.text(),
    }
}
