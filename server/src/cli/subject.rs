//! `likeness subject`: what a pool holds about one person.

use clap::Args;
use likeness_proto::v1::{GetSubjectRequest, GetSubjectResponse, ImageRecord, get_subject_request::Subject};
use serde_json::{Value, json};

use super::{
    connect::{self, Connection},
    context::StatedContext,
    failure::{Exit, Failure},
    json as part, output,
    profile::Profile,
    text::{plain, short},
    wording,
};

/// What was typed.
#[derive(Args, Debug)]
pub struct SubjectArgs {
    /// The subject: your system's reference, or the service's id with `--by-id`
    subject: String,
    /// Pool that holds it
    #[arg(long, value_name = "NAME")]
    pool: String,
    /// SUBJECT is an id that the service assigned
    #[arg(long)]
    by_id: bool,
    #[command(flatten)]
    context: StatedContext,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Reads and prints.
///
/// # Errors
/// The service refuses or fails.
pub async fn run(args: SubjectArgs, profile: &Profile) -> Result<Exit, Failure> {
    let subject =
        if args.by_id { Subject::SubjectId(args.subject) } else { Subject::SubjectReference(args.subject) };
    let request = GetSubjectRequest {
        context: Some(args.context.wire(profile)),
        pool: args.pool,
        subject: Some(subject),
    };
    let connection = Connection::open(profile).await?;
    let answer = connection.subject().get_subject(connect::call(request)).await?.into_inner();
    if args.json {
        output::json(&to_json(&answer))?
    } else {
        output::line(&to_text(&answer))?
    }
    Ok(Exit::Done)
}

fn to_json(answer: &GetSubjectResponse) -> Value {
    json!({
        "subject": answer.subject_reference,
        "subject_id": answer.subject_id,
        "source_system": answer.source_system,
        "details": part::details(answer.details.as_ref()),
        "images": answer.images.iter().map(image).collect::<Value>(),
        "protection": answer.protection.as_ref().map(super::protect::mark_json),
        "receipt": part::maybe_receipt(answer.receipt.as_ref()),
    })
}

fn image(image: &ImageRecord) -> Value {
    json!({
        "image": image.source_reference,
        "image_id": image.image_id,
        "source_system": image.source_system,
        "held": image.held,
        "enrolled": image.enrolled,
        "capture_date": part::text(&image.capture_date),
        "capture_circumstance": part::text(&image.capture_circumstance),
        "collected_at": image.collected_at,
        "quality": part::quality(image.quality.as_ref()),
        "face": part::maybe_face(image.face.as_ref()),
        "algorithm": part::algorithm(image.algorithm.as_ref()),
        "selected_largest": image.selected_largest,
    })
}

fn to_text(answer: &GetSubjectResponse) -> String {
    let mut lines = vec![format!(
        "Subject {} (id {}), from {}",
        plain(&answer.subject_reference),
        plain(&answer.subject_id),
        plain(&answer.source_system)
    )];
    lines.extend(answer.protection.as_ref().map(|mark| {
        format!(
            "  PROTECTED VIEW {} of {}: others are not told of this subject",
            super::protect::view_code(mark),
            plain(&mark.owner)
        )
    }));
    if let Some(details) = &answer.details {
        let mut facts =
            vec![("name", details.display_name.as_str()), ("date of birth", details.date_of_birth.as_str())];
        let mut attributes: Vec<_> =
            details.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        attributes.sort_unstable();
        facts.extend(attributes);
        lines.extend(
            facts
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("  {}: {}", plain(name), plain(value))),
        );
    }
    let mut table = output::table(["image", "image id", "state", "taken", "circumstance", "quality"]);
    for image in &answer.images {
        table.add_row([
            short(&image.source_reference, 40),
            plain(&image.image_id),
            state(image).to_owned(),
            if image.capture_date.is_empty() { "not known".to_owned() } else { plain(&image.capture_date) },
            short(&image.capture_circumstance, 24),
            wording::quality(image.quality.as_ref()),
        ]);
    }
    lines.push(table.trim_fmt());
    lines.extend(answer.receipt.as_ref().map(wording::receipt_line));
    lines.join("\n")
}

/// Held and enrolled are independent.
fn state(image: &ImageRecord) -> &'static str {
    match (image.held, image.enrolled) {
        (true, true) => "held, searchable",
        (true, false) => "held, not searchable",
        (false, true) => "not held, searchable",
        (false, false) => "not held",
    }
}
