//! What holds when the person asks for deletion, and how the record is counted.
use super::*;
use CustodyOutcome::{Acquitted, Cautioned, Convicted, NoFurtherAction, Pending, Quashed};

fn asking(name: &'static str, kind: PoolKind, facts: &Facts, lines: &[(&str, &str)]) -> Vec<Row> {
    rows(name, kind, facts, lines).into_iter().map(|row| Row { of: asked, ..row }).collect()
}

pub(super) fn all() -> Vec<Row> {
    [unconvicted(), convicted(), others()].into_iter().flatten().collect()
}

fn custody_of(born: &str, event: CustodyEvent) -> Facts {
    Facts { date_of_birth: (!born.is_empty()).then(|| day(born)), ..custody(&[event]) }
}

fn unconvicted() -> Vec<Row> {
    let kind = PoolKind::Custody;
    let mut all = asking(
        "no event",
        kind,
        &record(kind, "2025-08-31"),
        &[(
            "2025-09-01",
            "application.no_event; ExceptionalReason from 2025-08-31 open; group 0; no_event; 35_to_49",
        )],
    );
    all.extend(asking(
        "pending",
        kind,
        &custody(&[event("2024-02-29", Pending, "", 3)]),
        &[("2024-03-01", "application.pending; None from 2024-02-29 open; group 3; pending; 35_to_49")],
    ));
    for outcome in [NoFurtherAction, Acquitted, Quashed] {
        // Born on 29 February 2000: 18 on 1 March 2018.
        for (on, born, rule, age) in [
            (
                "2018-02-28",
                "2000-02-29",
                "application.not_convicted.under_18; HighlyExceptionalReason",
                "14_to_17",
            ),
            ("2018-03-01", "2000-02-29", "application.not_convicted.adult; ExceptionalReason", "18_to_24"),
            ("2018-03-02", "2000-02-29", "application.not_convicted.adult; ExceptionalReason", "18_to_24"),
            (
                "2018-03-02",
                "2000-03-03",
                "application.not_convicted.under_18; HighlyExceptionalReason",
                "14_to_17",
            ),
            ("2018-03-03", "2000-03-03", "application.not_convicted.adult; ExceptionalReason", "18_to_24"),
            ("2018-03-04", "2000-03-03", "application.not_convicted.adult; ExceptionalReason", "18_to_24"),
            ("2018-03-04", "", "application.not_convicted.under_18; HighlyExceptionalReason", "unknown"),
        ] {
            let facts = custody_of(born, event(on, outcome, "2018-06-01", 1));
            let says = format!("{rule} from {on} open; group 0; not_convicted; {age}");
            all.extend(asking("not convicted", kind, &facts, &[("2018-06-01", says.as_str())]));
        }
    }
    all
}

fn convicted() -> Vec<Row> {
    let kind = PoolKind::Custody;
    let mut all = Vec::new();
    // Group, clear period from 2015-05-31, and the rules for persons under 18.
    let groups = [(1, "2025-05-31"), (2, "2025-05-31"), (3, "2021-05-31"), (4, "2021-05-31")];
    for (outcome, status) in [(Convicted, "convicted"), (Cautioned, "cautioned")] {
        for (group, clear) in groups {
            let eve = day(clear).yesterday().unwrap().to_string();
            let mut line = |name, born: &str, event: CustodyEvent, rule: &str, from: &str, age: &str| {
                let eve =
                    if from == clear { eve.clone() } else { day(from).yesterday().unwrap().to_string() };
                let shut = format!("{rule} from {from}; group {group}; {status}; {age}");
                let open = format!("{rule} from {from} open; group {group}; {status}; {age}");
                let lines = [(eve.as_str(), shut.as_str()), (from, open.as_str())];
                all.extend(asking(name, kind, &custody_of(born, event), &lines));
            };
            let plain = event("2015-05-31", outcome, "2016-02-29", group);
            line(
                "adult",
                "1980-01-01",
                plain.clone(),
                "application.recordable.adult; None",
                clear,
                "35_to_49",
            );
            let child = match group {
                1 | 2 => "application.recordable.under_18.heavy; None",
                _ => "application.recordable.under_18; HighlyExceptionalReason",
            };
            line("under 18", "2000-01-01", plain.clone(), child, clear, "14_to_17");
            let grave = match group {
                1 | 2 => "application.recordable.under_18.heavy; None",
                _ => "application.recordable.under_18.grave; None",
            };
            let serious = CustodyEvent { serious: true, ..plain.clone() };
            line("under 18, serious", "2000-01-01", serious, grave, clear, "14_to_17");
            let prison = CustodyEvent { prison: true, ..plain.clone() };
            line("under 18, prison", "2000-01-01", prison, grave, clear, "14_to_17");
            // Not recordable: six years after the outcome of 29 February 2016.
            let mut minor = plain;
            minor.offences[0].recordable = false;
            let rule = "application.not_recordable; ExceptionalReason";
            line("not recordable", "1980-01-01", minor.clone(), rule, "2022-02-28", "35_to_49");
            line("not recordable", "2004-01-01", minor, rule, "2022-02-28", "10_to_13");
        }
    }
    let mut reviewed = custody(&[
        event("2005-05-31", Convicted, "2005-06-30", 3),
        event("2006-05-31", Acquitted, "2006-06-30", 1),
    ]);
    reviewed.reviews = vec![retain("2011-01-01", "2020-01-01")];
    all.extend(asking(
        "a conviction weighs more than a later acquittal when a review decides",
        kind,
        &reviewed,
        &[(
            "2015-01-01",
            "application.recordable.adult; None from 2011-05-31 open; group 3; convicted; 18_to_24",
        )],
    ));
    let mut empty = custody(&[event("2005-05-31", Convicted, "2005-06-30", 3)]);
    empty.events[0].offences.clear();
    empty.events[0].outcome = Pending;
    empty.events[0].outcome_on = None;
    all.extend(asking(
        "pending without offences",
        kind,
        &empty,
        &[("2005-06-30", "application.pending; None from 2005-05-31 open; group 0; pending; 18_to_24")],
    ));
    all
}

fn others() -> Vec<Row> {
    let mut all = Vec::new();
    for kind in PoolKind::ALL.into_iter().filter(|kind| *kind != PoolKind::Custody) {
        let mut facts = record(kind, "2024-12-31");
        let says = "application.case; None from 2024-12-31 open; group 0; not_applicable; 35_to_49";
        all.extend(asking("other pools", kind, &facts, &[("2025-01-01", says)]));
        facts.captures = vec![day("1989-06-15")];
        let says = "application.case; None from 2024-12-31 open; group 0; not_applicable; under_10";
        all.extend(asking("the first image counts", kind, &facts, &[("2025-01-01", says)]));
    }
    all
}
