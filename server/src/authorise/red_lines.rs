//! What no policy may ever permit (R82): looked at after the policies, and before a policy set is used at all.
use serde::Deserialize;
use thiserror::Error;

use super::Purpose;
use crate::pool::PoolKind;

/// The red lines that this program was built with.
#[derive(Debug, Clone)]
pub struct RedLines {
    lines: Vec<RedLine>,
}

/// Purposes that never reach pools of some kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedLine {
    /// Why, in words for the public.
    pub reason: String,
    /// Purpose codes; one may be outside the controlled list, so that it stays forbidden should it ever be added.
    pub purposes: Vec<String>,
    /// Kinds of pool they never reach.
    pub kinds: Vec<PoolKind>,
}

/// Why red lines are refused.
#[derive(Debug, Error)]
pub enum RedLinesError {
    /// Not TOML, or an unknown or missing key.
    #[error("the red lines are not valid")]
    Malformed(#[from] Box<toml::de::Error>),
    /// A version this program does not read.
    #[error("the red lines have version {0}; this program reads version 1")]
    Version(u32),
    /// A line that forbids nothing.
    #[error("a red line names no purpose or no kind of pool, or gives no reason")]
    Empty,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    line: Vec<RawLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLine {
    reason: String,
    purposes: Vec<String>,
    kinds: Vec<PoolKind>,
}

impl RedLines {
    /// The red lines that this program was built with.
    ///
    /// # Errors
    /// [`RedLinesError`], which a test rules out for the file in the repository.
    pub fn built_in() -> Result<RedLines, RedLinesError> {
        RedLines::parse(include_str!("../../policies/red_lines.toml"))
    }

    /// Reads red lines.
    ///
    /// # Errors
    /// [`RedLinesError`] for an unknown key or kind, or a line that forbids nothing.
    pub fn parse(text: &str) -> Result<RedLines, RedLinesError> {
        let raw: Raw = toml::from_str(text).map_err(Box::new)?;
        if raw.version != 1 {
            return Err(RedLinesError::Version(raw.version));
        }
        let mut lines = Vec::with_capacity(raw.line.len());
        for RawLine { reason, purposes, kinds } in raw.line {
            if reason.trim().is_empty() || purposes.is_empty() || kinds.is_empty() {
                return Err(RedLinesError::Empty);
            }
            lines.push(RedLine { reason, purposes, kinds });
        }
        if lines.is_empty() {
            return Err(RedLinesError::Empty);
        }
        Ok(RedLines { lines })
    }

    /// The line that forbids this purpose in this kind of pool.
    pub fn crossed(&self, purpose: &Purpose, kind: PoolKind) -> Option<&RedLine> {
        self.lines.iter().find(|line| {
            line.kinds.contains(&kind) && line.purposes.iter().any(|code| code == purpose.code())
        })
    }

    /// Every forbidden pair.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (Purpose, PoolKind)> {
        self.lines.iter().flat_map(|line| {
            line.purposes
                .iter()
                .flat_map(|code| line.kinds.iter().map(move |kind| (Purpose(code.clone()), *kind)))
        })
    }

    /// The lines, for people to read.
    pub fn lines(&self) -> &[RedLine] {
        &self.lines
    }
}
