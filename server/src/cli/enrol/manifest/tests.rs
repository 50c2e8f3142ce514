#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
use super::*;

fn all(name: &str, text: &[u8]) -> Result<Vec<Item>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let rows: Result<Vec<Entry>, Failure> = if name.ends_with("csv") {
        csv(&path).and_then(Iterator::collect)
    } else {
        json_lines(&path).and_then(Iterator::collect)
    };
    rows.map(|entries| {
        entries
            .into_iter()
            .map(|entry| match entry {
                Entry::Image(item) => *item,
                Entry::LeftOut { .. } => panic!("a manifest leaves nothing out"),
            })
            .collect()
    })
    .map_err(|failure| failure.for_people())
}

fn csv_error(text: &str) -> String {
    all("m.csv", text.as_bytes()).unwrap_err()
}

#[test]
fn csv_with_metadata() {
    let items = all(
        "m.csv",
        "\u{feff}subject,image,display_name,attr.force\nS1,a.jpg,\"O'Neill, Zoë\",x\nS2,b/c.png,,\n"
            .as_bytes(),
    )
    .unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].details.as_ref().unwrap().display_name, "O'Neill, Zoë");
    assert_eq!(items[1].details, None);
    assert_eq!(items[1].source_reference, "b/c.png");
}

#[test]
fn csv_refusals_name_the_line() {
    assert!(csv_error("subject,picture\n").contains("line 1: unknown column `picture`"));
    assert!(csv_error("subject\n").contains("line 1: the header has no column `image`"));
    assert!(csv_error("subject,image,image\n").contains("line 1: column `image` appears twice"));
    assert!(csv_error("subject,image\nS1,a.jpg\n,b.jpg\n").contains("line 3: `subject` is missing"));
    assert!(csv_error("subject,image\nS1,a.jpg,extra\n").contains("line 2: 3 values, but the header has 2"));
    // A quoted line break moves the later rows down; the line is the file's, not the record's.
    assert!(
        csv_error("subject,image,display_name\nS1,a.jpg,\"\n\"\nS2,b.jpg,x\nS3,,x\n")
            .contains("line 5: `image` is missing")
    );
    assert!(all("m.csv", b"subject,image\nS1,\xff.jpg\n").unwrap_err().contains("line 2: not valid UTF-8"));
    assert!(csv_error("").contains("the header has no column"));
}

#[test]
fn json_lines_with_metadata() {
    let items = all("m.jsonl", b"{\"subject\":\"S1\",\"image\":\"a.jpg\",\"capture_date\":null,\"attr.x\":\"y\"}\n\n{\"subject\":\"S2\",\"image\":\"b.jpg\"}").unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].details.as_ref().unwrap().attributes["x"], "y");
}

#[test]
fn json_refusals_name_the_line() {
    let error = |text: &str| all("m.jsonl", text.as_bytes()).unwrap_err();
    let good = "{\"subject\":\"S\",\"image\":\"a.jpg\"}\n";
    assert!(error(&format!("{good}\n{{\"subject\":")).contains("line 3: not valid JSON"));
    assert!(error(&format!("{good}[1]")).contains("line 2: not an object"));
    assert!(error("{\"subject\":7,\"image\":\"a\"}").contains("line 1: `subject` must be text"));
    assert!(error("{\"subject\":\"S\",\"image\":\"a\",\"nmae\":\"x\"}").contains("unknown column `nmae`"));
    assert!(error(&"x".repeat(300_000)).contains("line 1: longer than"));
}
