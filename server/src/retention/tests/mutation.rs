//! No number, list entry or switch of the shipped file can change without a line of the table noticing.
use super::*;

/// Lines of the file that say how rules work, with their numbers: not comments, titles or sources.
fn working_lines() -> Vec<(usize, &'static str)> {
    let said = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        line.contains('=') && !line.starts_with('#') && !["title", "source", "version", "id"].contains(&key)
    };
    SHIPPED.lines().enumerate().filter(|(_, line)| said(line)).collect()
}

/// The shipped text with one line changed.
fn with(at: usize, line: &str) -> String {
    let lines = SHIPPED.lines().enumerate();
    lines.map(|(number, old)| format!("{}\n", if number == at { line } else { old })).collect()
}

/// What the service reads directly, beside what the table shows.
fn told(rules: &RuleSet) -> String {
    let limits = rules.application_limits();
    format!(
        "{} {} {} {} {} {}",
        rules.effective_from(),
        rules.beyond_use(),
        limits.decide,
        limits.appeal,
        limits.decide_appeal,
        rules.acknowledge_line()
    )
}

/// Whether anything here notices that the text is another one.
fn noticed(text: &str, rows: &[table::Row]) -> bool {
    match RuleSet::parse(text) {
        Err(_) => true,
        Ok(rules) => {
            told(&rules) != "2026-01-01 28 days 1 month 60 days 1 month 28 days"
                || table::contradicted(&rules, rows).is_some()
        }
    }
}

#[test]
fn every_number_counts() {
    let rows = table::all();
    assert!(!noticed(SHIPPED, &rows));
    let (mut changed, mut missed) = (0, Vec::new());
    for (at, line) in working_lines() {
        let mut from = 0;
        while let Some(start) = line[from..].find(|c: char| c.is_ascii_digit()).map(|found| from + found) {
            let length = line[start..].chars().take_while(char::is_ascii_digit).count();
            let number: u32 = line[start..start + length].parse().unwrap();
            for other in [number + 1, number.wrapping_sub(1)].into_iter().filter(|other| *other < u32::MAX) {
                let width = length;
                let mutant = format!("{}{other:0width$}{}", &line[..start], &line[start + length..]);
                changed += 1;
                if !noticed(&with(at, &mutant), &rows) {
                    missed.push(format!("line {}: {mutant}", at + 1));
                }
            }
            from = start + length;
        }
    }
    println!("report: {changed} changed numbers, {} unnoticed", missed.len());
    assert!(changed > 100, "{changed}");
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn every_list_entry_and_every_switch_counts() {
    let rows = table::all();
    let (mut changed, mut missed) = (0, Vec::new());
    let mut tried = |at: usize, mutant: String| {
        changed += 1;
        if !noticed(&with(at, &mutant), &rows) {
            missed.push(format!("line {}: {mutant}", at + 1));
        }
    };
    for (at, line) in working_lines() {
        for (start, _) in line.match_indices('[') {
            let end = start + line[start..].find(']').unwrap();
            let entries: Vec<&str> = line[start + 1..end].split(", ").collect();
            for leave in 0..entries.len() {
                let rest: Vec<&str> = entries
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| *at != leave)
                    .map(|(_, entry)| *entry)
                    .collect();
                tried(at, format!("{}[{}{}", &line[..start], rest.join(", "), &line[end..]));
            }
        }
        for (one, other) in [
            ("true", "false"),
            ("false", "true"),
            ("\"under_18\"", "\"adult\""),
            ("\"adult\"", "\"under_18\""),
            ("\"1 March\"", "\"28 February\""),
            ("\"exceptional_reason\"", "\"none\""),
            ("\"highly_exceptional_reason\"", "\"exceptional_reason\""),
            ("\"none\"", "\"exceptional_reason\""),
            ("\"last_event\"", "\"event\""),
            ("\"event\"", "\"last_event\""),
            ("\"outcome\"", "\"event\""),
        ] {
            if line.contains(one) && !line.starts_with("applies_to") {
                tried(at, line.replacen(one, other, 1));
            }
        }
        for key in ["chase_after", "unreviewed_due_after", "review_every", "opens_after"] {
            if line.starts_with(key) {
                tried(at, String::new());
            }
        }
    }
    println!("report: {changed} changed entries, {} unnoticed", missed.len());
    assert!(changed > 80, "{changed}");
    assert!(missed.is_empty(), "{missed:#?}");
}
