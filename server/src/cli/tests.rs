#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
use super::*;

mod operations;

fn parses(line: &str) -> Cli {
    Cli::try_parse_from(line.split_whitespace()).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn refuses(line: &str) -> String {
    Cli::try_parse_from(line.split_whitespace())
        .err()
        .unwrap_or_else(|| panic!("`{line}` should be refused"))
        .to_string()
}

#[test]
fn the_definitions_are_sound() {
    Cli::command().debug_assert();
}

#[test]
fn the_promised_forms_parse() {
    for line in [
        "likeness init DIR",
        "likeness init DIR --listen 127.0.0.1:0 --no-pull --pack face-api",
        "likeness serve --data DIR",
        "likeness serve --data DIR --listen 127.0.0.1:1 --plaintext",
        "likeness pool create NAME --kind custody",
        "likeness pool create NAME --kind missing-person --rationale because-it-is --purpose a --purpose b --quality sharpness=20,40",
        "likeness pool create NAME --kind unidentified_remains",
        "likeness pool list --json",
        "likeness enrol --pool NAME FOLDER",
        "likeness enrol --pool NAME list.csv --select largest --hold-only --refusals r.csv --json",
        "likeness search IMAGE --pool NAME --purpose P --justification TEXT --reference REF --source cctv --json",
        "likeness search IMAGE --pool A --pool B --purpose P --justification T --reference R --source other --acquired-under U \
         --investigation I --offence-type O --edits E --select box:1,2,3,4 --limit 5 --html f.html",
        "likeness compare A B --json",
        "likeness compare A B --select-a largest --select-b index:1 --purpose p --justification j",
        "likeness subject S --pool P --purpose p --justification j --reference r",
        "likeness image I --pool P -o f --purpose p --justification j --reference r",
        "likeness unenrol I --pool P --purpose p --justification j --reference r",
        "likeness reenrol I --pool P --purpose p --justification j --reference r --json",
        "likeness models list",
        "likeness models pull --from X",
        "likeness models add mine --base face-api --detector y.onnx --detector-kind yunet --licence MIT --provenance zoo",
        "likeness models add mine --base face-api --embedder e.onnx --embedder-family arcface112 --dimension 512 --threshold 0.3 \
         --threshold-source us --threshold-meaning alike --licence MIT --provenance zoo --embedder-mean 1,2,3",
        "likeness models add --manifest m.toml",
        "likeness models verify",
        "likeness audit verify",
        "likeness audit verify --data DIR --checkpoint a --checkpoint b --key k --json",
        "likeness audit verify --bundle B --key k",
        "likeness audit show --last 5 --purpose verify_lawfulness --justification j",
        "likeness audit show EVENT --purpose self_monitoring --justification j --json",
        "likeness audit query --purpose criminal_proceedings --justification j --person p --subject s --system n --purpose-code c --from f",
        "likeness audit replay EVENT -o f --purpose verify_lawfulness --justification j --probe p",
        "likeness audit prove EVENT --purpose integrity_and_security --justification j --key k --json",
        "likeness audit reconcile --ledger f.csv --system s --from f --until u --purpose self_monitoring --justification j --json",
        "likeness audit stats --purpose self_monitoring --justification j --from f --until u",
        "likeness audit access-list --purpose self_monitoring --justification j",
        "likeness audit anomalies --purpose integrity_and_security --justification j",
        "likeness audit dpia-facts --purpose verify_lawfulness --justification j",
        "likeness audit refer EVENT --to professional_standards --organisation o --purpose self_monitoring --justification j",
        "likeness audit subject-access ID --pool p --recipient r --justification j -o f",
        "likeness audit export B --recipient r --recipient-organisation o --purpose verify_lawfulness --justification j",
        "likeness audit export-key --data DIR",
        "likeness token issue --data DIR --person p --name n --org o --role searcher --role auditor --days 3",
        "likeness completions bash",
        "likeness --profile F pool list",
        "likeness pool list --profile F",
    ] {
        parses(line);
    }
}

#[test]
fn what_must_be_said_cannot_be_left_out() {
    let search = "likeness search I --pool P --purpose p --justification j --reference r --source cctv";
    parses(search);
    for flag in ["--pool P", "--purpose p", "--justification j", "--reference r", "--source cctv"] {
        let shorter = search.replace(flag, "");
        let name = flag.split(' ').next().unwrap_or_default();
        assert!(refuses(&shorter).contains(name), "{name}");
    }
    assert!(refuses(&search.replace("cctv", "telepathy")).contains("body_worn_video"));
    refuses("likeness audit show --last 5");
    refuses("likeness audit query --purpose criminal_investigation --justification j");
    refuses("likeness audit export B --purpose verify_lawfulness --justification j");
    refuses("likeness audit verify --bundle B");
    refuses("likeness enrol FOLDER");
    refuses("likeness enrol --pool P FOLDER --select index:1");
    refuses("likeness serve");
    refuses("likeness pool create NAME");
    refuses("likeness models add mine --base face-api --embedder e.onnx --licence l --provenance p");
    refuses("likeness token issue --data D --person p --name n --org o --role r --days 367");
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "likeness", &mut script);
        assert!(String::from_utf8_lossy(&script).contains("audit"));
    }
}
