#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
use clap::Parser as _;
use likeness_proto::v1::{
    DeletionListSummary, ForceAgeing, GetDeletionListAgeingResponse, ListDifference,
    MakeDeletionListResponse, ReconcileDeletionListResponse,
};

use super::{follow, make, words};
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
        "likeness deletion-list make P --force kent",
        "likeness deletion-list make P --force kent --system a --system b --due-from 2026-01-01 --due-until 2026-02-01 --again --limit 9 --json",
        "likeness deletion-list list P --force kent --json",
        "likeness deletion-list show P dl-1 --json",
        "likeness deletion-list show P dl-1 --recipient records-unit --out FOLDER",
        "likeness deletion-list acknowledge P dl-1 --file F.csv --json",
        "likeness deletion-list acknowledge P dl-1 --image I --deleted",
        "likeness deletion-list acknowledge P dl-1 --image I --retained needed-at-trial --on 2026-03-01",
        "likeness deletion-list acknowledge P dl-1 --image I --not-found",
        "likeness deletion-list late P --force kent --purpose p --justification j --reference r",
        "likeness deletion-list reconcile P dl-1",
        "likeness deletion-list verify S --key K --list J --csv C --json",
        "likeness deletion-list verify S --key K --csv C",
    ] {
        parses(line);
    }
}

#[test]
fn what_must_be_said_cannot_be_left_out() {
    refuses("likeness deletion-list make P");
    assert!(
        refuses("likeness deletion-list make P --force kent --due-from 2026-02-30").contains("--due-from")
    );
    // A list leaves with the name of who receives it, and nobody receives what is not written.
    assert!(refuses("likeness deletion-list show P dl-1 --out F").contains("--recipient"));
    assert!(refuses("likeness deletion-list show P dl-1 --recipient R").contains("--out"));
    refuses("likeness deletion-list acknowledge P dl-1");
    refuses("likeness deletion-list acknowledge P dl-1 --image I");
    refuses("likeness deletion-list acknowledge P dl-1 --deleted");
    refuses("likeness deletion-list acknowledge P dl-1 --image I --deleted --not-found");
    refuses("likeness deletion-list acknowledge P dl-1 --image I --deleted --file F");
    refuses("likeness deletion-list verify S --key K");
    refuses("likeness deletion-list verify S --list J");
}

#[test]
fn a_summary_says_what_is_left_to_do() {
    let list = DeletionListSummary {
        id: "dl-0123456789abcdef".into(),
        force: "kent\u{1b}[31m".into(),
        lines: 1_200,
        open: 1_000,
        deleted: 150,
        retained: 40,
        not_found: 10,
        erased: 3,
        overdue: true,
        ..DeletionListSummary::default()
    };
    let said = words::heading(&list);
    assert!(said.contains("1,200 lines") && said.contains("which is over"), "{said}");
    assert!(
        said.contains("Open 1,000, deleted 150, retained 40, not found 10; 3 are about people"),
        "{said}"
    );
    assert!(!said.contains('\u{1b}'), "{said}");
    let made =
        MakeDeletionListResponse { list: Some(list), unattributed: 5, held: 2, more: true, receipt: None };
    let said = make::text(&made);
    assert!(
        said.contains("Of 5 more images") && said.contains("2 records") && said.contains("make another"),
        "{said}"
    );
}

#[test]
fn exceptions_are_told_by_force_and_line() {
    let aged = GetDeletionListAgeingResponse {
        forces: vec![ForceAgeing { force: "kent".into(), lists: 1, lines: 2, most_days_late: 30 }],
        unlisted: 4,
        unlisted_erased_at: "2026-03-29T00:00:00.000Z".into(),
        ..GetDeletionListAgeingResponse::default()
    };
    let said = follow::ageing(&aged);
    assert!(
        said.contains("kent") && said.contains("30") && said.contains("4 images are beyond use"),
        "{said}"
    );
    assert!(follow::ageing(&GetDeletionListAgeingResponse::default()).contains("in time"));
    let found = ReconcileDeletionListResponse {
        agreed: 3,
        differ: vec![ListDifference {
            image_id: "I".into(),
            difference: "kept_by_the_force".into(),
            national: "erased".into(),
            answered: "retained".into(),
            ..ListDifference::default()
        }],
        ..ReconcileDeletionListResponse::default()
    };
    let said = follow::compared(&found);
    assert!(said.contains("3 images are gone") && said.contains("gone here, kept by the force"), "{said}");
}

#[test]
fn a_file_of_a_force_is_read_in_either_form() {
    use super::acknowledge::file::{of_csv, of_json};
    let csv = "\u{feff}source_reference,reason,image_id,answered,why,on\r\n\
               \"'=1\",no rule keeps it,I1,deleted,,2026-03-01\r\nR2,no rule keeps it,I2,,,\r\nR3,no rule keeps it,I3,retained,\"'=needed at a trial\",\r\n";
    let lines = of_csv(csv).unwrap();
    assert_eq!(lines.len(), 2, "a line that says nothing stays open");
    assert_eq!((lines[0].image_id.as_str(), lines[0].on.as_str()), ("I1", "2026-03-01"));
    assert_eq!(lines[1].reason, "=needed at a trial", "what was kept from being a formula is what it was");
    let json = r#"[{"image_id": "I1", "answered": "not_found"}, {"image_id": "I2"}]"#;
    assert_eq!(of_json(json).unwrap().len(), 1);
    assert!(of_csv("a,b\n1,2\n").is_err());
    assert!(of_json("{}").is_err());
}
