//! Closed cases.
use super::*;
use ClosureReason::{ConsentWithdrawn, DeathRegistered, Found, Identified};

pub(super) fn all() -> Vec<Row> {
    let mut all = Vec::new();
    let mut found = record(PoolKind::MissingPerson, "2024-12-31");
    found.closed = Some(closure(Found, "2025-02-01"));
    all.extend(rows(
        "found",
        PoolKind::MissingPerson,
        &found,
        &[
            ("2025-02-28", "retain; closed.found; review 2025-03-01; changes 2025-03-01"),
            ("2025-03-01", "due 2025-03-01; closed.found; review 2025-03-01; changes never"),
            ("2025-03-02", "due 2025-03-01; closed.found; review 2025-03-01; changes never"),
        ],
    ));
    found.reviews = vec![retain("2025-01-31", "2026-01-31")];
    all.extend(rows(
        "found, a review from before",
        PoolKind::MissingPerson,
        &found,
        &[("2025-03-01", "due 2025-03-01; closed.found; review 2025-03-01; changes never")],
    ));
    found.reviews = vec![retain("2025-02-01", "2025-06-01")];
    all.extend(rows(
        "found, reviewed since",
        PoolKind::MissingPerson,
        &found,
        &[
            ("2025-03-01", "retain; review.retain; review 2025-06-01; changes 2025-06-01"),
            ("2025-08-30", "due 2025-08-30; review.retain; review 2025-08-30; changes never"),
        ],
    ));
    found.reviews = vec![dispose("2025-02-10")];
    all.extend(rows(
        "found, disposed of",
        PoolKind::MissingPerson,
        &found,
        &[("2025-02-10", "due 2025-02-10; review.dispose; review 2025-02-10; changes never")],
    ));
    for kind in [PoolKind::Person, PoolKind::UnidentifiedPerson, PoolKind::UnidentifiedRemains] {
        let mut facts = record(kind, "2024-12-31");
        facts.closed = Some(closure(Identified, "2025-01-31"));
        all.extend(rows(
            "identified",
            kind,
            &facts,
            &[
                ("2025-04-30", "retain; closed.identified; review 2025-05-01; changes 2025-05-01"),
                ("2025-05-01", "due 2025-05-01; closed.identified; review 2025-05-01; changes never"),
            ],
        ));
        facts.reviews = vec![retain("2025-02-01", "2025-06-01")];
        all.extend(rows(
            "identified, reviewed since",
            kind,
            &facts,
            &[("2025-05-01", "retain; review.retain; review 2025-06-01; changes 2025-06-01")],
        ));
    }
    for kind in PoolKind::ALL {
        let mut facts = record(kind, "2024-12-31");
        facts.closed = Some(closure(ConsentWithdrawn, "2025-02-28"));
        facts.reviews = vec![retain("2025-03-01", "2026-01-31")];
        all.extend(rows(
            "consent withdrawn, whatever a review says",
            kind,
            &facts,
            &[
                ("2025-02-27", "retain; closed.consent_withdrawn; review 2025-02-28; changes 2025-02-28"),
                ("2025-02-28", "due 2025-02-28; closed.consent_withdrawn; review 2025-02-28; changes never"),
            ],
        ));
        facts.closed = Some(closure(DeathRegistered, "2025-11-30"));
        facts.reviews.clear();
        all.extend(rows(
            "death registered",
            kind,
            &facts,
            &[
                ("2026-02-27", "retain; closed.death_registered; review 2026-02-28; changes 2026-02-28"),
                ("2026-02-28", "due 2026-02-28; closed.death_registered; review 2026-02-28; changes never"),
            ],
        ));
        facts.reviews = vec![retain("2025-12-01", "2026-06-01")];
        all.extend(rows(
            "death registered, reviewed since",
            kind,
            &facts,
            &[("2026-02-28", "retain; review.retain; review 2026-06-01; changes 2026-06-01")],
        ));
    }
    all
}
