//! How many applications each force received and what became of them.
use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::super::publishable::{Partitions, withheld};
use super::{ApplicationState, DeletionApplication};

/// Counts of one force. `agreed`, `refused`, `undecided` and `overtaken` add up to `received`.
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
    /// Not decided when the record was erased for another reason.
    pub overtaken: u64,
    /// Appealed against, whatever came of it.
    pub appealed: u64,
    /// Waiting longer than allowed for a decision.
    pub overdue: u64,
}

/// Applications of one force that stand alike: all that is kept of them once their record is erased. Says nothing of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationTally {
    /// The force.
    pub force: String,
    /// Where they stand, or stood when the record was erased.
    pub state: ApplicationState,
    /// Whether they were appealed against.
    pub appealed: bool,
    /// Whether the record is erased.
    pub erased: bool,
    /// How many.
    pub number: u64,
    /// How many of them wait longer than allowed; none of those whose record is erased.
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
        self.add_tally(&ApplicationTally {
            force: application.force.clone(),
            state: application.state(),
            appealed: application.appeal.is_some(),
            erased: false,
            number: 1,
            overdue: u64::from(application.is_overdue(today)),
        });
    }

    /// Counts applications that stand alike.
    pub fn add_tally(&mut self, tally: &ApplicationTally) {
        let counts = self.forces.entry(tally.force.clone()).or_default();
        counts.received += tally.number;
        let place = match tally.state {
            ApplicationState::Agreed | ApplicationState::AgreedOnAppeal => &mut counts.agreed,
            ApplicationState::Refused | ApplicationState::Appealed | ApplicationState::RefusedOnAppeal => {
                &mut counts.refused
            }
            ApplicationState::Received if tally.erased => &mut counts.overtaken,
            ApplicationState::Received => &mut counts.undecided,
        };
        *place += tally.number;
        if tally.appealed {
            counts.appealed += tally.number;
        }
        if !tally.erased {
            counts.overdue += tally.overdue;
        }
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
    let decided = [
        ("agreed", counts.agreed),
        ("refused", counts.refused),
        ("undecided", counts.undecided),
        ("overtaken", counts.overtaken),
    ];
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
