//! A client that somebody else wrote in another language keeps us honest: nothing works only because both sides are ours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{fs, path::Path, process::Command};

use likeness_tests::{client::bare_token, faces, service::Service};

/// How `run` says that there is no Python, or no packages for it.
const NO_ENVIRONMENT: i32 = 77;

#[test]
fn a_client_in_python_enrols_searches_is_refused_and_proves_what_it_saw() {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: the client in Python: there is no python3");
        return;
    }
    let service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let scratch = service.scratch();
    let file = |name: &str, bytes: &[u8]| {
        let path = scratch.join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let token =
        file("token", bare_token(&service, "t-1", "third-party", &["searcher", "enroller"]).as_bytes());
    let (reference, probe) =
        (file("reference.jpg", &faces::plain(7, 0)), file("probe.jpg", &faces::plain(7, 1)));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("clients/run"));
    command
        .args([
            "--server",
            &format!("localhost:{}", service.port()),
            "--system",
            "likeness-cli",
            "--pool",
            "cells",
        ])
        .arg("--protos")
        .arg(root.with_file_name("proto"))
        .arg("--ca")
        .arg(service.data().join("tls/ca.pem"))
        .arg("--client-cert")
        .arg(service.data().join("tls/client.pem"))
        .arg("--client-key")
        .arg(service.data().join("tls/client.key"))
        .arg("--key")
        .arg(service.data().join("keys/audit.pub"))
        .arg("--token")
        .arg(&token)
        .arg("--reference-image")
        .arg(reference)
        .arg("--probe")
        .arg(probe);
    let output = command.output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(NO_ENVIRONMENT) {
        println!("skipped: the client in Python: {}", said.lines().last().unwrap_or_default());
        return;
    }
    assert!(output.status.success(), "{said}");
    for step in ["enrolled", "searched", "refused", "proved", "done"] {
        assert!(said.lines().any(|line| line.starts_with(step)), "{step} is missing: {said}");
    }
    service.ok(&["audit", "verify"]);
    println!("report: a client in Python proved {} events", said.matches("proved").count());
}
