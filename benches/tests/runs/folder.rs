//! What a run folder promises.
use std::fs;

use crate::{metrics, refused, succeeds, text};

const SCORES: &str = "probe,reference,mated,score\na,b,1,0.8\na,c,0,0.3\nd,b,0,0.1\nd,c,1,0.7\n";

#[test]
fn a_run_file_repeats_its_run_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (file, first, again) =
        (folder.path().join("scores.csv"), folder.path().join("first"), folder.path().join("again"));
    fs::write(&file, SCORES).unwrap();
    succeeds(&["score", "--scores", text(&file), "--out", text(&first), "--seed", "9"]);
    succeeds(&["run", text(&first.join("run.toml")), "--out", text(&again)]);
    for name in ["metrics.json", "report.html", "scores.csv", "scores.parquet", "run.toml"] {
        assert!(fs::read(first.join(name)).unwrap() == fs::read(again.join(name)).unwrap(), "{name} differs");
    }
    assert_eq!(metrics(&first)["seed"], 9);
}

#[test]
fn a_complete_folder_is_never_written_again_and_changes_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("scores.csv"), folder.path().join("out"));
    fs::write(&file, SCORES).unwrap();
    succeeds(&["score", "--scores", text(&file), "--out", text(&out)]);
    assert!(!out.join("incomplete").exists());
    let said = refused(&["score", "--scores", text(&file), "--out", text(&out)]);
    assert!(said.contains("holds a complete run"), "{said}");
    assert!(succeeds(&["report", text(&out)]).contains("complete and unchanged"));

    let path = out.join("metrics.json");
    let changed = fs::read_to_string(&path).unwrap().replacen("\"seed\": 2026", "\"seed\": 2027", 1);
    fs::remove_file(&path).unwrap();
    fs::write(&path, changed).unwrap();
    let page = folder.path().join("page.html");
    let said = refused(&["compare", text(&out), text(&out), "--out", text(&page)]);
    assert!(said.contains("was changed after the run"), "{said}");
    assert!(refused(&["report", text(&out)]).contains("was changed after the run"));
}

#[test]
fn a_folder_with_other_things_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("scores.csv"), folder.path().join("out"));
    fs::write(&file, SCORES).unwrap();
    fs::create_dir(&out).unwrap();
    fs::write(out.join("letter.txt"), "dear").unwrap();
    let said = refused(&["score", "--scores", text(&file), "--out", text(&out)]);
    assert!(said.contains("letter.txt"), "{said}");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
}

#[test]
fn doubtful_labels_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("scores.csv"), folder.path().join("out"));
    fs::write(&file, format!("{SCORES}x,y,0,0.99\nv,w,1,-0.5\n")).unwrap();
    succeeds(&["score", "--scores", text(&file), "--out", text(&out)]);
    let list = folder.path().join("list.csv");
    succeeds(&["audit", text(&out), "--most", "1", "--out", text(&list)]);
    let list = fs::read_to_string(list).unwrap();
    assert_eq!(list, "suspicion,probe,reference,score\nnon-mate,x,y,0.99\nmate,v,w,-0.5\n");
}
