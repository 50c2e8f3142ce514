//! `likeness operating-point approve | list | show | revoke | controls | check | demonstration`: which measured thresholds the
//! service may use, and whether they still hold.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use likeness_proto::v1::{
    ApproveOperatingPointRequest, ListOperatingPointsRequest, OperatingPoint, Receipt,
    RevokeOperatingPointRequest,
};
use serde_json::{Value, json};

use super::{
    connect::{self, Connection},
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::{grouped, plain},
    wording,
};

mod check;
pub mod words;

const PURPOSE: &str = "system_administration";

/// What was typed.
#[derive(Subcommand, Debug)]
pub enum PointCommand {
    /// Approve a record that a tester signed; it must name you as its approver
    Approve(ApproveArgs),
    /// List what was approved, and whether it is in force
    List(ListArgs),
    /// Show one of them whole
    Show(ShowArgs),
    /// End an approval at once
    Revoke(RevokeArgs),
    /// Sign a list of control images: people who are known not to be in any pool
    Controls(check::ControlsArgs),
    /// Does it still hold? Compares control images with a pool of today, and counts; exit code 8 when it does not
    Check(check::CheckArgs),
    /// Write the demonstration record that comes with the default pack into a folder
    Demonstration {
        /// Folder to write into
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        out: PathBuf,
    },
}

impl PointCommand {
    /// Runs what needs no server; absent for what does.
    pub fn local(&self) -> Option<Result<Exit, Failure>> {
        match self {
            Self::Controls(args) => Some(check::sign(args)),
            Self::Demonstration { out } => Some(check::demonstration(out)),
            Self::Approve(_) | Self::List(_) | Self::Show(_) | Self::Revoke(_) | Self::Check(_) => None,
        }
    }

    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        match self {
            Self::Approve(args) => args.json,
            Self::List(args) => args.json,
            Self::Show(args) => args.json,
            Self::Revoke(args) => args.json,
            Self::Check(args) => args.json,
            Self::Controls(_) | Self::Demonstration { .. } => false,
        }
    }
}

/// A record to approve.
#[derive(Args, Debug)]
pub struct ApproveArgs {
    /// The signed record, as `likeness calibrate` wrote it
    record: PathBuf,
    /// The tester's public key, which you got from the tester
    #[arg(long, value_name = "FILE")]
    tester_key: PathBuf,
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// All of them.
#[derive(Args, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One of them.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// Its id, `op-` and 16 digits
    id: String,
    /// Also write the signed record to a file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An approval to end.
#[derive(Args, Debug)]
pub struct RevokeArgs {
    /// Its id, `op-` and 16 digits
    id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Approves, lists, shows or revokes.
///
/// # Errors
/// A file cannot be read, or the service refuses or fails.
pub async fn run(command: PointCommand, profile: &Profile) -> Result<Exit, Failure> {
    let json = command.json();
    match command {
        PointCommand::Approve(args) => {
            let record = read(&args.record)?;
            let tester_key = read(&args.tester_key)?.trim().to_owned();
            let context =
                args.context.wire(profile, PURPOSE, "approval of an operating point from the command line");
            let request = ApproveOperatingPointRequest { context: Some(context), record, tester_key };
            let connection = Connection::open(profile).await?;
            let answer = connection
                .operating_point()
                .approve_operating_point(connect::call(request))
                .await?
                .into_inner();
            changed("Approved", answer.operating_point, answer.receipt.as_ref(), json)?;
        }
        PointCommand::List(args) => {
            let context =
                args.context.wire(profile, PURPOSE, "list of operating points from the command line");
            let request = ListOperatingPointsRequest { context: Some(context), id: String::new() };
            let connection = Connection::open(profile).await?;
            let answer = connection
                .operating_point()
                .list_operating_points(connect::call(request))
                .await?
                .into_inner();
            listed(&answer.operating_points, answer.receipt.as_ref(), json)?;
        }
        PointCommand::Show(args) => {
            let context =
                args.context.wire(profile, PURPOSE, "a look at an operating point from the command line");
            let request = ListOperatingPointsRequest { context: Some(context), id: args.id };
            let connection = Connection::open(profile).await?;
            let answer = connection
                .operating_point()
                .list_operating_points(connect::call(request))
                .await?
                .into_inner();
            if let Some(file) = &args.record {
                output::private_file(file, answer.record.as_bytes())?;
            }
            shown(answer.operating_points.first(), answer.receipt.as_ref(), json)?;
        }
        PointCommand::Revoke(args) => {
            let context =
                args.context.wire(profile, PURPOSE, "revocation of an operating point from the command line");
            let request =
                RevokeOperatingPointRequest { context: Some(context), id: args.id, reason: args.reason };
            let connection = Connection::open(profile).await?;
            let answer = connection
                .operating_point()
                .revoke_operating_point(connect::call(request))
                .await?
                .into_inner();
            changed("Revoked", answer.operating_point, answer.receipt.as_ref(), json)?;
        }
        PointCommand::Check(args) => return check::run(args, profile).await,
        PointCommand::Controls(_) | PointCommand::Demonstration { .. } => {
            return Err(Failure::fault("this command does not call the service"));
        }
    }
    Ok(Exit::Done)
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read `{}` as text: {error}", path.display())))
}

fn changed(
    what: &str,
    point: Option<OperatingPoint>,
    receipt: Option<&Receipt>,
    json: bool,
) -> Result<(), Failure> {
    let point = point.unwrap_or_default();
    if json {
        return output::json(
            &json!({ "operating_point": words::json(&point), "receipt": part::maybe_receipt(receipt) }),
        );
    }
    output::line(&format!("{what} {}\n{}", plain(&point.id), words::paragraph(&point)))?;
    receipt.map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))
}

fn shown(point: Option<&OperatingPoint>, receipt: Option<&Receipt>, json: bool) -> Result<(), Failure> {
    let Some(point) = point else { return Err(Failure::fault("the server gave no operating point")) };
    if json {
        return output::json(
            &json!({ "operating_point": words::json(point), "receipt": part::maybe_receipt(receipt) }),
        );
    }
    output::line(&words::paragraph(point))?;
    receipt.map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))
}

fn listed(points: &[OperatingPoint], receipt: Option<&Receipt>, json: bool) -> Result<(), Failure> {
    if json {
        let list: Value = points.iter().map(words::json).collect();
        return output::json(&json!({ "operating_points": list, "receipt": part::maybe_receipt(receipt) }));
    }
    if points.is_empty() {
        return output::line(
            "No operating point: searches are rank lists without a threshold. `likeness calibrate` makes one from a tester's run.",
        );
    }
    let mut table = output::table([
        "id",
        "state",
        "model pack",
        "pools",
        "use",
        "images",
        "threshold",
        "FPIR",
        "FNIR",
        "until",
    ]);
    for point in points {
        table.add_row([
            plain(&point.id),
            words::state(point),
            plain(&point.pack),
            words::kinds(point),
            plain(&point.use_cases.join(", ")),
            format!("{} to {}", grouped(point.gallery_from), grouped(point.gallery_to)),
            format!("{:.4}", point.threshold),
            words::rate(point.fpir.as_ref()),
            words::rate(point.fnir.as_ref()),
            plain(&point.expires_on),
        ]);
    }
    output::line(&table.trim_fmt())
}
