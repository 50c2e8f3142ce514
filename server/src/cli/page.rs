//! One self-contained page with the probe and its candidates side by side, for review and for the file.
//!
//! The page holds biometric data: it is written readable by its owner only, loads nothing, and runs no script.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use likeness_proto::v1::{GetImageRequest, ProbeSource, Refusal, RequestContext, SearchResponse};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    connect::{self, Connection},
    failure::Failure,
    picture::{self, Shown},
    text::plain,
    wording,
};

mod card;
mod frame;
mod record;

/// Nothing may be fetched or executed, whatever a string in the page says.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
const STYLE: &str = include_str!("page/style.css");

/// What was asked, which every form of the page shows.
pub struct Sheet<'a> {
    /// The probe as it was sent.
    pub probe: &'a Bytes,
    /// Who asked and why.
    pub context: &'a RequestContext,
    /// Where the probe came from.
    pub source: &'a ProbeSource,
}

/// A candidate's image as the service gave it, or why there is none.
pub struct Fetched {
    image: Result<Option<Shown>, String>,
    face: Option<likeness_proto::v1::Face>,
}

/// Fetches the candidates' images, in rank order; each read is audited under the context of the search.
pub async fn fetch(
    connection: &Connection,
    context: &RequestContext,
    answer: &SearchResponse,
) -> Vec<Fetched> {
    let mut client = connection.image();
    let mut images = Vec::with_capacity(answer.candidates.len());
    for candidate in &answer.candidates {
        let request = GetImageRequest {
            context: Some(context.clone()),
            pool: candidate.pool.clone(),
            image_id: candidate.image_id.clone(),
        };
        images.push(match client.get_image(connect::call(request)).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                Fetched { image: Ok(picture::show(&answer.image)), face: answer.face }
            }
            Err(status) => Fetched { image: Err(Failure::from(status).summary().to_owned()), face: None },
        });
    }
    images
}

/// The page of an answered search. `images` are in the order of the candidates.
pub fn render(sheet: &Sheet<'_>, answer: &SearchResponse, images: &[Fetched]) -> String {
    let probe = picture::show(sheet.probe);
    let chosen = answer.probe_face.as_ref();
    let body = html! {
        header.top {
            h1 { "Candidates for review" }
            p.sub { "Search " bdi { (plain(&sheet.context.reference_id)) } (record::when(answer.receipt.as_ref())) }
        }
        (caveat(&answer.caveat))
        div.columns {
            aside aria-labelledby="probe-title" {
                h2 #probe-title { "Probe" }
                (frame::whole(probe.as_ref(), &answer.faces, chosen.map(|face| face.index)))
                (record::probe(sheet, answer))
            }
            main aria-labelledby="list-title" {
                div.listhead {
                    h2 #list-title { (count(answer.candidates.len())) }
                    label.switch { input #whole type="checkbox"; " Show whole images" }
                }
                (record::pools(&answer.pools))
                p.quiet { (plain(&answer.mode_meaning)) }
                @if answer.candidates.is_empty() {
                    p.none { (wording::no_candidate(answer.mode())) }
                }
                ol.cards {
                    @for (candidate, fetched) in answer.candidates.iter().zip(images) {
                        (card::candidate(candidate, answer.pack_threshold, fetched, probe.as_ref(), chosen))
                    }
                }
            }
        }
        (record::footer(answer))
    };
    document("Candidates for review", probe.as_ref(), &body)
}

/// The page of a search that needs a face to be chosen first.
pub fn choose(sheet: &Sheet<'_>, refusal: &Refusal) -> String {
    let probe = picture::show(sheet.probe);
    let body = html! {
        header.top {
            h1 { "Which face is meant?" }
            p.sub { "Search " bdi { (plain(&sheet.context.reference_id)) } }
        }
        p.caveat role="note" { strong { "Not searched." } " " (plain(&refusal.message)) }
        div.single {
            (frame::whole(probe.as_ref(), &refusal.faces, None))
            p { "Run the search again with " code { "--select index:N" } ", where N is the number drawn beside the face." }
        }
    };
    document("Which face is meant?", probe.as_ref(), &body)
}

fn document(title: &str, probe: Option<&Shown>, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex, noarchive";
                title { (title) " - Likeness" }
                style { (PreEscaped(STYLE)) @if let Some(probe) = probe { (probe_rule(probe)) } }
            }
            body { (body) }
        }
    }
    .into_string()
}

/// The probe stands beside every candidate but its bytes are in the page twice at most.
fn probe_rule(probe: &Shown) -> Markup {
    // A data URI has none of the characters that could end the rule or the style element.
    html! { (PreEscaped(format!(".probe-pixels{{background-image:url({})}}", data_uri(probe)))) }
}

fn data_uri(shown: &Shown) -> String {
    format!("data:{};base64,{}", shown.media_type, STANDARD.encode(&shown.bytes))
}

fn caveat(text: &str) -> Markup {
    // The first sentence is the one that must not be missed.
    let (first, rest) = text.split_once(". ").map_or((text, ""), |(first, _)| text.split_at(first.len() + 1));
    html! { p.caveat role="note" { strong { (plain(first)) } (plain(rest)) } }
}

fn count(candidates: usize) -> String {
    match candidates {
        0 => "No candidate".to_owned(),
        1 => "1 candidate".to_owned(),
        many => format!("{many} candidates"),
    }
}

#[cfg(test)]
mod tests;
