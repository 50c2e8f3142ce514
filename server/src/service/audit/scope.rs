//! What of the log a person may read: their own organisation's entries or all, and never their own.
use crate::{
    audit::Entry,
    identity::{Actor, Role},
};

/// Whether an entry is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is.
    Shown,
    /// It is about the asking person: nobody audits themselves.
    Own,
    /// It is another organisation's, or nobody's, and the person is no national auditor.
    Beyond,
}

/// Decides for one person.
pub(super) struct Scope {
    person: String,
    organisation: String,
    national: bool,
}

impl Scope {
    pub(super) fn of(actor: &Actor) -> Scope {
        Scope {
            person: actor.subject.clone(),
            organisation: actor.organisation.clone(),
            national: actor.roles.contains(&Role::NationalAuditor),
        }
    }

    /// For the record: how far the answer reached.
    pub(super) fn told(&self) -> String {
        if self.national { "all".to_owned() } else { format!("organisation {}", self.organisation) }
    }

    pub(super) fn sight(&self, entry: &Entry) -> Sight {
        let organisation = entry.actor.as_ref().and_then(|actor| actor.organisation.as_deref());
        let same = organisation == Some(self.organisation.as_str());
        if same && entry.actor.as_ref().is_some_and(|actor| actor.subject == self.person) {
            Sight::Own
        } else if self.national || same {
            Sight::Shown
        } else {
            Sight::Beyond
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{self, Operation, Phase};

    fn auditor(role: Role) -> Scope {
        Scope::of(&Actor {
            subject: "a-1".to_owned(),
            name: "A".to_owned(),
            organisation: "force-1".to_owned(),
            roles: [role].into(),
            service_account: false,
            trained_until: None,
        })
    }

    fn entry(actor: Option<(&str, &str)>) -> Entry {
        let mut entry =
            Entry::new(jiff::Timestamp::UNIX_EPOCH, "Test", Operation::Consultation, Phase::Single);
        entry.actor = actor.map(|(subject, organisation)| audit::Actor {
            subject: subject.to_owned(),
            organisation: Some(organisation.to_owned()),
            roles: Vec::new(),
        });
        entry
    }

    #[test]
    fn a_force_auditor_sees_the_force_a_national_one_all_and_nobody_themselves() {
        let cases = [
            (Some(("p-1", "force-1")), Sight::Shown, Sight::Shown),
            (Some(("p-1", "force-2")), Sight::Beyond, Sight::Shown),
            (Some(("a-1", "force-1")), Sight::Own, Sight::Own),
            // Another organisation may give the same id to somebody else.
            (Some(("a-1", "force-2")), Sight::Beyond, Sight::Shown),
            (None, Sight::Beyond, Sight::Shown),
        ];
        for (actor, force, national) in cases {
            assert_eq!(auditor(Role::Auditor).sight(&entry(actor)), force, "{actor:?}");
            assert_eq!(auditor(Role::NationalAuditor).sight(&entry(actor)), national, "{actor:?}");
        }
    }
}
