//! Applications for deletion as tests make them: one that is received, what is stored of it, and one that goes through every call.
use std::path::Path;

use likeness_proto::v1::{
    AppealApplicationRequest, DecideAppealRequest, DecideApplicationRequest, GetApplicationStatisticsRequest,
    GetApplicationsRequest, ListApplicationsRequest, ReceiveApplicationRequest, StatedDecision,
    deletion_application_service_client::DeletionApplicationServiceClient as Client,
    get_applications_request, receive_application_request,
};
use rusqlite::Connection;
use tonic::transport::Channel;

use crate::{
    client::{Token, context},
    ledger::Ledger,
};

/// What a person says in [`receive`]; looked for in files.
pub const GROUNDS: &str = "canary grounds 2d6f: I was never charged";

/// Takes an application about a subject in.
///
/// # Panics
/// When the call fails.
pub async fn receive(channel: &Channel, token: &Token, pool: &str, subject: &str) {
    let request = ReceiveApplicationRequest {
        context: Some(context("record_management", "APPLICATION-1")),
        pool: pool.into(),
        subject: Some(receive_application_request::Subject::SubjectId(subject.into())),
        force: "kent".into(),
        received_on: String::new(),
        grounds: GROUNDS.into(),
    };
    let mut client = Client::with_interceptor(channel.clone(), token.clone());
    client.receive_application(request).await.expect("an answer");
}

/// The one application of a pool as it lies sealed in the record file.
///
/// # Panics
/// When there is none, or more than one.
#[must_use]
pub fn sealed(data: &Path, pool: &str) -> Vec<u8> {
    let records =
        Connection::open(data.join("pools").join(pool).join("records.sqlite")).expect("the records");
    let one = "SELECT sealed FROM application WHERE (SELECT count(*) FROM application) = 1";
    records.query_row(one, [], |row| row.get(0)).expect("one application")
}

/// Somebody asks that their record be deleted, and is refused twice, by two people.
///
/// # Panics
/// When a call fails, or is not recorded as what it is.
pub async fn refused_twice(
    ledger: &mut Ledger<'_>,
    channel: &Channel,
    (me, second): (Token, Token),
    subject: &str,
) {
    let asked = || Some(context("record_management", "APPLICATION-1"));
    let pool = || String::from("cells");
    let mut handling = Client::with_interceptor(channel.clone(), me);
    let request = ReceiveApplicationRequest {
        context: asked(),
        pool: pool(),
        subject: Some(receive_application_request::Subject::SubjectId(subject.to_owned())),
        force: "kent".into(),
        ..ReceiveApplicationRequest::default()
    };
    let application_id = handling
        .receive_application(request)
        .await
        .expect("an answer")
        .into_inner()
        .application
        .expect("an application")
        .id;
    ledger.check("DeletionApplicationService/ReceiveApplication");
    let decision = Some(StatedDecision {
        verdict: "refused".into(),
        seniority: "chief_officer".into(),
        authority: "the chief officer".into(),
        reason: "asked by a test".into(),
        policing_purpose: "the purpose of a test".into(),
        exceptional_reason: "the reason of a test".into(),
        why_highly_exceptional: "the weight of a test".into(),
    });
    let request = DecideApplicationRequest {
        context: asked(),
        pool: pool(),
        application_id: application_id.clone(),
        decision: decision.clone(),
    };
    handling.decide_application(request).await.expect("an answer");
    ledger.check("DeletionApplicationService/DecideApplication");
    let request = AppealApplicationRequest {
        context: asked(),
        pool: pool(),
        application_id: application_id.clone(),
        received_on: String::new(),
        grounds: "asked again by a test".into(),
    };
    handling.appeal_application(request).await.expect("an answer");
    ledger.check("DeletionApplicationService/AppealApplication");
    let request = DecideAppealRequest { context: asked(), pool: pool(), application_id, decision };
    Client::with_interceptor(channel.clone(), second).decide_appeal(request).await.expect("an answer");
    ledger.check("DeletionApplicationService/DecideAppeal");
    let request = GetApplicationsRequest {
        context: asked(),
        pool: pool(),
        subject: Some(get_applications_request::Subject::SubjectId(subject.to_owned())),
    };
    let shown = handling.get_applications(request).await.expect("an answer").into_inner().applications;
    assert_eq!(shown[0].state, "refused_on_appeal");
    ledger.check("DeletionApplicationService/GetApplications");
    let request =
        ListApplicationsRequest { context: asked(), pool: pool(), list: "all".into(), after: 0, limit: 0 };
    assert_eq!(handling.list_applications(request).await.expect("an answer").into_inner().lines.len(), 1);
    ledger.check("DeletionApplicationService/ListApplications");
    let request = GetApplicationStatisticsRequest { context: asked(), pool: pool(), publishable: false };
    handling.get_application_statistics(request).await.expect("an answer");
    ledger.check("DeletionApplicationService/GetApplicationStatistics");
}
