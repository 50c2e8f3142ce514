//! How days, periods and ages are counted.
use super::*;
use LeapDayBirthday::{After, Before};

#[test]
fn a_period_ends_on_the_same_day_or_on_the_last_of_the_month() {
    let after = |period: Period, from: &str| period.after(day(from)).to_string();
    let years = |years| Period::years(years);
    let months = |months| Period { months, ..Period::default() };
    assert_eq!(after(years(6), "2020-03-15"), "2026-03-15");
    assert_eq!(after(years(1), "2024-02-29"), "2025-02-28");
    assert_eq!(after(years(4), "2024-02-29"), "2028-02-29");
    assert_eq!(after(years(100), "2000-02-29"), "2100-02-28");
    assert_eq!(after(years(1), "2023-02-28"), "2024-02-28");
    assert_eq!(after(months(1), "2025-01-31"), "2025-02-28");
    assert_eq!(after(months(1), "2024-01-31"), "2024-02-29");
    assert_eq!(after(months(6), "2025-08-31"), "2026-02-28");
    assert_eq!(after(months(3), "2025-11-30"), "2026-02-28");
    assert_eq!(after(Period::days(90), "2024-02-29"), "2024-05-29");
    assert_eq!(after(Period { years: 1, months: 1, days: 1 }, "2024-01-31"), "2025-03-01");
    assert_eq!(after(Period::default(), "2025-06-01"), "2025-06-01");
    assert_eq!(Period::years(u16::MAX).after(day("2025-06-01")), Date::MAX);
    assert_eq!(Period::days(1).after(Date::MAX), Date::MAX);
    assert_eq!(Period { years: 1, months: 2, days: 0 }.to_string(), "1 year 2 months");
    assert_eq!(Period::default().to_string(), "no time");
}

#[test]
fn a_leap_day_birthday_falls_on_the_day_that_the_rules_name() {
    let born = day("2000-02-29");
    assert_eq!(birthday(born, 18, After), day("2018-03-01"));
    assert_eq!(birthday(born, 18, Before), day("2018-02-28"));
    assert_eq!(birthday(born, 20, After), day("2020-02-29"));
    assert_eq!(birthday(born, 100, After), day("2100-03-01"));
    assert_eq!(birthday(day("2000-03-01"), 18, After), day("2018-03-01"));
    assert_eq!(birthday(day("9990-01-01"), 100, After), Date::MAX);
    // What the calendar library does by itself is the other day: hence the rule.
    assert_eq!(born.checked_add(jiff::Span::new().years(18)).unwrap(), day("2018-02-28"));
}

#[test]
fn an_age_band_begins_on_the_birthday() {
    let born = Some(day("2000-02-29"));
    let starts = [
        (10, "2010-03-01", AgeBand::From10),
        (14, "2014-03-01", AgeBand::From14),
        (18, "2018-03-01", AgeBand::From18),
        (25, "2025-03-01", AgeBand::From25),
        (35, "2035-03-01", AgeBand::From35),
        (50, "2050-03-01", AgeBand::From50),
        (65, "2065-03-01", AgeBand::From65),
    ];
    let mut before = AgeBand::Under10;
    for (years, start, band) in starts {
        let start = day(start);
        assert_eq!(AgeBand::on(born, start.yesterday().unwrap(), After), before, "{years}");
        assert_eq!(AgeBand::on(born, start, After), band, "{years}");
        assert_eq!(AgeBand::on(born, start.tomorrow().unwrap(), After), band, "{years}");
        before = band;
    }
    assert_eq!(AgeBand::on(None, day("2025-01-01"), After), AgeBand::Unknown);
    assert_eq!(AgeBand::on(born, day("1999-01-01"), After), AgeBand::Under10);
    let under: Vec<_> = AgeBand::ALL.into_iter().filter(|band| band.is_under_18()).collect();
    assert_eq!(under, [AgeBand::Under10, AgeBand::From10, AgeBand::From14, AgeBand::Unknown]);
}
