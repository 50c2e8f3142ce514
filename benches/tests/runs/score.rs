//! `score`: other people's scores.
use std::fs;

use crate::{bench, metrics, refused, succeeds, text};

/// Three probes against three references; p1 and p2 have mates, p3 is a stranger.
const MATRIX: &str = "probe,reference,mated,score
p1,r1,1,0.9
p1,r2,0,0.3
p1,r3,0,0.2
p2,r1,0,0.6
p2,r2,1,0.5
p2,r3,0,0.1
p3,r1,0,0.4
p3,r2,0,0.5
p3,r3,0,0.1
";

#[test]
fn a_small_file_gives_what_is_worked_out_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("scores.csv"), folder.path().join("out"));
    fs::write(&file, MATRIX).unwrap();
    succeeds(&[
        "score",
        "--scores",
        text(&file),
        "--out",
        text(&out),
        "--threshold",
        "0.5",
        "--minimum-events",
        "1",
    ]);
    let found = metrics(&out);
    assert_eq!((&found["kind"], &found["schema"]), (&"score".into(), &"likeness-metrics-1".into()));
    let one = &found["comparisons"];
    assert_eq!((&one["mated"], &one["non_mated"]), (&2.into(), &7.into()));
    let at = &one["at"][0];
    // At or above 0.5: 0.6 and 0.5 of seven strangers; no mate is below.
    assert_eq!((&at["fmr"]["count"], &at["fnmr"]["count"]), (&2.into(), &0.into()));
    let size = &found["searches"]["sizes"][0];
    assert_eq!(
        (&size["subjects"], &size["mated_searches"], &size["non_mated_searches"]),
        (&3.into(), &2.into(), &1.into())
    );
    // p2's mate is second; both are in the list.
    let cmc: Vec<_> =
        size["cmc"].as_array().unwrap().iter().map(|point| (&point["rank"], &point["missed"])).collect();
    assert_eq!(cmc, [(&1.into(), &1.into()), (&2.into(), &0.into()), (&3.into(), &0.into())]);
    // Ten per cent of one search cannot be measured.
    let point = &size["operating_points"][0];
    assert_eq!((&point["supported"], &point["needed"]), (&false.into(), &10.into()));
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(
        page.contains("<svg") && page.contains("not stated: 1 non-mated trials; 10 are needed"),
        "the report says it"
    );
    assert!(!page.contains("http://") || !page.contains("src="), "the page needs nothing else");
}

#[test]
fn pairs_alone_are_no_searches() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("scores.csv"), folder.path().join("out"));
    fs::write(&file, "probe,reference,mated,score\na,b,1,0.8\nc,d,0,0.1\ne,f,0,\n").unwrap();
    succeeds(&["score", "--scores", text(&file), "--out", text(&out), "--pack", "face-api"]);
    let found = metrics(&out);
    assert!(found["searches"].is_null());
    assert_eq!(found["comparisons"]["non_mated_failed"], 1);
    assert_eq!(found["pack"]["name"], "face-api");
    assert_eq!(found["pack"]["space_id"].as_str().unwrap().len(), 64);
}

#[test]
fn a_wrong_file_is_refused_with_line_and_field() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("scores.csv"), folder.path().join("out"));
    fs::write(&file, "probe,reference,mated,score\na,b,1,0.8\nc,d,0,high\n").unwrap();
    let said = refused(&["score", "--scores", text(&file), "--out", text(&out)]);
    assert!(said.contains("line 3, `score`: it is `high`"), "{said}");
    assert!(!out.join("metrics.json").exists());
    let output = bench(&["score", "--scores", "nowhere.csv", "--out", text(&out)]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere.csv"));
}
