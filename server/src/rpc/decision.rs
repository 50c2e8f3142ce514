//! `DecisionService`.
use likeness_proto::v1::{self, decision_service_server::DecisionService};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{Desk, wire};
use crate::service::{DECISION_RPC, DecisionMade, DecisionRequest, Verdict};

const LIST: &str = "likeness.v1.DecisionService/ListDecisions";

#[tonic::async_trait]
impl DecisionService for Desk {
    async fn record_decision(
        &self,
        request: Request<v1::RecordDecisionRequest>,
    ) -> Result<Response<v1::RecordDecisionResponse>, Status> {
        self.unary(DECISION_RPC, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let verdict = match message.decision() {
                v1::Decision::Unspecified => None,
                v1::Decision::PossibleMatch => Some(Verdict::PossibleMatch),
                v1::Decision::NoMatch => Some(Verdict::NoMatch),
                v1::Decision::Inconclusive => Some(Verdict::Inconclusive),
            };
            let asked = arrived.asked(DECISION_RPC, message.context, kept);
            let request = DecisionRequest {
                pool: message.pool,
                search: message.search_event_id,
                subject: message.subject_id,
                verdict,
                reason: message.reason,
                stage: message.stage,
                first: message.first_event_id,
            };
            service.record_decision(asked, &request, |made| {
                wire::rendered(v1::RecordDecisionResponse { decision: Some(decision(made)), receipt: None })
            })
        })
        .await
    }

    async fn list_decisions(
        &self,
        request: Request<v1::ListDecisionsRequest>,
    ) -> Result<Response<v1::ListDecisionsResponse>, Status> {
        self.unary(LIST, request, |service, arrived, message| {
            let kept = message.encode_to_vec();
            let asked = arrived.asked(LIST, message.context, kept);
            service.list_decisions(asked, &message.pool, &message.search_event_id, |list| {
                wire::rendered(v1::ListDecisionsResponse {
                    decisions: list.decisions.iter().map(decision).collect(),
                    receipt: None,
                })
            })
        })
        .await
    }
}

fn decision(made: &DecisionMade) -> v1::RecordedDecision {
    let (verdict, reason) = match &made.opinion {
        None => (v1::Decision::Unspecified, String::new()),
        Some((Verdict::PossibleMatch, reason)) => (v1::Decision::PossibleMatch, reason.clone()),
        Some((Verdict::NoMatch, reason)) => (v1::Decision::NoMatch, reason.clone()),
        Some((Verdict::Inconclusive, reason)) => (v1::Decision::Inconclusive, reason.clone()),
    };
    v1::RecordedDecision {
        event_id: made.event.map(|event| event.to_string()).unwrap_or_default(),
        search_event_id: made.search.to_string(),
        subject_id: made.subject.to_string(),
        stage: made.stage,
        decision: verdict.into(),
        reason,
        person: made.person.clone(),
        organisation: made.organisation.clone(),
        decided_at: wire::time(made.decided_at),
        seconds_since_search: made.seconds_since_search,
        first_event_id: made.first.map(|event| event.to_string()).unwrap_or_default(),
    }
}
