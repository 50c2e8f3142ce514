//! What of the log a person may read, entry by entry. The policies decide: an entry is read when its actor's trail may be.
use std::{cell::RefCell, collections::BTreeMap};

use jiff::Timestamp;

use crate::{
    audit::Entry,
    authorise::{Action, Authoriser, Origin, Place, Purpose, Question},
    identity::Caller,
};

/// Whether an entry is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is.
    Shown,
    /// It is about the asking person, and the policies keep people from auditing themselves.
    Own,
    /// It is another organisation's, or nobody's, and the policies do not let this person read that.
    Beyond,
}

/// Decides for one person and purpose. Each actor is asked about once.
pub(super) struct Scope<'s> {
    authoriser: &'s Authoriser,
    caller: Caller,
    purpose: Purpose,
    now: Timestamp,
    decided: RefCell<BTreeMap<(String, String), Sight>>,
}

impl<'s> Scope<'s> {
    pub(super) fn of(
        authoriser: &'s Authoriser,
        caller: Caller,
        purpose: Purpose,
        now: Timestamp,
    ) -> Scope<'s> {
        Scope { authoriser, caller, purpose, now, decided: RefCell::default() }
    }

    /// For the record: how far the answer reached.
    pub(super) fn told(&self) -> String {
        // What nobody did belongs to no organisation: who may read that may read all of it.
        if self.may_read("", "") {
            return "all".to_owned();
        }
        let own = self.caller.person.as_ref().map_or("", |person| person.organisation.as_str());
        format!("organisation {own}")
    }

    pub(super) fn sight(&self, entry: &Entry) -> Sight {
        let organisation = entry.actor.as_ref().and_then(|actor| actor.organisation.as_deref()).unwrap_or("");
        let person = entry.actor.as_ref().map_or("", |actor| actor.subject.as_str());
        let key = (organisation.to_owned(), person.to_owned());
        if let Some(sight) = self.decided.borrow().get(&key) {
            return *sight;
        }
        let own = self.caller.person.as_ref().is_some_and(|asking| {
            asking.subject == person && asking.organisation == organisation && !person.is_empty()
        });
        let sight = match (self.may_read(organisation, person), own) {
            (true, _) => Sight::Shown,
            (false, true) => Sight::Own,
            (false, false) => Sight::Beyond,
        };
        self.decided.borrow_mut().insert(key, sight);
        sight
    }

    fn may_read(&self, organisation: &str, person: &str) -> bool {
        let question = Question {
            caller: &self.caller,
            action: Action::ReadAudit,
            place: Place::Trail { organisation, person },
            purpose: &self.purpose,
            origin: Origin::Scene,
            now: self.now,
        };
        self.authoriser.decide(&question).allowed
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::{
        audit::{self, Operation, Phase},
        authorise::{PolicyFile, built_in_policies, explain},
        identity::Role,
    };

    fn auditor(authoriser: &Authoriser, role: Role) -> Scope<'_> {
        let mut caller = explain::imagined(authoriser.purposes(), None, &[role], Some("force-1")).unwrap();
        caller.person.as_mut().unwrap().subject = "a-1".to_owned();
        let purpose = authoriser.purposes().purpose("verify_lawfulness").unwrap();
        Scope::of(authoriser, caller, purpose, Timestamp::UNIX_EPOCH)
    }

    fn entry(actor: Option<(&str, &str)>) -> Entry {
        let mut entry = Entry::new(Timestamp::UNIX_EPOCH, "Test", Operation::Consultation, Phase::Single);
        entry.actor = actor.map(|(subject, organisation)| audit::Actor {
            subject: subject.to_owned(),
            organisation: Some(organisation.to_owned()),
            roles: Vec::new(),
        });
        entry
    }

    #[test]
    fn a_force_auditor_sees_the_force_a_national_one_all_and_nobody_themselves() {
        let authoriser = Authoriser::built_in().unwrap();
        let (force, national) =
            (auditor(&authoriser, Role::Auditor), auditor(&authoriser, Role::NationalAuditor));
        let cases = [
            (Some(("p-1", "force-1")), Sight::Shown, Sight::Shown),
            (Some(("p-1", "force-2")), Sight::Beyond, Sight::Shown),
            (Some(("a-1", "force-1")), Sight::Own, Sight::Own),
            // Another organisation may give the same id to somebody else.
            (Some(("a-1", "force-2")), Sight::Beyond, Sight::Shown),
            (None, Sight::Beyond, Sight::Shown),
        ];
        for (actor, of_force, of_all) in cases {
            assert_eq!(force.sight(&entry(actor)), of_force, "{actor:?}");
            assert_eq!(national.sight(&entry(actor)), of_all, "{actor:?}");
        }
        assert_eq!((force.told().as_str(), national.told().as_str()), ("organisation force-1", "all"));
        // No other role reads anything, whatever it may do elsewhere.
        let searcher = auditor(&authoriser, Role::Searcher);
        assert_eq!(searcher.sight(&entry(Some(("p-1", "force-1")))), Sight::Beyond);
    }

    #[test]
    fn a_sites_policy_narrows_what_is_read_entry_by_entry() {
        let mut files = built_in_policies();
        files.push(PolicyFile {
            name: "site.cedar".to_owned(),
            text: "@id(\"not-the-covert-unit\") @basis(\"site\") @review(\"2030-01-01\")
                forbid (principal, action == Likeness::Action::\"read_audit\", resource is Likeness::Trail)
                when { resource.organisation == \"covert-unit\" };"
                .to_owned(),
        });
        let authoriser = Authoriser::of(&files).unwrap();
        let national = auditor(&authoriser, Role::NationalAuditor);
        assert_eq!(national.sight(&entry(Some(("p-1", "covert-unit")))), Sight::Beyond);
        assert_eq!(national.sight(&entry(Some(("p-1", "force-2")))), Sight::Shown);
    }
}
