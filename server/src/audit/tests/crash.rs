//! Another process writes the log and is killed, or runs out of disk, while it does.

use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Set for the process that writes; names the folder with keys and log.
const FOLDER: &str = "LIKENESS_TEST_AUDIT_CHILD";

/// Not a test of its own: what the other process runs.
#[test]
#[ignore = "run by the tests below, in a process of its own"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let keys = Arc::new(FileKeyStore::open(&folder.join("keys")).unwrap());
    let clock = Arc::new(crate::clock::SystemClock);
    let (log, _) = FileAudit::open(&folder.join("audit"), keys, clock, AuditOptions::default()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let log = &log;
            scope.spawn(move || {
                for n in 0.. {
                    match log.append(submissions(Timestamp::now(), n..n + 1 + thread % 3)) {
                        Ok(receipts) => {
                            for receipt in receipts {
                                println!(
                                    "receipt {} {}",
                                    receipt.event_id(),
                                    hex::encode(receipt.entry_hash())
                                );
                            }
                        }
                        Err(error) => {
                            assert!(matches!(
                                log.append(submissions(Timestamp::now(), 0..1)),
                                Err(AuditError::Failed { .. })
                            ));
                            println!("shut {error}");
                            break;
                        }
                    }
                }
            });
        }
    });
}

fn child_command(fixture: &Fixture, shell: Option<&str>) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = match shell {
        None => Command::new(program),
        Some(script) => {
            let mut command = Command::new("sh");
            command.arg("-c").arg(format!("{script}; exec \"$0\" \"$@\"")).arg(program);
            command
        }
    };
    command
        .args(["audit::tests::crash::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, fixture.folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Lines of receipts whole enough to have been seen by a caller.
fn acknowledged(line: &str) -> Option<(EventId, String)> {
    let mut words = line.split("receipt ").nth(1)?.split(' ');
    let event = words.next()?.parse().ok()?;
    let hash = words.next().filter(|hash| hash.len() == 64)?;
    Some((event, hash.to_owned()))
}

fn assert_kept(fixture: &Fixture, acknowledged: &[(EventId, String)]) {
    let (log, recovery) = fixture.open_with(fixture.keys(), AuditOptions::default()).unwrap();
    for (event, hash) in acknowledged {
        let stored = log.entry(*event).unwrap().expect("an acknowledged entry is lost");
        assert_eq!(hex::encode(stored.hash), *hash);
        if stored.entry.content.is_some() {
            assert!(log.content(*event).unwrap().is_some(), "content of an acknowledged entry is lost");
        }
    }
    for event in &recovery.content_not_stored {
        assert!(acknowledged.iter().all(|(acknowledged, _)| acknowledged != event));
    }
    drop(log);
    fixture.sound();
}

#[test]
fn a_killed_writer_loses_nothing_it_gave_a_receipt_for() {
    let fixture = Fixture::new();
    let mut all = Vec::new();
    for round in 0..5 {
        let mut child = child_command(&fixture, None);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let enough = all.len() + 40 + 37 * round;
        while all.len() < enough {
            let line = lines.next().expect("the other process ended early").unwrap();
            all.extend(acknowledged(&line));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        all.extend(lines.map_while(Result::ok).filter_map(|line| acknowledged(&line)));
        assert_kept(&fixture, &all);
    }
    assert!(all.len() > 500);
}

#[cfg(unix)]
#[test]
fn a_full_disk_shuts_the_log_and_loses_nothing() {
    let fixture = Fixture::new();
    // No file may grow beyond 256 or 512 KiB (the unit of `ulimit -f` differs), and the signal for that is ignored, so
    // that writing fails as it does on a full disk.
    let child = child_command(&fixture, Some("trap '' XFSZ; ulimit -f 512"));
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("shut ")).count(), 4, "every thread was told");
    let all: Vec<_> = text.lines().filter_map(acknowledged).collect();
    assert!(!all.is_empty());
    assert_kept(&fixture, &all);
}
