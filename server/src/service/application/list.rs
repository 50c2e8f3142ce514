//! Applications that wait for somebody, page by page. Nothing sealed is opened for it.
use jiff::civil::Date;

use crate::{
    audit::{Entry, Phase},
    authorise::Action,
    records::{ApplicationList, StoredApplication},
    service::{
        Answer, Asked, Refusal, Rendered, Service, Unanswered,
        case::{Case, named, touched},
        fields::Fields,
        retain::begin,
    },
};

/// Longest page.
const MOST: u32 = 1000;

impl ApplicationList {
    fn of(name: &str) -> Option<Self> {
        match name {
            "open" => Some(ApplicationList::Open),
            "overdue" => Some(ApplicationList::Overdue),
            "agreed" => Some(ApplicationList::Agreed),
            "all" => Some(ApplicationList::All),
            _ => None,
        }
    }
}

/// A page, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationsRequest {
    /// The pool.
    pub pool: String,
    /// Which list, by its name.
    pub list: String,
    /// The number after which the page starts; 0 for the first.
    pub after: u64,
    /// Applications of the page, 1 to 1,000; 0 for 100.
    pub limit: u32,
}

/// A page: ids, forces and dates, and nothing that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationPage {
    /// The page.
    pub lines: Vec<StoredApplication>,
    /// Where the next page starts; absent at the end.
    pub next: Option<u64>,
    /// The day of the answer.
    pub today: Date,
}

impl Service {
    /// Lists applications of a pool.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn list_applications<M>(
        &self,
        asked: Asked,
        request: &ApplicationsRequest,
        render: impl FnOnce(&ApplicationPage) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        match self.applications_page(&mut case, token.as_deref(), request) {
            Ok((page, mut entry)) => {
                for line in &page.lines {
                    if !entry.subjects.contains(&line.subject) {
                        entry.subjects.push(line.subject);
                    }
                }
                case.answer(entry, None, render(&page))
            }
            Err(refusal) => Err(case.refuse(named(&request.pool), refusal)),
        }
    }

    fn applications_page(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &ApplicationsRequest,
    ) -> Result<(ApplicationPage, Entry), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", &request.pool, 1, 64);
        if request.limit > MOST {
            fields.wrong(format!("`limit` is {}, but a page has at most {MOST} applications", request.limit));
        }
        let list = ApplicationList::of(&request.list);
        if list.is_none() {
            fields.wrong("`list` is one of open, overdue, agreed and all");
        }
        fields.finish()?;
        let list = list.unwrap_or(ApplicationList::Open);
        let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
        let limit = if request.limit == 0 { 100 } else { request.limit as usize };
        let today = self.today();
        let lines = pool.listed_applications(&permit, list, today, request.after, limit)?;
        let next = lines.last().map(|last| last.number).filter(|_| lines.len() == limit);
        let entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
        Ok((ApplicationPage { lines, next, today }, entry))
    }
}
