//! `likeness audit prove`: fetches a proof and checks it here, trusting the public key and nothing the server says.

use std::path::PathBuf;

use clap::Args;
use likeness_proto::v1::{GetInclusionProofRequest, get_inclusion_proof_request::Entry};
use likeness_server::{
    audit::{Checkpoint, Inclusion, proof::inclusion_holds},
    data::DataDir,
    keys::VerifierKey,
};
use serde_json::json;

use super::{context::AuditContext, verify};
use crate::cli::{
    connect::{self, Connection},
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::grouped,
};

/// A proof.
#[derive(Args, Debug)]
pub struct ProveArgs {
    /// The event, as its receipt names it
    event: String,
    #[command(flatten)]
    context: AuditContext,
    /// The log's public key, as `audit export-key` printed it [default: the one in the data folder of the profile]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Prove it under the signed head of this size, for example the receipt's `tree_size` [default: the newest]
    #[arg(long, default_value_t = 0, value_name = "SIZE")]
    tree_size: u64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Fetches and checks.
///
/// # Errors
/// The service refuses or fails. A proof that does not hold is not an error but [`Exit::AuditFailed`].
pub async fn run(args: ProveArgs, profile: &Profile, connection: &Connection) -> Result<Exit, Failure> {
    let key = match (&args.key, &profile.data_dir) {
        (Some(file), _) => verify::key_file(file)?,
        (None, Some(data)) => verify::public_key(&DataDir::at(data), None)?,
        (None, None) => {
            return Err(Failure::usage("the log's public key is not on this machine")
                .advise("get it from the service's operator once, and give it with `--key FILE`"));
        }
    };
    let request = GetInclusionProofRequest {
        context: Some(args.context.wire(profile)),
        tree_size: args.tree_size,
        entry: Some(Entry::EventId(args.event.clone())),
    };
    let answer = connection.audit().get_inclusion_proof(connect::call(request)).await?.into_inner();
    let proof = Inclusion {
        index: answer.entry_index,
        size: answer.tree_size,
        leaf: hash(&answer.leaf_hash)?,
        root: hash(&answer.root)?,
        path: answer.path.iter().map(|node| hash(node)).collect::<Result<_, _>>()?,
    };
    let verdict = verdict(&proof, &answer.checkpoint, &key);
    if args.json {
        output::json(&json!({
            "holds": verdict.is_ok(),
            "why_not": verdict.err(),
            "entry_index": proof.index,
            "tree_size": proof.size,
            "leaf_hash": hex::encode(proof.leaf),
            "root": hex::encode(proof.root),
            "path": proof.path.iter().map(hex::encode).collect::<Vec<_>>(),
            "checkpoint": answer.checkpoint,
            "receipt": part::maybe_receipt(answer.receipt.as_ref()),
        }))?;
    } else {
        output::line(&match verdict {
            Ok(()) => format!(
                "Event {} is entry {} of {} under a head signed by {}: {} hashes checked.\nLeaf {}\nRoot {}",
                args.event,
                grouped(proof.index),
                grouped(proof.size),
                key.name(),
                proof.path.len(),
                hex::encode(proof.leaf),
                hex::encode(proof.root)
            ),
            Err(why) => format!("THE PROOF DOES NOT HOLD: {why}"),
        })?;
    }
    Ok(if verdict.is_ok() { Exit::Done } else { Exit::AuditFailed })
}

fn verdict(proof: &Inclusion, checkpoint: &str, key: &VerifierKey) -> Result<(), &'static str> {
    let head = Checkpoint::open(checkpoint, key).map_err(|_| "its head is not signed by this key")?;
    if (head.size, head.root) != (proof.size, proof.root) {
        return Err("it is about another tree than the signed one");
    }
    if inclusion_holds(proof) { Ok(()) } else { Err("its hashes do not lead to the signed root") }
}

fn hash(bytes: &[u8]) -> Result<[u8; 32], Failure> {
    bytes
        .try_into()
        .map_err(|_| Failure::new(Exit::AuditFailed, "the proof holds a hash that is not 32 bytes"))
}
