//! The words of applications: how senior, what was decided, where it stands.
use serde::{Deserialize, Serialize};

/// How senior the person who decides is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seniority {
    /// An officer or member of staff who handles applications.
    Handler,
    /// A superintendent or the like: needed to refuse where deletion is presumed.
    Senior,
    /// The chief officer, or who acts for them: needed to refuse for an image taken under 18.
    ChiefOfficer,
}

impl Seniority {
    /// Every seniority, ascending.
    pub const ALL: [Seniority; 3] = [Seniority::Handler, Seniority::Senior, Seniority::ChiefOfficer];

    /// The name used in requests, on the command line and in the log.
    pub fn code(self) -> &'static str {
        match self {
            Seniority::Handler => "handler",
            Seniority::Senior => "senior",
            Seniority::ChiefOfficer => "chief_officer",
        }
    }
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The record is erased.
    Agreed,
    /// It stays as long as the rules say.
    Refused,
}

impl Verdict {
    /// Both.
    pub const ALL: [Verdict; 2] = [Verdict::Agreed, Verdict::Refused];

    /// The name used in requests, on the command line and in the log.
    pub fn code(self) -> &'static str {
        match self {
            Verdict::Agreed => "agreed",
            Verdict::Refused => "refused",
        }
    }
}

/// Where an application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationState {
    /// Received and not decided.
    Received,
    /// Agreed.
    Agreed,
    /// Refused; an appeal may still come.
    Refused,
    /// Refused, and appealed against.
    Appealed,
    /// Agreed on appeal.
    AgreedOnAppeal,
    /// Refused on appeal. The end: a new application can be made.
    RefusedOnAppeal,
}

impl ApplicationState {
    /// Every state.
    pub const ALL: [ApplicationState; 6] = [
        ApplicationState::Received,
        ApplicationState::Agreed,
        ApplicationState::Refused,
        ApplicationState::Appealed,
        ApplicationState::AgreedOnAppeal,
        ApplicationState::RefusedOnAppeal,
    ];

    /// The name used in records, answers and the log.
    pub fn code(self) -> &'static str {
        match self {
            ApplicationState::Received => "received",
            ApplicationState::Agreed => "agreed",
            ApplicationState::Refused => "refused",
            ApplicationState::Appealed => "appealed",
            ApplicationState::AgreedOnAppeal => "agreed_on_appeal",
            ApplicationState::RefusedOnAppeal => "refused_on_appeal",
        }
    }

    /// The state with this name.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether the record is to be erased for it.
    pub fn is_agreed(self) -> bool {
        matches!(self, ApplicationState::Agreed | ApplicationState::AgreedOnAppeal)
    }

    /// Whether somebody must decide something.
    pub fn is_open(self) -> bool {
        matches!(self, ApplicationState::Received | ApplicationState::Appealed)
    }
}
