//! Looking entries up.
use super::{
    FilterFields,
    filter::Filter,
    scope::{Scope, Sight},
    unreadable,
};
use crate::{
    audit::{Phase, StoredEntry},
    authorise::Action,
    service::{Answer, Asked, Refusal, Rendered, Service, Unanswered, case::Case},
};

/// Most entries in one answer, and how many there are when the request does not say.
const MOST: u32 = 500;
const USUAL: u32 = 100;
/// Most entries looked at for one answer: it comes in time however long the log is, and says where to go on.
const MOST_LOOKED_AT: u64 = 200_000;
/// Entries fetched at a time.
const PIECE: usize = 500;

/// A question as it was sent; nothing in it is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryRequest {
    /// What to look for.
    pub filter: FilterFields,
    /// Where to start.
    pub start_index: u64,
    /// Most entries wanted; 0 means the usual number.
    pub limit: u32,
    /// The latest instead of the earliest.
    pub latest: bool,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct QueryAnswer {
    /// Ascending.
    pub entries: Vec<StoredEntry>,
    /// Where to go on; none at the end of the log.
    pub next_index: Option<u64>,
    /// Matching entries that are the asking person's own.
    pub withheld_own: u64,
    /// Entries looked at.
    pub looked_at: u64,
}

impl Service {
    /// Looks entries up for an auditor.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn query_audit<M>(
        &self,
        asked: Asked,
        request: &QueryRequest,
        render: impl FnOnce(&QueryAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, scope, _) = self.audit_case(Action::ReadAudit, asked)?;
        case.note("filter", request.filter.told());
        case.note("scope", scope.told());
        let found = request
            .filter
            .check()
            .and_then(|filter| Ok((self.look_up(&case, request, &filter, &scope)?, filter)));
        match found {
            Ok((answer, filter)) => {
                let mut entry = case.entry(Phase::Single, None, None);
                entry.subjects.extend(filter.subject);
                entry.images.extend(filter.image);
                entry.counts.insert("entries_shown".to_owned(), answer.entries.len() as u64);
                entry.counts.insert("withheld_own".to_owned(), answer.withheld_own);
                let rendered = render(&answer);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    fn look_up(
        &self,
        case: &Case<'_>,
        request: &QueryRequest,
        filter: &Filter,
        scope: &Scope<'_>,
    ) -> Result<QueryAnswer, Refusal> {
        let most = match request.limit {
            0 => USUAL,
            wanted if wanted <= MOST => wanted,
            _ => return Err(Refusal::invalid("invalid_field", format!("`limit` may be at most {MOST}"))),
        } as usize;
        if request.latest && request.start_index > 0 {
            return Err(Refusal::invalid("invalid_field", "`latest` and `start_index` exclude each other"));
        }
        let span = self.audit.span(filter.from, filter.until).map_err(unreadable)?;
        let mut answer = QueryAnswer::default();
        let mut at = request.start_index.max(span.start);
        if request.latest {
            at = span.end;
        }
        loop {
            case.in_time()?;
            if answer.looked_at >= MOST_LOOKED_AT || answer.entries.len() >= most {
                answer.next_index = (!request.latest && at < span.end).then_some(at);
                break;
            }
            let piece = if request.latest {
                let from = at.saturating_sub(PIECE as u64).max(span.start);
                let mut piece = self.audit.entries(from, (at - from) as usize).map_err(unreadable)?;
                at = from;
                piece.reverse();
                piece
            } else {
                let left = span.end.saturating_sub(at).min(PIECE as u64) as usize;
                self.audit.entries(at, left).map_err(unreadable)?
            };
            if piece.is_empty() {
                break;
            }
            for stored in piece {
                if answer.entries.len() >= most {
                    break;
                }
                if !request.latest {
                    at = stored.index + 1;
                }
                answer.looked_at += 1;
                if !filter.may_match(&stored.body)
                    || !filter.matches(&stored, &*self.audit).map_err(unreadable)?
                {
                    continue;
                }
                match scope.sight(&stored.entry) {
                    Sight::Shown => answer.entries.push(stored),
                    Sight::Own => answer.withheld_own += 1,
                    Sight::Beyond => {}
                }
            }
        }
        if request.latest {
            answer.entries.reverse();
        }
        Ok(answer)
    }
}
