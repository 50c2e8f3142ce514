//! What takes a right away that a role, place and purpose would give.
use std::sync::Arc;

use jiff::{Timestamp, civil::Date};

use super::{Cell, Where};
use crate::{authorise::Action, identity::Caller};

/// One thing that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breach {
    /// The data-sharing agreement has ended (R18).
    Expired,
    /// The review of the agreement is overdue (R19).
    ReviewOverdue,
    /// The agreement does not cover the person's organisation.
    OtherOrganisation,
    /// The agreement does not cover the purpose.
    OtherPurpose,
    /// The agreement does not cover the kind of pool.
    OtherKind,
    /// The pool does not permit the purpose (R17).
    PoolListsOther,
    /// A machine would decide about a person (R59).
    Machine,
    /// The person's training has ended (R58).
    Untrained,
    /// Somebody would audit themselves (R14).
    OwnTrail,
}

/// Before every moment a question is asked at.
const PAST: Date = Date::constant(2001, 1, 1);

impl Breach {
    /// Every breach.
    pub const ALL: [Breach; 9] = [
        Breach::Expired,
        Breach::ReviewOverdue,
        Breach::OtherOrganisation,
        Breach::OtherPurpose,
        Breach::OtherKind,
        Breach::PoolListsOther,
        Breach::Machine,
        Breach::Untrained,
        Breach::OwnTrail,
    ];

    /// The policy that must say so.
    pub fn policy(self) -> &'static str {
        match self {
            Breach::Expired => "agreement-in-force",
            Breach::ReviewOverdue => "agreement-reviewed",
            Breach::OtherOrganisation => "agreement-covers-organisation",
            Breach::OtherPurpose => "agreement-covers-purpose",
            Breach::OtherKind => "agreement-covers-kind",
            Breach::PoolListsOther => "pool-permits-purpose",
            Breach::Machine => "machines-decide-nothing",
            Breach::Untrained => "the-untrained-decide-nothing",
            Breach::OwnTrail => "nobody-audits-themselves",
        }
    }

    /// Whether it takes anything away in this cell.
    pub fn concerns(self, cell: &Cell, operational: bool) -> bool {
        let pool = matches!(cell.place, Where::Pool(_));
        match self {
            Breach::Expired | Breach::ReviewOverdue | Breach::OtherPurpose => true,
            Breach::OtherOrganisation => cell.who.is_person(),
            Breach::OtherKind => pool,
            Breach::PoolListsOther => pool && operational,
            Breach::Machine => {
                cell.who.is_person()
                    && matches!(cell.action, Action::RecordDecision | Action::ReviewRetention)
            }
            Breach::Untrained => cell.action == Action::RecordDecision,
            Breach::OwnTrail => cell.action == Action::ReadAudit && cell.place == Where::Colleague,
        }
    }

    /// Makes it so.
    pub(super) fn spoil_caller(self, caller: &mut Caller, cell: &Cell) {
        let agreement = &mut Arc::make_mut(&mut caller.system).agreement;
        match self {
            Breach::Expired => agreement.expires = PAST,
            Breach::ReviewOverdue => agreement.review_due = PAST,
            Breach::OtherOrganisation => agreement.organisations = ["another".to_owned()].into(),
            Breach::OtherPurpose => {
                agreement.purposes.remove(cell.purpose.code());
            }
            Breach::OtherKind => {
                if let Where::Pool(kind) = cell.place {
                    agreement.kinds.remove(&kind);
                }
            }
            Breach::Machine => caller.person.iter_mut().for_each(|person| person.service_account = true),
            Breach::Untrained => {
                caller
                    .person
                    .iter_mut()
                    .for_each(|person| person.trained_until = Some(Timestamp::UNIX_EPOCH));
            }
            Breach::PoolListsOther | Breach::OwnTrail => {}
        }
    }
}
