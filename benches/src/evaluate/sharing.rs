//! Who was told about which report (R68): a register beside the run folders, one line each time a report is handed to a body.
//!
//! Regulators once learnt from the newspapers what a test had found years before. `overdue` fails for every report that a body
//! has not been given in time, so that something that runs every day notices.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::path::Path;

use anyhow::{Context as _, ensure};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::output::{file_digest, read_sealed};

/// One line of the register. Without `shared_with` it only says that the report exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// SHA-256 of the run's `metrics.json`.
    pub report_id: String,
    /// Name of the data set, for people.
    pub data_set: String,
    /// Name and version of the algorithm.
    pub algorithm: String,
    /// The day of the run, UTC.
    pub made_on: Date,
    /// The body that was given the report.
    pub shared_with: String,
    /// When.
    pub shared_on: Option<Date>,
}

/// A report that a body should have by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The report, as registered.
    pub report: Line,
    /// Who has not been given it.
    pub body: String,
    /// Days since it was due.
    pub days: i32,
}

/// The register; empty when there is no file yet.
///
/// # Errors
/// With the file and line that is wrong.
pub fn read(register: &Path) -> anyhow::Result<Vec<Line>> {
    if !register.exists() {
        return Ok(Vec::new());
    }
    let shown = register.display();
    let mut reader = csv::Reader::from_path(register).with_context(|| format!("cannot read `{shown}`"))?;
    let mut lines = Vec::new();
    for (number, line) in reader.deserialize::<Line>().enumerate() {
        let line = line.with_context(|| format!("`{shown}` line {} is no line of a register", number + 2))?;
        ensure!(
            line.shared_with.is_empty() == line.shared_on.is_none(),
            "`{shown}` line {}, `shared_on`: a body and a day come together",
            number + 2
        );
        lines.push(line);
    }
    Ok(lines)
}

/// Registers a complete run, and that it was given to a body.
///
/// # Errors
/// When the run is not complete or was changed, the day cannot be right, or the register cannot be written.
pub fn share(
    folder: &Path,
    register: &Path,
    shared: Option<(&str, Date)>,
    today: Date,
) -> anyhow::Result<Line> {
    let metrics = read_sealed(folder)?;
    let made_on = made_on(folder)?;
    if let Some((body, on)) = shared {
        ensure!(!body.trim().is_empty() && !body.chars().any(char::is_control), "name the body with --with");
        ensure!(on >= made_on, "the report was made on {made_on}; it cannot have been shared on {on}");
        ensure!(on <= today, "{on} has not come yet; record it when the report was shared");
    }
    let algorithm = metrics
        .pack
        .as_ref()
        .map_or_else(|| "not stated".to_owned(), |pack| format!("{} {}", pack.name, pack.version));
    let line = Line {
        report_id: file_digest(&folder.join("metrics.json"))?,
        data_set: metrics.dataset.name,
        algorithm,
        made_on,
        shared_with: shared.map(|(body, _)| body.trim().to_owned()).unwrap_or_default(),
        shared_on: shared.map(|(_, on)| on),
    };
    let known = read(register)?;
    let is_there = known.iter().any(|other| {
        other.report_id == line.report_id
            && (line.shared_on.is_none() || other.shared_with == line.shared_with)
    });
    ensure!(!is_there, "the register has this already; lines of it are never changed");
    let shown = register.display();
    let file = OpenOptions::new().create(true).append(true).open(register);
    let file = file.with_context(|| format!("cannot write `{shown}`"))?;
    let mut writer = csv::WriterBuilder::new().has_headers(known.is_empty()).from_writer(&file);
    writer
        .serialize(&line)
        .and_then(|()| Ok(writer.flush()?))
        .with_context(|| format!("cannot write `{shown}`"))?;
    drop(writer);
    file.sync_all().with_context(|| format!("cannot write `{shown}`"))?;
    Ok(line)
}

/// The day of a run, from its circumstances.
fn made_on(folder: &Path) -> anyhow::Result<Date> {
    #[derive(Deserialize)]
    struct Around {
        circumstances: Began,
    }
    #[derive(Deserialize)]
    struct Began {
        began: jiff::Timestamp,
    }
    let path = folder.join("circumstances.json");
    let text = std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let around: Around = serde_json::from_slice(&text).with_context(|| format!("`{}`", path.display()))?;
    Ok(around.circumstances.began.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// Reports that a body has not been given within `days` of their making, oldest first.
#[must_use]
pub fn overdue(register: &[Line], bodies: &[String], days: i32, today: Date) -> Vec<Overdue> {
    let mut reports: BTreeMap<(Date, &str), &Line> = BTreeMap::new();
    let mut given: BTreeSet<(&str, &str)> = BTreeSet::new();
    for line in register {
        reports.entry((line.made_on, line.report_id.as_str())).or_insert(line);
        given.insert((&line.report_id, &line.shared_with));
    }
    let mut found = Vec::new();
    for report in reports.into_values() {
        let age = today.since(report.made_on).map_or(0, |span| span.get_days());
        let missing =
            bodies.iter().filter(|body| !given.contains(&(report.report_id.as_str(), body.as_str())));
        if age > days {
            found.extend(missing.map(|body| Overdue {
                report: report.clone(),
                body: body.clone(),
                days: age - days,
            }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn line(report: &str, made_on: &str, shared: Option<(&str, &str)>) -> Line {
        Line {
            report_id: report.to_owned(),
            data_set: "d".to_owned(),
            algorithm: "a 1".to_owned(),
            made_on: made_on.parse().unwrap(),
            shared_with: shared.map(|(with, _)| with.to_owned()).unwrap_or_default(),
            shared_on: shared.map(|(_, on)| on.parse().unwrap()),
        }
    }

    #[test]
    fn each_body_has_its_own_days() {
        let register = [
            line("old", "2026-01-01", None),
            line("old", "2026-01-01", Some(("ICO", "2026-01-05"))),
            line("new", "2026-02-20", None),
        ];
        let bodies = ["ICO".to_owned(), "Commissioner".to_owned()];
        let at = |today: &str| {
            let found = overdue(&register, &bodies, 30, today.parse().unwrap());
            found.into_iter().map(|late| (late.report.report_id, late.body, late.days)).collect::<Vec<_>>()
        };
        assert_eq!(at("2026-01-31"), [], "the thirtieth day is in time");
        assert_eq!(at("2026-02-01"), [("old".to_owned(), "Commissioner".to_owned(), 1)]);
        let both = at("2026-04-01");
        assert_eq!(both.len(), 3, "{both:?}");
        assert_eq!(both[1], ("new".to_owned(), "ICO".to_owned(), 10));
    }

    #[test]
    fn a_register_with_half_a_sharing_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("register.csv");
        let header = "report_id,data_set,algorithm,made_on,shared_with,shared_on\n";
        std::fs::write(&file, format!("{header}r,d,a,2026-01-01,ICO,\n")).unwrap();
        let said = format!("{:#}", read(&file).unwrap_err());
        assert!(said.contains("line 2, `shared_on`"), "{said}");
        std::fs::write(&file, format!("{header}r,d,a,yesterday,,\n")).unwrap();
        let said = format!("{:#}", read(&file).unwrap_err());
        assert!(said.contains("line 2"), "{said}");
    }
}
