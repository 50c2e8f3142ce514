//! `retention certificate` fetches what the service signed about an erasure; `retention verify-certificate` checks it anywhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use likeness_proto::v1::GetCertificateRequest;
use likeness_server::{
    erasure::Certificate,
    keys::{VerifierKey, verify_statement},
};
use serde_json::json;

use super::{client, context};
use crate::cli::{
    audit::key_file,
    connect,
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::plain,
    wording,
};

/// A certificate to fetch.
#[derive(Args, Debug)]
pub struct CertificateArgs {
    /// The pool
    pool: String,
    /// Number of the erasure, or the id that the subject had
    id: String,
    /// Write the signed certificate to a file, and not to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    context: AssumedContext,
}

/// A certificate to check.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The certificate, as the service gave it
    file: PathBuf,
    /// The service's public key, as `likeness audit export-key` printed it
    #[arg(long, value_name = "PUBLIC_KEY_FILE")]
    key: PathBuf,
}

/// Fetches the certificate.
///
/// # Errors
/// The service refuses or fails, the erasure is not complete, or the file cannot be written.
pub async fn fetch(args: CertificateArgs, profile: &Profile, json: bool) -> Result<Exit, Failure> {
    let request = GetCertificateRequest {
        context: context(&args.context, profile, "a certificate of erasure fetched"),
        pool: args.pool,
        id: args.id,
    };
    let answer = client(profile).await?.get_certificate(connect::call(request)).await?.into_inner();
    if answer.certificate.is_empty() {
        return Err(Failure::new(
            Exit::Refused,
            format!(
                "erasure {} began at {} and is still being carried out",
                answer.erasure_id, answer.begun_at
            ),
        )
        .advise("ask again in a moment; the server finishes what it has begun, also after a restart"));
    }
    if let Some(file) = &args.out {
        output::private_file(file, answer.certificate.as_bytes())?;
    }
    if json {
        output::json(&json!({
            "erasure_id": answer.erasure_id, "subject_id": answer.subject_id, "begun_at": answer.begun_at,
            "completed_at": answer.completed_at, "certificate": answer.certificate,
            "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
    } else {
        match &args.out {
            Some(file) => output::line(&format!(
                "Certificate of erasure {}, completed {}, in {}",
                plain(&answer.erasure_id),
                plain(&answer.completed_at),
                file.display()
            ))?,
            None => output::line(answer.certificate.trim_end())?,
        }
        if let Some(receipt) = &answer.receipt {
            output::note(&wording::receipt_line(receipt));
        }
    }
    Ok(Exit::Done)
}

/// Checks a certificate and says what it states.
///
/// # Errors
/// A file cannot be read. What does not verify is not an error but [`Exit::AuditFailed`].
pub fn verify(args: &VerifyArgs, json: bool) -> Result<Exit, Failure> {
    let key = key_file(&args.key)?;
    let note = read(&args.file)?;
    match checked(&note, &key) {
        Ok(certificate) => {
            if json {
                output::json(
                    &json!({ "verifies": true, "signed_by": key.name(), "certificate": certificate }),
                )?;
            } else {
                output::line(&stated(&certificate, key.name()))?;
            }
            Ok(Exit::Done)
        }
        Err(why) => {
            if json {
                output::json(&json!({ "verifies": false, "why": why }))?;
            } else {
                output::line(&format!("THE CERTIFICATE DOES NOT VERIFY: {}", plain(&why)))?;
            }
            Ok(Exit::AuditFailed)
        }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("cannot read the certificate `{}` as text: {error}", path.display()))
    })
}

/// The certificate in a note, when `key` signed it; or why nothing in it is to be believed.
pub fn checked(note: &str, key: &VerifierKey) -> Result<Certificate, String> {
    let text = verify_statement(note, key).map_err(|error| error.to_string())?;
    serde_json::from_str(text).map_err(|error| {
        format!("it is signed, and is no certificate of erasure that this version knows: {error}")
    })
}

/// What a certificate states, line by line.
pub fn stated(certificate: &Certificate, signer: &str) -> String {
    let mut lines = vec![
        format!("Verified: signed by `{}` and unchanged since.", plain(signer)),
        format!("Erasure {} in pool `{}`", certificate.erasure_id, plain(&certificate.pool)),
        format!("Subject {} (nothing is known under this id any more)", certificate.subject_id),
        format!("Why: {}", certificate.reason),
    ];
    if let Some(rule) = &certificate.rule {
        let rules = certificate.rules.as_deref().unwrap_or("not given");
        lines.push(format!("By retention rule `{}` of the rules {}", plain(rule), plain(rules)));
    }
    lines.push(format!("On the authority of {}", plain(&certificate.authority)));
    lines.push(format!("Begun {}, complete and checked {}", certificate.begun_at, certificate.completed_at));
    lines.push("Destroyed:".to_owned());
    for destroyed in &certificate.destroyed {
        let store = serde_json::to_value(destroyed.store).unwrap_or_default();
        lines.push(format!(
            "  {} {}: {}",
            destroyed.count,
            plain(store.as_str().unwrap_or_default()),
            plain(&destroyed.verified)
        ));
    }
    lines.push("Stays:".to_owned());
    lines.extend(certificate.staying.iter().map(|what| format!("  {}", plain(what))));
    lines.push(
        if certificate.recognised_again {
            "The same reference is recognised when it is sent again, and held for a decision"
        } else {
            "The same reference is not recognised when it is sent again: nothing confirms that the person was here"
        }
        .to_owned(),
    );
    lines.push(wording::paragraph("Backups", &certificate.backups));
    lines.push(format!("Announced in the audit log as event {}", certificate.event_id));
    lines.join("\n")
}
