//! What a request may want to do.
use std::{fmt, str::FromStr};

use crate::audit::Operation;

/// What a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Put an image into a pool.
    Enrol,
    /// Make a held image searchable, or take it out of search.
    SetEnrolled,
    /// Look for a probe in a pool.
    Search,
    /// Be shown, within a search or a reading, the records under a protected view (R21). Asked beside the other action.
    SeeProtected,
    /// Put a subject under a protected view, look after its mark, or lift it (R21).
    Protect,
    /// Compare two images; touches no pool.
    Compare,
    /// Read what is held about a person.
    ReadSubject,
    /// Read one image.
    ReadImage,
    /// Record what a person thinks a candidate is worth.
    RecordDecision,
    /// Read what people thought of candidates.
    ReadDecisions,
    /// Make a pool.
    CreatePool,
    /// Give a pool up, with everything in it.
    DropPool,
    /// Move a pool to another algorithm.
    MigratePool,
    /// Count what control images score in a pool; shows nobody.
    MonitorPool,
    /// See which pools there are.
    ListPools,
    /// Get proofs about the audit log: hashes and signatures, none of its content.
    ReadProof,
    /// Read entries of the audit log, what was shown, and what can be counted from them.
    ReadAudit,
    /// Hand entries of the audit log to another body.
    ExportAudit,
    /// Approve an operating point, or end its approval; touches no pool.
    ApproveOperatingPoint,
    /// See which operating points there are; touches no pool.
    ListOperatingPoints,
    /// Collect what is held about a person, for them.
    CollectSubject,
    /// Read why and until when a record is kept; lists and numbers of these.
    ReadRetention,
    /// Record what decides how long a record is kept: custody events, outcomes, closures.
    RecordOutcome,
    /// Decide about keeping: reviews, legal holds, re-imports.
    ReviewRetention,
    /// Put a record beyond use, or have it erased.
    EraseSubject,
    /// Apply the retention rules now.
    RunRetention,
    /// See what is left of a record that is out of use.
    ReadWithdrawn,
    /// Read the retention rules; touches no pool.
    ReadRetentionRules,
    /// Put other retention rules in force; touches no pool.
    ChangeRetentionRules,
    /// Copy everything but the keys into a backup.
    BackUp,
    /// Put the pools of a backup in the place of those that are there.
    Restore,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 31] = [
        Action::Enrol,
        Action::SetEnrolled,
        Action::Search,
        Action::SeeProtected,
        Action::Protect,
        Action::Compare,
        Action::ReadSubject,
        Action::ReadImage,
        Action::RecordDecision,
        Action::ReadDecisions,
        Action::CreatePool,
        Action::DropPool,
        Action::MigratePool,
        Action::MonitorPool,
        Action::ListPools,
        Action::ReadProof,
        Action::ReadAudit,
        Action::ExportAudit,
        Action::ApproveOperatingPoint,
        Action::ListOperatingPoints,
        Action::CollectSubject,
        Action::ReadRetention,
        Action::RecordOutcome,
        Action::ReviewRetention,
        Action::EraseSubject,
        Action::RunRetention,
        Action::ReadWithdrawn,
        Action::ReadRetentionRules,
        Action::ChangeRetentionRules,
        Action::BackUp,
        Action::Restore,
    ];

    /// The name used in the policies and the matrix.
    pub fn code(self) -> &'static str {
        match self {
            Action::Enrol => "enrol",
            Action::SetEnrolled => "set_enrolled",
            Action::Search => "search",
            Action::SeeProtected => "see_protected",
            Action::Protect => "protect",
            Action::Compare => "compare",
            Action::ReadSubject => "read_subject",
            Action::ReadImage => "read_image",
            Action::RecordDecision => "record_decision",
            Action::ReadDecisions => "read_decisions",
            Action::CreatePool => "create_pool",
            Action::DropPool => "drop_pool",
            Action::MigratePool => "migrate_pool",
            Action::MonitorPool => "monitor_pool",
            Action::ListPools => "list_pools",
            Action::ReadAudit => "read_audit",
            Action::ReadProof => "read_proof",
            Action::ExportAudit => "export_audit",
            Action::ApproveOperatingPoint => "approve_operating_point",
            Action::ListOperatingPoints => "list_operating_points",
            Action::CollectSubject => "collect_subject",
            Action::ReadRetention => "read_retention",
            Action::RecordOutcome => "record_outcome",
            Action::ReviewRetention => "review_retention",
            Action::EraseSubject => "erase_subject",
            Action::RunRetention => "run_retention",
            Action::ReadWithdrawn => "read_withdrawn",
            Action::ReadRetentionRules => "read_retention_rules",
            Action::ChangeRetentionRules => "change_retention_rules",
            Action::BackUp => "back_up",
            Action::Restore => "restore",
        }
    }

    /// Which of the six logged operations it is (DPA 2018 s.62).
    pub fn operation(self) -> Operation {
        match self {
            Action::Enrol => Operation::Collection,
            Action::SetEnrolled
            | Action::CreatePool
            | Action::Protect
            | Action::RecordDecision
            | Action::MigratePool
            | Action::Restore
            | Action::ApproveOperatingPoint
            | Action::RecordOutcome
            | Action::ReviewRetention
            | Action::ChangeRetentionRules => Operation::Alteration,
            Action::DropPool | Action::EraseSubject | Action::RunRetention => Operation::Erasure,
            Action::Search
            | Action::SeeProtected
            | Action::ReadSubject
            | Action::ReadImage
            | Action::ReadDecisions
            | Action::ListPools
            | Action::MonitorPool
            | Action::ListOperatingPoints
            | Action::ReadProof
            | Action::ReadRetention
            | Action::ReadWithdrawn
            | Action::ReadRetentionRules
            | Action::ReadAudit => Operation::Consultation,
            Action::ExportAudit | Action::CollectSubject | Action::BackUp => Operation::Disclosure,
            // Two people's images are put together to see whether they are alike.
            Action::Compare => Operation::Combination,
        }
    }

    /// True when it changes what a pool holds.
    pub fn writes(self) -> bool {
        match self {
            Action::Enrol
            | Action::SetEnrolled
            | Action::CreatePool
            | Action::DropPool
            | Action::MigratePool
            | Action::ApproveOperatingPoint
            | Action::Restore
            | Action::Protect
            | Action::RecordDecision
            | Action::RecordOutcome
            | Action::ReviewRetention
            | Action::EraseSubject
            | Action::RunRetention
            | Action::ChangeRetentionRules => true,
            Action::Search
            | Action::SeeProtected
            | Action::Compare
            | Action::ReadSubject
            | Action::ReadImage
            | Action::ReadDecisions
            | Action::ListPools
            | Action::MonitorPool
            | Action::ReadProof
            | Action::ReadAudit
            | Action::ListOperatingPoints
            | Action::CollectSubject
            | Action::ReadRetention
            | Action::ReadWithdrawn
            | Action::ReadRetentionRules
            | Action::BackUp
            | Action::ExportAudit => false,
        }
    }

    /// True when a registered feed may do it without a person. Everything else is a person's to do.
    pub fn is_open_to_feeds(self) -> bool {
        matches!(self, Action::Enrol | Action::SetEnrolled | Action::RecordOutcome)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Action {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Action::ALL.into_iter().find(|action| action.code() == code).ok_or(())
    }
}
