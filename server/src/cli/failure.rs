//! Why a command stopped, and the exit code that says so.

use std::fmt::Write as _;

use likeness_proto::v1::{Receipt, Refusal};
use serde_json::{Value, json};
use tonic::{Code, Status};

use super::{details, json as wire_json, text::plain};

/// How a command ended. The numbers are part of the interface: scripts branch on them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// Everything asked for was done.
    Done = 0,
    /// Something of ours failed.
    Fault = 1,
    /// The command line, the profile or a manifest is wrong.
    Usage = 2,
    /// The service refused the image or the request.
    Refused = 3,
    /// The token, the role or the purpose does not allow it.
    Denied = 4,
    /// No server answered.
    Unreachable = 5,
    /// The audit log does not verify.
    AuditFailed = 6,
    /// Some were done and some were refused.
    Partial = 7,
    /// An operating point does not hold any more.
    Alert = 8,
    /// Stopped by Ctrl-C, as the shell counts it.
    Interrupted = 130,
}

/// What went wrong, where, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    advice: Option<String>,
    more: Option<String>,
    refusal: Option<Box<Refusal>>,
    receipt: Option<Box<Receipt>>,
}

impl Failure {
    /// A failure that ends the command with `exit`.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), advice: None, more: None, refusal: None, receipt: None }
    }

    /// Something of ours failed.
    pub fn fault(message: impl Into<String>) -> Self {
        Self::new(Exit::Fault, message)
    }

    /// The person can fix it by typing something else.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Adds lines that are shown to people as they are: the caller has made them safe.
    #[must_use]
    pub fn showing(mut self, more: String) -> Self {
        self.more = Some(more);
        self
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What happened, in one line, as it was said.
    pub fn summary(&self) -> &str {
        &self.message
    }

    /// What the service refused, when it said so.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_deref()
    }

    /// For standard error: what, what to do, and the record of it.
    pub fn for_people(&self) -> String {
        let mut out = format!("likeness: {}", plain(&self.message));
        if let Some(advice) = &self.advice {
            let _ = write!(out, "\n  what to do: {}", plain(advice));
        }
        if let Some(more) = &self.more {
            let _ = write!(out, "\n{more}");
        }
        if let Some(receipt) = &self.receipt {
            let _ = write!(out, "\n  recorded as event {}", plain(&receipt.event_id));
        }
        out
    }

    /// For standard output when `--json` was given.
    pub fn for_programs(&self) -> Value {
        let mut error = json!({
            "exit_code": self.exit as u8,
            "code": self.refusal.as_ref().map(|r| r.code.clone()),
            "message": self.message,
            "what_to_do": self.advice,
        });
        if let Some(refusal) = &self.refusal {
            error["refusal"] = wire_json::refusal(refusal);
        }
        if let Some(receipt) = &self.receipt {
            error["receipt"] = wire_json::receipt(receipt);
        }
        json!({ "error": error })
    }
}

/// Which exit code a status of the service means. No wildcard: a new code must be placed here.
pub fn exit_of(code: Code) -> Exit {
    match code {
        Code::Ok => Exit::Done,
        Code::Unauthenticated | Code::PermissionDenied => Exit::Denied,
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange => Exit::Refused,
        Code::Unavailable => Exit::Unreachable,
        Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => Exit::Fault,
    }
}

fn advice_for(code: Code) -> Option<&'static str> {
    match code {
        Code::Unauthenticated => Some(
            "the token of the profile is missing, expired or not from this server's issuer; make one with `likeness token issue`",
        ),
        Code::PermissionDenied => Some(
            "use a purpose that this pool permits and a token with the role for it; `likeness pool list` shows the purposes",
        ),
        Code::ResourceExhausted => {
            Some("the server is at its limit of concurrent requests; try again shortly")
        }
        Code::DeadlineExceeded => {
            Some("the server took too long; try again, or raise its request deadline in config.toml")
        }
        Code::Unavailable => {
            Some("start it with `likeness serve --data DIR`, or look at its log if it is running")
        }
        _ => None,
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let said = details::of(&status);
        let message = match (&said.refusal, status.message()) {
            (Some(refusal), _) if !refusal.message.is_empty() => {
                format!("refused ({}): {}", refusal.code, refusal.message)
            }
            (_, "") => format!("the server answered {:?} without a message", status.code()),
            (_, message) => message.to_owned(),
        };
        // A refusal of the service says itself what to do; the general advice would only blur it.
        let advice = if said.refusal.is_some() && exit_of(status.code()) == Exit::Refused {
            None
        } else {
            advice_for(status.code()).map(str::to_owned)
        };
        Self {
            exit: exit_of(status.code()),
            message,
            advice,
            more: None,
            refusal: said.refusal.map(Box::new),
            receipt: said.receipt.map(Box::new),
        }
    }
}

/// An error and its causes in one line, without saying the same thing twice.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if parts.last().is_none_or(|last| !last.contains(&text)) {
            parts.push(text);
        }
        source = cause.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests;
