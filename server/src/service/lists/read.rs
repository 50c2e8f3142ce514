//! Reading lists: which there are, how far one has come, and handing one over to its force.
use super::{DeletionListSummary, FoundList, begin, entry_about, unreadable};
use crate::{
    audit::{Entry, Operation, Phase, Recipient},
    authorise::Action,
    ids::SubjectId,
    retention::deletion_list::{DeletionList, Progress},
    service::{
        Answer, Asked, Refusal, Rendered, Service, Unanswered,
        case::{Case, named, touched},
        fields::Fields,
    },
};

/// Longest page of lists.
const MOST: u32 = 1000;
/// Longest name of a recipient, in characters.
const LONGEST: usize = 128;

/// A page of lists, as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeletionListsRequest {
    /// The pool.
    pub pool: String,
    /// Only those of this force; empty for all.
    pub force: String,
    /// The number after which the page starts; 0 for the first.
    pub after: u64,
    /// Lists of the page, 1 to 1,000; 0 for 100.
    pub limit: u32,
}

/// A page of lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionListsAnswer {
    /// The page.
    pub lists: Vec<DeletionListSummary>,
    /// Where the next page starts; absent at the end.
    pub next: Option<u64>,
}

/// One list, as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadDeletionList {
    /// The pool.
    pub pool: String,
    /// The list.
    pub id: String,
    /// Who at the force receives it. Given, the list itself is in the answer, and that is a disclosure.
    pub recipient: String,
}

/// A line as it is shown: what it says is in the list itself, and only there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineShown {
    /// Whose image it is.
    pub subject: SubjectId,
    /// Its image, and what the force said.
    pub progress: Progress,
    /// The person was erased since.
    pub erased: bool,
}

/// A list as it is handed over. Both forms hold the same lines; the statement has the digests of both.
#[derive(Clone, PartialEq, Eq)]
pub struct ListFiles {
    /// Canonical JSON.
    pub json: String,
    /// Canonical CSV.
    pub csv: String,
}

impl std::fmt::Debug for ListFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ListFiles(..)")
    }
}

/// One list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionListRead {
    /// The list.
    pub list: DeletionListSummary,
    /// Its lines.
    pub lines: Vec<LineShown>,
    /// The list itself, where it is handed over.
    pub files: Option<ListFiles>,
}

impl Service {
    /// Which lists a pool has, oldest first.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn list_deletion_lists<M>(
        &self,
        asked: Asked,
        request: &DeletionListsRequest,
        render: impl FnOnce(&DeletionListsAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        match self.lists_page(&mut case, token.as_deref(), request) {
            Ok((answer, entry)) => case.answer(entry, None, render(&answer)),
            Err(refusal) => Err(case.refuse(named(&request.pool), refusal)),
        }
    }

    fn lists_page(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &DeletionListsRequest,
    ) -> Result<(DeletionListsAnswer, Entry), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", &request.pool, 1, 64);
        fields.optional("force", &request.force, 64);
        if request.limit > MOST {
            fields.wrong(format!("`limit` is {}, but a page has at most {MOST} lists", request.limit));
        }
        fields.finish()?;
        let (pool, _) = case.admit(&caller, &request.pool, &context)?;
        let limit = if request.limit == 0 { 100 } else { request.limit as usize };
        let force = Some(request.force.as_str()).filter(|force| !force.is_empty());
        let name = pool.definition().name.as_str();
        let kept = self.lists.lists(name, force, request.after, limit).map_err(|error| unreadable(&error))?;
        let next = kept.last().map(|last| last.number).filter(|_| kept.len() == limit);
        let lists = kept.iter().map(|kept| self.summary(kept)).collect::<Result<_, _>>()?;
        let entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
        Ok((DeletionListsAnswer { lists, next }, entry))
    }

    /// Shows how far a list has come; with a recipient, hands it over.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails; `lines_erased` when the list cannot be handed over any more.
    pub fn read_deletion_list<M>(
        &self,
        asked: Asked,
        request: &ReadDeletionList,
        render: impl FnOnce(&DeletionListRead) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        match self.list_read(&mut case, token.as_deref(), request) {
            Ok((answer, entry)) => case.answer(entry, None, render(&answer)),
            Err(refusal) => Err(case.refuse(named(&request.pool), refusal)),
        }
    }

    fn list_read(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &ReadDeletionList,
    ) -> Result<(DeletionListRead, Entry), Refusal> {
        let found = self.find_list(case, token, &request.pool, &request.id)?;
        let mut fields = Fields::default();
        fields.optional("recipient", &request.recipient, LONGEST);
        fields.finish()?;
        let handed_over = !request.recipient.trim().is_empty();
        let FoundList { pool, permit, kept, .. } = &found;
        let heading = &kept.heading;
        let lines = self.lines_of(kept)?;
        let progress = self.progress(pool, permit, heading, &lines, handed_over)?;
        let files = handed_over.then(|| files(progress.lines(), heading)).transpose()?;
        let shown = lines.iter().zip(progress.lines()).map(|(kept, progress)| LineShown {
            subject: kept.subject,
            progress: Progress { line: None, ..progress.clone() },
            erased: kept.sealed.is_none(),
        });
        let lines: Vec<LineShown> = shown.collect();
        let mut entry = entry_about(case, Phase::Single, &found, lines.iter().map(|line| line.subject));
        if handed_over {
            entry.operation = Operation::Disclosure;
            entry.recipient =
                Some(Recipient { name: request.recipient.clone(), organisation: heading.force.clone() });
        }
        Ok((DeletionListRead { list: self.summary(kept)?, lines, files }, entry))
    }
}

/// The list as it was signed, made again from its lines.
fn files(lines: &[Progress], heading: &crate::lists::Heading) -> Result<ListFiles, Refusal> {
    let open: Vec<_> = lines.iter().filter_map(|line| line.line.clone()).collect();
    let erased = lines.len() - open.len();
    if erased > 0 {
        return Err(Refusal::invalid(
            "lines_erased",
            format!(
                "{erased} lines of the list are about people who are erased here, and nothing knows any more what they said; the \
                 force has the list as it was handed over. For what is still due, make another list"
            ),
        ));
    }
    let fault = |error| Refusal::fault("list", &error);
    let list =
        DeletionList::new(&*heading.force, heading.made_on, &*heading.rules_version, open).map_err(fault)?;
    if list.id() != heading.id {
        return Err(Refusal::fault("list", &crate::retention::deletion_list::StatementError::OtherList));
    }
    Ok(ListFiles { json: list.json(), csv: list.csv().map_err(fault)? })
}
