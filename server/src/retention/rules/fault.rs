//! Why a rule file is refused.
use thiserror::Error;

/// A rule file that is not taken: nothing of it is used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// It is too long to be one.
    #[error("the rules are longer than {} bytes, so they are not rules", super::MOST_BYTES)]
    TooLong,
    /// Not TOML, or an unknown or missing key, or a value of the wrong kind.
    #[error("line {line}, column {column}: {why}; `server/retention/rules.toml` is the reference")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the reader says.
        why: String,
    },
    /// A value that makes no sense, or contradicts another.
    #[error("line {line}, rule `{rule}`, `{field}`: {why}")]
    Wrong {
        /// Line of the rule's id or key, from 1.
        line: usize,
        /// Id of the rule, or name of the table.
        rule: String,
        /// The key.
        field: &'static str,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Rules that are each in order and together not.
    #[error("the rules as a whole: {0}")]
    Whole(String),
}

impl RuleError {
    pub(super) fn malformed(text: &str, error: &toml::de::Error) -> Self {
        let (line, column) = place(text, error.span().map_or(0, |span| span.start));
        RuleError::Malformed { line, column, why: error.message().to_owned() }
    }
}

/// Line and column, from 1, of the byte at `at`.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}
