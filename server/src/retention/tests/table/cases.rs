//! Persons of interest, missing and unidentified persons while the case is open.
use super::*;
use PoolKind::{MissingPerson, Person, UnidentifiedPerson, UnidentifiedRemains};

pub(super) fn all() -> Vec<Row> {
    let mut all = rows(
        "person of interest, from the end of February",
        Person,
        &record(Person, "2024-02-29"),
        &[
            ("2025-02-27", "retain; person.open; review 2025-02-28; changes 2025-02-28"),
            ("2025-02-28", "due 2025-02-28; person.open; review 2025-02-28; changes never"),
            ("2025-03-01", "due 2025-02-28; person.open; review 2025-02-28; changes never"),
        ],
    );
    all.extend(rows(
        "missing, not reviewed",
        MissingPerson,
        &record(MissingPerson, "2024-12-31"),
        &[
            ("2025-12-30", "retain; missing_person.open; review 2025-12-31; changes 2025-12-31"),
            ("2025-12-31", "retain; missing_person.open; review 2025-12-31 overdue; changes 2027-12-31"),
            ("2027-12-30", "retain; missing_person.open; review 2025-12-31 overdue; changes 2027-12-31"),
            ("2027-12-31", "due 2027-12-31; missing_person.open; review 2027-12-31; changes never"),
        ],
    ));
    // Reviewed to the end: the age decides, or a hundred years when the birth is not known.
    for born in [Some(day("1925-06-01")), None] {
        let mut facts = record(MissingPerson, "1925-06-01");
        facts.date_of_birth = born;
        facts.reviews = vec![retain("2024-01-01", "2025-01-01")];
        all.extend(rows(
            "missing for a hundred years",
            MissingPerson,
            &facts,
            &[
                ("2025-05-31", "retain; missing_person.open; review 2025-01-01 overdue; changes 2025-06-01"),
                ("2025-06-01", "due 2025-06-01; missing_person.open; review 2025-06-01; changes never"),
            ],
        ));
    }
    all.extend(rows(
        "unidentified, not reviewed",
        UnidentifiedPerson,
        &record(UnidentifiedPerson, "2020-05-31"),
        &[
            ("2021-05-30", "retain; unidentified_person.open; review 2021-05-31; changes 2021-05-31"),
            ("2021-05-31", "retain; unidentified_person.open; review 2021-05-31 overdue; changes 2022-05-31"),
            ("2022-05-31", "due 2022-05-31; unidentified_person.open; review 2022-05-31; changes never"),
        ],
    ));
    let mut reviewed = record(UnidentifiedPerson, "2020-05-31");
    reviewed.reviews = vec![retain("2029-12-01", "2030-03-01")];
    all.extend(rows(
        "unidentified for ten years",
        UnidentifiedPerson,
        &reviewed,
        &[
            ("2030-05-30", "retain; unidentified_person.open; review 2030-03-01 overdue; changes 2030-05-31"),
            ("2030-05-31", "due 2030-05-31; unidentified_person.open; review 2030-05-31; changes never"),
        ],
    ));
    all.extend(rows(
        "remains, not reviewed",
        UnidentifiedRemains,
        &record(UnidentifiedRemains, "2020-02-29"),
        &[
            ("2022-02-27", "retain; unidentified_remains.open; review 2022-02-28; changes 2022-02-28"),
            (
                "2022-02-28",
                "retain; unidentified_remains.open; review 2022-02-28 overdue; changes 2025-02-28",
            ),
            ("2025-02-28", "due 2025-02-28; unidentified_remains.open; review 2025-02-28; changes never"),
        ],
    ));
    let mut old = record(UnidentifiedRemains, "1950-05-31");
    old.reviews = vec![retain("2025-01-01", "2025-02-01")];
    all.extend(rows(
        "remains for seventy-five years",
        UnidentifiedRemains,
        &old,
        &[
            (
                "2025-05-30",
                "retain; unidentified_remains.open; review 2025-02-01 overdue; changes 2025-05-31",
            ),
            ("2025-05-31", "due 2025-05-31; unidentified_remains.open; review 2025-05-31; changes never"),
        ],
    ));
    all
}
