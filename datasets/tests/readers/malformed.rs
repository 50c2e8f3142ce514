//! A file that is wrong in one place is refused with the file, the place and the field.
use std::fs;
use std::path::Path;

use likeness_datasets::protocol::{PairLayout, read_protocol};
use likeness_datasets::scores::read_scores;
use likeness_datasets::type10::read_type10;
use likeness_datasets::{ReadError, read_people};

use crate::sample;

/// Reads `name` after a replacement in it, and says what the refusal says about it.
fn refused(
    name: &str,
    (from, to): (&str, &str),
    read: impl Fn(&Path) -> Result<(), ReadError>,
) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    copy(sample(name).parent().unwrap(), folder.path());
    let file = folder.path().join(Path::new(name).file_name().unwrap());
    let bytes = fs::read(&file).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("`{from}` is not in {name}"));
    let changed = [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat();
    fs::write(&file, changed).unwrap();
    match read(&file) {
        Err(ReadError::Malformed { path, place, field, problem }) => {
            assert!(path.starts_with(folder.path()), "{}", path.display());
            assert!(!problem.is_empty());
            (place.to_string(), field)
        }
        other => panic!("{name} with `{to}` for `{from}` gives {other:?}"),
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn pairs(layout: PairLayout) -> impl Fn(&Path) -> Result<(), ReadError> {
    move |path| read_protocol(path, None, layout).map(drop)
}

fn people(path: &Path) -> Result<(), ReadError> {
    read_people(path).map(drop)
}

fn told(place: &str, field: &str) -> (String, String) {
    (place.to_owned(), field.to_owned())
}

#[test]
fn pair_lists() {
    let csv = |change| refused("pairs.csv", change, pairs(PairLayout::Auto));
    assert_eq!(csv(("c.jpg,No", "c.jpg,Perhaps")), told("line 3", "`Decision`"));
    assert_eq!(csv(("c.jpg,No", "c.jpg")).0, "line 3");
    let lfw = |change| refused("pairs.txt", change, pairs(PairLayout::Auto));
    assert_eq!(lfw(("2\t1", "two")), told("line 1", "header"));
    assert_eq!(lfw(("Ada_One\t1\t2", "Ada_One\t1\tx")), told("line 2", "image number"));
    assert_eq!(lfw(("Bo_Two\t1\t2", "Bo_Two\t1")), told("line 4", "all fields"));
    assert_eq!(lfw(("Ada_One\t1\tBo_Two", "../etc\t1\tBo_Two")), told("line 3", "person"));
    assert_eq!(lfw(("2\t1", "3\t1")), told("as a whole", "pairs"));
    let agedb = |change| refused("agedb.txt", change, pairs(PairLayout::AgeDb));
    assert_eq!(agedb(("m.jpg 0", "m.jpg 1")), told("line 2", "label"));
    assert_eq!(agedb(("_57_f", "_57_x")), told("line 1", "second name"));
    // Latin-1 where UTF-8 is expected: the line is told, not only that the file cannot be read.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("latin.txt");
    fs::write(&file, b"1\t1\nJos\xe9_Uno\t1\t2\n").unwrap();
    let error = read_protocol(&file, None, PairLayout::Lfw).unwrap_err().to_string();
    assert!(error.ends_with("latin.txt` line 2, text: it is not valid UTF-8"), "{error}");
}

#[test]
fn pickles() {
    let bin = |change| refused("pairs.bin", change, pairs(PairLayout::Auto));
    // `c` would look up a function to call.
    let (place, field) = bin(("]", "c"));
    assert!(place.starts_with("byte ") && field == "pickle opcode", "{place} {field}");
    let whole = fs::read(sample("pairs.bin")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.bin");
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(read_protocol(&file, None, PairLayout::Auto), Err(ReadError::Malformed { .. })));
}

#[test]
fn templates() {
    let ijb = |name: &str, change| {
        refused(name, change, |path| {
            read_protocol(&path.with_file_name("matches.csv"), None, PairLayout::Ijb).map(drop)
        })
    };
    assert_eq!(ijb("ijb/matches.csv", ("1,3", "1,9")), told("line 2", "second template"));
    assert_eq!(ijb("ijb/templates.csv", ("SUBJECT_ID", "SUBJECT")), told("line 1", "`SUBJECT_ID`"));
    assert_eq!(ijb("ijb/templates.csv", ("1,70,img/2", "1,71,img/2")), told("line 3", "`SUBJECT_ID`"));
    assert_eq!(ijb("ijb/templates.csv", (",10,12,", ",ten,12,")), told("line 2", "face box"));
}

#[test]
fn cfp() {
    let folder = tempfile::tempdir().unwrap();
    let split = folder.path().join("Protocol/Split/FP");
    fs::create_dir_all(split.join("01")).unwrap();
    copy(&sample("cfp/Protocol"), &folder.path().join("Protocol"));
    fs::write(split.join("01/same.txt"), "1,1\n7,2\n").unwrap();
    fs::write(split.join("01/diff.txt"), "1,2\n").unwrap();
    let error = read_protocol(&split, None, PairLayout::Auto).unwrap_err().to_string();
    assert!(error.contains("same.txt` line 2, first"), "{error}");
}

#[test]
fn sets_of_people() {
    let xml = |change| refused("sigset.xml", change, people);
    assert_eq!(xml(("name=\"S001\"", "nome=\"S001\"")), told("line 3", "`name`"));
    assert_eq!(xml(("file-name=\"S002/1.jpg\"", "file=\"S002/1.jpg\"")), told("line 7", "`file-name`"));
    assert_eq!(xml(("</complex-presentation>", "")).1, "XML");
    assert_eq!(
        xml(("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<!DOCTYPE a [<!ENTITY b \"c\">]>")).1,
        "XML"
    );
    let csv = |change| refused("manifest.csv", change, people);
    assert_eq!(csv(("subject,", "person,")), told("line 1", "`subject`"));
    assert_eq!(csv(("bo,bo/1.jpg", "bo,")), told("line 3", "`image`"));
    assert_eq!(refused("manifest.parquet", ("subject", "subjekt"), people).1, "`subject`");
}

#[test]
fn score_files() {
    let scores = |change| refused("scores.csv", change, |path| read_scores(path, || {}).map(drop));
    assert_eq!(scores((",score,", ",points,")), told("line 1", "`score`"));
    assert_eq!(scores(("r1,1,0.9", "r1,1,1e16")), told("line 2", "`score`"));
    assert_eq!(scores(("r1,1,0.9", "r1,0,0.9")), told("line 2", "`mated`"), "the subjects are the same");
    assert_eq!(scores(("r1,1,0.9", "r1,1,NaN")), told("line 2", "`score`"));
    assert_eq!(scores(("r2,0,0.2", "r2,2,0.2")), told("line 3", "`mated`"));
    assert_eq!(scores(("p2,r1", ",r1")), told("line 4", "`probe`"));
    assert_eq!(scores(("p1,r2,0,0.2,ada,bo,female,male", "p1,r2,0")), told("line 3", "all fields"));
}

#[test]
fn type10() {
    let record = |change| refused("face.an2", change, |path| read_type10(path).map(drop));
    assert_eq!(record(("10.006:8", "10.006:x")).1, "10.006");
    assert_eq!(record(("1.001:", "2.001:")).1, "1.002", "the next field is of another record");
    assert_eq!(record(("\u{1e}2\u{1f}00", "\u{1e}4\u{1f}00")).1, "LEN");
    let longer = record(("10.001:", "10.001:9"));
    assert_eq!(longer.1, "10.001");
    let whole = fs::read(sample("face.an2")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in
        [("cut.an2", whole[..whole.len() - 1].to_vec()), ("more.an2", [whole, vec![0]].concat())]
    {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        assert!(matches!(read_type10(&file), Err(ReadError::Malformed { .. })), "{name}");
    }
}
