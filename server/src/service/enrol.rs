//! Putting images into a pool: decided once per call or stream, prepared one by one, committed in groups.
//!
//! A group shares each durable step (intents, keys, image files, records, index, outcomes), so bulk enrolment does not wait
//! for the disk once per image. Nothing is acknowledged before its outcome is durable.
use std::{collections::BTreeMap, sync::Arc, time::Instant};

use bytes::Bytes;
use likeness_matcher::{
    detect::Face, embed::Embedding, pipeline::Analysed, quality::QualityReport, select::Selection,
};

use super::{
    Answer, Asked, Context, ContextFields, Peer, Refusal, RefusalKind, Rendered, Service, Unanswered,
    case::{Case, named},
    fields::Fields,
};
use crate::{
    authorise::{Action, Permit},
    ids::{ImageId, SubjectId},
    pool::{Details, OpenedImage, Pool},
};

mod commit;
mod plan;
mod prepare;

/// Most images committed together.
pub const GROUP: usize = 32;

/// Personal details as they were sent; nothing in them is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawDetails {
    /// To 256 characters; may be empty.
    pub display_name: String,
    /// YYYY-MM-DD, or empty.
    pub date_of_birth: String,
    /// At most 32, keys to 64 and values to 512 characters.
    pub attributes: BTreeMap<String, String>,
}

/// One image to enrol, as it was sent; nothing in it is checked.
#[derive(Debug, Clone)]
pub struct EnrolItem {
    /// The caller's name for the person.
    pub subject_reference: String,
    /// The caller's name for the image.
    pub source_reference: String,
    /// The image.
    pub image: Bytes,
    /// Which face is meant.
    pub selection: Selection,
    /// YYYY-MM-DD, or empty.
    pub capture_date: String,
    /// To 64 characters; may be empty.
    pub capture_circumstance: String,
    /// Personal details; used when the person is new in the pool.
    pub details: RawDetails,
    /// Hold the image without making it searchable.
    pub hold_only: bool,
    /// The encoded item without its image, kept as sealed content.
    pub request: Vec<u8>,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolOutcome {
    /// Stored and searchable.
    Enrolled,
    /// It was there already, searchable; nothing changed.
    AlreadyEnrolled,
    /// Stored (now or earlier), not searchable.
    Held,
    /// Nothing was stored.
    Refused,
}

/// What is told about an item.
#[derive(Debug, Clone)]
pub struct EnrolResult {
    /// What became of it.
    pub outcome: EnrolOutcome,
    /// The caller's name for the image, as sent.
    pub source_reference: String,
    /// Ids, when it is stored.
    pub stored: Option<(SubjectId, ImageId)>,
    /// The face, and its place among those of the image.
    pub face: Option<(Face, usize)>,
    /// Its quality.
    pub quality: Option<QualityReport>,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
    /// True when the face was taken as the largest of several.
    pub selected_largest: bool,
}

/// An item that was looked at and not stored yet.
pub struct Prepared {
    item: EnrolItem,
    state: State,
}

enum State {
    /// To be stored.
    Ready(Box<Ready>),
    /// The image or a field is at fault.
    Refused(Box<Refusal>),
    /// There already, with the same bytes and the same person.
    Known(Box<OpenedImage>),
    /// Not the item's fault.
    Failed(Box<Refusal>),
}

struct Ready {
    analysed: Analysed,
    /// The pack that analysed it.
    pack: String,
    /// What the algorithm that the pool moves to made of it.
    other: Option<Result<Embedding, String>>,
    capture_date: Option<jiff::civil::Date>,
    details: Details,
}

/// The right to enrol into one pool, for one call or one stream.
pub struct Enrolment {
    service: Arc<Service>,
    rpc: &'static str,
    peer: Peer,
    token: Option<String>,
    fields: ContextFields,
    context: Context,
    pool: Arc<Pool>,
    permit: Permit,
}

impl Service {
    /// Decides whether this person may enrol into this pool.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused or denied.
    pub fn begin_enrolment(self: &Arc<Self>, asked: Asked, pool: &str) -> Result<Enrolment, Unanswered> {
        let (rpc, token, fields) = (asked.rpc, asked.token.clone(), asked.context.clone());
        let peer = asked.peer.clone();
        let mut case = Case::begin(self, Action::Enrol, asked);
        let decided = case.introduce(token.as_deref()).and_then(|(caller, context)| {
            let mut checked = Fields::default();
            checked.text("pool", pool, 1, 64);
            checked.finish()?;
            let (pool, permit) = case.admit(&caller, pool, &context)?;
            if pool.is_ready() {
                Ok((context, pool, permit))
            } else {
                Err(Refusal::new(
                    RefusalKind::Unavailable,
                    "pool_unavailable",
                    "the pool cannot answer until the server restarts",
                ))
            }
        });
        match decided {
            Ok((context, pool, permit)) => {
                Ok(Enrolment { service: Arc::clone(self), rpc, peer, token, fields, context, pool, permit })
            }
            Err(refusal) => Err(case.refuse(named(pool), refusal)),
        }
    }
}

impl Enrolment {
    /// Name of the pool.
    pub fn pool(&self) -> &str {
        self.pool.definition().name.as_str()
    }

    /// The context the right was given for.
    pub fn context(&self) -> &ContextFields {
        &self.fields
    }

    /// A fresh case for one item or one refusal, with the person named.
    fn case(&self, deadline: Instant) -> Result<Case<'_>, Box<(Case<'_>, Refusal)>> {
        let asked = Asked {
            peer: self.peer.clone(),
            rpc: self.rpc,
            token: None,
            context: self.fields.clone(),
            deadline,
            request: Vec::new(),
        };
        let mut case = Case::begin(&self.service, Action::Enrol, asked);
        // Again, and not only at the start of a stream: a token can expire while images keep coming.
        match case.introduce(self.token.as_deref()) {
            Ok(_) => {
                case.decided(self.permit.decision());
                Ok(case)
            }
            Err(refusal) => Err(Box::new((case, refusal))),
        }
    }

    /// Enrols one item.
    ///
    /// A field that is missing or wrong refuses the whole call; an image that is refused is an answer.
    ///
    /// # Errors
    /// As [`Enrolment::commit`].
    pub fn enrol_one<M>(
        &self,
        item: EnrolItem,
        deadline: Instant,
        render: impl Fn(&EnrolResult) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let prepared = self.prepare(item, deadline);
        if let State::Refused(refusal) = &prepared.state
            && refusal.is_about_fields()
        {
            return Err(self.refuse((**refusal).clone()));
        }
        let mut answers = self.commit(vec![prepared], deadline, render)?;
        match answers.pop() {
            Some(answer) => Ok(answer),
            None => Err(self.refuse(Refusal::new(RefusalKind::Fault, "no_answer", "the service failed"))),
        }
    }

    /// Records a refusal of the whole stream and gives what to tell the caller.
    pub fn refuse(&self, refusal: Refusal) -> Unanswered {
        let pool = Some(super::case::touched(&self.pool, None));
        match self.case(Instant::now()) {
            Ok(case) => case.refuse(pool, refusal),
            Err(refused) => {
                let (case, _) = *refused;
                case.refuse(pool, refusal)
            }
        }
    }
}

/// How a selection is recorded.
pub(super) fn selection_note(selection: &Selection) -> String {
    match selection {
        Selection::Only => "only face".to_owned(),
        Selection::Index(index) => format!("face {index}, chosen by index"),
        Selection::Box(_) => "chosen by box".to_owned(),
        Selection::Largest => "largest face".to_owned(),
    }
}
