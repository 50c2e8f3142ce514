//! How many applications each force received and what became of them.
use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::super::publishable::{Partitions, withheld};
use super::{ApplicationState, DeletionApplication};

/// Counts of one force. `agreed`, `refused` and `undecided` add up to `received`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ApplicationCounts {
    /// All.
    pub received: u64,
    /// Agreed, at once or on appeal.
    pub agreed: u64,
    /// Refused, and not (or not yet) agreed on appeal.
    pub refused: u64,
    /// Not decided.
    pub undecided: u64,
    /// Appealed against, whatever came of it.
    pub appealed: u64,
    /// Waiting longer than allowed for a decision.
    pub overdue: u64,
}

/// Counts by force, exact: not for publication.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ApplicationStatistics {
    forces: BTreeMap<String, ApplicationCounts>,
}

/// What may be published of one force: absent counts are withheld.
pub type PublishedApplications = BTreeMap<String, BTreeMap<String, Option<u64>>>;

impl ApplicationStatistics {
    /// Counts an application.
    pub fn add(&mut self, application: &DeletionApplication, today: Date) {
        let counts = self.forces.entry(application.force.clone()).or_default();
        counts.received += 1;
        match application.state() {
            ApplicationState::Agreed | ApplicationState::AgreedOnAppeal => counts.agreed += 1,
            ApplicationState::Refused | ApplicationState::Appealed | ApplicationState::RefusedOnAppeal => {
                counts.refused += 1;
            }
            ApplicationState::Received => counts.undecided += 1,
        }
        counts.appealed += u64::from(application.appeal.is_some());
        counts.overdue += u64::from(application.is_overdue(today));
    }

    /// Exact counts by force.
    pub fn forces(&self) -> &BTreeMap<String, ApplicationCounts> {
        &self.forces
    }

    /// Counts for publication: by force, none of 1 to 4, and none from which one could be worked out. There is no total
    /// of all forces, from which a withheld force could be worked out.
    pub fn publishable(&self) -> PublishedApplications {
        self.forces.iter().map(|(force, counts)| (force.clone(), published(counts))).collect()
    }
}

fn published(counts: &ApplicationCounts) -> BTreeMap<String, Option<u64>> {
    let cells =
        |cells: &[(&str, u64)]| cells.iter().map(|(name, count)| ((*name).to_owned(), [*count])).collect();
    let decided = [("agreed", counts.agreed), ("refused", counts.refused), ("undecided", counts.undecided)];
    let appealed = [("appealed", counts.appealed), ("not_appealed", counts.received - counts.appealed)];
    let late = [("overdue", counts.overdue), ("in_time", counts.received - counts.overdue)];
    let partitions: Partitions<1> = [
        ("decided".to_owned(), cells(&decided)),
        ("appealed".to_owned(), cells(&appealed)),
        ("late".to_owned(), cells(&late)),
    ]
    .into_iter()
    .collect();
    let hidden = withheld(&partitions);
    let any = hidden.values().any(|cells| !cells.is_empty());
    let mut shown = BTreeMap::from([("received".to_owned(), (!any).then_some(counts.received))]);
    for (name, cells) in &partitions {
        for (cell, [count]) in cells {
            let withheld = hidden.get(name).is_some_and(|hidden| hidden.contains(cell));
            shown.insert(cell.clone(), (!withheld).then_some(*count));
        }
    }
    shown
}
