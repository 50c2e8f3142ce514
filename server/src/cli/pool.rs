//! `likeness pool create | list`: through the server, or on the data folder itself when no server runs.

use clap::{Args, Subcommand, ValueEnum};
use likeness_proto::v1::{CreatePoolRequest, ListPoolsRequest, Pool, PoolKind, QualityLimit, RequestContext};
use serde_json::{Value, json};

use super::{
    connect::{self, Connection},
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::{grouped, plain, short},
    wording,
};

mod migrate;
pub mod offline;

const PURPOSE: &str = "system_administration";

/// What was typed.
#[derive(Subcommand, Debug)]
pub enum PoolCommand {
    /// Make a pool; asked for under the purpose `system_administration`
    Create(CreateArgs),
    /// List the pools you may see. Default purpose `system_administration`
    List(ListArgs),
    /// Destroy a pool's key and remove its files; no server may run. Asked for under the purpose `system_administration`
    Drop(DropArgs),
    /// Move a pool to another algorithm: encode beside, compare, go over, go back, retire. Default purpose `system_administration`
    Migrate(migrate::MigrateArgs),
}

impl PoolCommand {
    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        match self {
            Self::Create(args) => args.json,
            Self::List(args) => args.json,
            Self::Drop(_) => false,
            Self::Migrate(args) => args.json,
        }
    }
}

/// The kinds of pool, as typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    Custody,
    Person,
    #[value(alias = "missing_person")]
    MissingPerson,
    #[value(alias = "unidentified_person")]
    UnidentifiedPerson,
    #[value(alias = "unidentified_remains")]
    UnidentifiedRemains,
}

impl From<Kind> for PoolKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Custody => Self::Custody,
            Kind::Person => Self::Person,
            Kind::MissingPerson => Self::MissingPerson,
            Kind::UnidentifiedPerson => Self::UnidentifiedPerson,
            Kind::UnidentifiedRemains => Self::UnidentifiedRemains,
        }
    }
}

/// A pool to give up.
#[derive(Args, Debug)]
pub struct DropArgs {
    /// Its name
    name: String,
    /// Its name once more: nothing in it can be read again, not from a backup either
    #[arg(long, value_name = "NAME")]
    confirm: String,
    /// Why, in your own words (8 to 1,000 characters)
    #[arg(long, value_name = "TEXT")]
    justification: String,
    /// Your own id for this interaction [default: `cli-` and a new UUID]
    #[arg(long, value_name = "REF")]
    reference: Option<String>,
}

/// A new pool.
#[derive(Args, Debug)]
pub struct CreateArgs {
    /// Lower-case letters, digits and hyphens
    name: String,
    /// What the pool holds
    #[arg(long)]
    kind: Kind,
    /// Why the pool exists [default: a text saying that no rationale was stated]
    #[arg(long, value_name = "TEXT")]
    rationale: Option<String>,
    /// A purpose to permit for this pool; give it again for more [default: those of the kind]
    #[arg(long = "purpose", value_name = "CODE")]
    purposes: Vec<String>,
    /// A quality limit, `COMPONENT=REFUSE_BELOW[,FLAG_BELOW]` on the scale 0 to 100; `*` is the lowest of all;
    /// leave REFUSE_BELOW empty to flag only [default: the server's policy]
    #[arg(long = "quality", value_name = "LIMIT", value_parser = limit)]
    quality: Vec<QualityLimit>,
    /// Why the pool is made now [default: a text naming the pool]
    #[arg(long, value_name = "TEXT")]
    justification: Option<String>,
    /// Your own id for this interaction [default: `cli-` and a new UUID]
    #[arg(long, value_name = "REF")]
    reference: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The pools.
#[derive(Args, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    context: AssumedContext,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn limit(text: &str) -> Result<QualityLimit, String> {
    let wrong = || {
        format!(
            "`{text}` is not a limit; write for example `sharpness=20`, `sharpness=20,40` or `sharpness=,40`"
        )
    };
    let (component, limits) =
        text.split_once('=').filter(|(component, _)| !component.is_empty()).ok_or_else(wrong)?;
    let (refuse, flag) = limits.split_once(',').unwrap_or((limits, ""));
    let scalar = |text: &str| match text {
        "" => Ok(None),
        number => number.parse::<u32>().ok().filter(|&n| n <= 100).map(Some).ok_or_else(wrong),
    };
    let (refuse_below, flag_below) = (scalar(refuse)?, scalar(flag)?);
    if refuse_below.is_none() && flag_below.is_none() {
        return Err(wrong());
    }
    Ok(QualityLimit { component: component.to_owned(), refuse_below, flag_below })
}

/// A pool and the record of it, from either way.
pub struct Answered<T> {
    /// What was asked for.
    pub value: T,
    /// The receipt, when a server gave one.
    pub receipt: Option<likeness_proto::v1::Receipt>,
}

/// Makes or lists pools.
///
/// # Errors
/// The service refuses or fails, or no server answers and the data folder is not here.
pub async fn run(command: PoolCommand, profile: &Profile) -> Result<Exit, Failure> {
    let json = command.json();
    match command {
        PoolCommand::Create(args) => {
            let rationale = args.rationale.unwrap_or_else(|| {
                "no rationale was stated when the pool was created from the command line".to_owned()
            });
            let asked = AssumedContext::of(args.justification, args.reference);
            let context = asked.wire(
                profile,
                PURPOSE,
                &format!("creation of the pool {} from the command line", args.name),
            );
            let request = CreatePoolRequest {
                context: Some(context),
                name: args.name,
                kind: PoolKind::from(args.kind).into(),
                rationale,
                purposes: args.purposes,
                quality_policy: args.quality,
            };
            show_one(&create(profile, request).await?, json)?;
        }
        PoolCommand::Drop(args) => {
            if args.confirm != args.name {
                return Err(Failure::usage(format!("`--confirm` must be `{}` to drop that pool", args.name)));
            }
            let asked = AssumedContext::of(Some(args.justification), args.reference);
            let context = asked.wire(profile, PURPOSE, "");
            let running = Failure::new(Exit::Unreachable, "a pool can be dropped only while no server runs")
                .advise("stop the server, and run this where the data folder is");
            let dropped = offline::remove(profile, args.name, context, running).await?;
            output::line(&format!(
                "Pool `{}` dropped with {} subjects and {} images: its key is destroyed, its files are removed.",
                plain(&dropped.value.name),
                dropped.value.subjects,
                dropped.value.images_held
            ))?;
        }
        PoolCommand::List(args) => {
            let context = args.context.wire(profile, PURPOSE, "list of the pools from the command line");
            show_all(&list(profile, context).await?, json)?;
        }
        PoolCommand::Migrate(args) => return migrate::run(args, profile).await,
    }
    Ok(Exit::Done)
}

async fn create(profile: &Profile, request: CreatePoolRequest) -> Result<Answered<Pool>, Failure> {
    match Connection::open(profile).await {
        Ok(connection) => {
            let answer = connection.pool().create_pool(connect::call(request)).await?.into_inner();
            Ok(Answered { value: answer.pool.unwrap_or_default(), receipt: answer.receipt })
        }
        Err(unreachable) => offline::create(profile, request, unreachable).await,
    }
}

async fn list(profile: &Profile, context: RequestContext) -> Result<Answered<Vec<Pool>>, Failure> {
    match Connection::open(profile).await {
        Ok(connection) => {
            let request = ListPoolsRequest { context: Some(context) };
            let answer = connection.pool().list_pools(connect::call(request)).await?.into_inner();
            Ok(Answered { value: answer.pools, receipt: answer.receipt })
        }
        Err(unreachable) => offline::list(profile, context, unreachable).await,
    }
}

fn to_json(pool: &Pool) -> Value {
    json!({
        "name": pool.name,
        "kind": part::kind(pool.kind()),
        "rationale": pool.rationale,
        "purposes": pool.purposes,
        "algorithm": part::algorithm(pool.algorithm.as_ref()),
        "subjects": pool.subjects,
        "images_held": pool.images_held,
        "images_enrolled": pool.images_enrolled,
        "created_at": pool.created_at,
        "quality_policy": pool.quality_policy.iter().map(|limit| json!({
            "component": limit.component, "refuse_below": limit.refuse_below, "flag_below": limit.flag_below,
        })).collect::<Value>(),
    })
}

fn show_one(answer: &Answered<Pool>, json: bool) -> Result<(), Failure> {
    let pool = &answer.value;
    if json {
        return output::json(
            &json!({ "pool": to_json(pool), "receipt": part::maybe_receipt(answer.receipt.as_ref()) }),
        );
    }
    output::line(&format!(
        "Pool `{}` made: kind {}, model pack {}, purposes {}",
        plain(&pool.name),
        part::kind(pool.kind()),
        plain(pool.algorithm.as_ref().map_or("", |algorithm| &algorithm.pack)),
        plain(&pool.purposes.join(", ")),
    ))?;
    answer.receipt.as_ref().map_or(Ok(()), |receipt| output::line(&wording::receipt_line(receipt)))
}

fn show_all(answer: &Answered<Vec<Pool>>, json: bool) -> Result<(), Failure> {
    if json {
        let pools: Value = answer.value.iter().map(to_json).collect();
        return output::json(
            &json!({ "pools": pools, "receipt": part::maybe_receipt(answer.receipt.as_ref()) }),
        );
    }
    if answer.value.is_empty() {
        return output::line("No pool. Make one with `likeness pool create NAME --kind custody`.");
    }
    let mut table =
        output::table(["pool", "kind", "subjects", "images held", "searchable", "model pack", "purposes"]);
    for pool in &answer.value {
        table.add_row([
            plain(&pool.name),
            part::kind(pool.kind()).to_owned(),
            grouped(pool.subjects),
            grouped(pool.images_held),
            grouped(pool.images_enrolled),
            short(pool.algorithm.as_ref().map_or("", |algorithm| &algorithm.pack), 24),
            short(&pool.purposes.join(", "), 100),
        ]);
    }
    output::line(&table.trim_fmt())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn limits_are_read() {
        let read = |text| limit(text).map(|l| (l.component, l.refuse_below, l.flag_below));
        assert_eq!(read("sharpness=20"), Ok(("sharpness".into(), Some(20), None)));
        assert_eq!(read("*=20,40"), Ok(("*".into(), Some(20), Some(40))));
        assert_eq!(read("pose=,40"), Ok(("pose".into(), None, Some(40))));
        for wrong in ["", "x", "=3", "x=", "x=101", "x=-1", "x=1,b"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }
}
