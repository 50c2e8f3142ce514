//! One candidate: the probe's face and the candidate's face side by side, and what is known.

use likeness_proto::v1::{Candidate, Face};
use maud::{Markup, html};

use super::{Fetched, frame, record::fact};
use crate::cli::{json, operating_point::words, picture::Shown, text::plain, wording};

/// The card of one candidate.
pub fn candidate(
    candidate: &Candidate,
    threshold: f64,
    fetched: &Fetched,
    probe: Option<&Shown>,
    chosen: Option<&Face>,
) -> Markup {
    let label = format!("Face of candidate {}", candidate.rank);
    let side = if candidate.above_pack_threshold { "above" } else { "below" };
    html! {
        li.card {
            article aria-label=(format!("Candidate {}", candidate.rank)) {
                header {
                    span.rank { span.quiet { "Rank " } (candidate.rank) }
                    span.similarity { span.quiet { "similarity " } (format!("{:.4}", candidate.similarity)) }
                }
                div.pair {
                    figure { (frame::probe(probe, chosen)) figcaption { "Probe" } }
                    figure {
                        @match &fetched.image {
                            Ok(Some(shown)) => (frame::reference(shown, fetched.face.as_ref(), &label)),
                            Ok(None) => (frame::missing("This image format cannot be shown here.")),
                            Err(why) => (frame::missing(&format!("Not shown: {}", plain(why)))),
                        }
                        figcaption { "Candidate " (candidate.rank) }
                    }
                }
                @if let Some(meaning) = &candidate.meaning {
                    p.quiet { strong { "False positives: " (words::meaning(Some(meaning))) } " " (plain(&meaning.text)) }
                }
                p.chip.(side) { (wording::reads_as(candidate.above_pack_threshold, threshold)) ", the pack's one-to-one threshold" }
                dl {
                    (fact("Subject", &candidate.subject_reference))
                    @if let Some(details) = &candidate.details {
                        (fact("Name", &details.display_name))
                        (fact("Date of birth", &details.date_of_birth))
                    }
                    (fact("Pool", &pool(candidate)))
                    (fact("Image", &candidate.source_reference))
                    (fact("Held by", &candidate.source_system))
                    (fact("Image age", &age(candidate)))
                    (fact("Circumstance", &candidate.capture_circumstance))
                    (fact("Quality", &quality(candidate)))
                    (fact("Outcome", &wording::outcome(candidate)))
                    (fact("Held because", &wording::held(candidate)))
                    @if let Some(details) = &candidate.details {
                        @for (name, value) in sorted(&details.attributes) { (fact(name, value)) }
                    }
                }
            }
        }
    }
}

/// The pool, and its kind where the name does not say it.
fn pool(candidate: &Candidate) -> String {
    let kind = json::kind(candidate.pool_kind()).replace('_', " ");
    if candidate.pool.replace(['-', '_'], " ") == kind {
        candidate.pool.clone()
    } else {
        format!("{} ({kind})", candidate.pool)
    }
}

fn age(candidate: &Candidate) -> String {
    let age = wording::image_age(candidate);
    if candidate.capture_date.is_empty() { age } else { format!("{age} (taken {})", candidate.capture_date) }
}

fn quality(candidate: &Candidate) -> String {
    match &candidate.quality {
        Some(quality) if !quality.flags.is_empty() => {
            format!("{} of 100, flagged: {}", quality.lowest, quality.flags.join(", ").replace('_', " "))
        }
        Some(quality) => format!("{} of 100", quality.lowest),
        None => wording::quality(None),
    }
}

fn sorted(attributes: &std::collections::HashMap<String, String>) -> Vec<(&String, &String)> {
    let mut pairs: Vec<_> = attributes.iter().collect();
    pairs.sort();
    pairs
}
