//! `AuditService`.
use bytes::Bytes;
use likeness_proto::{
    ANSWERS, CALLS,
    v1::{self, audit_service_server::AuditService},
};
use prost::Message as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{Desk, desk::Slot, wire};
use crate::{
    audit::{Consistency, Inclusion, StoredEntry, Stub},
    service::{
        CollectRequest, EntryChoice, ExportRequest, Exported, FilterFields, HeadAnswer, ProofAnswer,
        QueryAnswer, QueryRequest, Rendered, ReplayAnswer,
    },
};

mod export;
mod review;

const CHECKPOINT: &str = "likeness.v1.AuditService/GetCheckpoint";
const INCLUSION: &str = "likeness.v1.AuditService/GetInclusionProof";
const CONSISTENCY: &str = "likeness.v1.AuditService/GetConsistencyProof";
const QUERY: &str = "likeness.v1.AuditService/QueryEntries";
const REPLAY: &str = "likeness.v1.AuditService/Replay";
const RECONCILE: &str = "likeness.v1.AuditService/Reconcile";
const REPORT: &str = "likeness.v1.AuditService/GetReport";
const REFERRAL: &str = "likeness.v1.AuditService/RecordReferral";
const COLLECT: &str = "likeness.v1.AuditService/CollectSubject";
const EXPORT: &str = "likeness.v1.AuditService/Export";

#[tonic::async_trait]
impl AuditService for Desk {
    type ExportStream = ReceiverStream<Result<v1::ExportResponse, Status>>;

    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointResponse>, Status> {
        self.unary(CHECKPOINT, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            service.audit_head(arrived.asked(CHECKPOINT, message.context, kept), render_head)
        })
        .await
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<v1::GetInclusionProofRequest>,
    ) -> Result<Response<v1::GetInclusionProofResponse>, Status> {
        self.unary(INCLUSION, request, |service, arrived, message| {
            use v1::get_inclusion_proof_request::Entry;
            let kept = message.encode_to_vec();
            let asked = arrived.asked(INCLUSION, message.context, kept);
            let choice = match message.entry {
                Some(Entry::EventId(event)) => EntryChoice::Event(event),
                Some(Entry::EntryIndex(index)) => EntryChoice::Index(index),
                None => EntryChoice::Absent,
            };
            service.prove_inclusion(asked, &choice, message.tree_size, render_inclusion)
        })
        .await
    }

    async fn get_consistency_proof(
        &self,
        request: Request<v1::GetConsistencyProofRequest>,
    ) -> Result<Response<v1::GetConsistencyProofResponse>, Status> {
        self.unary(CONSISTENCY, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(CONSISTENCY, message.context, kept);
            service.prove_consistency(asked, message.first_size, message.second_size, render_consistency)
        })
        .await
    }

    async fn query_entries(
        &self,
        request: Request<v1::QueryEntriesRequest>,
    ) -> Result<Response<v1::QueryEntriesResponse>, Status> {
        self.unary(QUERY, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(QUERY, message.context, kept);
            let request = QueryRequest {
                filter: filter(message.filter.unwrap_or_default()),
                start_index: message.start_index,
                limit: message.limit,
                latest: message.latest,
            };
            service.query_audit(asked, &request, render_query)
        })
        .await
    }

    async fn replay(
        &self,
        request: Request<v1::ReplayRequest>,
    ) -> Result<Response<v1::ReplayResponse>, Status> {
        self.unary(REPLAY, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(REPLAY, message.context, kept);
            let with_probe = message.with_probe;
            service.replay(asked, &message.event_id, |answer| render_replay(answer, with_probe))
        })
        .await
    }

    async fn reconcile(
        &self,
        request: Request<v1::ReconcileRequest>,
    ) -> Result<Response<v1::ReconcileResponse>, Status> {
        self.unary(RECONCILE, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(RECONCILE, message.context.clone(), kept);
            service.reconcile(asked, &review::reconcile(message), review::render_reconciliation)
        })
        .await
    }

    async fn get_report(
        &self,
        request: Request<v1::GetReportRequest>,
    ) -> Result<Response<v1::GetReportResponse>, Status> {
        self.unary(REPORT, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(REPORT, message.context.clone(), kept);
            service.report(asked, &review::report(message), |json| {
                wire::rendered(v1::GetReportResponse { json: json.to_owned(), receipt: None })
            })
        })
        .await
    }

    async fn record_referral(
        &self,
        request: Request<v1::RecordReferralRequest>,
    ) -> Result<Response<v1::RecordReferralResponse>, Status> {
        self.unary(REFERRAL, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(REFERRAL, message.context.clone(), kept);
            service.refer(asked, &review::referral(message), || {
                wire::rendered(v1::RecordReferralResponse { receipt: None })
            })
        })
        .await
    }

    async fn collect_subject(
        &self,
        request: Request<v1::CollectSubjectRequest>,
    ) -> Result<Response<v1::CollectSubjectResponse>, Status> {
        self.unary(COLLECT, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(COLLECT, message.context, kept);
            let request = CollectRequest {
                pool: message.pool,
                subject: message.subject_id,
                recipient: message.recipient,
            };
            service.collect_subject(asked, &request, |json| {
                wire::rendered(v1::CollectSubjectResponse { json: json.to_owned(), receipt: None })
            })
        })
        .await
    }

    async fn export(
        &self,
        request: Request<v1::ExportRequest>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        // Kept beyond the unary part: the room is taken until the last entry has left.
        let slot = request.extensions().get::<Slot>().cloned();
        let first = self
            .unary(EXPORT, request, |service, arrived, message| {
                let kept = message.encode_to_vec();
                let asked = arrived.asked(EXPORT, message.context, kept);
                let to = ExportRequest {
                    recipient: message.recipient,
                    organisation: message.recipient_organisation,
                };
                service.export_audit(asked, &to, render_export)
            })
            .await?;
        Ok(Response::new(export::stream(self, slot, first.into_inner())))
    }
}

fn filter(sent: v1::EntryFilter) -> FilterFields {
    FilterFields {
        person: sent.person,
        organisation: sent.organisation,
        subject_id: sent.subject_id,
        image_id: sent.image_id,
        probe_sha256: sent.probe_sha256.to_vec(),
        system_name: sent.system_name,
        reference_id: sent.reference_id,
        purpose_code: sent.purpose_code,
        pool: sent.pool,
        operation: sent.operation,
        outcome: sent.outcome,
        rpc: sent.rpc,
        event_id: sent.event_id,
        from: sent.from,
        until: sent.until,
    }
}

fn render_head(answer: &HeadAnswer) -> Rendered<v1::GetCheckpointResponse> {
    wire::rendered(v1::GetCheckpointResponse {
        checkpoint: answer.head.checkpoint.clone(),
        public_key: answer.public_key.clone(),
        tree_size: answer.head.size,
        root: hash(&answer.head.root),
        receipt: None,
    })
}

fn render_inclusion(answer: &ProofAnswer<Inclusion>) -> Rendered<v1::GetInclusionProofResponse> {
    let proof = &answer.proof;
    wire::rendered(v1::GetInclusionProofResponse {
        entry_index: proof.index,
        leaf_hash: hash(&proof.leaf),
        tree_size: proof.size,
        root: hash(&proof.root),
        path: proof.path.iter().map(hash).collect(),
        checkpoint: answer.checkpoints.first().cloned().unwrap_or_default(),
        receipt: None,
    })
}

fn render_consistency(answer: &ProofAnswer<Consistency>) -> Rendered<v1::GetConsistencyProofResponse> {
    let proof = &answer.proof;
    wire::rendered(v1::GetConsistencyProofResponse {
        first_size: proof.first,
        second_size: proof.second,
        first_root: hash(&proof.first_root),
        second_root: hash(&proof.second_root),
        path: proof.path.iter().map(hash).collect(),
        first_checkpoint: answer.checkpoints.first().cloned().unwrap_or_default(),
        second_checkpoint: answer.checkpoints.last().cloned().unwrap_or_default(),
        receipt: None,
    })
}

fn render_query(answer: &QueryAnswer) -> Rendered<v1::QueryEntriesResponse> {
    wire::rendered(v1::QueryEntriesResponse {
        entries: answer.entries.iter().map(entry).collect(),
        next_index: answer.next_index,
        withheld_own: answer.withheld_own,
        looked_at: answer.looked_at,
        receipt: None,
    })
}

fn render_replay(answer: &ReplayAnswer, with_probe: bool) -> Rendered<v1::ReplayResponse> {
    let rpc = answer.stored.entry.rpc.as_str();
    let answered = CALLS.iter().position(|call| *call == rpc).map(|at| ANSWERS[at].to_owned());
    let response = answer.content.response.as_ref().map(|kept| {
        let mut sent = kept.clone();
        // Every answer has its receipt as the last field: what was kept, followed by it, is what was sent.
        sent.extend(OnlyReceipt { receipt: Some(wire::receipt(&answer.receipt)) }.encode_to_vec());
        Bytes::from(sent)
    });
    wire::rendered(v1::ReplayResponse {
        event_id: answer.stored.entry.event_id.to_string(),
        rpc: rpc.to_owned(),
        response_type: answered.unwrap_or_default(),
        response: response.unwrap_or_default(),
        request: answer.content.request.clone().unwrap_or_default().into(),
        probe: answer.content.probe.clone().filter(|_| with_probe).unwrap_or_default().into(),
        entry: Some(entry(&answer.stored)),
        receipt: None,
    })
}

fn render_export(answer: &Exported) -> Rendered<v1::ExportResponse> {
    wire::rendered(v1::ExportResponse {
        public_key: answer.public_key.clone(),
        ..v1::ExportResponse::default()
    })
}

/// Any answer, when only its receipt is known.
#[derive(Clone, PartialEq, prost::Message)]
struct OnlyReceipt {
    #[prost(message, optional, tag = "100")]
    receipt: Option<v1::Receipt>,
}

fn entry(stored: &StoredEntry) -> v1::AuditEntry {
    v1::AuditEntry {
        index: stored.index,
        body: stored.body.clone().into(),
        hash: hash(&stored.hash),
        expired_event_id: String::new(),
    }
}

fn forgotten(stub: &Stub) -> v1::AuditEntry {
    v1::AuditEntry {
        index: stub.index,
        body: Bytes::new(),
        hash: hash(&stub.hash),
        expired_event_id: stub.event.to_string(),
    }
}

fn hash(hash: &[u8; 32]) -> Bytes {
    Bytes::copy_from_slice(hash)
}
