//! The world in which the cells of the matrix are asked.
use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;

use super::{Breach, Cell, Where, Who};
use crate::{
    authorise::{Place, PolicyError, PoolFacts, Purpose, Purposes, Question, probes},
    identity::{Caller, System},
    keys::PoolName,
};

/// The world: one pool that lists every purpose, and callers with an agreement that covers everything.
pub struct Stage {
    feed: Arc<System>,
    system: Arc<System>,
    pool: PoolName,
    every: BTreeSet<Purpose>,
}

impl Stage {
    /// Makes the world.
    ///
    /// # Errors
    /// [`PolicyError`] when a name in it is not valid, which a test rules out.
    pub fn new(purposes: &Purposes) -> Result<Stage, PolicyError> {
        let pool =
            "probe".parse().map_err(|_| PolicyError::Schema("the name of the probed pool".to_owned()))?;
        Ok(Stage {
            feed: Arc::new(probes::system(purposes, true)?),
            system: Arc::new(probes::system(purposes, false)?),
            pool,
            every: purposes.all().into_iter().cloned().collect(),
        })
    }

    /// Puts a cell as a question, with one thing in the world not as it should be.
    pub fn ask<T>(&self, cell: &Cell, breach: Option<Breach>, answer: impl FnOnce(&Question<'_>) -> T) -> T {
        let mut caller = self.caller(cell.who);
        let mut lists = None;
        let mut trail = match cell.place {
            Where::Elsewhere => ("another-organisation", "another-person"),
            _ => (probes::ORGANISATION, "a-colleague"),
        };
        if let Some(breach) = breach {
            breach.spoil_caller(&mut caller, cell);
            match breach {
                Breach::PoolListsOther => {
                    let mut fewer = self.every.clone();
                    fewer.remove(&cell.purpose);
                    lists = Some(fewer);
                }
                Breach::OwnTrail => trail.1 = probes::SUBJECT,
                _ => {}
            }
        }
        let place = match cell.place {
            Where::Pool(kind) => Place::Pool(PoolFacts {
                name: &self.pool,
                kind,
                purposes: lists.as_ref().unwrap_or(&self.every),
            }),
            Where::Service => Place::Service,
            Where::Colleague | Where::Elsewhere => Place::Trail { organisation: trail.0, person: trail.1 },
        };
        answer(&Question {
            caller: &caller,
            action: cell.action,
            place,
            purpose: &cell.purpose,
            origin: cell.origin,
            now: NOW,
        })
    }

    /// The caller of a cell.
    pub fn caller(&self, who: Who) -> Caller {
        let (system, person) = match who {
            Who::Role(role) => (&self.system, Some(probes::person([role]))),
            Who::Unroled => (&self.system, Some(probes::person([]))),
            Who::Feed => (&self.feed, None),
            Who::System => (&self.system, None),
        };
        Caller { system: Arc::clone(system), person }
    }
}

/// When the questions are asked: any moment before the probes' agreement ends.
const NOW: Timestamp = Timestamp::constant(1_700_000_000, 0);
