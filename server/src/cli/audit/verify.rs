//! `likeness audit verify`: recomputes a log, or a bundle that came from one, with nothing but the public key.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use likeness_server::{
    audit::{
        bundle::{BundleReport, verify_bundle_under},
        verify::{VerifyOptions, VerifyReport, verify},
    },
    data::DataDir,
    keys::{FileKeyStore, KeyStore, VerifierKey},
};
use serde_json::{Value, json};

use super::WhereArgs;
use crate::cli::{
    failure::{Exit, Failure, chain},
    output,
    text::{grouped, plain},
};

/// A verification.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// Verify a bundle that `audit export` made, wherever it is; needs `--key` and nothing else
    #[arg(long, value_name = "FOLDER", requires = "key", conflicts_with = "data")]
    bundle: Option<PathBuf>,
    /// Also hold the log to a checkpoint kept earlier: the text, or the JSON answer that has it in its receipt. Repeatable
    #[arg(long = "checkpoint", value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
    /// Verify with this public key, as `audit export-key` printed it, instead of the one in the data folder
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Hold the log to a retention of entries of so many days: a purge under a shorter one is a finding [default: 366]
    #[arg(long, value_name = "DAYS")]
    metadata_days: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Verifies and says what was found.
///
/// # Errors
/// The log or the key cannot be read. What does not verify is not an error but [`Exit::AuditFailed`].
pub fn run(args: &VerifyArgs, profile: Option<&Path>) -> Result<Exit, Failure> {
    match (&args.bundle, &args.key) {
        (Some(bundle), Some(key)) => check_bundle(bundle, key, args),
        _ => check(args, profile),
    }
}

fn check_bundle(bundle: &Path, key: &Path, args: &VerifyArgs) -> Result<Exit, Failure> {
    if !bundle.is_dir() {
        return Err(Failure::usage(format!("`{}` is not a folder", bundle.display()))
            .advise("name the folder that `likeness audit export` made"));
    }
    let key = key_file(key)?;
    let kept = args.checkpoints.iter().map(|path| checkpoint(path)).collect::<Result<Vec<_>, _>>()?;
    let report = verify_bundle_under(bundle, &key, &kept, args.metadata_days);
    if args.json {
        output::json(&bundle_json(&report))?
    } else {
        output::line(&bundle_text(&report))?
    }
    Ok(if report.is_sound() { Exit::Done } else { Exit::AuditFailed })
}

fn bundle_json(report: &BundleReport) -> Value {
    json!({
        "sound": report.is_sound(),
        "entries": report.entries,
        "root": hex::encode(report.root),
        "checkpoints": report.checkpoints,
        "expired": report.expired,
        "open_intents": report.open_intents,
        "findings": report.findings.iter().map(|finding| json!({
            "entry": finding.entry, "what": finding.to_string(),
        })).collect::<Value>(),
    })
}

fn bundle_text(report: &BundleReport) -> String {
    let entries = grouped(report.entries);
    let mut lines = Vec::new();
    if report.is_sound() {
        lines.push(format!(
            "The bundle is what was signed: {entries} entries, each linked to the one before."
        ));
    } else {
        lines.push("THE BUNDLE DOES NOT VERIFY.".to_owned());
        lines.extend(report.findings.iter().map(|finding| format!("  {}", plain(&finding.to_string()))));
        lines.push(format!("{entries} entries were checked."));
    }
    lines.extend(expired(report.expired));
    lines.push(format!("Head: {} (root of {entries} entries)", hex::encode(report.root)));
    lines.push(format!(
        "Signed heads compared: {}; writes without an outcome: {}",
        grouped(report.checkpoints),
        grouped(report.open_intents)
    ));
    lines.join("\n")
}

/// What is said of entries whose bodies are gone.
fn expired(entries: u64) -> Option<String> {
    (entries > 0).then(|| format!("{} expired entries, bodies purged under policy", grouped(entries)))
}

/// The public key of a log: in the file that was named, or in the data folder.
///
/// # Errors
/// There is no such file, or it holds no key.
pub fn public_key(data: &DataDir, given: Option<&Path>) -> Result<VerifierKey, Failure> {
    key_file(&given.map_or_else(|| data.keys().join("audit.pub"), Path::to_owned))
}

/// The public key in a file.
///
/// # Errors
/// There is no such file, or it holds no key.
pub fn key_file(path: &Path) -> Result<VerifierKey, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("cannot read the log's public key `{}`: {error}", path.display()))
            .advise("`--data` must name the folder that `likeness init` made; a key kept elsewhere is given with `--key FILE`")
    })?;
    text.trim().parse().map_err(|error| {
        Failure::usage(format!("`{}` is not a public key of a log: {error}", path.display()))
    })
}

fn check(args: &VerifyArgs, profile: Option<&Path>) -> Result<Exit, Failure> {
    let data = args.place.find(profile)?;
    let key = public_key(&data, args.key.as_deref())?;
    let expected = args.checkpoints.iter().map(|path| checkpoint(path)).collect::<Result<Vec<_>, _>>()?;
    let kept = expected.len();
    // The keys open the sealed content, so that its digests can be checked too; without them the log itself still is.
    let keys = FileKeyStore::open(&data.keys()).ok();
    let options = VerifyOptions {
        expected,
        keys: keys.as_ref().map(|keys| keys as &dyn KeyStore),
        metadata_days: args.metadata_days,
    };
    let report = verify(&data.audit(), &key, &options)
        .map_err(|error| Failure::fault(format!("cannot verify the log: {}", chain(&error))))?;
    if args.json {
        output::json(&report_json(&report))?
    } else {
        output::line(&report_text(&report, kept))?
    }
    Ok(if report.is_sound() { Exit::Done } else { Exit::AuditFailed })
}

/// A kept checkpoint: the note itself, or an answer of `--json`, or a receipt.
fn checkpoint(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("cannot read the checkpoint `{}`: {error}", path.display()))
    })?;
    let Ok(value) = serde_json::from_str::<Value>(&text) else {
        return Ok(text);
    };
    ["/receipt/checkpoint", "/checkpoint", "/error/receipt/checkpoint"]
        .iter()
        .find_map(|place| value.pointer(place)?.as_str().map(str::to_owned))
        .ok_or_else(|| {
            Failure::usage(format!(
                "`{}` is JSON without a receipt, so it holds no checkpoint",
                path.display()
            ))
        })
}

fn report_json(report: &VerifyReport) -> Value {
    json!({
        "sound": report.is_sound(),
        "entries": report.entries,
        "root": hex::encode(report.root),
        "checkpoints": report.checkpoints,
        "contents_checked": report.contents_checked,
        "contents_purged": report.contents_purged,
        "contents_erased": report.contents_erased,
        "expired": report.expired,
        "open_intents": report.open_intents,
        "findings": report.findings.iter().map(|finding| json!({
            "entry": finding.entry, "what": finding.to_string(),
        })).collect::<Value>(),
    })
}

fn report_text(report: &VerifyReport, kept: usize) -> String {
    let mut lines = Vec::new();
    if report.is_sound() {
        lines.push(format!(
            "The audit log is sound: {} entries, each linked to the one before.",
            grouped(report.entries)
        ));
    } else {
        lines.push("THE AUDIT LOG DOES NOT VERIFY.".to_owned());
        lines.extend(report.findings.iter().map(|finding| format!("  {}", plain(&finding.to_string()))));
        lines.push(format!("{} entries were checked.", grouped(report.entries)));
    }
    lines.extend(expired(report.expired));
    lines.push(format!("Head: {} (root of {} entries)", hex::encode(report.root), grouped(report.entries)));
    lines.push(format!(
        "Signed checkpoints checked: {}; kept ones given: {kept}; contents checked: {}, past their retention: {}, erased with a person: {}; writes without an outcome: {}",
        grouped(report.checkpoints),
        grouped(report.contents_checked),
        grouped(report.contents_purged),
        grouped(report.contents_erased),
        grouped(report.open_intents),
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_kept_checkpoint_is_found_in_every_form() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        for text in [
            "origin\n1\nroot\n\n- name sig\n",
            "{\"candidates\":[],\"receipt\":{\"checkpoint\":\"origin\\n1\\nroot\\n\\n- name sig\\n\"}}",
            "{\"checkpoint\":\"origin\\n1\\nroot\\n\\n- name sig\\n\"}",
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(checkpoint(&path).unwrap(), "origin\n1\nroot\n\n- name sig\n");
        }
        fs::write(&path, "{}").unwrap();
        assert!(checkpoint(&path).is_err());
    }
}
