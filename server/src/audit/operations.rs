//! Which of the six operations of section 62 each call is recorded as: one table, which the recording itself uses.
//!
//! The wire layer asserts at compile time that every call of the protocol is in it: a call that nobody has thought about does
//! not build.

use super::Operation::{self, Alteration, Collection, Combination, Consultation, Disclosure, Erasure};

/// One call, or one piece of the service's own housekeeping.
#[derive(Debug)]
pub struct Recorded {
    /// Full name of the call, as entries have it in `rpc`.
    pub call: &'static str,
    /// The operations its entries may have; the first is that of the entry of the request itself.
    pub operations: &'static [Operation],
    /// What makes it so.
    pub because: &'static str,
}

const fn call(call: &'static str, operations: &'static [Operation], because: &'static str) -> Recorded {
    Recorded { call, operations, because }
}

/// Every call of the protocol.
pub const CALLS: &[Recorded] = &[
    call(
        "likeness.v1.AuditService/CollectSubject",
        &[Disclosure],
        "what is held is given to the person it is about",
    ),
    call("likeness.v1.AuditService/Export", &[Disclosure], "entries are handed to a named recipient"),
    call("likeness.v1.AuditService/GetCheckpoint", &[Consultation], "the head of the log is read"),
    call("likeness.v1.AuditService/GetConsistencyProof", &[Consultation], "hashes of the log are read"),
    call("likeness.v1.AuditService/GetInclusionProof", &[Consultation], "hashes of the log are read"),
    call("likeness.v1.AuditService/GetReport", &[Consultation], "entries are counted or judged"),
    call("likeness.v1.AuditService/QueryEntries", &[Consultation], "entries about people are read"),
    call("likeness.v1.AuditService/Reconcile", &[Consultation], "entries are compared with a ledger"),
    call("likeness.v1.AuditService/RecordReferral", &[Disclosure], "an event is referred to a named body"),
    call("likeness.v1.AuditService/Replay", &[Consultation], "what was shown is read again"),
    // A backup is sealed, and nobody reads anything in it; but a copy of everything is carried to a medium where this service does not
    // decide any more who may open it. Section 62(1)(d) counts transfers among disclosures, and R3 asks who received it: the
    // organisation that keeps the backup.
    call(
        "likeness.v1.BackupService/CreateBackup",
        &[Disclosure],
        "a sealed copy of everything is handed to whoever keeps the backups",
    ),
    call("likeness.v1.ComparisonService/Compare", &[Combination], "two people's images are put together"),
    call(
        "likeness.v1.DecisionService/ListDecisions",
        &[Consultation],
        "what people thought of candidates is read",
    ),
    call(
        "likeness.v1.DecisionService/RecordDecision",
        &[Alteration],
        "what a person thinks of a candidate is added",
    ),
    call(
        "likeness.v1.DeletionApplicationService/AppealApplication",
        &[Alteration],
        "an appeal against keeping a record is added to it",
    ),
    call(
        "likeness.v1.DeletionApplicationService/DecideAppeal",
        &[Alteration],
        "whether a record is kept is decided again",
    ),
    call(
        "likeness.v1.DeletionApplicationService/DecideApplication",
        &[Alteration],
        "whether a record is kept is decided; the erasure that follows is recorded by itself",
    ),
    call(
        "likeness.v1.DeletionApplicationService/GetApplications",
        &[Consultation],
        "what somebody asked for, and what was decided, is read",
    ),
    call(
        "likeness.v1.DeletionApplicationService/GetApplicationStatistics",
        &[Consultation],
        "applications are counted",
    ),
    call(
        "likeness.v1.DeletionApplicationService/ListApplications",
        &[Consultation],
        "which applications wait is read",
    ),
    call(
        "likeness.v1.DeletionApplicationService/ReceiveApplication",
        &[Alteration],
        "what decides how long a record is kept changes: its deletion is asked for",
    ),
    call(
        "likeness.v1.DeletionListService/AcknowledgeDeletionList",
        &[Alteration],
        "what a force made of its list is added",
    ),
    call(
        "likeness.v1.DeletionListService/GetDeletionList",
        &[Consultation, Disclosure],
        "how far a list has come is read; with a recipient, the list is handed to its force",
    ),
    call(
        "likeness.v1.DeletionListService/GetDeletionListAgeing",
        &[Consultation],
        "what forces have not acknowledged is read",
    ),
    call(
        "likeness.v1.DeletionListService/ListDeletionLists",
        &[Consultation],
        "which lists there are is read",
    ),
    call(
        "likeness.v1.DeletionListService/MakeDeletionList",
        &[Consultation],
        "a force's references of images that are to go are read and put together; no record changes",
    ),
    call(
        "likeness.v1.DeletionListService/ReconcileDeletionList",
        &[Consultation],
        "what a force said is compared with the records",
    ),
    call("likeness.v1.EnrolmentService/Enrol", &[Collection], "an image comes in"),
    call("likeness.v1.EnrolmentService/EnrolStream", &[Collection], "images come in, one entry each"),
    call("likeness.v1.EnrolmentService/SetEnrolled", &[Alteration], "whether an image is searchable changes"),
    call("likeness.v1.ImageService/GetImage", &[Consultation], "an image is read"),
    call(
        "likeness.v1.OperatingPointService/ApproveOperatingPoint",
        &[Alteration],
        "which thresholds may be used changes",
    ),
    call(
        "likeness.v1.OperatingPointService/CheckOperatingPoint",
        &[Consultation],
        "control images are compared with everybody in a pool; only counts come back",
    ),
    call(
        "likeness.v1.OperatingPointService/ListOperatingPoints",
        &[Consultation],
        "which thresholds may be used is read",
    ),
    call(
        "likeness.v1.OperatingPointService/RevokeOperatingPoint",
        &[Alteration],
        "which thresholds may be used changes",
    ),
    call("likeness.v1.PoolService/CreatePool", &[Alteration], "what the service holds changes its shape"),
    call("likeness.v1.PoolService/ListPools", &[Consultation], "what the service holds is read"),
    call(
        "likeness.v1.PoolMigrationService/GetMigration",
        &[Consultation],
        "where a pool stands on its way to another algorithm is read",
    ),
    call(
        "likeness.v1.PoolMigrationService/RetireMigration",
        &[Alteration],
        "the templates of the algorithm that is not used are erased; the images stay",
    ),
    call(
        "likeness.v1.PoolMigrationService/RollBackMigration",
        &[Alteration],
        "searches go back to the earlier templates",
    ),
    call(
        "likeness.v1.PoolMigrationService/StartMigration",
        &[Alteration],
        "every image gets a second template",
    ),
    call(
        "likeness.v1.PoolMigrationService/SwitchMigration",
        &[Alteration],
        "searches go over to other templates",
    ),
    call("likeness.v1.RetentionService/ActivateRules", &[Alteration], "how long records are kept changes"),
    call(
        "likeness.v1.RetentionService/AlterRetention",
        &[Alteration],
        "what decides how long a record is kept changes",
    ),
    call(
        "likeness.v1.RetentionService/DecideReimport",
        &[Alteration],
        "whether a record may come again is decided",
    ),
    call(
        "likeness.v1.RetentionService/EraseSubject",
        &[Erasure, Alteration],
        "a record is erased; put beyond use it is altered, for it is still there",
    ),
    call(
        "likeness.v1.RetentionService/GetCertificate",
        &[Consultation],
        "the certificate of an erasure is read",
    ),
    call("likeness.v1.RetentionService/GetRetention", &[Consultation], "why a record is kept is read"),
    call("likeness.v1.RetentionService/GetRetentionNumbers", &[Consultation], "records are counted"),
    call("likeness.v1.RetentionService/GetRules", &[Consultation], "the retention rules are read"),
    call(
        "likeness.v1.RetentionService/GetWithdrawn",
        &[Consultation],
        "an auditor reads a record that left use",
    ),
    call("likeness.v1.RetentionService/ListReimports", &[Consultation], "what was held back is read"),
    call("likeness.v1.RetentionService/ListRetention", &[Consultation], "what is due is read"),
    call(
        "likeness.v1.RetentionService/RunRetention",
        &[Erasure],
        "records whose time is over are put beyond use, and erased after that",
    ),
    call("likeness.v1.RetentionService/SimulateRules", &[Consultation], "what other rules would do is read"),
    call(
        "likeness.v1.ProtectionService/ListProtected",
        &[Consultation],
        "who is under a protected view is read",
    ),
    call("likeness.v1.ProtectionService/Protect", &[Alteration], "who may see a subject changes"),
    call("likeness.v1.ProtectionService/Unprotect", &[Alteration], "who may see a subject changes"),
    call(
        "likeness.v1.SearchService/Search",
        &[Consultation, Combination],
        "every candidate is consulted, one entry per pool; pools searched together are combined",
    ),
    call("likeness.v1.SubjectService/GetSubject", &[Consultation], "what is held about a person is read"),
];

/// What the service records without being called.
pub const HOUSEKEEPING: &[Recorded] = &[
    call("likeness.cli/DropPool", &[Erasure], "a pool is given up, on the data folder itself"),
    call(
        "likeness.cli/Restore",
        &[Alteration],
        "the pools of a backup take the place of those that are there",
    ),
    call("likeness/reapply", &[Erasure], "what a restore brought back of erased people is removed again"),
    call("likeness/configuration", &[Alteration], "what the service runs by has changed"),
    call("likeness/registry", &[Alteration], "who may call has changed: systems, tokens that are void"),
    call(
        "likeness/migration",
        &[Alteration],
        "images get the templates of the algorithm that their pool moves to",
    ),
    call("likeness/erasure", &[Erasure], "content about somebody who is erased goes with them"),
    call("likeness/protection", &[Alteration], "a protected view ends on its last day"),
    call(
        "likeness/retention",
        &[Erasure, Alteration],
        "content past its retention is forgotten; records whose time is over are put beyond use, then erased",
    ),
    call("recovery", &Operation::ALL, "what a stop cut short is closed as what it was"),
];

/// True when [`CALLS`] has each of `calls`, and nothing else. For a constant assertion.
pub const fn cover(calls: &[&str]) -> bool {
    let mut at = 0;
    while at < calls.len() {
        let mut row = 0;
        while row < CALLS.len() && !same(CALLS[row].call, calls[at]) {
            row += 1;
        }
        if row == CALLS.len() || CALLS[row].operations.is_empty() {
            return false;
        }
        at += 1;
    }
    calls.len() == CALLS.len()
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The operation of a request for this call; none for a call that does not exist.
pub fn of(call: &str) -> Option<Operation> {
    CALLS.iter().find(|row| row.call == call).and_then(|row| row.operations.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_missing_or_a_surplus_call_is_noticed() {
        let all: Vec<&str> = CALLS.iter().map(|row| row.call).collect();
        assert!(cover(&all));
        assert!(!cover(&all[1..]), "the table has a call that the protocol has not");
        let mut more = all.clone();
        more.push("likeness.v1.SearchService/Sweep");
        assert!(!cover(&more), "the protocol has a call that the table has not");
    }

    #[test]
    fn each_call_stands_once_and_says_why() {
        let names: BTreeSet<&str> = CALLS.iter().chain(HOUSEKEEPING).map(|row| row.call).collect();
        assert_eq!(names.len(), CALLS.len() + HOUSEKEEPING.len());
        assert!(CALLS.iter().chain(HOUSEKEEPING).all(|row| !row.because.is_empty()));
        assert_eq!(of("likeness.v1.SearchService/Search"), Some(Consultation));
        assert_eq!(of("likeness.v1.SearchService/Sweep"), None);
    }
}
