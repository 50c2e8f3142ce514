//! `likeness audit verify | show | export-key`: works on the files of the log, whether a server runs or not.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use likeness_server::{
    audit::{
        AuditRead as _, AuditReader,
        verify::{VerifyOptions, VerifyReport, verify},
    },
    data::DataDir,
    ids::EventId,
    keys::{FileKeyStore, KeyStore, VerifierKey},
};
use serde_json::{Value, json};

use super::{
    failure::{Exit, Failure, chain},
    output,
    profile::{Profile, VARIABLE},
    text::{grouped, plain, short},
};

/// What was typed.
#[derive(Subcommand, Debug)]
pub enum AuditCommand {
    /// Recompute the whole log; exit code 6 when any entry was changed, removed, reordered or cut off
    Verify(VerifyArgs),
    /// Show entries: who asked, why, and what came of it. Never images or personal details
    Show(ShowArgs),
    /// Print the public key of the log, to keep elsewhere and to verify with
    ExportKey(WhereArgs),
}

impl AuditCommand {
    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        match self {
            Self::Verify(args) => args.json,
            Self::Show(args) => args.json,
            Self::ExportKey(_) => false,
        }
    }
}

/// Which log.
#[derive(Args, Debug)]
pub struct WhereArgs {
    /// The folder that `likeness init` made [default: `data_dir` of the profile]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// A verification.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// Also hold the log to a checkpoint kept earlier: the text, or the JSON answer that has it in its receipt. Repeatable
    #[arg(long = "checkpoint", value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
    /// Verify with this public key, as `audit export-key` printed it, instead of the one in the data folder
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A look at entries.
#[derive(Args, Debug)]
pub struct ShowArgs {
    #[command(flatten)]
    place: WhereArgs,
    /// Show this one event whole
    event: Option<String>,
    /// How many of the latest entries to show
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    last: u16,
    /// Print JSON, one whole entry per line
    #[arg(long)]
    json: bool,
}

impl WhereArgs {
    /// The data folder, from the flag or else from the profile.
    fn find(&self, profile: Option<&Path>) -> Result<DataDir, Failure> {
        if let Some(data) = &self.data {
            return Ok(DataDir::at(data));
        }
        let profile = Profile::find(profile)
            .map_err(|failure| failure.advise(format!("say where the log is with `--data DIR`, or name the profile with `--profile FILE` or `${VARIABLE}`")))?;
        let data = profile.data_dir.ok_or_else(|| {
            Failure::usage(format!(
                "`{}` has no `data_dir`, so the log is not on this machine",
                profile.path.display()
            ))
            .advise("run this where the server runs, or give `--data DIR`")
        })?;
        Ok(DataDir::at(data))
    }
}

/// Runs one of the commands.
///
/// # Errors
/// The log cannot be read. A log that does not verify is not an error but [`Exit::AuditFailed`].
pub fn run(command: AuditCommand, profile: Option<&Path>) -> Result<Exit, Failure> {
    match command {
        AuditCommand::Verify(args) => check(&args, profile),
        AuditCommand::Show(args) => show(&args, profile),
        AuditCommand::ExportKey(place) => {
            let key = public_key(&place.find(profile)?, None)?;
            output::line(&key.to_string())?;
            Ok(Exit::Done)
        }
    }
}

fn public_key(data: &DataDir, given: Option<&Path>) -> Result<VerifierKey, Failure> {
    let path = given.map_or_else(|| data.keys().join("audit.pub"), Path::to_owned);
    let text = fs::read_to_string(&path).map_err(|error| {
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
    let options = VerifyOptions { expected, keys: keys.as_ref().map(|keys| keys as &dyn KeyStore) };
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
    lines.push(format!("Head: {} (root of {} entries)", hex::encode(report.root), grouped(report.entries)));
    lines.push(format!(
        "Signed checkpoints checked: {}; kept ones given: {kept}; contents checked: {}, past their retention: {}; writes without an outcome: {}",
        grouped(report.checkpoints),
        grouped(report.contents_checked),
        grouped(report.contents_purged),
        grouped(report.open_intents),
    ));
    lines.join("\n")
}

fn show(args: &ShowArgs, profile: Option<&Path>) -> Result<Exit, Failure> {
    let data = args.place.find(profile)?;
    let failed =
        |error: &dyn std::error::Error| Failure::fault(format!("cannot read the log: {}", chain(error)));
    let log =
        AuditReader::open(&data.audit(), public_key(&data, None)?, None).map_err(|error| failed(&error))?;
    if let Some(event) = &args.event {
        let id: EventId =
            event.parse().map_err(|_| Failure::usage(format!("`{event}` is not an event id")))?;
        let stored = log
            .entry(id)
            .map_err(|error| failed(&error))?
            .ok_or_else(|| Failure::new(Exit::Refused, format!("the log has no event `{event}`")))?;
        let body: Value = serde_json::from_slice(&stored.body).map_err(|error| failed(&error))?;
        output::json(&json!({ "index": stored.index, "hash": hex::encode(stored.hash), "entry": body }))?;
        return Ok(Exit::Done);
    }
    let size = log.head().map_err(|error| failed(&error))?.size;
    let entries = log
        .entries(size.saturating_sub(u64::from(args.last)), usize::from(args.last))
        .map_err(|error| failed(&error))?;
    let mut table = output::table([
        "entry",
        "when",
        "who",
        "call",
        "phase",
        "outcome",
        "pool",
        "purpose",
        "reference",
        "event",
    ]);
    for stored in &entries {
        let body: Value = serde_json::from_slice(&stored.body).map_err(|error| failed(&error))?;
        if args.json {
            output::line(
                &json!({ "index": stored.index, "hash": hex::encode(stored.hash), "entry": body })
                    .to_string(),
            )?;
            continue;
        }
        let cell = |place: &str| {
            body.pointer(place).and_then(Value::as_str).map_or_else(String::new, |text| short(text, 40))
        };
        table.add_row([
            stored.index.to_string(),
            cell("/occurred_at"),
            cell("/actor/subject"),
            cell("/rpc"),
            cell("/phase"),
            cell("/outcome"),
            cell("/pool/name"),
            cell("/purpose_code"),
            cell("/reference_id"),
            stored.entry.event_id.to_string(),
        ]);
    }
    if !args.json {
        output::line(&table.trim_fmt())?;
    }
    Ok(Exit::Done)
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
