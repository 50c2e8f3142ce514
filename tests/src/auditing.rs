//! What tests of the audit have in common: reading the log beside the server, asking as an auditor.
use std::fs;

use likeness_proto::v1::{
    EnrolRequest, RequestContext, SearchRequest, audit_service_client::AuditServiceClient,
};
use likeness_server::{
    audit::{AuditRead as _, AuditReader, Entry},
    keys::VerifierKey,
};
use tonic::{service::interceptor::InterceptedService, transport::Channel};

use crate::{
    client::{Token, context, source},
    faces,
    service::Service,
};

/// A client of `AuditService`.
pub type Auditing = AuditServiceClient<InterceptedService<Channel, Token>>;

/// The log's public key.
#[must_use]
pub fn key(service: &Service) -> VerifierKey {
    let text = fs::read_to_string(service.data().join("keys/audit.pub")).expect("the public key");
    text.trim().parse().expect("a verifier key")
}

/// Entries from a position on, read beside the server.
#[must_use]
pub fn recorded(service: &Service, from: u64) -> Vec<Entry> {
    let log = AuditReader::open(&service.data().join("audit"), key(service), None).expect("the log");
    log.entries(from, 10_000).expect("entries").into_iter().map(|stored| stored.entry).collect()
}

/// Entries in the log.
#[must_use]
pub fn size(service: &Service) -> u64 {
    recorded(service, 0).len() as u64
}

/// A client with a token.
#[must_use]
pub fn auditing(channel: Channel, token: Token) -> Auditing {
    AuditServiceClient::with_interceptor(channel, token)
}

/// A context that may read the log.
#[must_use]
pub fn audit_context() -> Option<RequestContext> {
    Some(context("verify_lawfulness", "AUDIT-1"))
}

/// An enrolment of a synthetic person; the detector finds every one up to number 59.
#[must_use]
pub fn enrol(person: u32, pool: &str) -> EnrolRequest {
    EnrolRequest {
        context: Some(context("record_management", "ENROL-1")),
        pool: pool.into(),
        subject_reference: format!("p{person}"),
        source_reference: format!("p{person}/0"),
        image: faces::plain(person, 0).into(),
        ..EnrolRequest::default()
    }
}

/// A search for person 7, in another capture than the enrolled one.
#[must_use]
pub fn search(pools: &[&str]) -> SearchRequest {
    SearchRequest {
        context: Some(context("criminal_investigation", "OP-1")),
        probe: faces::plain(7, 1).into(),
        source: Some(source()),
        pools: pools.iter().map(|pool| (*pool).into()).collect(),
        candidate_list_length: 5,
        ..SearchRequest::default()
    }
}
