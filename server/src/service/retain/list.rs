//! Lists of records: due, to be reviewed, without an outcome, beyond use.
use super::{Service, begin};
use crate::{
    audit::{Entry, Phase},
    authorise::Action,
    ids::SubjectId,
    records::{Kept, Marks, RetentionCounts, State, SubjectRow, Worklist},
    service::{
        Answer, Asked, Refusal, Rendered, Unanswered,
        case::{Case, named, touched},
        fields::Fields,
    },
};

/// Longest page.
const MOST: u32 = 1000;
/// Records read for a page of those beyond use.
const READ: usize = 1000;

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionList {
    /// Nothing retains them: the next run puts them beyond use.
    Due,
    /// Their review is due (R39).
    Review,
    /// Their outcome is missing and the day to ask for it has come (R27).
    Chase,
    /// Beyond use, waiting for erasure (R32).
    BeyondUse,
}

impl RetentionList {
    fn of(name: &str) -> Option<Self> {
        match name {
            "due" => Some(RetentionList::Due),
            "review" => Some(RetentionList::Review),
            "chase" => Some(RetentionList::Chase),
            "beyond_use" => Some(RetentionList::BeyondUse),
            _ => None,
        }
    }
}

/// A page of a list, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    /// The pool.
    pub pool: String,
    /// Which list, by its name.
    pub list: String,
    /// The number after which the page starts; 0 for the first.
    pub after: u64,
    /// Records of the page, 1 to 1,000; 0 for 100.
    pub limit: u32,
}

/// A record in a list: no name, no reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionLine {
    /// The subject.
    pub subject: SubjectId,
    /// Its number in the pool: where the next page starts.
    pub row: u64,
    /// Where it stands.
    pub state: State,
    /// When it is erased, where it is beyond use.
    pub erase_at: Option<jiff::Timestamp>,
    /// What the rules said.
    pub marks: Option<Marks>,
}

/// A page, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListAnswer {
    /// The page.
    pub lines: Vec<RetentionLine>,
    /// How many subjects of the pool are where.
    pub counts: RetentionCounts,
    /// Where the next page starts; absent at the end.
    pub next: Option<u64>,
}

impl Service {
    /// Lists records of a pool by what is to be done about them.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn list_retention<M>(
        &self,
        asked: Asked,
        request: &ListRequest,
        render: impl FnOnce(&ListAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        match self.worklisted(&mut case, token.as_deref(), request) {
            Ok((answer, mut entry)) => {
                entry.subjects.extend(answer.lines.iter().map(|line| line.subject));
                case.answer(entry, None, render(&answer))
            }
            Err(refusal) => Err(case.refuse(named(&request.pool), refusal)),
        }
    }

    fn worklisted(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &ListRequest,
    ) -> Result<(ListAnswer, Entry), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", &request.pool, 1, 64);
        if request.limit > MOST {
            fields.wrong(format!("`limit` is {}, but a page has at most {MOST} records", request.limit));
        }
        let list = RetentionList::of(&request.list);
        if list.is_none() {
            fields.wrong("`list` is one of due, review, chase and beyond_use");
        }
        fields.finish()?;
        let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
        let limit = if request.limit == 0 { 100 } else { request.limit as usize };
        let today = self.today();
        let mut after = Some(SubjectRow(request.after));
        let list = match list {
            Some(RetentionList::Due) => Some(Worklist::Due),
            Some(RetentionList::Review) => Some(Worklist::Review),
            Some(RetentionList::Chase) => Some(Worklist::Chase),
            Some(RetentionList::BeyondUse) | None => None,
        };
        let lines: Vec<Kept> = match list {
            Some(list) => pool.worklist(&permit, list, today, after, limit)?,
            None => {
                let mut found = Vec::new();
                loop {
                    let page = pool.kept_after(&permit, after, READ)?;
                    let Some(last) = page.last() else { break };
                    after = Some(last.row);
                    found.extend(page.into_iter().filter(|kept| kept.state == State::BeyondUse));
                    if found.len() >= limit {
                        break;
                    }
                }
                found.truncate(limit);
                found
            }
        };
        let next = lines.last().map(|last| last.row.0).filter(|_| lines.len() == limit);
        let lines = lines
            .into_iter()
            .map(|kept| RetentionLine {
                subject: kept.id,
                row: kept.row.0,
                state: kept.state,
                erase_at: kept.erase_at,
                marks: kept.marks,
            })
            .collect();
        let counts = pool.retention_counts(&permit, today)?;
        let entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
        Ok((ListAnswer { lines, counts, next }, entry))
    }
}
