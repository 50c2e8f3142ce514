#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
use clap::Parser as _;
use likeness_proto::v1::{
    Assessment, EraseSubjectResponse, RecordRetention, RecordState, Reimport, RunRetentionResponse,
};

use super::{alter::offence, certificate, erase, numbers, reimports, run, words};
use crate::cli::Cli;

fn parses(line: &str) {
    if let Err(error) = Cli::try_parse_from(line.split_whitespace()) {
        panic!("{line}: {error}");
    }
}

fn refuses(line: &str) -> String {
    match Cli::try_parse_from(line.split_whitespace()) {
        Ok(_) => panic!("`{line}` should be refused"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_promised_forms_parse() {
    for line in [
        "likeness retention show P --subject ID --under DIGEST --json",
        "likeness retention show P --subject-reference REF --purpose p --justification j --reference r",
        "likeness retention event P --subject-reference R --event-reference E --force F --occurred 2026-01-02 --offence A:1 \
         --offence B:C:4:non-recordable --outcome convicted --outcome-on 2026-02-03 --serious --prison",
        "likeness retention events P --file F.csv --json",
        "likeness retention category P --subject I --category victim",
        "likeness retention birth P --subject I --born 2001-02-03",
        "likeness retention birth P --subject I --unknown",
        "likeness retention close P --subject I --reason consent_withdrawn --on 2026-02-03",
        "likeness retention reopen P --subject I",
        "likeness retention review P --subject I --decision retain --necessity because --yes serious_harm=reason --next 2027-01-01",
        "likeness retention review P --subject I --decision dispose --necessity because",
        "likeness retention hold place P --subject I --id H --authority court --scope all --reason inquest --expires 2027-01-01",
        "likeness retention hold lift P --subject I --id H --reason over",
        "likeness retention due P --all",
        "likeness retention list P --list beyond-use --all --json",
        "likeness retention run P --dry-run",
        "likeness retention report P",
        "likeness retention numbers P --publishable --json",
        "likeness retention rules --digest D --markdown",
        "likeness retention simulate P --rules F",
        "likeness retention activate --rules F",
        "likeness retention erase P --subject I --reason order --at-once --certificate F",
        "likeness retention certificate P ID --out F",
        "likeness retention verify-certificate F --key K --json",
        "likeness retention withdrawn P ID --image I --out F --purpose verify_lawfulness --justification j",
        "likeness retention reimports P --all",
        "likeness retention decide P 3 --allow --reason because",
        "likeness retention decide P 3 --refuse --reason because",
    ] {
        parses(line);
    }
}

#[test]
fn what_must_be_said_cannot_be_left_out() {
    assert!(refuses("likeness retention show P").contains("--subject"));
    refuses("likeness retention show P --subject A --subject-reference B");
    let event = "likeness retention event P --subject I --event-reference E --force F --occurred 2026-01-02 --outcome pending";
    parses(event);
    for flag in
        ["--subject I", "--event-reference E", "--force F", "--occurred 2026-01-02", "--outcome pending"]
    {
        refuses(&event.replace(flag, ""));
    }
    assert!(refuses(&event.replace("pending", "released")).contains("no_further_action"));
    assert!(refuses(&event.replace("2026-01-02", "2026-02-30")).contains("--occurred"));
    assert!(refuses(&format!("{event} --offence X:5")).contains("MoPI group"));
    assert!(
        refuses("likeness retention review P --subject I --decision retain --necessity because")
            .contains("--next")
    );
    let criterion = "likeness retention review P --subject I --decision dispose --necessity n --yes";
    assert!(refuses(&format!("{criterion} harm=x")).contains("serious_harm"));
    assert!(refuses(&format!("{criterion} serious_harm")).contains("CRITERION=TEXT"));
    refuses(
        "likeness retention hold place P --subject I --id H --authority court --scope all --reason inquest",
    );
    assert!(refuses("likeness retention erase P --subject I --reason because").contains("recorded_in_error"));
    refuses("likeness retention erase P --subject I --reason order --certificate F");
    refuses("likeness retention decide P 3 --reason because");
    refuses("likeness retention decide P 3 --allow --refuse --reason because");
    refuses("likeness retention withdrawn P ID");
    refuses("likeness retention withdrawn P ID --purpose record_management --justification j");
    refuses("likeness retention withdrawn P ID --image I --purpose verify_lawfulness --justification j");
    refuses("likeness retention birth P --subject I");
}

#[test]
fn an_offence_may_hold_colons_and_says_its_group() {
    let read = offence("law:12:3:non-recordable").unwrap();
    assert_eq!((read.code.as_str(), read.mopi_group, read.recordable), ("law:12", 3, false));
    assert!(offence("X:1").unwrap().recordable);
    for wrong in ["", "X", ":1", "X:0", "X:5", "X:", "X:one", "X:1:recordable"] {
        assert!(offence(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn withheld_numbers_are_said_to_be_withheld() {
    use likeness_proto::v1::{GetRetentionNumbersResponse, RetentionCell, RetentionCounts};
    let cell =
        |cell: &str, counts| RetentionCell { division: "age_at_capture".into(), cell: cell.into(), counts };
    let counts = RetentionCounts { persons: 1_234, images: 2_000, enrolled: 7 };
    let numbers = GetRetentionNumbersResponse {
        publishable: true,
        cells: vec![cell("under_10", None), cell("from_18", Some(counts))],
        ..GetRetentionNumbersResponse::default()
    };
    let said = numbers::text(&numbers);
    assert!(said.contains("age at capture") && said.contains("1,234") && said.contains("withheld"), "{said}");
    assert!(said.contains("May be published"), "{said}");
}

#[test]
fn a_record_beyond_use_is_never_called_deleted() {
    let beyond = EraseSubjectResponse {
        subject_id: "S".into(),
        state: RecordState::BeyondUse.into(),
        erase_at: "2026-12-22T00:00:00Z".into(),
        ..EraseSubjectResponse::default()
    };
    let said = erase::text(&beyond);
    assert!(
        said.contains("beyond use") && said.contains("not erased yet") && !said.contains("delet"),
        "{said}"
    );
    let erased = EraseSubjectResponse { certificate: "{}".into(), ..beyond };
    assert!(erase::text(&erased).contains("is erased"));
    assert_eq!(words::state(RecordState::BeyondUse.into()), "beyond use");
    assert_eq!(words::state(99), "not known");
}

#[test]
fn a_record_is_explained_with_its_facts() {
    let record = RecordRetention {
        pool: "cells".into(),
        subject_id: "S".into(),
        state: RecordState::Active.into(),
        assessment: Some(Assessment {
            disposition: "due".into(),
            rule: "not-convicted".into(),
            due_since: "2026-11-20".into(),
            explanation: vec!["No conviction\u{1b}[31m".into()],
            review_overdue: true,
            next_review_on: "2026-11-01".into(),
            ..Assessment::default()
        }),
        facts_json:
            r#"{"category":"suspect","date_of_birth":null,"first_collected_on":"2026-01-02","closed":null}"#
                .into(),
        ..RecordRetention::default()
    };
    let said = words::to_text(&record);
    for part in [
        "Subject S in `cells`: active",
        "due since 2026-11-20 by rule `not-convicted`",
        "Next review 2026-11-01, overdue",
        "Category suspect, born not known, collected 2026-01-02",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains('\u{1b}'), "{said}");
    let json = words::to_json(&record);
    assert_eq!(json["state"], "active");
    assert_eq!(json["facts"]["category"], "suspect");
    let held = Assessment { disposition: "held".into(), held_by: "H-1".into(), ..Assessment::default() };
    assert_eq!(words::verdict(&held), "kept by the legal hold `H-1`");
}

#[test]
fn a_dry_run_does_not_claim_to_have_done_anything() {
    let done = RunRetentionResponse { assessed: 1200, beyond_use: 3, ..RunRetentionResponse::default() };
    assert!(run::text(&done, true).contains("has not"));
    assert!(run::text(&done, false).starts_with("Done: 1,200 assessed, 3 put beyond use, 0 erased"));
}

#[test]
fn a_decision_says_what_follows() {
    let allowed =
        Reimport { id: 4, system_name: "cells".into(), decision: "allowed".into(), ..Reimport::default() };
    assert!(reimports::outcome(&allowed).contains("`cells` can send it again"));
    assert!(reimports::outcome(&Reimport { decision: "refused".into(), ..allowed }).contains("stays out"));
}

#[test]
fn a_certificate_is_believed_only_under_the_key_that_signed_it() {
    use likeness_server::keys::{FileKeyStore, KeyStore as _};

    let folder = tempfile::tempdir().unwrap();
    let store = |name: &str| {
        let path = folder.path().join(name);
        FileKeyStore::create(&path).unwrap()
    };
    let (ours, other) = (store("ours"), store("other"));
    let id = "01936b0e-0000-7000-8000-000000000001";
    let json = format!(
        "{{\n\"statement\":\"likeness certificate of erasure\",\"version\":1,\"erasure_id\":\"{id}\",\"pool\":\"cells\",\
         \"subject_id\":\"{id}\",\"reason\":\"order\",\"rule\":\"r-1\",\"authority\":\"kent/p-1\",\"begun_at\":\"2026-11-22T10:00:00Z\",\
         \"completed_at\":\"2026-11-22T10:00:01Z\",\"destroyed\":[{{\"store\":\"subject_key\",\"count\":1,\"verified\":\"no key\"}}],\
         \"staying\":[\"entries\"],\"recognised_again\":true,\"backups\":\"unreadable\",\"event_id\":\"{id}\"\n}}\n"
    );
    let note = ours.sign_statement(&json).unwrap();
    let certificate = certificate::checked(&note, &ours.audit_key()).unwrap();
    let said = certificate::stated(&certificate, ours.audit_key().name());
    for part in [
        "pool `cells`",
        "Why: order",
        "rule `r-1`",
        "1 subject_key: no key",
        "held for a decision",
        "kent/p-1",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(certificate::checked(&note, &other.audit_key()).is_err());
    assert!(certificate::checked(&note.replace("order", "order "), &ours.audit_key()).is_err());
    assert!(certificate::checked(&json, &ours.audit_key()).is_err(), "unsigned");
    let else_signed = ours.sign_statement("{\"a\":1}\n").unwrap();
    assert!(certificate::checked(&else_signed, &ours.audit_key()).unwrap_err().contains("no certificate"));
}
