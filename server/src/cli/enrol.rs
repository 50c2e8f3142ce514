//! `likeness enrol`: a folder per person, or a manifest with metadata, into one pool.

use std::{path::PathBuf, sync::Arc, time::Instant};

use clap::Args;

use super::{
    context::AssumedContext,
    failure::{Exit, Failure},
    output,
    profile::Profile,
    selection::Select,
};

mod folder;
mod item;
mod manifest;
mod progress;
mod reader;
mod roll;
mod row;
mod stream;
mod tally;

use progress::Progress;
use roll::Roll;
use tally::Tally;

/// Recorded when no purpose is stated.
const PURPOSE: &str = "record_management";

/// What was typed.
#[derive(Args, Debug)]
pub struct EnrolArgs {
    /// `FOLDER/<subject>/<image>`, or a manifest: `.csv`, or `.jsonl` with one object per line. Columns: subject, image,
    /// source_reference, capture_date, capture_circumstance, display_name, date_of_birth, attr.NAME; images are
    /// relative to the manifest
    path: PathBuf,
    /// Pool to enrol into
    #[arg(long, value_name = "NAME")]
    pool: String,
    /// Which face is meant when an image holds several: `only` refuses such an image, `largest` takes the largest and records that
    #[arg(long, value_name = "CHOICE", default_value = "only", value_parser = ["only", "largest"])]
    select: String,
    /// Hold the images without making them searchable
    #[arg(long)]
    hold_only: bool,
    /// Who asks and why. Defaults: purpose `record_management`, justification "bulk enrolment of records held by `<system>`"
    #[command(flatten)]
    context: AssumedContext,
    /// Also write every refused or left-out item to this CSV file
    #[arg(long, value_name = "FILE.csv")]
    refusals: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// What is the same for every item.
pub struct Terms {
    /// The pool.
    pub pool: String,
    /// Which face.
    pub select: Select,
    /// Held and not searchable.
    pub hold_only: bool,
    /// Who asks and why.
    pub context: likeness_proto::v1::RequestContext,
}

/// Enrols everything on the roll. Running the same command again continues where it stopped: the service knows what it
/// has acknowledged and answers "already enrolled" for it.
///
/// # Errors
/// The roll is malformed, the service denies or fails, or no server answers in time. What was done until then is
/// summarised first.
pub async fn run(args: EnrolArgs, profile: &Profile) -> Result<Exit, Failure> {
    let roll = Arc::new(Roll::of(&args.path)?);
    // Before anything is sent: a mistake in line 900,000 of a manifest is better found now.
    let counting = Arc::clone(&roll);
    let total = tokio::task::spawn_blocking(move || counting.count())
        .await
        .map_err(|_| Failure::fault("reading the list of images was interrupted"))??;
    if total == 0 {
        return Err(Failure::usage(format!("no image found in `{}`", args.path.display()))
            .advise("expected `FOLDER/<subject>/<image>`, or a .csv or .jsonl manifest with rows"));
    }
    let terms = Terms {
        select: if args.select == "largest" { Select::Largest } else { Select::Only },
        hold_only: args.hold_only,
        context: args.context.wire(
            profile,
            PURPOSE,
            &format!("bulk enrolment of records held by {}", profile.system_name),
        ),
        pool: args.pool,
    };
    let mut tally = Tally::new(args.refusals.as_deref())?;
    let progress = Progress::start(total);
    let began = Instant::now();
    let ended = stream::send(profile, &terms, &roll, &mut tally, &progress).await;
    progress.finish();
    tally.close()?;
    let took = began.elapsed();
    if args.json {
        output::json(&tally.json(&terms, took))?
    } else {
        output::line(&tally.table(&terms, took))?
    }
    match ended? {
        stream::End::Finished => Ok(tally.exit()),
        stream::End::Stopped => {
            output::note("Stopped. What was acknowledged is kept; run the same command again to continue.");
            Ok(Exit::Interrupted)
        }
    }
}
