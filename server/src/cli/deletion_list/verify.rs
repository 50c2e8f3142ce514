//! `deletion-list verify`: a list and its statement against the service's public key, on any machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use likeness_server::{
    keys::VerifierKey,
    retention::deletion_list::{DeletionList, Statement},
};
use serde_json::json;

use crate::cli::{
    audit::key_file,
    failure::{Exit, Failure},
    output,
    text::plain,
};

/// A list to check.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("form").args(["list", "csv"]).required(true).multiple(true))]
pub struct VerifyArgs {
    /// The signed statement, as it came with the list
    statement: PathBuf,
    /// The service's public key, as `likeness audit export-key` printed it
    #[arg(long, value_name = "PUBLIC_KEY_FILE")]
    key: PathBuf,
    /// The list as JSON
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// The list as CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// Checks, and says what was signed.
///
/// # Errors
/// A file cannot be read. What does not verify is not an error but [`Exit::AuditFailed`].
pub fn run(args: &VerifyArgs, json: bool) -> Result<Exit, Failure> {
    let key = key_file(&args.key)?;
    let note = read(&args.statement)?;
    let list = args.list.as_deref().map(read).transpose()?;
    let csv = args.csv.as_deref().map(read).transpose()?;
    match checked(&note, &key, list.as_deref(), csv.as_deref()) {
        Ok(text) => {
            if json {
                output::json(&json!({ "verifies": true, "signed_by": key.name(), "statement": text }))?;
            } else {
                output::line(&format!("Verified: signed by `{}` and unchanged since.", plain(key.name())))?;
                for line in text.lines() {
                    output::line(&format!("  {}", plain(line)))?;
                }
            }
            Ok(Exit::Done)
        }
        Err(why) => {
            if json {
                output::json(&json!({ "verifies": false, "why": why }))?;
            } else {
                output::line(&format!("THE LIST DOES NOT VERIFY: {}", plain(&why)))?;
            }
            Ok(Exit::AuditFailed)
        }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read `{}` as text: {error}", path.display())))
}

/// The statement, when `key` signed it and each form that is given is the one that it is about; or why nothing is to be believed.
pub fn checked(
    note: &str,
    key: &VerifierKey,
    list: Option<&str>,
    csv: Option<&str>,
) -> Result<String, String> {
    let statement =
        Statement::open(note, key.name(), key.id(), |text, signature| key.verify(text, signature))
            .map_err(|error| error.to_string())?;
    if let Some(text) = list {
        let list = DeletionList::from_json(text).map_err(|error| format!("the JSON file: {error}"))?;
        statement.is_about(&list).map_err(|error| format!("the JSON file: {error}"))?;
    }
    if let Some(text) = csv {
        statement.is_about_csv(text.as_bytes()).map_err(|error| format!("the CSV file: {error}"))?;
    }
    Ok(statement.text().to_owned())
}
