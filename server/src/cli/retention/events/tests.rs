#![allow(clippy::unwrap_used, reason = "tests")]
use likeness_proto::v1::{CustodyEvent, Offence, alter_retention_request::Subject};

use super::{
    Exit, Tally,
    read::{Line, lines},
};

const HEADER: &str =
    "subject_reference,event_reference,force,occurred_on,offences,outcome,outcome_on,serious,prison\n";

#[test]
fn a_file_of_a_force_is_read_line_by_line() {
    let text = format!(
        "{HEADER}p1,C-1,hampshire,2026-01-02,\"TH68:3; RT:4:non-recordable\",convicted,2026-03-01,no,yes\np2,C-2,kent,2026-01-03,X:1,pending,,,\n"
    );
    let read = lines(text.as_bytes()).unwrap();
    assert_eq!(
        read[0],
        Line {
            number: 2,
            subject: Subject::SubjectReference("p1".into()),
            event: CustodyEvent {
                reference: "C-1".into(),
                force: "hampshire".into(),
                occurred_on: "2026-01-02".into(),
                offences: vec![
                    Offence { code: "TH68".into(), mopi_group: 3, recordable: true },
                    Offence { code: "RT".into(), mopi_group: 4, recordable: false },
                ],
                outcome: "convicted".into(),
                outcome_on: "2026-03-01".into(),
                serious: false,
                prison: true,
            },
        }
    );
    assert_eq!((read[1].number, read[1].event.outcome_on.as_str(), read.len()), (3, "", 2));
}

#[test]
fn every_fault_is_named_with_its_line_and_column() {
    let rows = [
        (",C-1,kent,2026-01-02,X:1,pending,,,", "`subject_id` and `subject_reference` are empty"),
        ("p,,kent,2026-01-02,X:1,pending,,,", "`event_reference` is empty"),
        ("p,C,,2026-01-02,X:1,pending,,,", "`force` is empty"),
        ("p,C,kent,02/01/2026,X:1,pending,,,", "`occurred_on` is not a date"),
        ("p,C,kent,2026-02-30,X:1,pending,,,", "`occurred_on` is not a date"),
        ("p,C,kent,2026-01-02,X:5,pending,,,", "`offences`: an offence is CODE:GROUP"),
        ("p,C,kent,2026-01-02,X,pending,,,", "`offences`: an offence is CODE:GROUP"),
        ("p,C,kent,2026-01-02,X:1,released,,,", "`outcome` is none of pending"),
        ("p,C,kent,2026-01-02,X:1,acquitted,soon,,", "`outcome_on` is not a date"),
        ("p,C,kent,2026-01-02,X:1,pending,,maybe,", "`serious` is neither yes nor no"),
        ("p,C,kent,2026-01-02,X:1,pending,,,1", "`prison` is neither yes nor no"),
        ("p,C,kent", "3 values, but the header has 9 columns"),
    ];
    let text = format!("{HEADER}{}\n", rows.map(|(row, _)| row).join("\n"));
    let faults = lines(text.as_bytes()).unwrap_err();
    assert_eq!(faults.len(), rows.len(), "{faults:?}");
    for (at, (fault, (_, why))) in faults.iter().zip(rows).enumerate() {
        assert!(fault.starts_with(&format!("line {}: ", at + 2)) && fault.contains(why), "{fault}");
    }
}

#[test]
fn a_header_that_would_lose_something_is_refused() {
    let faults = |text: &str| lines(text.as_bytes()).unwrap_err().join("\n");
    assert!(faults("event_reference,force,occurred_on,offences,outcome\n").contains("neither `subject_id`"));
    assert!(faults(&HEADER.replace("prison", "prisn")).contains("unknown column `prisn`"));
    assert!(faults(&HEADER.replace("prison", "force")).contains("`force` appears twice"));
    assert!(faults(&HEADER.replace(",force", "")).contains("no column `force`"));
    assert!(faults(HEADER).contains("no event follows"));
    assert!(lines(format!("\u{feff}{HEADER}p,C,kent,2026-01-02,X:1,pending,,,\n").as_bytes()).is_ok());
}

#[test]
fn the_exit_code_says_how_much_was_done() {
    let of = |recorded, refused| Tally { recorded, due: 0, refused }.exit();
    assert_eq!((of(3, 0), of(3, 1), of(0, 2)), (Exit::Done, Exit::Partial, Exit::Refused));
}
