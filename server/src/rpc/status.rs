//! Refusals as gRPC statuses. One exhaustive match; whoever adds a kind of refusal decides here what the caller sees.
use bytes::Bytes;
use likeness_proto::v1;
use prost::Message as _;
use tonic::{
    Code, Status,
    metadata::{MetadataMap, MetadataValue},
};

use super::wire;
use crate::service::{Refusal, RefusalKind, Unanswered};

/// Metadata that holds the encoded `Refusal`.
pub(super) const REFUSAL: &str = "likeness-refusal-bin";
/// Metadata that holds the encoded `Receipt` of the refusal.
pub(super) const RECEIPT: &str = "likeness-receipt-bin";
/// Metadata that holds the audit event of the refusal.
pub(super) const EVENT: &str = "likeness-event-id";

/// The wire code of each kind of refusal.
pub(super) fn code(kind: RefusalKind) -> Code {
    match kind {
        RefusalKind::Invalid => Code::InvalidArgument,
        RefusalKind::Unauthenticated => Code::Unauthenticated,
        RefusalKind::Denied => Code::PermissionDenied,
        RefusalKind::NotFound => Code::NotFound,
        RefusalKind::AlreadyExists => Code::AlreadyExists,
        RefusalKind::Busy => Code::ResourceExhausted,
        RefusalKind::Deadline => Code::DeadlineExceeded,
        RefusalKind::Unavailable => Code::Unavailable,
        RefusalKind::Fault => Code::Internal,
    }
}

/// What the caller gets instead of an answer.
pub(super) fn unanswered(unanswered: Unanswered) -> Status {
    match unanswered {
        Unanswered::Refused { refusal, receipt } => refused(&refusal, &receipt, code(refusal.kind)),
        // No receipt exists, so nothing is said about the request.
        Unanswered::Unrecorded(_) => {
            Status::unavailable("the audit log cannot record requests, so none is answered; try again later")
        }
    }
}

/// The same, under another code: for calls that never reached an operation.
pub(super) fn unanswered_as(code: Code, given: Unanswered) -> Status {
    match given {
        Unanswered::Refused { refusal, receipt } => refused(&refusal, &receipt, code),
        unrecorded @ Unanswered::Unrecorded(_) => unanswered(unrecorded),
    }
}

fn refused(refusal: &Refusal, receipt: &crate::audit::Receipt, code: Code) -> Status {
    let told = wire::refusal(refusal).encode_to_vec();
    let proof = wire::receipt(receipt);
    let event = proof.event_id.clone();
    let proof = proof.encode_to_vec();
    let mut metadata = MetadataMap::new();
    metadata.insert_bin(REFUSAL, MetadataValue::from_bytes(&told));
    metadata.insert_bin(RECEIPT, MetadataValue::from_bytes(&proof));
    if let Ok(event) = event.parse() {
        metadata.insert(EVENT, event);
    }
    let details = RpcStatus {
        code: code as i32,
        message: refusal.message.clone(),
        details: vec![
            Any { type_url: type_url("Refusal"), value: told },
            Any { type_url: type_url("Receipt"), value: proof },
        ],
    };
    let details = Bytes::from(details.encode_to_vec());
    Status::with_details_and_metadata(code, refusal.message.clone(), details, metadata)
}

/// True for a status that was recorded, or that could not be.
pub(super) fn is_settled(status: &Status) -> bool {
    status.metadata().contains_key(EVENT) || status.code() == Code::Unavailable
}

fn type_url(message: &str) -> String {
    format!("type.googleapis.com/likeness.v1.{message}")
}

/// `google.rpc.Status`: the form in which every gRPC library looks for details.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// A response that takes receipts: nothing is sent without one.
pub(super) trait Receipted {
    /// Adds the receipt of the interaction.
    fn receipt(&mut self, receipt: v1::Receipt);
}

macro_rules! receipted {
    ($($response:ident),*) => {$(
        impl Receipted for v1::$response {
            fn receipt(&mut self, receipt: v1::Receipt) {
                self.receipt = Some(receipt);
            }
        }
    )*};
}

receipted!(
    CreateBackupResponse,
    EnrolResponse,
    SetEnrolledResponse,
    SearchResponse,
    CompareResponse,
    GetSubjectResponse,
    GetImageResponse,
    CreatePoolResponse,
    ListPoolsResponse,
    GetCheckpointResponse,
    GetInclusionProofResponse,
    GetConsistencyProofResponse,
    QueryEntriesResponse,
    ReplayResponse,
    ExportResponse,
    ApproveOperatingPointResponse,
    ListOperatingPointsResponse,
    CheckOperatingPointResponse,
    RevokeOperatingPointResponse,
    ReconcileResponse,
    GetReportResponse,
    RecordReferralResponse,
    CollectSubjectResponse,
    StartMigrationResponse,
    GetMigrationResponse,
    SwitchMigrationResponse,
    RollBackMigrationResponse,
    RetireMigrationResponse,
    GetRetentionResponse,
    AlterRetentionResponse,
    ListRetentionResponse,
    GetRetentionNumbersResponse,
    RunRetentionResponse,
    GetRulesResponse,
    SimulateRulesResponse,
    ActivateRulesResponse,
    EraseSubjectResponse,
    GetCertificateResponse,
    GetWithdrawnResponse,
    ListReimportsResponse,
    DecideReimportResponse,
    ProtectResponse,
    UnprotectResponse,
    ListProtectedResponse,
    RecordDecisionResponse,
    ListDecisionsResponse,
    ReceiveApplicationResponse,
    DecideApplicationResponse,
    AppealApplicationResponse,
    DecideAppealResponse,
    GetApplicationsResponse,
    ListApplicationsResponse,
    GetApplicationStatisticsResponse,
    MakeDeletionListResponse,
    ListDeletionListsResponse,
    GetDeletionListResponse,
    AcknowledgeDeletionListResponse,
    GetDeletionListAgeingResponse,
    ReconcileDeletionListResponse
);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_of_refusal_has_its_own_code_and_none_is_ok() {
        let codes: BTreeSet<i32> = RefusalKind::ALL.into_iter().map(|kind| code(kind) as i32).collect();
        assert_eq!(codes.len(), RefusalKind::ALL.len());
        assert!(!codes.contains(&(Code::Ok as i32)) && !codes.contains(&(Code::Unknown as i32)));
    }

    #[test]
    fn an_unrecorded_request_learns_nothing() {
        let status = unanswered(Unanswered::Unrecorded(crate::audit::AuditError::Busy));
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.details().is_empty() && status.metadata().is_empty());
        assert!(is_settled(&status));
    }
}
