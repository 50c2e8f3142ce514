//! Which steps an erasure takes.

/// The steps of an erasure, in their order. A stop between any two is finished later.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErasureStep {
    /// The intent is in the audit log.
    Announced,
    /// The ledger has it: from here on it will be finished.
    Begun,
    /// Out of the index, and invisible.
    Withdrawn,
    /// The key is destroyed.
    KeyDestroyed,
    /// The log says which content goes.
    ContentDeclared,
    /// Content of the audit log about the subject is gone.
    ContentErased,
    /// The image files are gone.
    FilesErased,
    /// Deletion lists say nothing of the subject any more.
    ListsForgotten,
    /// The records are gone.
    RowsErased,
    /// Every store was looked at again.
    Checked,
    /// The ledger has the certificate.
    Certified,
}

impl ErasureStep {
    /// Every step.
    pub const ALL: [ErasureStep; 11] = [
        ErasureStep::Announced,
        ErasureStep::Begun,
        ErasureStep::Withdrawn,
        ErasureStep::KeyDestroyed,
        ErasureStep::ContentDeclared,
        ErasureStep::ContentErased,
        ErasureStep::FilesErased,
        ErasureStep::ListsForgotten,
        ErasureStep::RowsErased,
        ErasureStep::Checked,
        ErasureStep::Certified,
    ];
}

/// Told of each step when it is done.
pub type ErasureObserver = Box<dyn Fn(ErasureStep) + Send + Sync>;
