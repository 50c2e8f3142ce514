//! Knowing the numbers of a pool (R37): counted person by person, and held against the rows of the store.
use jiff::civil::Date;

use super::{Service, begin};
use crate::{
    audit::{Entry, Phase},
    authorise::{Action, Permit},
    pool::Pool,
    records::State,
    retention::{
        assess,
        numbers::{Counts, Numbers, NumbersError, PublishedNumbers},
    },
    service::{
        Answer, Asked, Refusal, RefusalKind, Rendered, Unanswered,
        case::{Case, named, touched},
        fields::Fields,
    },
};

/// Records counted in one piece: memory does not grow with the pool.
const PIECE: usize = 1000;
/// How often is counted when images come and go meanwhile.
const TRIES: u32 = 3;

/// The numbers, as they were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumbersRequest {
    /// The pool.
    pub pool: String,
    /// In the form that may be published.
    pub publishable: bool,
}

/// What was counted, exact or for publication, never both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumbersShown {
    /// Exact: for those who answer for the records.
    Exact(Box<Numbers>),
    /// Without small counts.
    Published(Box<PublishedNumbers>),
}

/// The numbers of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumbersAnswer {
    /// The day they are of.
    pub counted_on: Date,
    /// Digest of the rules that they follow from.
    pub rules: String,
    /// The numbers.
    pub shown: NumbersShown,
}

impl Service {
    /// Counts a pool. The totals were held against the rows of the store before this answers.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, fails, or does not finish in time; `numbers_disagree`, with what does
    /// not add up, when the totals are not those of the store.
    pub fn retention_numbers<M>(
        &self,
        asked: Asked,
        request: &NumbersRequest,
        render: impl FnOnce(&NumbersAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, token) = begin(self, Action::ReadRetention, asked);
        case.note("publishable", request.publishable.to_string());
        match self.numbered(&mut case, token.as_deref(), request) {
            Ok((answer, entry)) => case.answer(entry, None, render(&answer)),
            Err(refusal) => Err(case.refuse(named(&request.pool), refusal)),
        }
    }

    fn numbered(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        request: &NumbersRequest,
    ) -> Result<(NumbersAnswer, Entry), Refusal> {
        let (caller, context) = case.introduce(token)?;
        let mut fields = Fields::default();
        fields.text("pool", &request.pool, 1, 64);
        fields.finish()?;
        let (pool, permit) = case.admit(&caller, &request.pool, &context)?;
        let (rules, counted_on) = (self.rules.now(), self.today());
        let mut tries = 0;
        let numbers = loop {
            let before = rows(&pool, &permit)?;
            let numbers = self.counted(case, &pool, &permit)?;
            let after = rows(&pool, &permit)?;
            tries += 1;
            match numbers.reconcile(after) {
                Ok(()) => break numbers,
                // Images came or went while it was counted: again.
                Err(_) if tries < TRIES => {}
                Err(_) if before != after => {
                    return Err(Refusal::new(
                        RefusalKind::Unavailable,
                        "pool_is_changing",
                        "images came or went while the pool was counted; ask again when fewer do",
                    ));
                }
                Err(error) => return Err(disagree(&error)),
            }
        };
        let mut entry = case.entry(Phase::Single, None, Some(touched(&pool, None)));
        entry.notes.insert("rules".to_owned(), rules.digest.clone());
        let shown = if request.publishable {
            NumbersShown::Published(Box::new(numbers.publishable()))
        } else {
            NumbersShown::Exact(Box::new(numbers))
        };
        Ok((NumbersAnswer { counted_on, rules: rules.digest.clone(), shown }, entry))
    }

    fn counted(&self, case: &Case<'_>, pool: &Pool, permit: &Permit) -> Result<Numbers, Refusal> {
        let (rules, today) = (self.rules.now(), self.today());
        let kind = pool.definition().kind;
        let (mut numbers, mut after) = (Numbers::default(), None);
        loop {
            case.in_time()?;
            let page = pool.kept_after(permit, after, PIECE)?;
            let Some(last) = page.last() else { return Ok(numbers) };
            after = Some(last.row);
            for kept in page.into_iter().filter(|kept| kept.state != State::Erasing) {
                let state = kept.state;
                let Some((retained, images)) = pool.with_images_unless_erased(kept)? else { continue };
                let assessment = assess(&rules.set, kind, &retained.facts, today);
                // Beyond use no search looks through an image, whatever it was before.
                let active = state == State::Active;
                let enrolled = images.iter().filter(|image| active && image.enrolled).count();
                numbers.add(&assessment, !active, images.len() as u64, enrolled as u64);
            }
        }
    }
}

fn rows(pool: &Pool, permit: &Permit) -> Result<Counts, Refusal> {
    let rows = pool.rows_held(permit)?;
    Ok(Counts { persons: rows.subjects, images: rows.images, enrolled: rows.enrolled })
}

/// Told, and not hidden: counts name nobody, and whoever asks must know that none of them is to be believed.
fn disagree(error: &NumbersError) -> Refusal {
    tracing::error!(%error, "the numbers of a pool do not add up");
    Refusal::new(
        RefusalKind::Fault,
        "numbers_disagree",
        format!(
            "the records do not add up, so no number is given: {error}; have the pool checked and restored from a backup"
        ),
    )
}
