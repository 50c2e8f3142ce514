//! Why a request got no answer, sorted by who must act.
use likeness_matcher::{
    detect::Face, fault::Fault, pipeline::AnalyseError, quality::QualityReport, rejection::Rejection,
};

use crate::{
    audit::{AuditError, Outcome, Receipt},
    authorise::Denied,
    identity::IdentityError,
    pool::PoolError,
};

/// A field of the message is missing.
pub(super) const MISSING_FIELD: &str = "missing_field";
/// A field of the message is wrong.
pub(super) const INVALID_FIELD: &str = "invalid_field";

/// Most faces listed in one refusal, so that it fits into response headers.
const MAX_FACES: usize = 64;

/// What kind of refusal it is: decides the wire code and the audited outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// The request is wrong: a field or an image. Sending it again is useless.
    Invalid,
    /// No usable token.
    Unauthenticated,
    /// Not permitted, or no such pool: the two look the same.
    Denied,
    /// No such subject or image in a pool the caller may read.
    NotFound,
    /// What should be made is there already.
    AlreadyExists,
    /// Too much is going on; try again later.
    Busy,
    /// The time allowed ran out.
    Deadline,
    /// The pool or the server cannot answer now.
    Unavailable,
    /// Our fault.
    Fault,
}

impl RefusalKind {
    /// Every kind.
    pub const ALL: [RefusalKind; 9] = [
        RefusalKind::Invalid,
        RefusalKind::Unauthenticated,
        RefusalKind::Denied,
        RefusalKind::NotFound,
        RefusalKind::AlreadyExists,
        RefusalKind::Busy,
        RefusalKind::Deadline,
        RefusalKind::Unavailable,
        RefusalKind::Fault,
    ];

    /// How the audit log calls it.
    pub fn outcome(self) -> Outcome {
        match self {
            RefusalKind::Unauthenticated | RefusalKind::Denied => Outcome::Denied,
            RefusalKind::Invalid | RefusalKind::NotFound | RefusalKind::AlreadyExists | RefusalKind::Busy => {
                Outcome::Rejected
            }
            RefusalKind::Deadline | RefusalKind::Unavailable | RefusalKind::Fault => Outcome::Failed,
        }
    }
}

/// Why a request was not answered, in a form that may leave the service.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Which kind.
    pub kind: RefusalKind,
    /// A stable code, snake_case.
    pub code: &'static str,
    /// What was wrong, where, and what to do. Nothing biometric or personal.
    pub message: String,
    /// The faces to choose from, at most 64.
    pub faces: Vec<Face>,
    /// The quality found, when that is the reason.
    pub quality: Option<Box<QualityReport>>,
    /// A more exact code for the audit log only, where telling it would tell too much.
    pub(super) inward: Option<&'static str>,
}

/// What comes back instead of an answer.
#[derive(Debug)]
pub enum Unanswered {
    /// Refused, and the refusal is recorded.
    Refused {
        /// Why.
        refusal: Box<Refusal>,
        /// The proof that it was recorded.
        receipt: Box<Receipt>,
    },
    /// The audit log could not record the request, so nothing may be said about it.
    Unrecorded(AuditError),
}

impl Refusal {
    /// A refusal without faces or quality.
    pub fn new(kind: RefusalKind, code: &'static str, message: impl Into<String>) -> Self {
        Refusal { kind, code, message: message.into(), faces: Vec::new(), quality: None, inward: None }
    }

    /// The request is wrong.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Refusal::new(RefusalKind::Invalid, code, message)
    }

    /// True when a field of the message is missing or wrong, not an image.
    pub fn is_about_fields(&self) -> bool {
        matches!(self.code, MISSING_FIELD | INVALID_FIELD)
    }

    /// The code for the audit log.
    pub fn audit_code(&self) -> &'static str {
        self.inward.unwrap_or(self.code)
    }

    /// The same refusal, said about one of several images.
    pub(super) fn about(mut self, what: &str) -> Self {
        self.message = format!("`{what}`: {}", self.message);
        self
    }

    /// Denied. Whether the pool exists, and which of role and purpose is missing, is for the audit log only.
    pub(super) fn denied(denied: &Denied, what: &str) -> Self {
        Refusal {
            inward: Some(denied.code()),
            ..Refusal::new(
                RefusalKind::Denied,
                "not_permitted",
                format!(
                    "not permitted: {what} does not exist, or your roles and the stated purpose do not permit this in it"
                ),
            )
        }
    }

    /// There is something under a protected view that names whom to ask.
    pub(super) fn contact_owner(owner: &str) -> Self {
        Refusal::new(
            RefusalKind::NotFound,
            "contact_owner",
            format!(
                "what is held here is under a protected view; ask `{owner}`, and quote the event id of this answer"
            ),
        )
    }

    /// The deadline passed.
    pub(super) fn deadline() -> Self {
        Refusal::new(
            RefusalKind::Deadline,
            "deadline_exceeded",
            "the request did not finish in the time allowed; try again, or allow more time",
        )
    }

    /// Our fault; what exactly goes to the server's own log.
    pub(super) fn fault(code: &'static str, error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(code, error, "request failed");
        Refusal::new(
            RefusalKind::Fault,
            code,
            "the service failed; the failure is recorded under the event id",
        )
    }
}

impl From<IdentityError> for Refusal {
    fn from(error: IdentityError) -> Self {
        Refusal::new(RefusalKind::Unauthenticated, error.code(), error.to_string())
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let mut faces = rejection.faces().to_vec();
        faces.truncate(MAX_FACES);
        let quality = match &rejection {
            Rejection::QualityBelowPolicy { report, .. } => Some(Box::new(report.clone())),
            _ => None,
        };
        Refusal { faces, quality, ..Refusal::invalid(rejection.code(), rejection.to_string()) }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match &fault {
            Fault::Busy { .. } => Refusal::new(
                RefusalKind::Busy,
                "busy",
                "too many images are being worked on; try again later",
            ),
            Fault::Deadline { .. } => Refusal::deadline(),
            _ => Refusal::fault("matcher_failed", &fault),
        }
    }
}

impl From<AnalyseError> for Refusal {
    fn from(error: AnalyseError) -> Self {
        match error {
            AnalyseError::Rejected(rejection) => rejection.into(),
            AnalyseError::Fault(fault) => fault.into(),
        }
    }
}

impl From<PoolError> for Refusal {
    fn from(error: PoolError) -> Self {
        match &error {
            PoolError::Deadline => Refusal::deadline(),
            PoolError::Definition(definition) => Refusal::invalid("pool_definition", definition.to_string()),
            PoolError::Switched { .. } => {
                Refusal::new(RefusalKind::Unavailable, "algorithm_changed", error.to_string())
            }
            PoolError::OutOfStep { .. } | PoolError::NotLoaded { .. } => {
                tracing::error!(%error, "request failed");
                Refusal::new(RefusalKind::Unavailable, "pool_unavailable", error.to_string())
            }
            PoolError::WrongPermit { .. }
            | PoolError::OtherSpace { .. }
            | PoolError::Disagrees { .. }
            | PoolError::KeyGone { .. }
            | PoolError::Index(_)
            | PoolError::Template(_)
            | PoolError::Records(_)
            | PoolError::Keys(_)
            | PoolError::Seal(_)
            | PoolError::Blobs(_)
            | PoolError::File(_) => Refusal::fault("pool_failed", &error),
        }
    }
}
