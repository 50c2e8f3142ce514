//! `likeness operating-point controls | check`: does what was measured still hold in service?

use std::{fs, path::PathBuf};

use clap::Args;
use likeness_proto::v1::{CheckOperatingPointRequest, CheckOperatingPointResponse};
use likeness_server::{
    keys::TesterKey,
    points::{ControlSet, control_files},
};
use serde_json::{Value, json};

use super::{PURPOSE, read, words};
use crate::cli::{
    connect::{self, Connection},
    context::AssumedContext,
    failure::{Exit, Failure, chain},
    json as part, output,
    profile::Profile,
    text::{grouped, plain},
    wording,
};

/// Images to sign.
#[derive(Args, Debug)]
pub struct ControlsArgs {
    /// Folder of images of people who are known not to be in any pool; those one level below count too
    folder: PathBuf,
    /// Who they are and how it is known, for example `synthetic persons of seed 7`
    #[arg(long, value_name = "TEXT")]
    people: String,
    /// The tester's private key: the one that signed the operating point
    #[arg(long, value_name = "FILE", default_value = "tester.key")]
    key: PathBuf,
    /// Signed list to write; never replaces one
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// A check of one operating point in one pool.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Its id, `op-` and 16 digits
    id: String,
    /// The pool
    #[arg(long, value_name = "NAME")]
    pool: String,
    /// Folder of control images; without it, only the pool's size is looked at
    #[arg(long, value_name = "FOLDER", requires = "control_set")]
    controls: Option<PathBuf>,
    /// The signed list of them, made with `operating-point controls`
    #[arg(long, value_name = "FILE", requires = "controls")]
    control_set: Option<PathBuf>,
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Signs a control set.
///
/// # Errors
/// Images cannot be read, there are too few, or the key cannot be used.
pub fn sign(args: &ControlsArgs) -> Result<Exit, Failure> {
    let images = images(&args.folder)?;
    let set = ControlSet::of(&args.people, images.iter().map(Vec::as_slice))
        .map_err(|error| Failure::usage(chain(&error)))?;
    let key = TesterKey::open(&args.key).map_err(|error| Failure::usage(chain(&error)))?;
    let note = set.sign(&key).map_err(|error| Failure::usage(chain(&error)))?;
    if args.out.exists() {
        return Err(Failure::usage(format!("`{}` exists already; it was left as it is", args.out.display())));
    }
    output::private_file(&args.out, note.as_bytes())?;
    output::line(&format!(
        "{} control images, signed by {}",
        grouped(set.images.len() as u64),
        key.verifier()
    ))?;
    Ok(Exit::Done)
}

/// Checks; an alert ends with exit code 8, for whatever runs this every night.
///
/// # Errors
/// A file cannot be read, or the service refuses or fails.
pub async fn run(args: CheckArgs, profile: &Profile) -> Result<Exit, Failure> {
    let control_images = match &args.controls {
        Some(folder) => images(folder)?.into_iter().map(Into::into).collect(),
        None => Vec::new(),
    };
    let control_set = args.control_set.as_deref().map(read).transpose()?.unwrap_or_default();
    let context = args.context.wire(profile, PURPOSE, "check of an operating point from the command line");
    let request = CheckOperatingPointRequest {
        context: Some(context),
        id: args.id,
        pool: args.pool,
        control_images,
        control_set,
    };
    let connection = Connection::open(profile).await?;
    let answer =
        connection.operating_point().check_operating_point(connect::call(request)).await?.into_inner();
    if args.json {
        output::json(&as_json(&answer))?;
    } else {
        output::line(&table(&answer))?;
    }
    Ok(if answer.alerts.is_empty() { Exit::Done } else { Exit::Alert })
}

fn images(folder: &std::path::Path) -> Result<Vec<Vec<u8>>, Failure> {
    let failed = |path: &std::path::Path, error: std::io::Error| {
        Failure::usage(format!("cannot read `{}`: {error}", path.display()))
    };
    let files = control_files(folder).map_err(|error| failed(folder, error))?;
    files.iter().map(|file| fs::read(file).map_err(|error| failed(file, error))).collect()
}

fn table(answer: &CheckOperatingPointResponse) -> String {
    let mut lines = vec![format!(
        "`{}`: {} ({} searchable images, approved {} to {})",
        plain(&answer.pool),
        if answer.alerts.is_empty() { "holds" } else { "ALERT" },
        grouped(answer.gallery_size),
        grouped(answer.gallery_from),
        grouped(answer.gallery_to)
    )];
    if answer.controls > 0 {
        lines.push(format!(
            "{} control images compared, {} of them without a usable face",
            grouped(answer.controls),
            grouped(answer.controls_failed)
        ));
    }
    lines.extend(answer.levels.iter().map(|level| {
        let count = level.observed.as_ref().map_or((0, 0), |rate| (rate.count, rate.of));
        format!(
            "  at or above {:.4}: {} of {}, {}; approved {}",
            level.threshold,
            count.0,
            count.1,
            words::rate(level.observed.as_ref()),
            words::rate(level.approved.as_ref())
        )
    }));
    lines.extend(answer.alerts.iter().map(|alert| format!("ALERT: {}", plain(alert))));
    lines.extend(answer.notices.iter().map(|notice| format!("Note: {}", plain(notice))));
    lines.extend(answer.receipt.as_ref().map(wording::receipt_line));
    lines.join("\n")
}

fn as_json(answer: &CheckOperatingPointResponse) -> Value {
    let rate = |rate: Option<&likeness_proto::v1::MeasuredRate>| {
        rate.map(|r| json!({ "count": r.count, "of": r.of, "rate": r.rate, "low": r.low, "high": r.high }))
    };
    json!({
        "pool": answer.pool,
        "gallery_size": answer.gallery_size,
        "gallery_from": answer.gallery_from,
        "gallery_to": answer.gallery_to,
        "controls": answer.controls,
        "controls_failed": answer.controls_failed,
        "levels": answer.levels.iter().map(|level| json!({
            "threshold": level.threshold,
            "observed": rate(level.observed.as_ref()),
            "approved": rate(level.approved.as_ref()),
        })).collect::<Value>(),
        "state": answer.state,
        "alerts": answer.alerts,
        "notices": answer.notices,
        "receipt": part::maybe_receipt(answer.receipt.as_ref()),
    })
}

/// Writes the demonstration records that come with the program, with the key that each verifies with.
///
/// # Errors
/// A file cannot be written.
pub fn demonstration(folder: &std::path::Path) -> Result<Exit, Failure> {
    for shipped in likeness_server::points::SHIPPED {
        for (ending, text) in [("point", shipped.note), ("key.pub", shipped.tester_key)] {
            let file = folder.join(format!("{}.{ending}", shipped.name));
            if file.exists() {
                return Err(Failure::usage(format!(
                    "`{}` exists already; it was left as it is",
                    file.display()
                )));
            }
            output::private_file(&file, text.as_bytes())?;
        }
        output::line(&format!(
            "{}.point and its key: measured on synthetic images, for demonstration only, not for operational use",
            shipped.name
        ))?;
    }
    Ok(Exit::Done)
}
