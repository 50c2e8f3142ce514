//! Lists back to forces (R28): which of their images must go, signed, handed over, acknowledged line by line, and compared.
//!
//! What a list says is in [`crate::retention::deletion_list`], how it is kept in [`crate::lists`]; here both meet the pools, the log
//! and the clock. A list is made while the records are due or beyond use: it carries the force's own reference of each image, which
//! nothing here knows any more once the person is erased.
use std::sync::Arc;

use super::{
    Refusal, RefusalKind, Service,
    case::Case,
    fields::Fields,
    retain::{authority, begin},
};
use crate::{
    audit::{Entry, Phase},
    authorise::{Action, Origin, Permit},
    identity::Caller,
    lists::{Heading, KeptLine, KeptList, ListsError, Tally},
    pool::Pool,
    retention::deletion_list::{Acknowledgement, Answered, ListProgress, Progress},
};

mod acknowledge;
mod ageing;
mod gather;
mod make;
mod read;
mod reconcile;

pub use acknowledge::{AcknowledgeRequest, LineAnswer, MOST_ANSWERS};
pub use ageing::{AgeingAnswer, AgeingRequest, ForceAgeing, LateShown, Unlisted};
pub use make::{DeletionListMade, MakeDeletionList};
pub use read::{
    DeletionListRead, DeletionListsAnswer, DeletionListsRequest, LineShown, ListFiles, ReadDeletionList,
};
pub use reconcile::{Differing, ListReconciled};

/// Most lines of one list, and most bytes that they say: a list goes over the wire in one answer, and one entry of the log names
/// everybody on it.
const MOST_LINES: usize = 5_000;
const MOST_BYTES: usize = 3 << 20;

/// A list and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionListSummary {
    /// Its number: where the next page of lists starts.
    pub number: u64,
    /// What stands above its lines.
    pub heading: Heading,
    /// How far it has come.
    pub tally: Tally,
    /// Whether lines are open although their time is over.
    pub overdue: bool,
}

/// A list found for a call, with everything that was decided on the way.
struct FoundList {
    caller: Caller,
    pool: Arc<Pool>,
    permit: Permit,
    kept: KeptList,
}

impl Service {
    /// Who asks, may they, and which list is meant.
    fn find_list(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        pool: &str,
        id: &str,
    ) -> Result<FoundList, Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", pool, 1, 64);
        fields.text("id", id, 1, 64);
        fields.finish()?;
        let (pool, permit) = case.admit(&caller, pool, &context)?;
        let name = pool.definition().name.as_str();
        let kept = self.lists.list(name, id).map_err(|error| unreadable(&error))?.ok_or_else(no_such_list)?;
        // Who answers for all records may answer for any force, from its file; everybody else for their own. To them the lists of
        // others do not exist.
        if case.action == Action::RecordOutcome && !acts_for(&caller, &kept.heading.force) {
            let keeper = self.admit(&caller, Action::ReadRetention, name, Origin::Scene, &context);
            keeper.map_err(|_| no_such_list())?;
        }
        Ok(FoundList { caller, pool, permit, kept })
    }

    fn summary(&self, kept: &KeptList) -> Result<DeletionListSummary, Refusal> {
        let tally = self.lists.tally(kept.number).map_err(|error| unreadable(&error))?;
        Ok(DeletionListSummary {
            number: kept.number,
            overdue: tally.open > 0 && kept.heading.acknowledge_by < self.today(),
            heading: kept.heading.clone(),
            tally,
        })
    }

    /// What a start finds of a list whose making or acknowledging a stop cut short.
    pub(super) fn list_found(&self, pool: &str, id: &str) -> String {
        let found = self.lists.list(pool, id);
        let found = found.and_then(|kept| kept.map(|kept| self.lists.tally(kept.number)).transpose());
        match found {
            Ok(Some(tally)) => format!("the list is kept: {} lines, {} open", tally.lines, tally.open),
            Ok(None) => "there is no such list".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    fn lines_of(&self, kept: &KeptList) -> Result<Vec<KeptLine>, Refusal> {
        self.lists.lines(kept.number).map_err(|error| unreadable(&error))
    }

    /// A list as it was kept. What its lines say is opened only when `opened` is wanted; what is erased stays away.
    fn progress(
        &self,
        pool: &Pool,
        permit: &Permit,
        heading: &Heading,
        lines: &[KeptLine],
        opened: bool,
    ) -> Result<ListProgress, Refusal> {
        let mut progress = Vec::with_capacity(lines.len());
        for kept in lines {
            let whose = (kept.subject, kept.image);
            let line = match kept.sealed.as_ref().filter(|_| opened) {
                Some(sealed) => pool.open_listed(permit, &heading.id, whose, sealed)?,
                None => None,
            };
            let mut acknowledgement = None;
            if let Some(said) = &kept.said {
                let reason = match &said.sealed_reason {
                    Some(sealed) => pool.open_listed(permit, &answer_of(&heading.id), whose, sealed)?,
                    None => None,
                };
                let answered = match said.answered.as_str() {
                    "deleted" => Answered::Deleted,
                    "not_found" => Answered::NotFound,
                    _ => Answered::Retained { reason: reason.unwrap_or_default() },
                };
                acknowledgement = Some(Acknowledgement { on: said.on, by: said.by.clone(), answered });
            }
            progress.push(Progress { image_id: kept.image.to_string(), line, acknowledgement });
        }
        Ok(ListProgress::of(heading.id.clone(), heading.force.clone(), heading.made_on, progress))
    }
}

/// Whether the caller is of the force: the person's organisation, or for a feed one that its agreement names.
fn acts_for(caller: &Caller, force: &str) -> bool {
    match &caller.person {
        Some(person) => person.organisation == force,
        None => caller.system.agreement.organisations.contains(force),
    }
}

/// As what the reason of a line is sealed.
fn answer_of(list: &str) -> String {
    format!("{list} answer")
}

fn unreadable(error: &ListsError) -> Refusal {
    Refusal::fault("lists", error)
}

fn no_such_list() -> Refusal {
    Refusal::new(
        RefusalKind::NotFound,
        "no_such_list",
        "no deletion list of this pool that you may see has this id; `likeness deletion-list list` shows them",
    )
}

/// An entry about a list and everybody on the lines that were touched.
fn entry_about(
    case: &Case<'_>,
    phase: Phase,
    found: &FoundList,
    lines: impl IntoIterator<Item = crate::ids::SubjectId>,
) -> Entry {
    let mut entry = case.entry(phase, None, Some(super::case::touched(&found.pool, None)));
    entry.notes.insert("list".to_owned(), found.kept.heading.id.clone());
    let subjects: std::collections::BTreeSet<_> = lines.into_iter().collect();
    entry.subjects.extend(subjects);
    entry
}
