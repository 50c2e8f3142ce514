//! Custody images: several events, changed outcomes, reviews and holds.
use super::*;
use CustodyOutcome::{Acquitted, Cautioned, Convicted, NoFurtherAction, Pending, Quashed};

const KIND: PoolKind = PoolKind::Custody;

pub(super) fn all() -> Vec<Row> {
    [several(), changed(), reviews(), holds(), neither()].into_iter().flatten().collect()
}

fn several() -> Vec<Row> {
    let first = event("2015-01-01", Convicted, "2015-02-01", 3);
    let second = event("2018-06-01", Cautioned, "2018-06-02", 3);
    let mut all = rows(
        "the clear period begins anew with a second event",
        KIND,
        &custody(&[first.clone(), second.clone()]),
        &[
            ("2021-01-01", "retain; custody.group_3; review 2024-06-01; changes 2024-06-01"),
            ("2024-05-31", "retain; custody.group_3; review 2024-06-01; changes 2024-06-01"),
            ("2024-06-01", "due 2024-06-01; custody.group_3; review 2024-06-01; changes never"),
        ],
    );
    let acquitted = event("2020-03-03", Acquitted, "2020-09-01", 1);
    all.extend(rows(
        "an acquittal does not begin it anew",
        KIND,
        &custody(&[first.clone(), second.clone(), acquitted]),
        &[
            ("2024-05-31", "retain; custody.group_3; review 2024-06-01; changes 2024-06-01"),
            ("2024-06-01", "due 2024-06-01; custody.group_3; review 2024-06-01; changes never"),
        ],
    ));
    let pending = event("2022-01-10", Pending, "", 4);
    all.extend(rows(
        "a pending event does",
        KIND,
        &custody(&[first.clone(), second, pending]),
        &[
            (
                "2024-06-01",
                "retain; custody.group_3; review 2028-01-10; changes 2028-01-10; chase 2022-04-10",
            ),
            (
                "2028-01-09",
                "retain; custody.group_3; review 2028-01-10; changes 2028-01-10; chase 2022-04-10",
            ),
            (
                "2028-01-10",
                "due 2028-01-10; custody.group_3; review 2028-01-10; changes never; chase 2022-04-10",
            ),
        ],
    ));
    let heavy = event("2000-04-01", Convicted, "2000-05-01", 2);
    let light = event("2009-10-01", Convicted, "2009-11-01", 3);
    all.extend(rows(
        "the heavier group decides, counted from the last event",
        KIND,
        &custody(&[light.clone(), heavy]),
        &[
            ("2019-09-30", "retain; custody.group_2; review 2019-10-01; changes 2019-10-01"),
            ("2019-10-01", "retain; custody.group_2; review 2019-10-01 overdue; changes 2020-04-01"),
            ("2020-04-01", "due 2020-04-01; custody.group_2; review 2020-04-01; changes never"),
        ],
    ));
    let mut mixed = light;
    mixed.offences = vec![offence(4), offence(2), offence(3)];
    all.extend(rows(
        "the heaviest offence of an event decides",
        KIND,
        &custody(&[mixed]),
        &[("2019-09-30", "retain; custody.group_2; review 2019-10-01; changes 2019-10-01")],
    ));
    let two = [event("2024-01-01", Pending, "", 3), event("2024-06-01", Pending, "", 3)];
    all.extend(rows(
        "each pending event has its own time, and the first is chased first",
        KIND,
        &custody(&two),
        &[("2024-07-01", "retain; custody.pending; review 2025-06-01; changes 2025-01-01; chase 2024-03-31")],
    ));
    let gravest =
        [event("2005-05-05", Convicted, "2005-06-01", 1), event("2012-02-02", Cautioned, "2012-02-03", 3)];
    all.extend(rows(
        "a light event moves the review of a heavy one",
        KIND,
        &custody(&gravest),
        &[("2022-02-01", "retain; custody.group_1; review 2022-02-02; changes 2022-02-02")],
    ));
    let fourth = [event("2010-01-01", Convicted, "2010-02-01", 4), event("2012-01-01", Pending, "", 4)];
    all.extend(rows(
        "group 4, a pending event since",
        KIND,
        &custody(&fourth),
        &[("2017-12-31", "retain; custody.group_4; review 2018-01-01; changes 2018-01-01; chase 2012-03-31")],
    ));
    all
}

fn changed() -> Vec<Row> {
    let mut facts = custody(&[event("2012-02-01", Convicted, "2012-06-01", 2)]);
    let today = day("2019-12-31");
    facts.record_event(event("2012-02-01", Convicted, "2012-06-01", 3), today).unwrap();
    let mut all = rows(
        "classified anew on appeal",
        KIND,
        &facts,
        &[
            ("2018-01-31", "retain; custody.group_3; review 2018-02-01; changes 2018-02-01"),
            ("2018-02-01", "due 2018-02-01; custody.group_3; review 2018-02-01; changes never"),
        ],
    );
    facts.record_event(event("2012-02-01", Quashed, "2013-04-30", 2), today).unwrap();
    all.extend(rows(
        "quashed on appeal",
        KIND,
        &facts,
        &[("2013-04-30", "due 2013-04-30; custody.not_convicted; review 2013-04-30; changes never")],
    ));
    let mut pending = custody(&[event("2024-01-15", Pending, "", 3)]);
    pending.record_event(event("2024-01-15", NoFurtherAction, "2024-03-31", 3), day("2024-04-02")).unwrap();
    all.extend(rows(
        "no further action after being pending",
        KIND,
        &pending,
        &[("2024-04-02", "due 2024-03-31; custody.not_convicted; review 2024-03-31; changes never")],
    ));
    all
}

fn reviews() -> Vec<Row> {
    let acquitted = custody(&[event("2025-01-10", Acquitted, "2025-03-01", 3)]);
    let with = |review: Review| Facts { reviews: vec![review], ..acquitted.clone() };
    let mut all = rows(
        "a review made since the acquittal retains",
        KIND,
        &with(retain("2025-03-01", "2026-06-01")),
        &[
            ("2025-03-01", "retain; review.retain; review 2026-06-01; changes 2026-06-01"),
            ("2026-05-31", "retain; review.retain; review 2026-06-01; changes 2026-06-01"),
            ("2026-06-01", "retain; review.retain; review 2026-06-01 overdue; changes 2026-08-30"),
            ("2026-08-29", "retain; review.retain; review 2026-06-01 overdue; changes 2026-08-30"),
            ("2026-08-30", "due 2026-08-30; review.retain; review 2026-08-30; changes never"),
        ],
    );
    all.extend(rows(
        "a review made before it does not",
        KIND,
        &with(retain("2025-02-28", "2026-06-01")),
        &[("2025-03-01", "due 2025-03-01; custody.not_convicted; review 2025-03-01; changes never")],
    ));
    all.extend(rows(
        "the longest time to a review",
        KIND,
        &with(retain("2025-03-01", "2035-03-01")),
        &[
            ("2035-02-28", "retain; review.retain; review 2035-03-01; changes 2035-03-01"),
            ("2035-03-01", "retain; review.retain; review 2035-03-01 overdue; changes 2035-05-30"),
        ],
    ));
    let mut convicted = custody(&[event("2010-08-31", Convicted, "2010-10-01", 2)]);
    convicted.reviews = vec![retain("2020-08-01", "2025-08-01")];
    convicted.events.push(event("2022-01-01", NoFurtherAction, "2022-02-01", 3));
    all.extend(rows(
        "a reviewed conviction outlives a later acquittal",
        KIND,
        &convicted,
        &[
            ("2025-07-31", "retain; custody.group_2; review 2025-08-01; changes 2025-08-01"),
            ("2025-08-01", "retain; custody.group_2; review 2025-08-01 overdue; changes 2025-10-30"),
            ("2026-01-31", "retain; custody.group_2; review 2025-08-01 overdue; changes 2026-02-01"),
            ("2026-02-01", "due 2026-02-01; custody.group_2; review 2026-02-01; changes never"),
        ],
    ));
    let mut missed = custody(&[
        event("2000-01-01", Convicted, "2000-01-02", 2),
        event("2015-05-05", Convicted, "2015-06-01", 2),
    ]);
    missed.reviews = vec![retain("2009-01-01", "2012-01-01")];
    all.extend(rows(
        "an event after a missed review begins a new time",
        KIND,
        &missed,
        &[("2025-05-04", "retain; custody.group_2; review 2025-05-05; changes 2025-05-05")],
    ));
    let mut disposed = custody(&[event("2020-05-05", Convicted, "2020-09-01", 1)]);
    disposed.reviews = vec![dispose("2023-01-01")];
    all.extend(rows(
        "a review that disposes",
        KIND,
        &disposed,
        &[("2023-01-01", "due 2023-01-01; review.dispose; review 2023-01-01; changes 2030-05-05")],
    ));
    disposed.events.push(event("2024-03-01", Pending, "", 3));
    all.extend(rows(
        "an event since",
        KIND,
        &disposed,
        &[("2025-02-28", "retain; custody.pending; review 2025-03-01; changes 2025-03-01; chase 2024-05-30")],
    ));
    all
}

fn holds() -> Vec<Row> {
    let mut facts = custody(&[event("2025-01-10", Acquitted, "2025-03-01", 3)]);
    facts.holds = vec![hold("A", "2025-02-01", "2025-06-01"), hold("B", "2025-02-15", "2026-01-01")];
    let mut all = rows(
        "held although due",
        KIND,
        &facts,
        &[
            ("2025-02-28", "held B (retain); custody.not_convicted; review 2025-03-01; changes 2025-03-01"),
            (
                "2025-03-01",
                "held B (due 2025-03-01); custody.not_convicted; review 2026-01-01; changes 2026-01-01",
            ),
            (
                "2025-12-31",
                "held B (due 2025-03-01); custody.not_convicted; review 2026-01-01; changes 2026-01-01",
            ),
            ("2026-01-01", "due 2025-03-01; custody.not_convicted; review 2025-03-01; changes never"),
        ],
    );
    let lifted =
        Lifted { on: day("2025-07-01"), by: "officer-2".to_owned(), reason: "the trial is over".to_owned() };
    facts.lift_hold("B", lifted, day("2025-07-01")).unwrap();
    all.extend(rows(
        "due again once the hold is lifted",
        KIND,
        &facts,
        &[
            (
                "2025-06-30",
                "held B (due 2025-03-01); custody.not_convicted; review 2026-01-01; changes 2025-07-01",
            ),
            ("2025-07-01", "due 2025-03-01; custody.not_convicted; review 2025-03-01; changes never"),
        ],
    ));
    all
}

fn neither() -> Vec<Row> {
    let mut victim = custody(&[event("2020-05-05", Convicted, "2020-09-01", 1)]);
    victim.category = SubjectCategory::Victim;
    let mut all = rows(
        "victims are not kept among custody images",
        KIND,
        &victim,
        &[("2021-01-01", "due 2020-05-05; category; review 2020-05-05; changes 2030-05-05")],
    );
    let mut nothing = custody(&[event("2020-05-05", Convicted, "2020-09-01", 1)]);
    nothing.events[0].offences.clear();
    all.extend(rows(
        "no rule, no reason",
        KIND,
        &nothing,
        &[("2021-01-01", "due 2020-05-05; default; review 2020-05-05; changes 2026-09-01")],
    ));
    all
}
