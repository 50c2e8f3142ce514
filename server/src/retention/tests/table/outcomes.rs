//! Custody images: one event, or none.
use super::*;
use CustodyOutcome::{Acquitted, Cautioned, Convicted, NoFurtherAction, Pending, Quashed};

const KIND: PoolKind = PoolKind::Custody;

pub(super) fn all() -> Vec<Row> {
    [no_outcome(), not_convicted(), groups()].into_iter().flatten().collect()
}

fn no_outcome() -> Vec<Row> {
    let mut all = rows(
        "no event, six months from the end of a month",
        KIND,
        &record(KIND, "2025-08-31"),
        &[
            (
                "2026-02-27",
                "retain; custody.no_event; review 2026-02-28; changes 2026-02-28; chase 2025-09-28",
            ),
            (
                "2026-02-28",
                "due 2026-02-28; custody.no_event; review 2026-02-28; changes never; chase 2025-09-28",
            ),
            (
                "2026-03-01",
                "due 2026-02-28; custody.no_event; review 2026-02-28; changes never; chase 2025-09-28",
            ),
        ],
    );
    all.extend(rows(
        "no event, six months to a leap day",
        KIND,
        &record(KIND, "2023-08-31"),
        &[
            (
                "2024-02-28",
                "retain; custody.no_event; review 2024-02-29; changes 2024-02-29; chase 2023-09-28",
            ),
            (
                "2024-02-29",
                "due 2024-02-29; custody.no_event; review 2024-02-29; changes never; chase 2023-09-28",
            ),
        ],
    ));
    all.extend(rows(
        "pending since a leap day",
        KIND,
        &custody(&[event("2024-02-29", Pending, "", 3)]),
        &[
            (
                "2024-02-29",
                "retain; custody.pending; review 2025-02-28; changes 2025-02-28; chase 2024-05-29",
            ),
            (
                "2025-02-27",
                "retain; custody.pending; review 2025-02-28; changes 2025-02-28; chase 2024-05-29",
            ),
            (
                "2025-02-28",
                "due 2025-02-28; custody.pending; review 2025-02-28; changes never; chase 2024-05-29",
            ),
            (
                "2025-03-01",
                "due 2025-02-28; custody.pending; review 2025-02-28; changes never; chase 2024-05-29",
            ),
        ],
    ));
    all
}

fn not_convicted() -> Vec<Row> {
    let mut all = Vec::new();
    for (name, outcome) in
        [("no further action", NoFurtherAction), ("acquitted", Acquitted), ("quashed", Quashed)]
    {
        all.extend(rows(
            name,
            KIND,
            &custody(&[event("2025-01-10", outcome, "2025-03-01", 1)]),
            &[
                ("2025-02-28", "retain; custody.not_convicted; review 2025-03-01; changes 2025-03-01"),
                ("2025-03-01", "due 2025-03-01; custody.not_convicted; review 2025-03-01; changes never"),
                ("2025-03-02", "due 2025-03-01; custody.not_convicted; review 2025-03-01; changes never"),
            ],
        ));
    }
    all
}

fn groups() -> Vec<Row> {
    let mut all = Vec::new();
    for (name, outcome) in [("convicted", Convicted), ("cautioned", Cautioned)] {
        all.extend(rows(
            name,
            KIND,
            &custody(&[event("2020-05-05", outcome, "2020-09-01", 1)]),
            &[
                ("2030-05-04", "retain; custody.group_1; review 2030-05-05; changes 2030-05-05"),
                ("2030-05-05", "retain; custody.group_1; review 2030-05-05 overdue; changes 2031-05-05"),
                ("2031-05-04", "retain; custody.group_1; review 2030-05-05 overdue; changes 2031-05-05"),
                ("2031-05-05", "due 2031-05-05; custody.group_1; review 2031-05-05; changes never"),
                ("2031-05-06", "due 2031-05-05; custody.group_1; review 2031-05-05; changes never"),
            ],
        ));
        all.extend(rows(
            name,
            KIND,
            &custody(&[event("2010-08-31", outcome, "2010-10-01", 2)]),
            &[
                ("2020-08-30", "retain; custody.group_2; review 2020-08-31; changes 2020-08-31"),
                ("2020-08-31", "retain; custody.group_2; review 2020-08-31 overdue; changes 2021-02-28"),
                ("2021-02-27", "retain; custody.group_2; review 2020-08-31 overdue; changes 2021-02-28"),
                ("2021-02-28", "due 2021-02-28; custody.group_2; review 2021-02-28; changes never"),
            ],
        ));
        all.extend(rows(
            name,
            KIND,
            &custody(&[event("2016-02-29", outcome, "2016-05-01", 3)]),
            &[
                ("2022-02-27", "retain; custody.group_3; review 2022-02-28; changes 2022-02-28"),
                ("2022-02-28", "due 2022-02-28; custody.group_3; review 2022-02-28; changes never"),
                ("2022-03-01", "due 2022-02-28; custody.group_3; review 2022-02-28; changes never"),
            ],
        ));
        all.extend(rows(
            name,
            KIND,
            &custody(&[event("2015-07-07", outcome, "2016-05-01", 4)]),
            &[
                ("2021-07-06", "retain; custody.group_4; review 2021-07-07; changes 2021-07-07"),
                ("2021-07-07", "due 2021-07-07; custody.group_4; review 2021-07-07; changes never"),
                ("2021-07-08", "due 2021-07-07; custody.group_4; review 2021-07-07; changes never"),
            ],
        ));
    }
    // Born on 29 February; the hundredth birthday is in a year without one.
    let mut leap = custody(&[event("2095-06-01", Convicted, "2095-07-01", 1)]);
    leap.date_of_birth = Some(day("2000-02-29"));
    all.extend(rows(
        "group 1, hundredth birthday of a leap day",
        KIND,
        &leap,
        &[
            ("2100-02-28", "retain; custody.group_1; review 2100-03-01; changes 2100-03-01"),
            ("2100-03-01", "due 2100-03-01; custody.group_1; review 2100-03-01; changes 2105-06-01"),
            ("2100-03-02", "due 2100-03-01; custody.group_1; review 2100-03-01; changes 2105-06-01"),
        ],
    ));
    let mut old = custody(&[event("2020-06-01", Convicted, "2020-07-01", 2)]);
    old.date_of_birth = Some(day("1925-07-01"));
    all.extend(rows(
        "group 2, hundredth birthday",
        KIND,
        &old,
        &[
            ("2025-06-30", "retain; custody.group_2; review 2025-07-01; changes 2025-07-01"),
            ("2025-07-01", "due 2025-07-01; custody.group_2; review 2025-07-01; changes 2030-06-01"),
        ],
    ));
    for (group, rule) in [(1, "custody.group_1"), (2, "custody.group_2")] {
        let mut unknown = custody(&[event("2070-01-01", Convicted, "2070-02-01", group)]);
        unknown.date_of_birth = None;
        unknown.first_collected_on = day("1990-04-04");
        let retain = format!("retain; {rule}; review 2072-04-04; changes 2072-04-04");
        let due = format!("due 2072-04-04; {rule}; review 2072-04-04; changes 2080-01-01");
        let lines =
            [("2072-04-03", retain.as_str()), ("2072-04-04", due.as_str()), ("2072-04-05", due.as_str())];
        all.extend(rows("birth unknown", KIND, &unknown, &lines));
    }
    all
}
