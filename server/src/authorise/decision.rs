//! An answer of the authoriser, with what it rests on.
use std::sync::Arc;

use thiserror::Error;

/// What was decided, and by which policies. Goes into the audit entry as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Ids of the policies that decided, sorted; none when nothing permits it.
    pub policies: Vec<String>,
    /// What went wrong in the evaluation. Any error denies.
    pub errors: Vec<String>,
    /// The reason of the red line that would be crossed, although the policies permit it.
    pub red_line: Option<String>,
    /// Which policy set: the start of its SHA-256, hex.
    pub policy_set: Arc<str>,
}

/// Why a request was denied. For the audit log; the caller is told only that it is not permitted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", self.words())]
pub struct Denied {
    /// A stable code for the audit log.
    code: &'static str,
    /// What it rests on.
    decision: Decision,
}

/// There is no such pool. Decided like any other, so that it takes as long.
const UNKNOWN_POOL: &str = "unknown_pool";
/// No policy permits it.
const NO_POLICY: &str = "no_policy_permits";
/// A policy forbids it.
const FORBIDDEN: &str = "forbidden_by_policy";
/// A red line forbids it.
const RED_LINE: &str = "red_line";
/// A policy could not be evaluated.
const POLICY_ERROR: &str = "policy_error";

impl Denied {
    /// What a decision that does not allow means.
    pub(super) fn by(decision: Decision) -> Denied {
        let code = if decision.red_line.is_some() {
            RED_LINE
        } else if !decision.errors.is_empty() {
            POLICY_ERROR
        } else if decision.policies.is_empty() {
            NO_POLICY
        } else {
            FORBIDDEN
        };
        Denied { code, decision }
    }

    /// The same for a pool that does not exist, whatever was decided about the stand-in.
    pub(crate) fn unknown_pool(decision: Decision) -> Denied {
        let decision = Decision {
            allowed: false,
            policies: Vec::new(),
            errors: Vec::new(),
            red_line: None,
            policy_set: decision.policy_set,
        };
        Denied { code: UNKNOWN_POOL, decision }
    }

    /// A stable code for the audit log.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What it rests on.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    fn words(&self) -> &'static str {
        match self.code {
            UNKNOWN_POOL => "there is no such pool",
            RED_LINE => "a red line forbids it",
            POLICY_ERROR => "a policy could not be evaluated",
            NO_POLICY => "no policy permits it",
            _ => "a policy forbids it",
        }
    }
}
