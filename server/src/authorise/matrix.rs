//! The reviewed matrix: who may do what, where and for which purpose, cell by cell, and whether the policies come to it.
//!
//! It decides nothing. It is what people agreed on, written so that every cell can be compared with what the policies say.
use std::{collections::BTreeSet, fmt, ops::ControlFlow, str::FromStr};

use serde::Deserialize;
use thiserror::Error;

use super::{Action, Authoriser, Decision, Origin, PolicyError, Purpose, Purposes, probes};
use crate::{identity::Role, pool::PoolKind};

mod breach;
mod stage;

pub use breach::Breach;
pub use stage::Stage;

/// Who asks, in one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// A person with this one role.
    Role(Role),
    /// A person without any role.
    Unroled,
    /// A registered feed, without a person.
    Feed,
    /// Another registered system, without a person.
    System,
}

/// Where, in one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Where {
    /// In a pool of this kind.
    Pool(PoolKind),
    /// In no pool: one image against another, a proof about the log.
    Service,
    /// In what a colleague of the same organisation did.
    Colleague,
    /// In what somebody of another organisation did.
    Elsewhere,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Who asks.
    pub who: Who,
    /// To do what.
    pub action: Action,
    /// Where.
    pub place: Where,
    /// For which purpose.
    pub purpose: Purpose,
    /// With whose picture.
    pub origin: Origin,
}

/// The reviewed matrix, from `policies/matrix.toml`.
#[derive(Debug, Clone)]
pub struct Matrix {
    allowed: BTreeSet<(Who, Action, Where, Purpose)>,
    directions: BTreeSet<(PoolKind, PoolKind, Purpose)>,
}

/// Why a matrix is refused.
#[derive(Debug, Error)]
pub enum MatrixError {
    /// Not TOML, or an unknown or missing key.
    #[error("the matrix is not valid")]
    Malformed(#[from] Box<toml::de::Error>),
    /// A version this program does not read.
    #[error("the matrix has version {0}; this program reads version 1")]
    Version(u32),
    /// A code that does not exist.
    #[error("the matrix names the {what} `{code}`, which does not exist")]
    Unknown {
        /// Role, operation, place or purpose.
        what: &'static str,
        /// As written.
        code: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    allow: Vec<RawAllow>,
    direction: Vec<RawDirection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllow {
    roles: Vec<String>,
    operations: Vec<String>,
    places: Vec<String>,
    purposes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDirection {
    from: PoolKind,
    to: PoolKind,
    purposes: Vec<String>,
}

impl Matrix {
    /// The matrix that this program was built with.
    ///
    /// # Errors
    /// [`MatrixError`], which a test rules out for the file in the repository.
    pub fn built_in(purposes: &Purposes) -> Result<Matrix, MatrixError> {
        Matrix::parse(include_str!("../../policies/matrix.toml"), purposes)
    }

    /// Reads a matrix.
    ///
    /// # Errors
    /// [`MatrixError`] for an unknown key or code.
    pub fn parse(text: &str, purposes: &Purposes) -> Result<Matrix, MatrixError> {
        let raw: Raw = toml::from_str(text).map_err(Box::new)?;
        if raw.version != 1 {
            return Err(MatrixError::Version(raw.version));
        }
        let purpose = |code: &String| purposes.purpose(code).ok_or_else(|| unknown("purpose", code));
        let mut matrix = Matrix { allowed: BTreeSet::new(), directions: BTreeSet::new() };
        for rule in &raw.allow {
            for role in &rule.roles {
                let who: Who = role.parse().map_err(|()| unknown("role", role))?;
                for operation in &rule.operations {
                    let action: Action = operation.parse().map_err(|()| unknown("operation", operation))?;
                    for place in &rule.places {
                        let at: Where = place.parse().map_err(|()| unknown("place", place))?;
                        for code in &rule.purposes {
                            matrix.allowed.insert((who, action, at, purpose(code)?));
                        }
                    }
                }
            }
        }
        for RawDirection { from, to, purposes: codes } in &raw.direction {
            for code in codes {
                matrix.directions.insert((*from, *to, purpose(code)?));
            }
        }
        Ok(matrix)
    }

    /// Whether a cell is allowed.
    pub fn allows(&self, cell: &Cell) -> bool {
        match (cell.action, cell.origin, cell.place) {
            (Action::Search, Origin::Recorded(from), Where::Pool(to)) => {
                self.directed(from, to, &cell.purpose) && self.searches(cell.who)
            }
            _ => self.allowed.contains(&(cell.who, cell.action, cell.place, cell.purpose.clone())),
        }
    }

    /// Whether somebody recorded in pools of one kind may be looked for in another for this purpose, whoever asks.
    pub fn directed(&self, from: PoolKind, to: PoolKind, purpose: &Purpose) -> bool {
        self.directions.contains(&(from, to, purpose.clone()))
    }

    fn searches(&self, who: Who) -> bool {
        self.allowed.iter().any(|(allowed, action, _, _)| *allowed == who && *action == Action::Search)
    }

    /// Every cell: every caller, action, place, purpose, and for a search every origin.
    pub fn cells(purposes: &Purposes) -> Vec<Cell> {
        let mut cells = Vec::new();
        for place in Where::all() {
            for action in Action::ALL {
                for origin in probes::origins(action) {
                    for purpose in purposes.all() {
                        for who in Who::all() {
                            cells.push(Cell {
                                who,
                                action,
                                place,
                                purpose: purpose.clone(),
                                origin: *origin,
                            });
                        }
                    }
                }
            }
        }
        cells
    }

    /// Asks the authoriser about every cell, in a world where nothing else stands in the way: the agreement covers
    /// everything, the person is trained, and the pool lists every purpose, so that the policies alone decide.
    ///
    /// # Errors
    /// [`PolicyError`] when the world cannot be made.
    pub fn walk(
        &self,
        authoriser: &Authoriser,
        mut each: impl FnMut(&Cell, &Decision, bool) -> ControlFlow<()>,
    ) -> Result<(), PolicyError> {
        let stage = Stage::new(authoriser.purposes())?;
        for cell in Matrix::cells(authoriser.purposes()) {
            let decision = stage.ask(&cell, None, |question| authoriser.decide(question));
            if each(&cell, &decision, self.allows(&cell)).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn unknown(what: &'static str, code: &str) -> MatrixError {
    MatrixError::Unknown { what, code: code.to_owned() }
}

impl Who {
    /// Every caller.
    pub fn all() -> impl Iterator<Item = Who> {
        Role::ALL.into_iter().map(Who::Role).chain([Who::Unroled, Who::Feed, Who::System])
    }

    /// The name used in the matrix.
    pub fn code(self) -> &'static str {
        match self {
            Who::Role(role) => role.code(),
            Who::Unroled => "(no role)",
            Who::Feed => "(feed)",
            Who::System => "(system)",
        }
    }

    /// True for a person.
    pub fn is_person(self) -> bool {
        matches!(self, Who::Role(_) | Who::Unroled)
    }
}

impl Where {
    /// Every place.
    pub fn all() -> impl Iterator<Item = Where> {
        PoolKind::ALL.into_iter().map(Where::Pool).chain([Where::Service, Where::Colleague, Where::Elsewhere])
    }

    /// The name used in the matrix.
    pub fn code(self) -> &'static str {
        match self {
            Where::Pool(kind) => kind.code(),
            Where::Service => "no_pool",
            Where::Colleague => "trail_of_a_colleague",
            Where::Elsewhere => "trail_of_another_organisation",
        }
    }
}

impl FromStr for Who {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Who::all().find(|who| who.code() == code).ok_or(())
    }
}

impl FromStr for Where {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Where::all().find(|place| place.code() == code).ok_or(())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (who, place) = (self.who.code(), self.place.code());
        write!(f, "{who} {} {place} for {}", self.action, self.purpose)?;
        if self.action == Action::Search { write!(f, " from {}", self.origin) } else { Ok(()) }
    }
}
