//! Making a list: who is due is looked through, the lines are sealed with the people they are about, and the statement is signed.
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};

use super::{
    DeletionListSummary, MOST_LINES, authority, begin,
    gather::{Gathered, Wanted},
    unreadable,
};
use crate::{
    audit::{Content, Entry, Outcome, Phase, Submission},
    authorise::{Action, Permit},
    keys::KeyError,
    lists::{Heading, KeptLine, KeptList},
    pool::Pool,
    retention::deletion_list::{DeletionList, ListError},
    service::{
        Answer, Asked, Refusal, RefusalKind, Rendered, Service, Unanswered,
        case::{Case, named, touched},
        fields::Fields,
    },
};

/// Most systems that a force may have.
const MOST_SYSTEMS: usize = 64;

/// A list as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MakeDeletionList {
    /// The pool.
    pub pool: String,
    /// The force, as custody events name it.
    pub force: String,
    /// Systems whose images are this force's where no custody event says whose they are.
    pub source_systems: Vec<String>,
    /// Due on this day or later; empty for no bound.
    pub due_from: String,
    /// Due on this day or earlier; empty for no bound.
    pub due_until: String,
    /// Also what is on an earlier list and was not acknowledged as deleted.
    pub again: bool,
    /// Most lines of the list, 1 to 5,000; 0 for 5,000.
    pub limit: u32,
}

/// A list that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionListMade {
    /// The list.
    pub list: DeletionListSummary,
    /// Images that are to go, and of which nothing says whose they are.
    pub unattributed: u64,
    /// Records beyond use that a legal hold keeps, and that are on no list therefore.
    pub held: u64,
    /// There are more images than one list takes: make another.
    pub more: bool,
}

/// A list ready to be kept, with the entry that announces it.
struct Ready {
    heading: Heading,
    lines: Vec<KeptLine>,
    intent: Entry,
}

enum Sign {
    List(ListError),
    Key(KeyError),
}

impl From<ListError> for Sign {
    fn from(error: ListError) -> Self {
        Sign::List(error)
    }
}

impl Service {
    /// Makes a list for one force, of what is due or beyond use and on no list yet.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails; `nothing_to_list` when there is nothing.
    pub fn make_deletion_list<M>(
        &self,
        asked: Asked,
        request: &MakeDeletionList,
        render: impl FnOnce(&DeletionListMade) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        if let Some(force) = crate::text::recordable(&request.force, 64) {
            case.note("force", force);
        }
        let (pool, permit, by, wanted) = match self.wanted(&mut case, token.as_deref(), request) {
            Ok(settled) => settled,
            Err(refusal) => return Err(case.refuse(named(&request.pool), refusal)),
        };
        // One list at a time: an image that is on one is not put onto the next.
        let _turn = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        let gathered = match self.gather(&case, &pool, &permit, &wanted) {
            Ok(gathered) => gathered,
            Err(refusal) => return Err(case.refuse(named(&request.pool), refusal)),
        };
        let counts = (gathered.unattributed, gathered.held, gathered.more);
        // Nobody is erased between the sealing of their line and its keeping: it would outlive them.
        let _erasing = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = match self.ready(&case, &pool, &permit, &by, request, gathered) {
            Ok(ready) => ready,
            Err(refusal) => return Err(case.refuse(named(&request.pool), refusal)),
        };
        let Ready { heading, lines, intent } = ready;
        self.record_one(Submission::from(intent.clone()))?;
        let kept = self.lists.keep(&heading, &lines).map_err(|error| unreadable(&error)).and_then(|number| {
            let number = number.ok_or_else(|| {
                Refusal::new(
                    RefusalKind::AlreadyExists,
                    "list_exists",
                    "this very list was made today already; `likeness deletion-list list` shows it",
                )
            })?;
            self.summary(&KeptList { number, heading })
        });
        let list = match kept {
            Ok(list) => list,
            Err(refusal) => return Err(case.fail(&intent, refusal)),
        };
        let (unattributed, held, more) = counts;
        let rendered = render(&DeletionListMade { list, unattributed, held, more });
        let entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    /// Who asks, may they, and what for.
    fn wanted<'r>(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &'r MakeDeletionList,
    ) -> Result<(Arc<Pool>, Permit, String, Wanted<'r>), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let now = self.clock.now();
        let mut fields = Fields::default();
        fields.text("pool", &request.pool, 1, 64);
        fields.text("force", &request.force, 1, 64);
        for system in &request.source_systems {
            fields.text("source_systems", system, 1, 64);
        }
        if request.source_systems.len() > MOST_SYSTEMS {
            fields.wrong(format!("`source_systems` has more than {MOST_SYSTEMS} systems"));
        }
        if request.limit as usize > MOST_LINES {
            fields.wrong(format!("`limit` is {}, but a list has at most {MOST_LINES} lines", request.limit));
        }
        let due_from = fields.date("due_from", &request.due_from, now);
        let due_until = fields.date("due_until", &request.due_until, now);
        if due_from.zip(due_until).is_some_and(|(from, until)| until < from) {
            fields.wrong("`due_until` lies before `due_from`");
        }
        fields.finish()?;
        let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
        let systems = request.source_systems.as_slice();
        let most = if request.limit == 0 { MOST_LINES } else { request.limit as usize };
        let (force, again) = (request.force.as_str(), request.again);
        let wanted = Wanted { force, systems, due_from, due_until, again, most };
        Ok((pool, permit, authority(&caller), wanted))
    }

    fn ready(
        &self,
        case: &Case<'_>,
        pool: &Pool,
        permit: &Permit,
        by: &str,
        request: &MakeDeletionList,
        gathered: Gathered,
    ) -> Result<Ready, Refusal> {
        let Gathered { mut candidates, unattributed, .. } = gathered;
        // Whoever was erased since they were looked at is not listed any more.
        let mut here = BTreeSet::new();
        for subject in candidates.iter().map(|candidate| candidate.subject).collect::<BTreeSet<_>>() {
            if pool
                .leaving(permit, subject)?
                .is_some_and(|leaving| leaving.state != crate::records::State::Erasing)
            {
                here.insert(subject);
            }
        }
        candidates.retain(|candidate| here.contains(&candidate.subject));
        let (rules, now, today) = (self.rules.now(), self.clock.now(), self.today());
        let lines = candidates.iter().map(|candidate| candidate.line.clone()).collect();
        let list = DeletionList::new(&*request.force, today, rules.set.version(), lines)
            .map_err(|error| refused(&error, unattributed))?;
        let key = self.keys.audit_key();
        let statement = list.signed::<Sign>(key.name(), key.id(), |text| {
            self.keys.sign_list(&String::from_utf8_lossy(text)).map_err(Sign::Key)
        });
        let statement = statement.map_err(|error| match error {
            Sign::List(error) => Refusal::fault("list", &error),
            Sign::Key(error) => Refusal::fault("keys", &error),
        })?;
        let mut intent = case.entry(Phase::Intent, None, Some(touched(pool, None)));
        intent.subjects.extend(&here);
        intent.images.extend(candidates.iter().map(|candidate| candidate.image));
        intent.notes.insert("list".to_owned(), list.id());
        intent.notes.insert("list_sha256".to_owned(), hex::encode(list.digest()));
        intent.notes.insert("rules".to_owned(), rules.digest.clone());
        intent.counts.insert("lines".to_owned(), list.lines().len() as u64);
        let heading = Heading {
            pool: pool.definition().name.to_string(),
            id: list.id(),
            force: request.force.clone(),
            made_at: now,
            made_on: today,
            acknowledge_by: rules.set.acknowledge_line().after(today),
            rules: rules.digest.clone(),
            rules_version: rules.set.version().to_owned(),
            authority: by.to_owned(),
            event: intent.event_id,
            statement,
        };
        // In the list's own order, which is not that of the pool.
        candidates.sort_by(|one, other| one.line.cmp(&other.line));
        let mut lines = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let whose = (candidate.subject, candidate.image);
            let sealed = pool.seal_listed(permit, &heading.id, whose, &candidate.line)?;
            lines.push(KeptLine { image: candidate.image, subject: candidate.subject, sealed, said: None });
        }
        Ok(Ready { heading, lines, intent })
    }
}

fn refused(error: &ListError, unattributed: u64) -> Refusal {
    match error {
        ListError::Empty => {
            let mut said = "this force has no image that is due or beyond use and on no list yet".to_owned();
            if unattributed > 0 {
                said.push_str(&format!(
                    "; of {unattributed} images no custody event says whose they are: name the force's systems in `source_systems`"
                ));
            }
            Refusal::new(RefusalKind::NotFound, "nothing_to_list", said)
        }
        ListError::Field(_) => Refusal::invalid("invalid_field", error.to_string()),
        ListError::Line { .. } | ListError::TooLong | ListError::Twice { .. } | ListError::Form => {
            Refusal::fault("list", error)
        }
    }
}
