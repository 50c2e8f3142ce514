//! What can be wrong with a log.

/// Findings kept: one damaged page can hold many entries, and the first few say it all.
const MOST: usize = 1000;

/// The kind of defect.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// The bytes of an entry are not those that were hashed.
    Changed,
    /// One or more entries are missing before others.
    Removed,
    /// An entry stands where another belongs.
    Moved,
    /// Two neighbours do not fit each other: one of them was changed and its hash made to fit.
    Unlinked,
    /// Entries that were signed for are missing at the end.
    Truncated,
    /// Entries that no checkpoint has signed.
    Unsigned,
    /// Every entry fits the one before it, but together they are not what was signed: the log was rewritten.
    Rewritten,
    /// A checkpoint is missing, changed or not signed by the log's key.
    Checkpoint,
    /// A file or row cannot be read.
    Unreadable,
    /// The database was altered otherwise: its tables, triggers or derived data.
    Structure,
    /// Sealed content was changed, or removed before its time.
    Content,
}

/// One defect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Index of the first entry concerned; `None` when it concerns the log as a whole.
    pub entry: Option<u64>,
    /// What kind of defect.
    pub kind: FindingKind,
    /// What exactly, in words. Repeats no content.
    pub detail: String,
}

impl Finding {
    pub(super) fn at(entry: u64, kind: FindingKind, detail: impl Into<String>) -> Self {
        Self { entry: Some(entry), kind, detail: detail.into() }
    }

    pub(super) fn of_log(kind: FindingKind, detail: impl Into<String>) -> Self {
        Self { entry: None, kind, detail: detail.into() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.entry {
            Some(entry) => write!(f, "entry {entry}: {}", self.detail),
            None => write!(f, "log: {}", self.detail),
        }
    }
}

/// Collects findings, the first ones of a flood.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub fn add(&mut self, finding: Finding) {
        if self.0.len() < MOST {
            self.0.push(finding);
        }
    }

    /// Whether an entry from `first` to `last` is concerned by a finding.
    pub fn any_at(&self, first: u64, last: u64) -> bool {
        self.0.iter().any(|finding| finding.entry.is_some_and(|entry| (first..=last).contains(&entry)))
    }

    /// In the order of entries; what concerns the log as a whole comes last.
    pub fn sorted(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| finding.entry.unwrap_or(u64::MAX));
        self.0
    }
}
