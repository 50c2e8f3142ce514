//! Every call is recorded as exactly the operations of section 62 that it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;

use likeness_proto::{CALLS, v1::*};
use likeness_server::audit::operations;
use likeness_tests::{
    applying,
    auditing::{audit_context, auditing, enrol, recorded, search},
    client::{channel, context, source, token, token_for},
    faces,
    ledger::Ledger,
    listing,
    service::Service,
};

#[tokio::test(flavor = "multi_thread")]
async fn each_call_is_recorded_as_exactly_its_operations() {
    let service = Service::start();
    let channel = channel(&service).await;
    let me = token(&service.data());
    let mut ledger = Ledger::of(&service);

    let mut pools = pool_service_client::PoolServiceClient::with_interceptor(channel.clone(), me.clone());
    for (name, kind) in [("cells", PoolKind::Custody), ("persons", PoolKind::Person)] {
        let request = CreatePoolRequest {
            context: Some(context("system_administration", "POOL-1")),
            name: name.into(),
            kind: kind.into(),
            rationale: "made by a test".into(),
            ..CreatePoolRequest::default()
        };
        pools.create_pool(request).await.unwrap();
    }
    ledger.check("PoolService/CreatePool");
    let context_of = |purpose: &str| Some(context(purpose, "REF-1"));
    pools.list_pools(ListPoolsRequest { context: context_of("system_administration") }).await.unwrap();
    ledger.check("PoolService/ListPools");

    let mut enrolment =
        enrolment_service_client::EnrolmentServiceClient::with_interceptor(channel.clone(), me.clone());
    let one = enrolment.enrol(enrol(7, "cells")).await.unwrap().into_inner();
    ledger.check("EnrolmentService/Enrol");
    let items = tokio_stream::iter([enrol(2, "persons"), enrol(3, "persons")]);
    let mut answers = enrolment.enrol_stream(items).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    ledger.check("EnrolmentService/EnrolStream");

    let mut searching =
        search_service_client::SearchServiceClient::with_interceptor(channel.clone(), me.clone());
    searching.search(search(&["cells"])).await.unwrap();
    searching.search(search(&["cells", "persons"])).await.unwrap();
    ledger.check("SearchService/Search");
    let compare = CompareRequest {
        context: context_of("criminal_investigation"),
        image_a: faces::plain(1, 0).into(),
        image_b: faces::plain(2, 0).into(),
        source: Some(source()),
        ..CompareRequest::default()
    };
    let mut comparing =
        comparison_service_client::ComparisonServiceClient::with_interceptor(channel.clone(), me.clone());
    comparing.compare(compare).await.unwrap();
    ledger.check("ComparisonService/Compare");
    let subject = get_subject_request::Subject::SubjectId(one.subject_id.clone());
    let request = GetSubjectRequest {
        context: context_of("record_management"),
        pool: "cells".into(),
        subject: Some(subject),
    };
    subject_service_client::SubjectServiceClient::with_interceptor(channel.clone(), me.clone())
        .get_subject(request)
        .await
        .unwrap();
    ledger.check("SubjectService/GetSubject");
    let (pool, image_id) = (String::from("cells"), one.image_id.clone());
    let request = GetImageRequest { context: context_of("record_management"), pool, image_id };
    image_service_client::ImageServiceClient::with_interceptor(channel.clone(), me.clone())
        .get_image(request)
        .await
        .unwrap();
    ledger.check("ImageService/GetImage");
    let (pool, image_id) = (String::from("cells"), one.image_id.clone());
    let request =
        SetEnrolledRequest { context: context_of("record_management"), pool, image_id, enrolled: false };
    enrolment.set_enrolled(request).await.unwrap();
    let altered = recorded(&service, ledger.from);
    let change = &altered.last().unwrap().changes["enrolled"];
    assert_eq!((change.before.as_deref(), change.after.as_deref()), (Some("true"), Some("false")));
    ledger.check("EnrolmentService/SetEnrolled");

    let mut deciding =
        decision_service_client::DecisionServiceClient::with_interceptor(channel.clone(), me.clone());
    let nobody = || String::from("01890a5d-ac96-774b-bcce-b302099a8057");
    // A decision that is recorded takes a trained reviewer: `decisions.rs` has two. A refused attempt is recorded as the same operation.
    let request = RecordDecisionRequest {
        context: context_of("criminal_investigation"),
        pool: "cells".into(),
        search_event_id: nobody(),
        subject_id: nobody(),
        decision: Decision::Inconclusive.into(),
        reason: "asked by a test".into(),
        stage: 1,
        first_event_id: String::new(),
    };
    deciding.record_decision(request).await.unwrap_err();
    ledger.check("DecisionService/RecordDecision");
    let (context, pool) = (context_of("criminal_investigation"), String::from("cells"));
    deciding
        .list_decisions(ListDecisionsRequest { context, pool, search_event_id: nobody() })
        .await
        .unwrap_err();
    ledger.check("DecisionService/ListDecisions");
    let keeper = token_for(&service, "keeper-1", "local", &["protected_viewer"]);
    let mut protecting =
        protection_service_client::ProtectionServiceClient::with_interceptor(channel.clone(), keeper);
    let subject = || one.subject_id.clone();
    let request = ProtectRequest {
        context: context_of("record_management"),
        pool: "cells".into(),
        subject: Some(protect_request::Subject::SubjectId(subject())),
        protection: Some(Protection {
            view: ProtectedView::ContactOwner.into(),
            owner: "a unit".into(),
            reason: "asked by a test".into(),
            review_due: "2028-01-01".into(),
            ends_on: String::new(),
        }),
    };
    protecting.protect(request).await.unwrap();
    ledger.check("ProtectionService/Protect");
    let (context, pool) = (context_of("record_management"), String::from("cells"));
    protecting.list_protected(ListProtectedRequest { context, pool }).await.unwrap();
    ledger.check("ProtectionService/ListProtected");
    let request = UnprotectRequest {
        context: context_of("record_management"),
        pool: "cells".into(),
        subject: Some(unprotect_request::Subject::SubjectId(subject())),
    };
    protecting.unprotect(request).await.unwrap();
    ledger.check("ProtectionService/Unprotect");

    let mut points = operating_point_service_client::OperatingPointServiceClient::with_interceptor(
        channel.clone(),
        me.clone(),
    );
    let context = context_of("system_administration");
    points.list_operating_points(ListOperatingPointsRequest { context, ..Default::default() }).await.unwrap();
    ledger.check("OperatingPointService/ListOperatingPoints");
    // A record that can be approved takes a tester's whole run: `operating_points.rs` makes one. A refused attempt is recorded as the
    // same operation.
    let request = ApproveOperatingPointRequest {
        context: context_of("system_administration"),
        record: "not a record".into(),
        tester_key: "not a key".into(),
    };
    points.approve_operating_point(request).await.unwrap_err();
    ledger.check("OperatingPointService/ApproveOperatingPoint");
    let request = RevokeOperatingPointRequest {
        context: context_of("system_administration"),
        id: "op-0000000000000000".into(),
        reason: "asked by a test".into(),
    };
    points.revoke_operating_point(request).await.unwrap_err();
    ledger.check("OperatingPointService/RevokeOperatingPoint");
    // `monitoring.rs` has an approved one to check.
    let request = CheckOperatingPointRequest {
        context: context_of("system_administration"),
        id: "op-0000000000000000".into(),
        pool: "cells".into(),
        ..Default::default()
    };
    points.check_operating_point(request).await.unwrap_err();
    ledger.check("OperatingPointService/CheckOperatingPoint");

    let destination = service.scratch().join("backup").to_str().unwrap().to_owned();
    let request = CreateBackupRequest {
        context: context_of("system_administration"),
        destination,
        without_credentials: false,
    };
    backup_service_client::BackupServiceClient::with_interceptor(channel.clone(), me.clone())
        .create_backup(request)
        .await
        .unwrap();
    ledger.check("BackupService/CreateBackup");

    // A migration takes a second model pack: `migration.rs` has one. Refused attempts are recorded as the same operations.
    let mut moves = pool_migration_service_client::PoolMigrationServiceClient::with_interceptor(
        channel.clone(),
        me.clone(),
    );
    let asked = || (context_of("system_administration"), String::from("cells"));
    let (context, pool) = asked();
    moves.get_migration(GetMigrationRequest { context, pool }).await.unwrap();
    ledger.check("PoolMigrationService/GetMigration");
    let (context, pool) = asked();
    moves
        .start_migration(StartMigrationRequest { context, pool, pack: "no-such-pack".into() })
        .await
        .unwrap_err();
    ledger.check("PoolMigrationService/StartMigration");
    let (context, pool) = asked();
    moves.switch_migration(SwitchMigrationRequest { context, pool, accept_refused: 0 }).await.unwrap_err();
    ledger.check("PoolMigrationService/SwitchMigration");
    let (context, pool) = asked();
    moves
        .roll_back_migration(RollBackMigrationRequest { context, pool, accept_refused: 0 })
        .await
        .unwrap_err();
    ledger.check("PoolMigrationService/RollBackMigration");
    let (context, pool) = asked();
    moves.retire_migration(RetireMigrationRequest { context, pool }).await.unwrap_err();
    ledger.check("PoolMigrationService/RetireMigration");

    let mut audit =
        auditing(channel.clone(), token_for(&service, "auditor-1", "oversight", &["national_auditor"]));
    audit.get_checkpoint(GetCheckpointRequest { context: audit_context() }).await.unwrap();
    ledger.check("AuditService/GetCheckpoint");
    let event = one.receipt.as_ref().unwrap().event_id.clone();
    let first = event.clone();
    let entry = Some(get_inclusion_proof_request::Entry::EventId(event.clone()));
    let request = GetInclusionProofRequest { context: audit_context(), entry, tree_size: 0 };
    audit.get_inclusion_proof(request).await.unwrap();
    ledger.check("AuditService/GetInclusionProof");
    let request = GetConsistencyProofRequest { context: audit_context(), first_size: 1, second_size: 0 };
    audit.get_consistency_proof(request).await.unwrap();
    ledger.check("AuditService/GetConsistencyProof");
    audit
        .query_entries(QueryEntriesRequest { context: audit_context(), ..Default::default() })
        .await
        .unwrap();
    ledger.check("AuditService/QueryEntries");
    let request = ReplayRequest { context: audit_context(), event_id: event, with_probe: false };
    audit.replay(request).await.unwrap();
    ledger.check("AuditService/Replay");
    let request = ReconcileRequest {
        context: audit_context(),
        system_name: "likeness-cli".into(),
        from: "2020-01-01T00:00:00Z".into(),
        until: "2100-01-01T00:00:00Z".into(),
        ledger: Vec::new(),
    };
    assert!(audit.reconcile(request).await.unwrap().into_inner().only_here_count > 10);
    ledger.check("AuditService/Reconcile");
    let kind = get_report_request::Kind::DpiaFacts.into();
    let request = GetReportRequest { context: audit_context(), kind, ..GetReportRequest::default() };
    let facts = audit.get_report(request).await.unwrap().into_inner().json;
    assert!(facts.contains("\"persons\"") && facts.contains("retention"), "{facts}");
    ledger.check("AuditService/GetReport");
    let request = RecordReferralRequest {
        context: audit_context(),
        event_id: first.clone(),
        body: record_referral_request::Body::LineManager.into(),
        organisation: "force-1".into(),
    };
    audit.record_referral(request).await.unwrap();
    ledger.check("AuditService/RecordReferral");
    let request = CollectSubjectRequest {
        context: context_of("subject_access"),
        pool: "cells".into(),
        subject_id: one.subject_id.clone(),
        recipient: "the person".into(),
    };
    let collected =
        auditing(channel.clone(), me.clone()).collect_subject(request).await.unwrap().into_inner();
    let collected: serde_json::Value = serde_json::from_str(&collected.json).unwrap();
    assert_eq!(collected["subject_reference"], "p7");
    assert_eq!(collected["images"].as_array().unwrap().len(), 1);
    // Enrolled, shown in two searches, read twice, altered. That it was under a protected view is told to nobody.
    assert_eq!(collected["recorded"].as_array().unwrap().len(), 7, "{collected}");
    ledger.check("AuditService/CollectSubject");
    let request = ExportRequest {
        context: audit_context(),
        recipient: "the Commissioner".into(),
        recipient_organisation: "ICO".into(),
    };
    let mut parts = audit.export(request).await.unwrap().into_inner();
    while parts.message().await.unwrap().is_some() {}
    ledger.check("AuditService/Export");

    let second = token_for(&service, "records-2", "local", &["records_manager"]);
    retention(&mut ledger, channel, me, second).await;

    let mapped: BTreeSet<(String, &str)> = operations::CALLS
        .iter()
        .flat_map(|row| row.operations.iter().map(|operation| (row.call.to_owned(), operation.code())))
        .collect();
    assert_eq!(ledger.seen, mapped, "what was recorded, and what the table says");
    let called: BTreeSet<&str> = ledger.seen.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!(called, CALLS.into_iter().collect(), "every call was made");
    println!("report: {} calls made, each recorded as exactly its operations", called.len());
}

/// The life of another record, from its retention to its return.
async fn retention(
    ledger: &mut Ledger<'_>,
    channel: tonic::transport::Channel,
    me: likeness_tests::client::Token,
    second: likeness_tests::client::Token,
) {
    let asked = || Some(context("record_management", "RETENTION-1"));
    let pool = || String::from("cells");
    let mut enrolment =
        enrolment_service_client::EnrolmentServiceClient::with_interceptor(channel.clone(), me.clone());
    let id = enrolment.enrol(enrol(11, "cells")).await.unwrap().into_inner().subject_id;
    ledger.check("EnrolmentService/Enrol");
    let mut keeping =
        retention_service_client::RetentionServiceClient::with_interceptor(channel.clone(), me.clone());
    let request = GetRulesRequest { context: asked(), digest: String::new() };
    let rules = keeping.get_rules(request).await.unwrap().into_inner().rules.unwrap().text;
    ledger.check("RetentionService/GetRules");
    let request = SimulateRulesRequest { context: asked(), pool: pool(), rules: rules.clone() };
    assert_eq!(keeping.simulate_rules(request).await.unwrap().into_inner().changed, 0);
    ledger.check("RetentionService/SimulateRules");
    let request = ActivateRulesRequest { context: Some(context("system_administration", "RULES-1")), rules };
    keeping.activate_rules(request).await.unwrap();
    ledger.check("RetentionService/ActivateRules");
    let request = GetRetentionRequest {
        context: asked(),
        pool: pool(),
        subject: Some(get_retention_request::Subject::SubjectId(id.clone())),
        ..GetRetentionRequest::default()
    };
    keeping.get_retention(request).await.unwrap();
    ledger.check("RetentionService/GetRetention");
    let request = AlterRetentionRequest {
        context: asked(),
        pool: pool(),
        subject: Some(alter_retention_request::Subject::SubjectId(id.clone())),
        alteration: Some(alter_retention_request::Alteration::Category("other".into())),
    };
    keeping.alter_retention(request).await.unwrap();
    ledger.check("RetentionService/AlterRetention");
    let request = ListRetentionRequest {
        context: asked(),
        pool: pool(),
        list: "due".into(),
        ..ListRetentionRequest::default()
    };
    keeping.list_retention(request).await.unwrap();
    ledger.check("RetentionService/ListRetention");
    applying::refused_twice(ledger, &channel, (me.clone(), second), &id).await;
    let request = GetRetentionNumbersRequest { context: asked(), pool: pool(), publishable: false };
    assert!(keeping.get_retention_numbers(request).await.unwrap().into_inner().total.unwrap().images > 1);
    ledger.check("RetentionService/GetRetentionNumbers");
    let request = RunRetentionRequest { context: asked(), pool: pool(), dry_run: true };
    keeping.run_retention(request).await.unwrap();
    ledger.check("RetentionService/RunRetention");
    for at_once in [false, true] {
        if at_once {
            listing::each_call(ledger, channel.clone(), me.clone()).await;
        }
        let request = EraseSubjectRequest {
            context: asked(),
            pool: pool(),
            subject: Some(erase_subject_request::Subject::SubjectId(id.clone())),
            reason: "order".into(),
            at_once,
        };
        keeping.erase_subject(request).await.unwrap();
        ledger.check("RetentionService/EraseSubject");
    }
    let request = GetCertificateRequest { context: asked(), pool: pool(), id: id.clone() };
    assert!(!keeping.get_certificate(request).await.unwrap().into_inner().certificate.is_empty());
    ledger.check("RetentionService/GetCertificate");
    let request = GetWithdrawnRequest {
        context: audit_context(),
        pool: pool(),
        subject_id: id,
        image_id: String::new(),
    };
    let withdrawn = keeping.get_withdrawn(request).await.unwrap().into_inner();
    assert_eq!(withdrawn.state(), RecordState::Erased);
    ledger.check("RetentionService/GetWithdrawn");
    let again = enrolment.enrol(enrol(11, "cells")).await.unwrap().into_inner();
    assert_eq!(again.refusal.unwrap().code, "held_for_decision");
    ledger.check("EnrolmentService/Enrol");
    let request = ListReimportsRequest { context: asked(), pool: pool(), also_decided: false };
    let held = keeping.list_reimports(request).await.unwrap().into_inner().reimports;
    assert_eq!(held.len(), 1);
    ledger.check("RetentionService/ListReimports");
    let request = DecideReimportRequest {
        context: asked(),
        pool: pool(),
        id: held[0].id,
        allow: false,
        reason: "the order stands".into(),
    };
    keeping.decide_reimport(request).await.unwrap();
    ledger.check("RetentionService/DecideReimport");
}
