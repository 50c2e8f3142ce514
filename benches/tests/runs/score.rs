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

#[test]
fn the_score_files_of_a_run_are_read_back_to_the_same_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let (file, first) = (folder.path().join("scores.csv"), folder.path().join("first"));
    // Digits that do not survive a careless reader; names that must be quoted; a failed comparison.
    let mut rows = "probe,reference,mated,score\n\"a, b\",c,1,0.1\ne,f,0,\n".to_owned();
    for number in 0..200_u32 {
        let score = f64::from(number).sqrt().fract();
        rows += &format!("p{number},r{},{},{score}\n", number / 2, number % 2);
    }
    fs::write(&file, rows).unwrap();
    succeeds(&["score", "--scores", text(&file), "--out", text(&first)]);
    let expected = metrics(&first);
    for name in ["scores.csv", "scores.parquet"] {
        let again = folder.path().join(name.replace('.', "-"));
        succeeds(&["score", "--scores", text(&first.join(name)), "--out", text(&again)]);
        let found = metrics(&again);
        for part in ["comparisons", "searches", "counts", "distribution"] {
            assert_eq!(found[part], expected[part], "{name}: {part}");
        }
        let raw = |out: &std::path::Path| fs::read(out.join("scores.csv")).unwrap();
        assert_eq!(raw(&again), raw(&first), "{name}");
    }
}

#[test]
fn candidate_lists_are_not_taken_for_comparisons() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("scores.csv"), folder.path().join("out"));
    fs::write(&file, "probe,reference,mated,score,rank,refusal\np,a,1,0.8,1,\np,b,0,0.7,2,\n").unwrap();
    let said = refused(&["score", "--scores", text(&file), "--out", text(&out)]);
    assert!(said.contains("line 2, `rank`: the rows are candidate lists"), "{said}");
}

/// What a hostile or a careless hand can put into a score file: refused, or reported without a stop.
#[test]
fn extreme_scores_and_contradictory_labels() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scores.csv");
    let try_with = |name: &str, rows: &dyn Fn(u32) -> String| {
        let all: String = (0..200).map(rows).collect();
        fs::write(&file, format!("probe,reference,mated,score\n{all}")).unwrap();
        let out = folder.path().join(name);
        let line = ["score", "--scores", text(&file), "--out", text(&out), "--minimum-events", "1"];
        let output = bench(&line).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned(), out)
    };
    // Ranges that plots and bins cannot divide: too narrow for their size, below the smallest number, all alike.
    for (name, score) in [
        ("tiny", (|n| format!("{:e}", 5e-324 * f64::from(n))) as fn(u32) -> String),
        ("close", |n| format!("{:e}", 1e15 - f64::from(n % 2))),
        ("alike", |_| "0.5".to_owned()),
        ("wide", |n| format!("{}", if n % 2 == 0 { -1e15 } else { 1e15 })),
    ] {
        let (done, said, out) = try_with(name, &|n| format!("p{n},r{n},{},{}\n", n % 2, score(n)));
        assert!(done, "{name}: {said}");
        assert!(fs::read_to_string(out.join("report.html")).unwrap().contains("</html>"), "{name}");
    }
    let (done, said, _) = try_with("contradiction", &|n| format!("p,r,{},0.5\n", n % 2));
    assert!(!done && said.contains("mated in one row and not mated in another"), "{said}");
    let markup = "<img src=x onerror=alert(1)>";
    let (done, _, out) = try_with("markup", &|n| format!("{markup}{n},r{n},{},0.{n}\n", n % 2));
    assert!(done && !fs::read_to_string(out.join("report.html")).unwrap().contains(markup));
}
