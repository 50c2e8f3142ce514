//! `likeness pool migrate POOL start --to PACK | status | compare | switch | rollback | retire`.

use clap::{Args, Subcommand};
use likeness_proto::v1::{
    GetMigrationRequest, Migration, Receipt, RetireMigrationRequest, RollBackMigrationRequest,
    StartMigrationRequest, SwitchMigrationRequest,
};
use likeness_server::points::{Rate, percent};
use serde_json::{Value, json};

use crate::cli::{
    connect::{self, Connection},
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::{grouped, plain},
    wording,
};

const PURPOSE: &str = "system_administration";
/// Of the intervals in a comparison.
const CONFIDENCE: f64 = 0.95;

/// A pool and what to do.
#[derive(Args, Debug)]
pub struct MigrateArgs {
    /// The pool
    pool: String,
    #[command(subcommand)]
    step: Step,
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand, Debug)]
enum Step {
    /// Begin: the server encodes every original with another pack beside the first; new enrolments go to both
    Start {
        /// Model pack to move to, installed on the server
        #[arg(long, value_name = "PACK")]
        to: String,
    },
    /// How far it is, and which images could not be encoded
    Status,
    /// How both algorithms agreed on the probes that were searched for meanwhile
    Compare,
    /// Go over: searches use the other algorithm
    Switch {
        /// Images that it could not encode and that may leave search
        #[arg(long, value_name = "N", default_value_t = 0)]
        accept_refused: u64,
    },
    /// Go back: searches give the answers they gave before
    Rollback {
        /// Images enrolled since the switch that the old algorithm could not encode and that may leave search
        #[arg(long, value_name = "N", default_value_t = 0)]
        accept_refused: u64,
    },
    /// Erase the templates of the algorithm that is not used, and end the migration; there is no way back
    Retire,
}

/// Does the step and says where the pool stands.
///
/// # Errors
/// The service refuses or fails.
pub async fn run(args: MigrateArgs, profile: &Profile) -> Result<Exit, Failure> {
    let pool = args.pool;
    let context = Some(args.context.wire(
        profile,
        PURPOSE,
        &format!("migration of the pool {pool} from the command line"),
    ));
    let connection = Connection::open(profile).await?;
    let mut client = connection.migration();
    macro_rules! call {
        ($method:ident, $request:expr) => {{
            let answer = client.$method(connect::call($request)).await?.into_inner();
            (answer.migration.unwrap_or_default(), answer.receipt)
        }};
    }
    let compare = matches!(args.step, Step::Compare);
    let (migration, receipt) = match args.step {
        Step::Start { to } => call!(start_migration, StartMigrationRequest { context, pool, pack: to }),
        Step::Status | Step::Compare => call!(get_migration, GetMigrationRequest { context, pool }),
        Step::Switch { accept_refused } => {
            call!(switch_migration, SwitchMigrationRequest { context, pool, accept_refused })
        }
        Step::Rollback { accept_refused } => {
            call!(roll_back_migration, RollBackMigrationRequest { context, pool, accept_refused })
        }
        Step::Retire => call!(retire_migration, RetireMigrationRequest { context, pool }),
    };
    if args.json {
        output::json(
            &json!({ "migration": to_json(&migration), "receipt": part::maybe_receipt(receipt.as_ref()) }),
        )?;
    } else {
        output::line(&if compare { agreement(&migration) } else { status(&migration) })?;
        line(receipt.as_ref())?;
    }
    Ok(Exit::Done)
}

fn line(receipt: Option<&Receipt>) -> Result<(), Failure> {
    receipt.map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))
}

fn status(at: &Migration) -> String {
    let mut lines =
        vec![format!("Pool `{}` is searched with model pack `{}`", plain(&at.pool), plain(&at.active_pack))];
    let other = plain(&at.other_pack);
    lines.push(match at.state.as_str() {
        "encoding" => format!("Moving to `{other}`: {} of {} images encoded, {} wait", grouped(at.encoded), grouped(at.images), grouped(at.waiting)),
        "ready" => format!(
            "Moving to `{other}`: all {} images were looked at. `compare`, then `switch`, or `retire` to give it up",
            grouped(at.images)
        ),
        "switched" => format!("It went over from `{other}`, whose templates are kept: `rollback` goes back, `retire` erases them"),
        "retiring" => format!("The templates of `{other}` are being erased"),
        _ => "No migration is under way".to_owned(),
    });
    for refused in &at.refused {
        lines.push(format!(
            "Not encodable by `{other}`: {} images, {}",
            grouped(refused.images),
            plain(&refused.reason)
        ));
    }
    for image in &at.refused_images {
        lines.push(format!("  {} {}", plain(&image.image_id), plain(&image.reason)));
    }
    lines.join("\n")
}

/// A share with its interval.
fn share(count: u64, of: u64) -> String {
    Rate::counted(count, of, CONFIDENCE).map_or_else(
        || "nothing counted".to_owned(),
        |rate| {
            format!(
                "{} ({count} of {of}, 95 % interval {} to {})",
                percent(rate.rate),
                percent(rate.low),
                percent(rate.high)
            )
        },
    )
}

fn agreement(at: &Migration) -> String {
    if at.other_pack.is_empty() {
        return status(at);
    }
    format!(
        "Live probes searched for with `{}` and with `{}`: {}\nSame person first: {}\nPersons of the first ten that both lists have: {}\n\
         Probes that `{}` could not encode: {}; not looked at for want of time: {}\nDisagreement does not say which of the two is right: \
         `likeness-bench compare` does, on labelled images",
        plain(&at.active_pack),
        plain(&at.other_pack),
        grouped(at.probes),
        share(at.same_first, at.probes),
        share(at.shared, at.places),
        plain(&at.other_pack),
        grouped(at.probes_refused),
        grouped(at.probes_skipped),
    )
}

fn to_json(at: &Migration) -> Value {
    json!({
        "pool": at.pool,
        "state": at.state,
        "active_pack": at.active_pack,
        "active_space_id": at.active_space_id,
        "other_pack": part::text(&at.other_pack),
        "other_space_id": part::text(&at.other_space_id),
        "started_at": part::text(&at.started_at),
        "images": at.images,
        "encoded": at.encoded,
        "waiting": at.waiting,
        "refused": at.refused.iter().map(|r| json!({ "reason": r.reason, "images": r.images })).collect::<Value>(),
        "refused_images": at.refused_images.iter().map(|r| json!({ "image_id": r.image_id, "reason": r.reason })).collect::<Value>(),
        "agreement": {
            "probes": at.probes, "same_first": at.same_first, "places": at.places, "shared": at.shared,
            "probes_refused": at.probes_refused, "probes_skipped": at.probes_skipped,
        },
    })
}
