//! Every command is accounted for: the calls it makes, each of which is recorded as operations of section 62, or why there is nothing
//! to record.

use super::*;
use likeness_server::audit::operations::{CALLS, HOUSEKEEPING};
use std::collections::BTreeSet;

enum Accounted {
    /// It makes these calls and reaches no data otherwise.
    Calls(&'static [&'static str]),
    /// It makes no call and is recorded as this.
    Itself(&'static str),
    /// It reaches no record and no entry.
    Nothing(&'static str),
}
use Accounted::{Calls, Itself, Nothing};

const COMMANDS: &[(&str, Accounted)] = &[
    ("init", Nothing("makes an empty data folder")),
    ("serve", Nothing("records every call it serves")),
    ("pool create", Calls(&["PoolService/CreatePool"])),
    ("pool drop", Itself("likeness.cli/DropPool")),
    ("pool list", Calls(&["PoolService/ListPools"])),
    ("pool migrate start", Calls(&["PoolMigrationService/StartMigration"])),
    ("pool migrate status", Calls(&["PoolMigrationService/GetMigration"])),
    ("pool migrate compare", Calls(&["PoolMigrationService/GetMigration"])),
    ("pool migrate switch", Calls(&["PoolMigrationService/SwitchMigration"])),
    ("pool migrate rollback", Calls(&["PoolMigrationService/RollBackMigration"])),
    ("pool migrate retire", Calls(&["PoolMigrationService/RetireMigration"])),
    ("enrol", Calls(&["EnrolmentService/EnrolStream"])),
    ("search", Calls(&["SearchService/Search", "ImageService/GetImage"])),
    ("decision record", Calls(&["DecisionService/RecordDecision"])),
    ("decision list", Calls(&["DecisionService/ListDecisions"])),
    ("compare", Calls(&["ComparisonService/Compare"])),
    ("subject", Calls(&["SubjectService/GetSubject"])),
    ("protect set", Calls(&["ProtectionService/Protect"])),
    ("protect lift", Calls(&["ProtectionService/Unprotect"])),
    ("protect list", Calls(&["ProtectionService/ListProtected"])),
    ("image", Calls(&["ImageService/GetImage"])),
    ("unenrol", Calls(&["EnrolmentService/SetEnrolled"])),
    ("reenrol", Calls(&["EnrolmentService/SetEnrolled"])),
    ("backup", Calls(&["BackupService/CreateBackup"])),
    ("restore", Itself("likeness.cli/Restore")),
    ("models list", Nothing("model packs hold no personal data")),
    ("models pull", Nothing("model packs hold no personal data")),
    ("models add", Nothing("model packs hold no personal data")),
    ("models verify", Nothing("model packs hold no personal data")),
    ("calibrate", Nothing("reads a tester's run, which holds scores and counts only")),
    ("operating-point approve", Calls(&["OperatingPointService/ApproveOperatingPoint"])),
    ("operating-point list", Calls(&["OperatingPointService/ListOperatingPoints"])),
    ("operating-point show", Calls(&["OperatingPointService/ListOperatingPoints"])),
    ("operating-point revoke", Calls(&["OperatingPointService/RevokeOperatingPoint"])),
    ("operating-point check", Calls(&["OperatingPointService/CheckOperatingPoint"])),
    ("operating-point controls", Nothing("signs digests of a tester's own images")),
    ("operating-point demonstration", Nothing("writes a record that the program came with")),
    ("retention show", Calls(&["RetentionService/GetRetention"])),
    ("retention event", Calls(&["RetentionService/AlterRetention"])),
    ("retention events", Calls(&["RetentionService/AlterRetention"])),
    ("retention category", Calls(&["RetentionService/AlterRetention"])),
    ("retention birth", Calls(&["RetentionService/AlterRetention"])),
    ("retention close", Calls(&["RetentionService/AlterRetention"])),
    ("retention reopen", Calls(&["RetentionService/AlterRetention"])),
    ("retention review", Calls(&["RetentionService/AlterRetention"])),
    ("retention hold place", Calls(&["RetentionService/AlterRetention"])),
    ("retention hold lift", Calls(&["RetentionService/AlterRetention"])),
    ("retention due", Calls(&["RetentionService/ListRetention"])),
    ("retention list", Calls(&["RetentionService/ListRetention"])),
    ("retention run", Calls(&["RetentionService/RunRetention"])),
    ("retention report", Calls(&["RetentionService/ListRetention"])),
    ("retention numbers", Calls(&["RetentionService/GetRetentionNumbers"])),
    ("retention rules", Calls(&["RetentionService/GetRules"])),
    ("retention simulate", Calls(&["RetentionService/SimulateRules"])),
    ("retention activate", Calls(&["RetentionService/ActivateRules"])),
    ("retention erase", Calls(&["RetentionService/EraseSubject"])),
    ("retention certificate", Calls(&["RetentionService/GetCertificate"])),
    ("retention withdrawn", Calls(&["RetentionService/GetWithdrawn"])),
    ("retention reimports", Calls(&["RetentionService/ListReimports"])),
    ("retention decide", Calls(&["RetentionService/DecideReimport"])),
    ("application receive", Calls(&["DeletionApplicationService/ReceiveApplication"])),
    ("application decide", Calls(&["DeletionApplicationService/DecideApplication"])),
    ("application appeal", Calls(&["DeletionApplicationService/AppealApplication"])),
    ("application decide-appeal", Calls(&["DeletionApplicationService/DecideAppeal"])),
    ("application show", Calls(&["DeletionApplicationService/GetApplications"])),
    ("application list", Calls(&["DeletionApplicationService/ListApplications"])),
    ("application statistics", Calls(&["DeletionApplicationService/GetApplicationStatistics"])),
    ("retention verify-certificate", Nothing("checks a signature; a certificate holds no content")),
    ("deletion-list make", Calls(&["DeletionListService/MakeDeletionList"])),
    ("deletion-list list", Calls(&["DeletionListService/ListDeletionLists"])),
    ("deletion-list show", Calls(&["DeletionListService/GetDeletionList"])),
    ("deletion-list acknowledge", Calls(&["DeletionListService/AcknowledgeDeletionList"])),
    ("deletion-list late", Calls(&["DeletionListService/GetDeletionListAgeing"])),
    ("deletion-list reconcile", Calls(&["DeletionListService/ReconcileDeletionList"])),
    ("deletion-list verify", Nothing("checks a signature and digests of files that the person has")),
    ("audit verify", Nothing("recomputes hashes and prints positions and hashes only")),
    ("audit export-key", Nothing("the key is public")),
    ("audit show", Calls(&["AuditService/QueryEntries"])),
    ("audit query", Calls(&["AuditService/QueryEntries"])),
    ("audit replay", Calls(&["AuditService/Replay"])),
    ("audit prove", Calls(&["AuditService/GetInclusionProof"])),
    ("audit export", Calls(&["AuditService/Export", "AuditService/GetReport"])),
    ("audit reconcile", Calls(&["AuditService/Reconcile"])),
    ("audit stats", Calls(&["AuditService/GetReport"])),
    ("audit access-list", Calls(&["AuditService/GetReport"])),
    ("audit anomalies", Calls(&["AuditService/GetReport"])),
    ("audit dpia-facts", Calls(&["AuditService/GetReport"])),
    ("audit refer", Calls(&["AuditService/RecordReferral"])),
    ("audit subject-access", Calls(&["AuditService/CollectSubject"])),
    ("policy explain", Nothing("asks the policies, which hold no personal data")),
    ("policy check", Nothing("asks the policies, which hold no personal data")),
    ("policy export", Nothing("writes the program's own policies")),
    ("system register", Itself("likeness/registry")),
    ("system certify", Itself("likeness/registry")),
    ("system review", Itself("likeness/registry")),
    ("system revoke", Itself("likeness/registry")),
    ("system list", Nothing("reads which systems may call")),
    ("token revoke", Itself("likeness/registry")),
    ("token issue", Nothing("makes a credential; what is done with it is recorded")),
    ("completions", Nothing("prints a script")),
];

/// Paths of the commands that do something.
fn leaves(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
    let mut inner = command.get_subcommands().filter(|command| command.get_name() != "help").peekable();
    if inner.peek().is_none() {
        found.insert(path.trim().to_owned());
    }
    for command in inner {
        leaves(command, &format!("{path} {}", command.get_name()), found);
    }
}

#[test]
fn every_command_is_mapped_to_logged_operations_or_says_why_not() {
    let mut found = BTreeSet::new();
    leaves(&Cli::command(), "", &mut found);
    let listed: BTreeSet<String> = COMMANDS.iter().map(|(command, _)| (*command).to_owned()).collect();
    assert_eq!(found, listed);
    let mut reached = BTreeSet::new();
    for (command, accounted) in COMMANDS {
        match accounted {
            Nothing(why) => assert!(!why.is_empty(), "{command}"),
            Itself(name) => assert!(HOUSEKEEPING.iter().any(|row| row.call == *name), "{command}: {name}"),
            Calls(calls) => {
                for call in *calls {
                    let name = format!("likeness.v1.{call}");
                    let row = CALLS.iter().find(|row| row.call == name);
                    assert!(row.is_some_and(|row| !row.operations.is_empty()), "{command}: {name}");
                    reached.insert(name);
                }
            }
        }
    }
    println!(
        "report: {} commands mapped; {} of {} calls are reached from the command line",
        COMMANDS.len(),
        reached.len(),
        CALLS.len()
    );
}
