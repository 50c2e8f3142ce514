//! `likeness compare`: two images, one similarity; neither is stored in a pool.

use std::path::PathBuf;

use clap::Args;
use likeness_proto::v1::{CompareRequest, CompareResponse};
use serde_json::{Value, json};

use super::{
    connect::{self, Connection},
    context::AssumedContext,
    failure::{Exit, Failure},
    json as part, output, picture,
    profile::Profile,
    selection::{Select, how_to_choose},
    source::{Acquisition, source_types},
    wording,
};

/// Recorded when neither the flags nor the profile's `[defaults]` state a purpose.
const PURPOSE: &str = "algorithm_testing";
/// Recorded when neither the flags nor the profile's `[defaults]` state a justification: that none was stated.
const JUSTIFICATION: &str =
    "one-to-one comparison from the command line; the operator stated no justification (default)";

/// What was typed.
#[derive(Args, Debug)]
pub struct CompareArgs {
    /// The first image
    a: PathBuf,
    /// The second image
    b: PathBuf,
    /// Who asks and why. Defaults: `[defaults]` of the profile, else purpose `algorithm_testing` and a
    /// justification that says that none was stated
    #[command(flatten)]
    context: AssumedContext,
    /// Where the images came from
    #[arg(long, value_name = "TYPE", value_parser = source_types(), default_value = "other")]
    source: String,
    #[command(flatten)]
    acquisition: Acquisition,
    /// Which face of A is meant: `only`, `largest`, `index:N` or `box:LEFT,TOP,WIDTH,HEIGHT`
    #[arg(long, value_name = "CHOICE", default_value = "only")]
    select_a: Select,
    /// Which face of B is meant
    #[arg(long, value_name = "CHOICE", default_value = "only")]
    select_b: Select,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Compares and prints.
///
/// # Errors
/// An image cannot be read, or the service refuses or fails.
pub async fn run(args: CompareArgs, profile: &Profile) -> Result<Exit, Failure> {
    let (image_a, image_b) = (picture::read(&args.a)?, picture::read(&args.b)?);
    let both = image_a.len() as u64 + image_b.len() as u64;
    if both > picture::MAX_IMAGE_BYTES {
        return Err(Failure::usage(format!(
            "the two images have {both} bytes together, more than the {} that one message can carry",
            picture::MAX_IMAGE_BYTES
        )));
    }
    let (purpose, justification) = profile
        .defaults
        .as_ref()
        .map_or((PURPOSE, JUSTIFICATION), |defaults| (&defaults.purpose, &defaults.justification));
    let context = args.context.wire(profile, purpose, justification);
    let source = args.acquisition.wire(&args.source, &context);
    let request = CompareRequest {
        context: Some(context),
        image_a,
        image_b,
        source: Some(source),
        selection_a: args.select_a.wire(),
        selection_b: args.select_b.wire(),
    };
    let connection = Connection::open(profile).await?;
    let answer = connection.comparison().compare(connect::call(request)).await.map_err(explain)?.into_inner();
    if args.json {
        output::json(&to_json(&answer))?
    } else {
        output::line(&to_text(&answer))?
    }
    Ok(Exit::Done)
}

/// When a face has to be chosen: the faces by number. The message says in which image they are.
fn explain(status: tonic::Status) -> Failure {
    let failure = Failure::from(status);
    match failure.refusal().filter(|refusal| !refusal.faces.is_empty()) {
        Some(refusal) => {
            let flag = if refusal.message.contains("image_a") { "--select-a" } else { "--select-b" };
            let more = how_to_choose(&refusal.faces, flag);
            failure.showing(more)
        }
        None => failure,
    }
}

fn to_json(answer: &CompareResponse) -> Value {
    json!({
        "similarity": answer.similarity,
        "above_pack_threshold": answer.above_pack_threshold,
        "pack_threshold": answer.pack_threshold,
        "algorithm": part::algorithm(answer.algorithm.as_ref()),
        "a": { "face": part::maybe_face(answer.face_a.as_ref()), "quality": part::quality(answer.quality_a.as_ref()) },
        "b": { "face": part::maybe_face(answer.face_b.as_ref()), "quality": part::quality(answer.quality_b.as_ref()) },
        "similarity_meaning": answer.similarity_meaning,
        "caveat": answer.caveat,
        "receipt": part::maybe_receipt(answer.receipt.as_ref()),
    })
}

fn to_text(answer: &CompareResponse) -> String {
    let receipt = answer.receipt.as_ref().map(wording::receipt_line).unwrap_or_default();
    format!(
        "Similarity {:.4}: {}, the pack's one-to-one threshold\nQuality of A: {}, of B: {}\n\n{}\n{}\n{receipt}",
        answer.similarity,
        wording::reads_as(answer.above_pack_threshold, answer.pack_threshold),
        wording::quality(answer.quality_a.as_ref()),
        wording::quality(answer.quality_b.as_ref()),
        wording::paragraph("Similarity", &answer.similarity_meaning),
        wording::paragraph("Caveat", &answer.caveat),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promised_keys() {
        let value = to_json(&CompareResponse {
            similarity: 0.5,
            pack_threshold: 0.4,
            above_pack_threshold: true,
            ..CompareResponse::default()
        });
        assert_eq!(value["similarity"], 0.5);
        assert_eq!(value["above_pack_threshold"], true);
        assert_eq!(value["pack_threshold"], 0.4);
    }

    #[test]
    fn the_default_justification_fits_the_service() {
        assert!((8..=1000).contains(&JUSTIFICATION.chars().count()));
    }
}
