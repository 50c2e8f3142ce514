//! What is said from many entries agrees with them: reconciliation, statistics, access list, anomalies, referrals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;

use likeness_proto::v1::*;
use likeness_tests::{
    auditing::{enrol, search},
    client::{bare_token, channel, token, token_for},
    service::Service,
};
use serde_json::Value;

/// A profile of another person, beside the operator's.
fn profile(service: &Service, person: &str, organisation: &str, role: &str) -> String {
    let text = fs::read_to_string(service.data().join("profile.toml")).unwrap();
    let old = text.lines().find(|line| line.starts_with("token")).unwrap();
    let new = format!("token = \"{}\"", bare_token(service, person, organisation, &[role]));
    let path = service.data().join(format!("{person}.toml"));
    fs::write(&path, text.replace(old, &new)).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_agree_with_what_was_done() {
    let service = Service::start();
    let channel = channel(&service).await;
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let mut enrolling = enrolment_service_client::EnrolmentServiceClient::with_interceptor(
        channel.clone(),
        token(&service.data()),
    );
    enrolling.enrol(enrol(7, "cells")).await.unwrap();
    let mut ledger = vec![("ENROL-1".to_owned(), String::new())];
    // Seven searches by one force, three by another; two that are refused.
    for (force, count) in [("force-1", 7), ("force-2", 3)] {
        let officer = token_for(&service, &format!("officer-of-{force}"), force, &["searcher"]);
        let mut searching =
            search_service_client::SearchServiceClient::with_interceptor(channel.clone(), officer);
        for _ in 0..count {
            let answer = searching.search(search(&["cells"])).await.unwrap().into_inner();
            ledger.push(("OP-1".to_owned(), answer.receipt.unwrap().event_id));
        }
        let mut wrong = search(&["cells"]);
        wrong.context.as_mut().unwrap().purpose_code = "safeguarding".into();
        searching.search(wrong).await.unwrap_err();
        ledger.push(("OP-1".to_owned(), String::new()));
    }
    let mine = profile(&service, "auditor-1", "oversight", "national_auditor");
    let why = ["--purpose", "self_monitoring", "--justification", "the monthly check", "--profile", &mine];
    let json = |arguments: &[&str]| -> Value { service.json(&[&["audit"], arguments, &why[..]].concat()) };

    // The ledger of the system agrees; with a line dropped here and another made up there, exactly these two differ.
    let path = service.scratch().join("ledger.csv");
    let write = |lines: &[(String, String)]| {
        let lines: String =
            lines.iter().map(|(reference, event)| format!("{reference},{event},ignored\n")).collect();
        fs::write(&path, format!("reference_id,event_id,remark\n{lines}")).unwrap();
    };
    let period = ["--from", "2020-01-01T00:00:00Z", "--until", "2100-01-01T00:00:00Z"];
    let file = path.to_str().unwrap();
    let arguments =
        [&["reconcile", "--ledger", file, "--system", "likeness-cli", "--json"], &period[..]].concat();
    let compare = |lines: &[(String, String)]| -> (Value, Vec<Value>) {
        write(lines);
        let output = service.cli(&[&["audit"], &arguments[..], &why[..]].concat());
        // The command line is the same system, and its own calls are in nobody's ledger here.
        assert_eq!(output.status.code(), Some(7));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let by_hand = |line: &&Value| line["reference_id"].as_str().is_some_and(|id| id.starts_with("cli-"));
        let here =
            found["only_here"].as_array().unwrap().iter().filter(|line| !by_hand(line)).cloned().collect();
        (found, here)
    };
    let (same, only_here) = compare(&ledger);
    assert_eq!((same["matched"].as_u64(), same["only_there_count"].as_u64()), (Some(13), Some(0)), "{same}");
    assert!(only_here.is_empty(), "{only_here:?}");
    let dropped = ledger.remove(4);
    ledger.push(("OP-1".to_owned(), "01890a5d-ac96-774b-bcce-b302099a8057".to_owned()));
    let (differs, only_here) = compare(&ledger);
    assert_eq!(
        (differs["matched"].as_u64(), differs["only_there_count"].as_u64()),
        (Some(12), Some(1)),
        "{differs}"
    );
    assert_eq!(only_here.len(), 1, "{only_here:?}");
    assert_eq!(only_here[0]["event_id"], dropped.1.as_str());
    assert_eq!(differs["only_there"][0]["event_id"], "01890a5d-ac96-774b-bcce-b302099a8057");

    // A referral, then the statistics: three is too small to show, and the total would give it away.
    service.ok(&[
        &["audit", "refer", &dropped.1, "--to", "professional_standards", "--organisation", "force-1"],
        &why[..],
    ]
    .concat());
    let statistics = json(&["stats"]);
    let searches = &statistics["groups"]["searches_by_organisation"];
    assert_eq!(searches["counts"]["force-2"], "<5", "{statistics}");
    assert_eq!(searches["counts"]["force-1"], 7);
    assert_eq!(searches["total"], Value::Null);
    assert_eq!(statistics["groups"]["referrals"]["counts"]["oversight: professional_standards"], "<5");
    assert!(!statistics.to_string().contains("officer-of"), "no persons: {statistics}");

    let access = json(&["access-list"]);
    let forces: Vec<&str> = access["organisations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["organisation"].as_str().unwrap())
        .collect();
    assert!(forces.contains(&"force-1") && forces.contains(&"force-2"), "{access}");
    assert!(!access.to_string().contains("officer-of"), "no persons: {access}");

    // One force looked at the same subject seven times.
    let anomalies = json(&["anomalies"]);
    let flags = anomalies["flags"].as_array().unwrap();
    let repeated: Vec<&Value> = flags.iter().filter(|flag| flag["rule"] == "repeated_subject").collect();
    assert_eq!(repeated.len(), 1, "{anomalies}");
    assert_eq!(repeated[0]["person"], "officer-of-force-1");
    let facts = json(&["dpia-facts"]);
    assert_eq!(facts["pools"][0]["name"], "cells", "{facts}");
    assert_eq!(facts["retention"]["audit_content_days"], 1096);

    // A force's auditor sees their own force in all of it.
    let theirs = profile(&service, "auditor-2", "force-2", "auditor");
    let why = ["--purpose", "self_monitoring", "--justification", "the monthly check", "--profile", &theirs];
    let statistics: Value = service.json(&[&["audit", "stats"], &why[..]].concat());
    assert_eq!(statistics["groups"]["searches_by_organisation"]["counts"]["force-2"], "<5", "{statistics}");
    assert!(!statistics.to_string().contains("force-1"), "{statistics}");
}
