//! Ledgers, reports and referrals: wire to domain and back.
use likeness_proto::v1;

use crate::{
    rpc::wire,
    service::{
        LedgerLine, ReconcileRequest, Reconciliation, ReferralBody, ReferralRequest, Rendered, ReportKind,
        ReportRequest,
    },
};

pub(super) fn reconcile(sent: v1::ReconcileRequest) -> ReconcileRequest {
    ReconcileRequest {
        system: sent.system_name,
        from: sent.from,
        until: sent.until,
        ledger: sent
            .ledger
            .into_iter()
            .map(|line| LedgerLine { reference: line.reference_id, event: line.event_id })
            .collect(),
    }
}

pub(super) fn render_reconciliation(found: &Reconciliation) -> Rendered<v1::ReconcileResponse> {
    let lines = |lines: &[LedgerLine]| {
        let line = |line: &LedgerLine| v1::LedgerLine {
            reference_id: line.reference.clone(),
            event_id: line.event.clone(),
        };
        lines.iter().map(line).collect()
    };
    wire::rendered(v1::ReconcileResponse {
        matched: found.matched,
        only_here: lines(&found.only_here),
        only_there: lines(&found.only_there),
        only_here_count: found.only_here_count,
        only_there_count: found.only_there_count,
        receipt: None,
    })
}

pub(super) fn report(sent: v1::GetReportRequest) -> ReportRequest {
    use v1::get_report_request::Kind;
    let kind = match sent.kind() {
        Kind::Unspecified => None,
        Kind::Statistics => Some(ReportKind::Statistics),
        Kind::AccessList => Some(ReportKind::AccessList),
        Kind::Anomalies => Some(ReportKind::Anomalies),
        Kind::DpiaFacts => Some(ReportKind::DpiaFacts),
    };
    ReportRequest { kind, from: sent.from, until: sent.until }
}

pub(super) fn referral(sent: v1::RecordReferralRequest) -> ReferralRequest {
    use v1::record_referral_request::Body;
    let body = match sent.body() {
        Body::Unspecified => None,
        Body::LineManager => Some(ReferralBody::LineManager),
        Body::ProfessionalStandards => Some(ReferralBody::ProfessionalStandards),
    };
    ReferralRequest { event: sent.event_id, body, organisation: sent.organisation }
}
