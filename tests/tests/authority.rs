//! Who may call: a system with its certificate, a person with a token, and both until they are revoked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use likeness_proto::v1::{ListPoolsRequest, Refusal, RequestContext, pool_service_client::PoolServiceClient};
use likeness_tests::{
    client::{Token, channel, context, token},
    log::entries,
    service::Service,
};
use prost::Message as _;
use tonic::{
    Code, Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

/// Longest wait for a running server to take a change up; it takes well under a second.
const SOON: Duration = Duration::from_secs(30);

async fn connect(service: &Service, identity: Option<&Path>) -> Channel {
    let authority = fs::read(service.data().join("tls/ca.pem")).unwrap();
    let mut tls =
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority)).domain_name("localhost");
    if let Some(folder) = identity {
        let read = |name: &str| fs::read(folder.join(name)).unwrap();
        tls = tls.identity(Identity::from_pem(read("client.pem"), read("client.key")));
    }
    Endpoint::from_shared(format!("https://localhost:{}", service.port()))
        .unwrap()
        .tls_config(tls)
        .unwrap()
        .connect()
        .await
        .unwrap()
}

async fn list(channel: &Channel, token: Token, context: RequestContext) -> Result<usize, Status> {
    let mut pools = PoolServiceClient::with_interceptor(channel.clone(), token);
    let answer = pools.list_pools(ListPoolsRequest { context: Some(context) }).await?;
    Ok(answer.into_inner().pools.len())
}

/// The stable code of a refusal.
fn code(status: &Status) -> String {
    let bytes = status.metadata().get_bin("likeness-refusal-bin").expect("a refusal").to_bytes().unwrap();
    Refusal::decode(bytes).unwrap().code
}

/// Asks until the answer is a refusal, and gives its code.
async fn until_refused(channel: &Channel, token: &Token, context: &RequestContext) -> String {
    let began = Instant::now();
    loop {
        match list(channel, token.clone(), context.clone()).await {
            Err(status) => return code(&status),
            Ok(_) => assert!(began.elapsed() < SOON, "still let in"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn register(service: &Service, name: &str, out: &Path, more: &[&str]) {
    let out = out.to_str().unwrap();
    let mut arguments = vec![
        "system",
        "register",
        name,
        "--contact",
        "desk@example.org",
        "--agreement",
        "DSA-7",
        "--legal-basis",
        "DPA 2018 Part 3",
        "--business-case",
        "BC-7",
        "--approved-by",
        "A Director",
        "--org",
        "local",
        "--kind",
        "custody",
        "--expires",
        "2099-01-01",
        "--review-due",
        "2099-01-01",
        "--out",
        out,
    ];
    arguments.extend(more);
    service.ok(&arguments);
}

#[tokio::test]
async fn a_call_needs_a_registered_certificate_and_keeps_needing_it() {
    let service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let person = token(&service.data());
    let asked = context("system_administration", "REF-1");

    // Nobody: told so, and recorded.
    let stranger = connect(&service, None).await;
    let status = list(&stranger, person.clone(), asked.clone()).await.unwrap_err();
    assert_eq!((status.code(), code(&status).as_str()), (Code::Unauthenticated, "certificate_missing"));
    let last = entries(&service).pop().unwrap();
    assert_eq!(last["refusal"], "certificate_missing");

    // The first system: let in.
    let first = channel(&service).await;
    assert_eq!(list(&first, person.clone(), asked.clone()).await.unwrap(), 1);

    // Another system, registered while the server runs.
    let folder = service.scratch().join("partner");
    let purposes = ["--purpose", "system_administration", "--reference-format", "OP-[0-9]{4}"];
    register(&service, "partner", &folder, &purposes);
    let partner = connect(&service, Some(&folder)).await;
    let mut asked_there = context("system_administration", "OP-1234");
    asked_there.system_name = "partner".into();
    let began = Instant::now();
    while list(&partner, person.clone(), asked_there.clone()).await.is_err() {
        assert!(began.elapsed() < SOON, "the registration is not taken up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // It cannot pass for another, its references must look as registered, and its agreement binds it.
    let status =
        list(&partner, person.clone(), context("system_administration", "OP-1234")).await.unwrap_err();
    assert_eq!(code(&status), "system_name_differs");
    let wrong = RequestContext { reference_id: "REF-1".into(), ..asked_there.clone() };
    let status = list(&partner, person.clone(), wrong).await.unwrap_err();
    assert_eq!((status.code(), code(&status).as_str()), (Code::InvalidArgument, "reference_format"));
    let wrong = RequestContext { purpose_code: "record_management".into(), ..asked_there.clone() };
    let status = list(&partner, person.clone(), wrong).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let last = entries(&service).pop().unwrap();
    let policies = last["decision"]["policies"].as_array().unwrap();
    assert!(policies.contains(&"agreement-covers-purpose".into()), "{policies:?}");
    assert_eq!(last["decision"]["allowed"], false);

    // Revoked: refused on the connection that was open all along, within seconds and without a restart.
    service.ok(&["system", "revoke", "partner"]);
    assert_eq!(until_refused(&partner, &person, &asked_there).await, "system_revoked");
    assert_eq!(
        list(&first, person.clone(), asked.clone()).await.unwrap(),
        1,
        "the other system is not touched"
    );
    let notes: Vec<_> = entries(&service)
        .into_iter()
        .filter_map(|entry| entry["notes"]["systems"].as_str().map(str::to_owned))
        .collect();
    assert!(notes.contains(&"partner registered".to_owned()), "{notes:?}");
    assert!(notes.contains(&"partner revoked".to_owned()), "{notes:?}");
    service.ok(&["audit", "verify"]);
}

#[tokio::test]
async fn a_revoked_token_is_refused_within_seconds_and_a_broken_list_lets_nobody_in() {
    let service = Service::start();
    let data = service.data();
    let data = data.to_str().unwrap();
    let issue = |person: &str| {
        let issued = service.ok(&[
            "token",
            "issue",
            "--data",
            data,
            "--person",
            person,
            "--name",
            "A Person",
            "--org",
            "local",
            "--role",
            "pool_admin",
        ]);
        Token(Some(format!("Bearer {}", issued.trim()).parse().unwrap()))
    };
    let (leaver, stayer) = (issue("leaver"), issue("stayer"));
    let connection = channel(&service).await;
    let asked = context("system_administration", "REF-1");
    assert!(list(&connection, leaver.clone(), asked.clone()).await.is_ok());
    service.ok(&["token", "revoke", "--data", data, "--person", "leaver"]);
    assert_eq!(until_refused(&connection, &leaver, &asked).await, "token_revoked");
    assert!(list(&connection, stayer.clone(), asked.clone()).await.is_ok());

    // A list that cannot be read must not mean that nobody is revoked.
    let list_file = service.data().join("revocations.toml");
    let kept = fs::read(&list_file).unwrap();
    fs::write(&list_file, "version = 1\n[tokens\n").unwrap();
    assert_eq!(until_refused(&connection, &stayer, &asked).await, "callers_unknown");
    fs::write(&list_file, kept).unwrap();
    let began = Instant::now();
    while list(&connection, stayer.clone(), asked.clone()).await.is_err() {
        assert!(began.elapsed() < SOON, "the corrected list is not taken up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn the_policies_explain_themselves_and_leave_nothing_to_look_at() {
    let service = Service::init();
    let answer = service.json(&[
        "policy",
        "explain",
        "--role",
        "searcher",
        "--purpose",
        "criminal_investigation",
        "--all",
        "--json",
    ]);
    let find = |operation: &str, place: &str| {
        answer["answers"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["operation"] == operation && row["place"] == place && row["origin"] == "scene")
            .unwrap()
            .clone()
    };
    let custody = find("search", "any-custody");
    assert_eq!(
        (&custody["allowed"], &custody["policies"]),
        (&true.into(), &serde_json::json!(["search-custody"]))
    );
    assert_eq!(find("search", "any-missing-person")["allowed"], false);
    assert_eq!(answer["system"], "likeness-cli");
    let report = service.json(&["policy", "check", "--json"]);
    assert_eq!(report["findings"], serde_json::json!([]));

    // A site's policies that cross a red line keep the server from starting.
    let folder = service.data().join("policies");
    service.ok(&["policy", "export", folder.to_str().unwrap()]);
    let text = r#"@id("site") permit (principal, action, resource is Likeness::Pool) when { context.purpose == "criminal_investigation" };"#;
    fs::write(folder.join("site.cedar"), text).unwrap();
    let said = service.refuses_to_serve().expect("served policies that cross a red line");
    assert!(said.contains("red line") && said.contains("site"), "{said}");
    let refused = service.cli(&["policy", "check"]);
    assert_eq!(refused.status.code(), Some(3));
}
