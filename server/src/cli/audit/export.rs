//! `likeness audit export`: the whole log in a folder that anybody can verify with the public key.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use likeness_proto::v1::{ExportRequest, GetReportRequest, Receipt, get_report_request::Kind};
use likeness_server::{audit::bundle::BundleWriter, durable};
use serde_json::json;
use tonic::Request;

use super::context::AuditContext;
use crate::cli::{
    connect::{self, Connection},
    failure::{Exit, Failure, chain},
    json as part, output,
    profile::Profile,
    text::grouped,
};

/// Who may have everything.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Body {
    /// The Information Commissioner, on request (DPA 2018 s.62(5))
    Ico,
}

impl Body {
    /// Person and organisation, as the disclosure records them.
    fn named(self) -> [&'static str; 2] {
        match self {
            Body::Ico => ["Information Commissioner", "Information Commissioner's Office"],
        }
    }
}

/// Files beside the log in a folder for a body.
const REPORTS: [(&str, Kind); 4] = [
    ("statistics.json", Kind::Statistics),
    ("access-list.json", Kind::AccessList),
    ("anomalies.json", Kind::Anomalies),
    ("dpia-facts.json", Kind::DpiaFacts),
];

/// An export.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Folder to make; it must not hold a bundle yet
    bundle: PathBuf,
    #[command(flatten)]
    context: AuditContext,
    /// Everything that this body may ask for, in one folder: the log, its public key and every report
    #[arg(long = "for", value_enum, value_name = "BODY")]
    body: Option<Body>,
    /// The system or person that receives it
    #[arg(long, value_name = "NAME", required_unless_present = "body")]
    recipient: Option<String>,
    /// The organisation that receives it
    #[arg(long, value_name = "ORG", required_unless_present = "body")]
    recipient_organisation: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Fetches the log into a new folder.
///
/// # Errors
/// The service refuses or fails, or the folder cannot be written.
pub async fn run(args: ExportArgs, profile: &Profile, connection: &Connection) -> Result<Exit, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::fault(chain(error));
    let [person, organisation] = args.body.map_or(["", ""], Body::named);
    let request = ExportRequest {
        context: Some(args.context.wire(profile)),
        recipient: args.recipient.clone().unwrap_or_else(|| person.to_owned()),
        recipient_organisation: args
            .recipient_organisation
            .clone()
            .unwrap_or_else(|| organisation.to_owned()),
    };
    let log = match args.body {
        Some(_) => args.bundle.join("log"),
        None => args.bundle.clone(),
    };
    if args.body.is_some() {
        durable::create_dir(&args.bundle).map_err(|error| failed(&error))?;
    }
    let mut parts = connection.audit().export(Request::new(request)).await?.into_inner();
    let mut bundle = BundleWriter::create(&log).map_err(|error| failed(&error))?;
    let (mut receipt, mut checkpoint, mut public_key): (Option<Receipt>, _, _) = (None, None, None);
    while let Some(part) = parts.message().await? {
        receipt = part.receipt.or(receipt);
        checkpoint = Some(part.checkpoint).filter(|text| !text.is_empty()).or(checkpoint);
        public_key = Some(part.public_key).filter(|text| !text.is_empty()).or(public_key);
        for entry in part.entries {
            match entry.expired_event_id.as_str() {
                "" => bundle.push(&entry.body, &entry.hash),
                event => bundle.push_stub(event, &entry.hash),
            }
            .map_err(|error| failed(&error))?;
        }
    }
    let checkpoint = checkpoint.ok_or_else(|| Failure::fault("the export came without its signed head"))?;
    let entries = bundle.count();
    bundle.finish(&checkpoint).map_err(|error| failed(&error))?;
    if args.body.is_some() {
        reports(&args, public_key.as_deref().unwrap_or_default(), profile, connection).await?;
    }
    if args.json {
        output::json(&json!({
            "bundle": args.bundle.display().to_string(),
            "entries": entries,
            "public_key": public_key,
            "receipt": part::maybe_receipt(receipt.as_ref()),
        }))?;
    } else {
        output::line(&format!(
            "{}: {} entries under a signed head.\nVerify it anywhere: likeness audit verify --bundle {} --key KEYFILE\n\
             The key to hold it to is the one the operator published, not one that comes with the bundle.",
            args.bundle.display(),
            grouped(entries),
            log.display()
        ))?;
    }
    Ok(Exit::Done)
}

/// Adds the public key and every report, each of which the service records as it makes it.
async fn reports(
    args: &ExportArgs,
    public_key: &str,
    profile: &Profile,
    connection: &Connection,
) -> Result<(), Failure> {
    let put = |name: &str, text: &str| {
        durable::create_file(&args.bundle.join(name), text.as_bytes())
            .map_err(|error| Failure::fault(chain(&error)))
    };
    put("audit.pub", &format!("{public_key}\n"))?;
    for (name, kind) in REPORTS {
        let request = GetReportRequest {
            context: Some(args.context.wire(profile)),
            kind: kind.into(),
            ..GetReportRequest::default()
        };
        let answer = connection.audit().get_report(connect::call(request)).await?.into_inner();
        put(name, &answer.json)?;
    }
    Ok(())
}
