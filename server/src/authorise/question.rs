//! One question to the authoriser: who wants to do what, where, for which purpose, with whose picture, and when.
use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::Timestamp;

use super::{Action, Purpose};
use crate::{
    identity::Caller,
    keys::PoolName,
    pool::{PoolKind, UnknownKind},
};

/// What the authoriser knows about the pool of a request.
#[derive(Debug, Clone, Copy)]
pub struct PoolFacts<'a> {
    /// Its name.
    pub name: &'a PoolName,
    /// Its kind.
    pub kind: PoolKind,
    /// The purposes it permits.
    pub purposes: &'a BTreeSet<Purpose>,
}

/// Where it is to be done.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// In a pool.
    Pool(PoolFacts<'a>),
    /// In none: one image against another, a proof about the log.
    Service,
    /// In the recorded activity of a person, or of a whole organisation when `person` is empty.
    Trail {
        /// The organisation that acted.
        organisation: &'a str,
        /// The person who acted.
        person: &'a str,
    },
}

/// Where the probe's person is recorded, as the caller states it; recorded with the search (R49).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Origin {
    /// An image from anywhere else: a street, a telephone, a document.
    #[default]
    Scene,
    /// The person is recorded in a pool of this kind.
    Recorded(PoolKind),
}

impl Origin {
    /// Every origin.
    pub const ALL: [Origin; 6] = [
        Origin::Scene,
        Origin::Recorded(PoolKind::Custody),
        Origin::Recorded(PoolKind::Person),
        Origin::Recorded(PoolKind::MissingPerson),
        Origin::Recorded(PoolKind::UnidentifiedPerson),
        Origin::Recorded(PoolKind::UnidentifiedRemains),
    ];

    /// `scene`, or the code of the kind of pool.
    pub fn code(self) -> &'static str {
        match self {
            Origin::Scene => "scene",
            Origin::Recorded(kind) => kind.code(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Origin {
    type Err = UnknownKind;

    fn from_str(code: &str) -> Result<Self, UnknownKind> {
        if code == "scene" { Ok(Origin::Scene) } else { code.parse().map(Origin::Recorded) }
    }
}

/// One question.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks: a system, and the person at it.
    pub caller: &'a Caller,
    /// To do what.
    pub action: Action,
    /// Where.
    pub place: Place<'a>,
    /// For which purpose.
    pub purpose: &'a Purpose,
    /// With whose picture; [`Origin::Scene`] for everything that is not a search.
    pub origin: Origin,
    /// When.
    pub now: Timestamp,
}
