//! Knowing the numbers: what is held, of whom, why, and what could go (R37, R71).
use std::collections::BTreeMap;

use serde::Serialize;
use thiserror::Error;

use super::publishable::{Partitions, withheld};
use super::{AgeBand, ApplicationTest, Assessment, Disposition, MopiGroup, OutcomeStatus, WouldBe};

/// Persons and images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Distinct records of persons.
    pub persons: u64,
    /// Images held.
    pub images: u64,
    /// Images that searches look through.
    pub enrolled: u64,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.persons += other.persons;
        self.images += other.images;
        self.enrolled += other.enrolled;
    }

    fn columns(self) -> [u64; 3] {
        [self.persons, self.images, self.enrolled]
    }
}

/// A way to divide the records: each record is in exactly one cell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Division {
    /// `active` or `beyond_use`.
    State,
    /// `retained`, `due`, `held_retained`, `held_due`.
    Disposition,
    /// Outcome status.
    Outcome,
    /// Age when the first image was taken.
    AgeAtCapture,
    /// MoPI group: `group_1` to `group_4`, or `none`.
    Group,
    /// `overdue` or `in_time`; a record that is due is neither late nor early, and counts as in time.
    Review,
    /// `deletable`: on an application today deletion would be presumed. `not_presumed` otherwise.
    OnApplication,
}

impl Division {
    /// Every division.
    pub const ALL: [Division; 7] = [
        Division::State,
        Division::Disposition,
        Division::Outcome,
        Division::AgeAtCapture,
        Division::Group,
        Division::Review,
        Division::OnApplication,
    ];

    /// The name used in reports.
    pub fn code(self) -> &'static str {
        match self {
            Division::State => "state",
            Division::Disposition => "disposition",
            Division::Outcome => "outcome",
            Division::AgeAtCapture => "age_at_capture",
            Division::Group => "group",
            Division::Review => "review",
            Division::OnApplication => "on_application",
        }
    }

    /// Its cells, in the order in which they are shown.
    pub fn cells(self) -> Vec<&'static str> {
        match self {
            Division::State => vec!["active", "beyond_use"],
            Division::Disposition => vec!["retained", "due", "held_retained", "held_due"],
            Division::Outcome => OutcomeStatus::ALL.into_iter().map(OutcomeStatus::code).collect(),
            Division::AgeAtCapture => AgeBand::ALL.into_iter().map(AgeBand::code).collect(),
            Division::Group => MopiGroup::ALL
                .into_iter()
                .map(|group| group_cell(Some(group)))
                .chain([group_cell(None)])
                .collect(),
            Division::Review => vec!["overdue", "in_time"],
            Division::OnApplication => vec!["deletable", "not_presumed"],
        }
    }

    fn cell(self, assessment: &Assessment, beyond_use: bool) -> &'static str {
        match self {
            Division::State if beyond_use => "beyond_use",
            Division::State => "active",
            Division::Disposition => match assessment.disposition {
                Disposition::Retain => "retained",
                Disposition::Due { .. } => "due",
                Disposition::Held { would_be: WouldBe::Retain, .. } => "held_retained",
                Disposition::Held { would_be: WouldBe::Due { .. }, .. } => "held_due",
            },
            Division::Outcome => assessment.outcome_status.code(),
            Division::AgeAtCapture => assessment.age_band.code(),
            Division::Group => group_cell(assessment.group),
            Division::Review if assessment.overdue_review => "overdue",
            Division::Review => "in_time",
            Division::OnApplication if assessment.presumption.test_now() == ApplicationTest::None => {
                "not_presumed"
            }
            Division::OnApplication => "deletable",
        }
    }
}

fn group_cell(group: Option<MopiGroup>) -> &'static str {
    match group {
        Some(MopiGroup::One) => "group_1",
        Some(MopiGroup::Two) => "group_2",
        Some(MopiGroup::Three) => "group_3",
        Some(MopiGroup::Four) => "group_4",
        None => "none",
    }
}

/// Totals that do not add up: a fault of the program or of the store, never of the person who asks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NumbersError {
    /// The cells of a division do not add up to the total.
    #[error("the division by {division} adds up to {cells:?}, but the total is {total:?}")]
    Division {
        /// Name of the division.
        division: &'static str,
        /// The sum of its cells.
        cells: Counts,
        /// The total.
        total: Counts,
    },
    /// The total is not that of the rows of the store.
    #[error("{total:?} were counted, but the record store has {rows:?}")]
    Rows {
        /// What was counted.
        total: Counts,
        /// What the store says.
        rows: Counts,
    },
}

/// The numbers, exact: not for publication. Every cell of every division is there, also when it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Numbers {
    total: Counts,
    divisions: BTreeMap<Division, BTreeMap<&'static str, Counts>>,
}

impl Default for Numbers {
    fn default() -> Self {
        let empty =
            |division: Division| division.cells().into_iter().map(|cell| (cell, Counts::default())).collect();
        let divisions = Division::ALL.into_iter().map(|division| (division, empty(division))).collect();
        Self { total: Counts::default(), divisions }
    }
}

impl Numbers {
    /// Counts one record with its images.
    pub fn add(&mut self, assessment: &Assessment, beyond_use: bool, images: u64, enrolled: u64) {
        let counts = Counts { persons: 1, images, enrolled };
        self.total.add(counts);
        for (division, cells) in &mut self.divisions {
            cells.entry(division.cell(assessment, beyond_use)).or_default().add(counts);
        }
    }

    /// Adds numbers that were counted elsewhere, such as of another pool.
    pub fn merge(&mut self, other: &Numbers) {
        self.total.add(other.total);
        for (division, cells) in &other.divisions {
            let mine = self.divisions.entry(*division).or_default();
            for (cell, counts) in cells {
                mine.entry(cell).or_default().add(*counts);
            }
        }
    }

    /// All records.
    pub fn total(&self) -> Counts {
        self.total
    }

    /// One cell; empty for a name that the division does not have.
    pub fn cell(&self, division: Division, cell: &str) -> Counts {
        self.divisions.get(&division).and_then(|cells| cells.get(cell)).copied().unwrap_or_default()
    }

    /// Whether each division adds up to the total, and the total to the rows of the store.
    ///
    /// # Errors
    /// [`NumbersError`] naming what does not add up.
    pub fn reconcile(&self, rows: Counts) -> Result<(), NumbersError> {
        for (division, cells) in &self.divisions {
            let mut sum = Counts::default();
            cells.values().for_each(|counts| sum.add(*counts));
            if sum != self.total {
                return Err(NumbersError::Division {
                    division: division.code(),
                    cells: sum,
                    total: self.total,
                });
            }
        }
        if self.total == rows { Ok(()) } else { Err(NumbersError::Rows { total: self.total, rows }) }
    }

    /// The numbers for publication: cells with a count of 1 to 4 are withheld, and whatever would give them away.
    pub fn publishable(&self) -> PublishedNumbers {
        let partition = |cells: &BTreeMap<&'static str, Counts>| {
            cells.iter().map(|(cell, counts)| ((*cell).to_owned(), counts.columns())).collect()
        };
        let partitions: Partitions<3> = self
            .divisions
            .iter()
            .map(|(division, cells)| (division.code().to_owned(), partition(cells)))
            .collect();
        let hidden = withheld(&partitions);
        let any = hidden.values().any(|cells| !cells.is_empty());
        let mut divisions = BTreeMap::new();
        for (division, cells) in &self.divisions {
            let hidden = hidden.get(division.code());
            let shown = |cell: &str| !hidden.is_some_and(|hidden| hidden.contains(cell));
            let cells = cells.iter().map(|(cell, counts)| (*cell, shown(cell).then_some(*counts)));
            divisions.insert(division.code(), cells.collect());
        }
        PublishedNumbers { total: (!any).then_some(self.total), divisions }
    }
}

/// Numbers that may be published: absent ones are withheld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedNumbers {
    /// All records.
    pub total: Option<Counts>,
    /// By division and cell.
    pub divisions: BTreeMap<&'static str, BTreeMap<&'static str, Option<Counts>>>,
}
