//! Lists back to forces: canonical, signed, acknowledged, and compared.
use super::deletion_list::*;
use super::*;

fn line(n: usize) -> ListLine {
    ListLine {
        source_system: "custody-system".to_owned(),
        source_reference: format!("ref \"{n}\", of many"),
        image_id: format!("image-{n:04}"),
        reason: "no further action was taken".to_owned(),
        rule: "custody.not_convicted".to_owned(),
        due_on: day("2025-03-01"),
    }
}

fn list(lines: Vec<ListLine>) -> Result<DeletionList, ListError> {
    DeletionList::new("Test Force", day("2025-03-31"), "2026.1", lines)
}

/// A stand-in for a signature that depends on every byte.
fn sign(text: &[u8]) -> [u8; 64] {
    use sha2::Digest as _;
    sha2::Sha512::digest(text).into()
}

fn signed(list: &DeletionList) -> String {
    list.signed::<ListError>("likeness-test", [1, 2, 3, 4], |text| Ok(sign(text))).unwrap()
}

fn open(note: &str) -> Result<Statement, StatementError> {
    Statement::open(note, "likeness-test", [1, 2, 3, 4], |text, signature| sign(text) == *signature)
}

#[test]
fn a_list_has_one_form_whatever_the_order_of_its_lines() {
    let one = list((0..20).map(line).collect()).unwrap();
    let two = list((0..20).rev().map(line).collect()).unwrap();
    assert_eq!((one.json(), one.csv(), one.id()), (two.json(), two.csv(), two.id()));
    assert_eq!(DeletionList::from_json(&one.json()).unwrap(), one);
    assert_eq!(DeletionList::from_json(&one.json().replace("  ", " ")), Err(ListError::Form));
    let swapped = one.json().replacen("image-0003", "image-9999", 1);
    assert_ne!(DeletionList::from_json(&swapped).map(|list| list.id()), Ok(one.id()));

    let csv = one.csv().unwrap();
    let header = "\"source_system\",\"source_reference\",\"image_id\",\"reason\",\"rule\",\"due_on\"\r\n";
    assert!(csv.starts_with(header));
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let read: Vec<String> = reader.records().map(|record| record.unwrap()[1].to_owned()).collect();
    let lines: Vec<String> = one.lines().iter().map(|line| line.source_reference.clone()).collect();
    assert_eq!(read, lines);
    assert_eq!(DeletionList::lines_of_csv(&csv).unwrap(), one.lines());
    assert_eq!(DeletionList::lines_of_csv("a,b\r\n1,2\r\n"), Err(ListError::Form));
}

#[test]
fn no_field_is_a_formula_and_every_field_comes_back() {
    let hostile = [
        "=HYPERLINK(\"http://x\",\"y\")",
        "+44 1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\u{FF1D}1",
        "'=1",
        "''-1",
        "'ordinary",
        "plain",
        "a=1",
        "",
    ];
    for text in hostile {
        let cell = guarded(text);
        let first = cell.chars().next();
        assert!(!first.is_some_and(|first| "=+-@\t\r\u{FF1D}".contains(first)), "{cell:?}");
        assert_eq!(unguarded(&cell), text);
    }
    // Text that a force writes by itself is left alone.
    assert_eq!((guarded("'tis"), unguarded("'tis")), ("'tis".into(), "'tis"));
    let lines = [("=1+1", 1), ("-2", 2), ("'@x", 3), ("custody/77", 4)].map(|(reference, n)| ListLine {
        source_reference: reference.to_owned(),
        source_system: "@system".to_owned(),
        ..line(n)
    });
    let made = list(lines.to_vec()).unwrap();
    let csv = made.csv().unwrap();
    assert!(csv.contains("\"'=1+1\"") && csv.contains("\"'@system\"") && csv.contains("\"''@x\""), "{csv}");
    assert_eq!(DeletionList::lines_of_csv(&csv).unwrap(), made.lines());
    let mut random = crate::seeded::Random::seeded();
    let alphabet = ['\'', '=', '-', '"', 'a', ',', '\u{FF20}'];
    for _ in 0..2_000 {
        let text: String =
            (0..random.below(6)).map(|_| alphabet[random.below(alphabet.len() as u64) as usize]).collect();
        assert_eq!(unguarded(&guarded(&text)), text);
    }
}

#[test]
fn a_list_that_cannot_be_meant_is_refused() {
    assert_eq!(list(Vec::new()), Err(ListError::Empty));
    assert_eq!(list(vec![line(1), line(2), line(1)]), Err(ListError::Twice { line: 3 }));
    let ahead = ListLine { due_on: day("2025-04-01"), ..line(2) };
    let error = FactError::Future { field: "due_on" };
    assert_eq!(list(vec![line(1), ahead]), Err(ListError::Line { line: 2, error }));
    let nameless = ListLine { source_reference: " ".to_owned(), ..line(1) };
    let error = FactError::Missing { field: "source_reference" };
    assert_eq!(list(vec![nameless]), Err(ListError::Line { line: 1, error }));
    assert!(DeletionList::new("", day("2025-03-31"), "1", vec![line(1)]).is_err());
    assert_eq!(list((0..=MOST_LINES).map(line).collect()), Err(ListError::TooLong));
}

#[test]
fn a_statement_holds_for_its_list_and_no_other() {
    let one = list((0..5).map(line).collect()).unwrap();
    let other = list((0..6).map(line).collect()).unwrap();
    let note = signed(&one);
    let statement = open(&note).unwrap();
    assert_eq!(statement.is_about(&one), Ok(()));
    assert_eq!(statement.is_about_csv(one.csv().unwrap().as_bytes()), Ok(()));
    assert_eq!(statement.is_about(&other), Err(StatementError::OtherList));
    assert_eq!(statement.is_about_csv(other.csv().unwrap().as_bytes()), Err(StatementError::OtherList));
    assert!(statement.text().contains("made on 2025-03-31, 5 lines"));
    // Any change of the note is noticed.
    for at in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(changed) = String::from_utf8(bytes) {
            let same = open(&changed).is_ok_and(|changed| changed == statement);
            // The last newline and the unused bits of the last base64 digit say nothing.
            assert!(!same || at + 4 > note.len(), "byte {at}");
            assert!(open(&changed).is_err() || same, "byte {at}");
        }
    }
    let elsewhere = Statement::open(&note, "somebody-else", [1, 2, 3, 4], |_, _| true);
    assert_eq!(elsewhere, Err(StatementError::Signature));
    assert_eq!(open("hello"), Err(StatementError::Form));
}

fn said(on: &str, answered: Answered) -> Acknowledgement {
    Acknowledgement { on: day(on), by: "force officer".to_owned(), answered }
}

fn kept() -> Answered {
    Answered::Retained { reason: "needed at a trial".to_owned() }
}

#[test]
fn a_line_is_acknowledged_with_a_reason_and_deleted_is_final() {
    let today = day("2025-05-01");
    let mut progress = ListProgress::new(&list((0..3).map(line).collect()).unwrap());
    let mut tell = |image: &str, acknowledgement| progress.acknowledge(image, acknowledgement, today);
    let nowhere = tell("image-9999", said("2025-04-01", Answered::Deleted));
    assert_eq!(nowhere, Err(AcknowledgementError::NoSuchLine));
    let before = tell("image-0000", said("2025-03-30", Answered::Deleted));
    assert_eq!(before, Err(AcknowledgementError::BeforeTheList));
    let ahead = tell("image-0000", said("2025-05-02", Answered::Deleted));
    assert_eq!(ahead, Err(FactError::Future { field: "acknowledgement.on" }.into()));
    let bare = tell("image-0000", said("2025-04-01", Answered::Retained { reason: String::new() }));
    assert_eq!(bare, Err(FactError::Missing { field: "acknowledgement.reason" }.into()));
    tell("image-0000", said("2025-04-01", kept())).unwrap();
    tell("image-0000", said("2025-04-02", Answered::Deleted)).unwrap();
    assert_eq!(tell("image-0000", said("2025-04-03", kept())), Err(AcknowledgementError::Final));
    assert_eq!(progress.acknowledgement("image-0000").unwrap().on, day("2025-04-02"));
    assert_eq!(progress.open().count(), 2);
    let kept = ListProgress::of(progress.id(), "Test Force", day("2025-03-31"), progress.lines().to_vec());
    assert_eq!(kept, progress, "line by line is all that there is to keep");
}

#[test]
fn lines_grow_old_to_the_day() {
    let mut progress = ListProgress::new(&list((0..3).map(line).collect()).unwrap());
    progress.acknowledge("image-0001", said("2025-04-01", Answered::NotFound), day("2025-05-01")).unwrap();
    let by = shipped().acknowledge_line().after(day("2025-03-31"));
    assert_eq!(progress.late(by, day("2025-04-28")), []);
    let late = progress.late(by, day("2025-04-29"));
    let told: Vec<_> = late.iter().map(|late| (late.image_id.as_str(), late.days_late)).collect();
    assert_eq!(told, [("image-0000", 1), ("image-0002", 1)]);
    assert_eq!(late[0].acknowledge_by, day("2025-04-28"));
    assert_eq!((&late[0].list, late[0].force.as_str()), (&progress.id().to_owned(), "Test Force"));
    assert_eq!(progress.late(by, day("2025-05-28"))[0].days_late, 30);
}

#[test]
fn both_sides_are_compared_line_by_line() {
    use Difference::{KeptByBoth, KeptByTheForce, KeptNationally, NotAcknowledged, UnknownNationally};
    use NationalState::{Active, BeyondUse, Erased, Unknown};
    let answers = [None, Some(Answered::Deleted), Some(Answered::NotFound), Some(kept())];
    let mut progress = ListProgress::new(&list((0..16).map(line).collect()).unwrap());
    let mut states = std::collections::BTreeMap::new();
    for (at, state) in [Active, BeyondUse, Erased, Unknown].into_iter().enumerate() {
        for (answer, answered) in answers.iter().enumerate() {
            let image = format!("image-{:04}", at * 4 + answer);
            states.insert(image.clone(), state);
            if let Some(answered) = answered {
                progress
                    .acknowledge(&image, said("2025-04-01", answered.clone()), day("2025-05-01"))
                    .unwrap();
            }
        }
    }
    let result = progress.reconcile(|image| states[image]);
    let told: Vec<_> = (0..16).map(|n| result.differ.get(&format!("image-{n:04}")).copied()).collect();
    let active = [Some(NotAcknowledged), Some(KeptNationally), Some(KeptNationally), Some(KeptByBoth)];
    let gone = [Some(NotAcknowledged), None, None, Some(KeptByTheForce)];
    assert_eq!(told[..4], active);
    assert_eq!(told[4..8], gone);
    assert_eq!(told[8..12], gone);
    assert_eq!(told[12..], [Some(UnknownNationally); 4]);
    assert_eq!(result.agreed, 4);
    assert_eq!(result.agreed + result.differ.len() as u64, 16);
}
