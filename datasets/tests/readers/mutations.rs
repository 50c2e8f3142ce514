//! Fuzzing without a fuzzer: golden samples with bytes changed, removed, repeated and cut off. A reader may accept or refuse; it may
//! not panic, run away, or refuse without saying where. `fuzz/` has the same targets for a coverage-guided fuzzer.
use std::fs;
use std::path::Path;

use likeness_datasets::protocol::{PairLayout, read_protocol};
use likeness_datasets::scores::read_scores;
use likeness_datasets::type10::parse_type10;
use likeness_datasets::{ReadError, read_people};
use proptest::prelude::*;

use crate::sample;

/// One change of a file.
#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Remove(prop::sample::Index, u8),
    Repeat(prop::sample::Index, u8),
    Cut(prop::sample::Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = any::<prop::sample::Index>;
    let change = prop_oneof![
        6 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (at(), 1..20_u8).prop_map(|(at, count)| Change::Remove(at, count)),
        2 => (at(), 1..40_u8).prop_map(|(at, count)| Change::Repeat(at, count)),
        1 => at().prop_map(Change::Cut),
    ];
    prop::collection::vec(change, 1..6)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let end = |at: usize, count: u8| (at + usize::from(count)).min(bytes.len());
        match change {
            Change::Set(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Change::Remove(at, count) => {
                let at = at.index(bytes.len());
                drop(bytes.drain(at..end(at, *count)));
            }
            Change::Repeat(at, count) => {
                let at = at.index(bytes.len());
                let part = bytes[at..end(at, *count)].to_vec();
                bytes.splice(at..at, part);
            }
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
        }
    }
    bytes
}

/// Reads a changed copy of `name` in a folder of copies of what lies beside it.
fn survives(name: &str, changes: &[Change], read: impl Fn(&Path) -> Result<(), ReadError>) {
    let folder = tempfile::tempdir().unwrap();
    let beside = sample(name).parent().unwrap().to_path_buf();
    for entry in fs::read_dir(beside).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let file = folder.path().join(Path::new(name).file_name().unwrap());
    let bytes = changed(fs::read(&file).unwrap(), changes);
    fs::write(&file, bytes).unwrap();
    if let Err(error) = read(&file) {
        let text = error.to_string();
        assert!(text.contains(&folder.path().display().to_string()), "{text}");
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn csv_pairs(changes in changes()) {
        survives("pairs.csv", &changes, |path| read_protocol(path, None, PairLayout::Csv).map(drop));
    }

    #[test]
    fn lfw(changes in changes()) {
        survives("pairs.txt", &changes, |path| read_protocol(path, None, PairLayout::Lfw).map(drop));
    }

    #[test]
    fn pickle(changes in changes()) {
        survives("pairs.bin", &changes, |path| read_protocol(path, None, PairLayout::InsightfaceBin).map(drop));
    }

    #[test]
    fn agedb(changes in changes()) {
        survives("agedb.txt", &changes, |path| read_protocol(path, None, PairLayout::AgeDb).map(drop));
    }

    #[test]
    fn ijb(changes in changes()) {
        let read = |path: &Path| read_protocol(&path.with_file_name("matches.csv"), None, PairLayout::Ijb).map(drop);
        survives("ijb/matches.csv", &changes, read);
        survives("ijb/templates.csv", &changes, read);
    }

    #[test]
    fn cfp(changes in changes()) {
        let folder = tempfile::tempdir().unwrap();
        let split = folder.path().join("Protocol/Split/FF");
        fs::create_dir_all(split.join("01")).unwrap();
        let list = fs::read(sample("cfp/Protocol/Pair_list_F.txt")).unwrap();
        fs::write(folder.path().join("Protocol/Pair_list_F.txt"), changed(list, &changes)).unwrap();
        fs::write(split.join("01/same.txt"), changed(b"1,2\n2,1\n".to_vec(), &changes)).unwrap();
        fs::write(split.join("01/diff.txt"), "1,1\n").unwrap();
        drop(read_protocol(&split, None, PairLayout::Cfp));
    }

    #[test]
    fn sigset(changes in changes()) {
        survives("sigset.xml", &changes, |path| read_people(path).map(drop));
    }

    #[test]
    fn manifest(changes in changes()) {
        survives("manifest.csv", &changes, |path| read_people(path).map(drop));
    }

    #[test]
    fn parquet(changes in changes()) {
        survives("manifest.parquet", &changes, |path| read_people(path).map(drop));
    }

    #[test]
    fn scores(changes in changes()) {
        survives("scores.csv", &changes, |path| read_scores(path, || {}).map(drop));
    }

    #[test]
    fn type10(changes in changes()) {
        let bytes = changed(fs::read(sample("face.an2")).unwrap(), &changes);
        drop(parse_type10(Path::new("changed.an2"), &bytes));
    }

    #[test]
    fn anything_at_all(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        drop(parse_type10(Path::new("any.an2"), &bytes));
        let folder = tempfile::tempdir().unwrap();
        for (name, layout) in [("any.bin", PairLayout::InsightfaceBin), ("any.txt", PairLayout::Lfw), ("any.csv", PairLayout::Csv)] {
            let file = folder.path().join(name);
            fs::write(&file, &bytes).unwrap();
            drop(read_protocol(&file, None, layout));
            drop(read_people(&file));
            drop(read_scores(&file, || {}));
        }
    }
}
