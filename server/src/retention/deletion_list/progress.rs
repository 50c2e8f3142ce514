//! What becomes of a list: acknowledgements, lines that grow old, and whether both sides agree.
use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::super::FactError;
use super::super::facts::{check_date, check_text};
use super::{DeletionList, ListLine};

/// What the force says about a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answered {
    /// It deleted the image.
    Deleted,
    /// It keeps the image.
    Retained {
        /// Why, 8 to 1,000 characters.
        reason: String,
    },
    /// It has no such image.
    NotFound,
}

impl Answered {
    /// The name used in files, on the command line and in reports.
    pub fn code(&self) -> &'static str {
        match self {
            Answered::Deleted => "deleted",
            Answered::Retained { .. } => "retained",
            Answered::NotFound => "not_found",
        }
    }
}

/// The acknowledgement of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// The day.
    pub on: Date,
    /// Who says so, 1 to 128 characters.
    pub by: String,
    /// What.
    pub answered: Answered,
}

/// An acknowledgement that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AcknowledgementError {
    /// A field of it.
    #[error(transparent)]
    Field(#[from] FactError),
    /// Another force's image, or none.
    #[error("the list has no line with this image id; the list shows them")]
    NoSuchLine,
    /// Before the list.
    #[error("`on` lies before the day on which the list was made; correct it")]
    BeforeTheList,
    /// Deleted is the end.
    #[error("the line is already acknowledged as deleted, which is final")]
    Final,
}

/// A line with what has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Its image.
    pub image_id: String,
    /// The line; gone when the person it is about was erased.
    pub line: Option<ListLine>,
    /// What the force said.
    pub acknowledgement: Option<Acknowledgement>,
}

/// A list with what has become of its lines, in the list's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListProgress {
    id: String,
    force: String,
    made_on: Date,
    lines: Vec<Progress>,
    /// Where the line of an image is.
    places: BTreeMap<String, usize>,
}

/// A line that nobody has acknowledged in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LateLine {
    /// Id of the list.
    pub list: String,
    /// The force.
    pub force: String,
    /// Its image.
    pub image_id: String,
    /// The line; gone when the person it is about was erased.
    pub line: Option<ListLine>,
    /// The last day for acknowledging it.
    pub acknowledge_by: Date,
    /// Days since.
    pub days_late: i32,
}

/// What the national copy of an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NationalState {
    /// Searched and shown.
    Active,
    /// Beyond use.
    BeyondUse,
    /// Erased, with a tombstone.
    Erased,
    /// There is no record of it.
    Unknown,
}

impl NationalState {
    /// The name used in reports.
    pub fn code(self) -> &'static str {
        match self {
            NationalState::Active => "active",
            NationalState::BeyondUse => "beyond_use",
            NationalState::Erased => "erased",
            NationalState::Unknown => "unknown",
        }
    }
}

/// How the two sides of a line differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// The force has not said anything yet.
    NotAcknowledged,
    /// The national copy is gone, or on its way, and the force keeps its own: it may come back by an upload.
    KeptByTheForce,
    /// The force deleted its copy, or has none, and the national one is still in use.
    KeptNationally,
    /// The force keeps its copy, and the national one is still in use: the line was not carried out.
    KeptByBoth,
    /// The national side has no record of what it asked to delete.
    UnknownNationally,
}

impl Difference {
    /// The name used in reports.
    pub fn code(self) -> &'static str {
        match self {
            Difference::NotAcknowledged => "not_acknowledged",
            Difference::KeptByTheForce => "kept_by_the_force",
            Difference::KeptNationally => "kept_nationally",
            Difference::KeptByBoth => "kept_by_both",
            Difference::UnknownNationally => "unknown_nationally",
        }
    }
}

/// Both sides of a list compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Lines on which both sides agree that the image is gone.
    pub agreed: u64,
    /// The others, by image id.
    pub differ: BTreeMap<String, Difference>,
}

impl ListProgress {
    /// A list that nobody has acknowledged anything of.
    pub fn new(list: &DeletionList) -> Self {
        let lines = list.lines().iter().map(|line| Progress {
            image_id: line.image_id.clone(),
            line: Some(line.clone()),
            acknowledgement: None,
        });
        Self::of(list.id(), list.force(), list.made_on(), lines.collect())
    }

    /// A list as it was kept, line by line in its order.
    pub fn of(id: impl Into<String>, force: impl Into<String>, made_on: Date, lines: Vec<Progress>) -> Self {
        let places = lines.iter().enumerate().map(|(at, line)| (line.image_id.clone(), at)).collect();
        Self { id: id.into(), force: force.into(), made_on, lines, places }
    }

    /// Id of the list.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its lines.
    pub fn lines(&self) -> &[Progress] {
        &self.lines
    }

    /// What the force said about an image.
    pub fn acknowledgement(&self, image_id: &str) -> Option<&Acknowledgement> {
        self.places.get(image_id).and_then(|at| self.lines.get(*at))?.acknowledgement.as_ref()
    }

    /// Lines that are not acknowledged.
    pub fn open(&self) -> impl Iterator<Item = &Progress> {
        self.lines.iter().filter(|line| line.acknowledgement.is_none())
    }

    /// Takes an acknowledgement. A later one replaces an earlier one, as long as that did not say deleted.
    ///
    /// # Errors
    /// [`AcknowledgementError`]; nothing has changed then.
    pub fn acknowledge(
        &mut self,
        image_id: &str,
        acknowledgement: Acknowledgement,
        today: Date,
    ) -> Result<(), AcknowledgementError> {
        let place = self.places.get(image_id).and_then(|at| self.lines.get_mut(*at));
        let before = &mut place.ok_or(AcknowledgementError::NoSuchLine)?.acknowledgement;
        check_text("acknowledgement.by", &acknowledgement.by, 1, 128)?;
        check_date("acknowledgement.on", acknowledgement.on, today)?;
        if acknowledgement.on < self.made_on {
            return Err(AcknowledgementError::BeforeTheList);
        }
        if let Answered::Retained { reason } = &acknowledgement.answered {
            check_text("acknowledgement.reason", reason, 8, 1000)?;
        }
        if before.as_ref().is_some_and(|before| before.answered == Answered::Deleted) {
            return Err(AcknowledgementError::Final);
        }
        *before = Some(acknowledgement);
        Ok(())
    }

    /// Lines that are not acknowledged although their time is over, in the list's order. `by` is the last day for it, fixed when
    /// the list was made, so that other rules do not move it; that day still is in time.
    pub fn late(&self, by: Date, today: Date) -> Vec<LateLine> {
        if today <= by {
            return Vec::new();
        }
        let days_late = (today - by).get_days();
        self.open()
            .map(|open| LateLine {
                list: self.id.clone(),
                force: self.force.clone(),
                image_id: open.image_id.clone(),
                line: open.line.clone(),
                acknowledge_by: by,
                days_late,
            })
            .collect()
    }

    /// Compares what the force said with what the national copies are, by image id.
    pub fn reconcile(&self, national: impl Fn(&str) -> NationalState) -> Reconciliation {
        let mut result = Reconciliation { agreed: 0, differ: BTreeMap::new() };
        for line in &self.lines {
            let answered = line.acknowledgement.as_ref().map(|said| &said.answered);
            let difference = match (national(&line.image_id), answered) {
                (NationalState::Unknown, _) => Difference::UnknownNationally,
                (_, None) => Difference::NotAcknowledged,
                (NationalState::BeyondUse | NationalState::Erased, Some(Answered::Retained { .. })) => {
                    Difference::KeptByTheForce
                }
                (NationalState::Active, Some(Answered::Retained { .. })) => Difference::KeptByBoth,
                (NationalState::Active, Some(Answered::Deleted | Answered::NotFound)) => {
                    Difference::KeptNationally
                }
                (
                    NationalState::BeyondUse | NationalState::Erased,
                    Some(Answered::Deleted | Answered::NotFound),
                ) => {
                    result.agreed += 1;
                    continue;
                }
            };
            result.differ.insert(line.image_id.clone(), difference);
        }
        result
    }
}
