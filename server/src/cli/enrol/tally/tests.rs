#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use likeness_proto::v1::{Refusal, RequestContext};

fn terms() -> Terms {
    Terms {
        pool: "custody".into(),
        select: crate::cli::selection::Select::Only,
        hold_only: false,
        context: RequestContext::default(),
    }
}

fn answer(outcome: Outcome, code: &str) -> EnrolResponse {
    let refusal = (!code.is_empty()).then(|| Refusal {
        code: code.into(),
        message: format!("about {code}"),
        ..Refusal::default()
    });
    EnrolResponse { outcome: outcome.into(), refusal, ..EnrolResponse::default() }
}

fn item() -> Item {
    Item {
        subject: "S\u{1b}[2J".into(),
        source_reference: "S/a,b.jpg".into(),
        file: "/very/long/".repeat(10).into(),
        ..Item::default()
    }
}

#[test]
fn counts_reasons_and_exit_codes() {
    let mut tally = Tally::new(None).unwrap();
    assert_eq!(tally.exit(), Exit::Done);
    tally.answered(&item(), &answer(Outcome::Refused, "no_face")).unwrap();
    assert_eq!(tally.exit(), Exit::Refused);
    tally.answered(&item(), &answer(Outcome::Enrolled, "")).unwrap();
    tally.answered(&item(), &answer(Outcome::AlreadyEnrolled, "")).unwrap();
    tally.answered(&item(), &answer(Outcome::Refused, "no_face")).unwrap();
    tally.unsendable(&item(), &Unsendable::NameNotText).unwrap();
    tally.left_out(Path::new("x.txt"), LeftOut::NotAnImageName).unwrap();
    assert_eq!(tally.exit(), Exit::Partial);
    assert_eq!((tally.done(), tally.refused()), (5, 3));
    let json = tally.json(&terms(), Duration::from_secs(2));
    assert_eq!(json["refusals"][1]["code"], "no_face");
    assert_eq!(json["refusals"][1]["count"], 2);
    assert_eq!(json["images_per_second"], 2.5);
    let text = tally.table(&terms(), Duration::from_secs(2));
    assert!(
        text.contains("1 enrolled, 1 already enrolled, 0 held, 3 refused")
            && text.contains("not_an_image_name"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn an_unknown_outcome_is_not_counted_as_done() {
    let mut tally = Tally::new(None).unwrap();
    assert!(tally.answered(&item(), &answer(Outcome::Unspecified, "")).is_err());
    assert_eq!(tally.done(), 0);
}

#[test]
fn the_file_of_refusals_is_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.csv");
    let mut tally = Tally::new(Some(&path)).unwrap();
    tally.answered(&item(), &answer(Outcome::Refused, "no_face")).unwrap();
    tally.close().unwrap();
    let mut reader = csv::Reader::from_path(&path).unwrap();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(&rows[0][1], "S/a,b.jpg");
    assert_eq!(&rows[0][3], "no_face");
    assert!(Tally::new(Some(&folder.path().join("no/such/r.csv"))).is_err());
}
