//! The written part of the page: why the search was made, what was searched, with what, and the proof.

use likeness_proto::v1::{PoolResult, Receipt, SearchResponse, search_response::Exactness};
use maud::{Markup, html};

use super::Sheet;
use crate::cli::{
    operating_point::words,
    text::{grouped, plain},
    wording::{contact_owner, may_miss},
};

/// One line of a description list; nothing when there is nothing to say.
pub fn fact(name: &str, value: &str) -> Markup {
    html! {
        @if !value.is_empty() {
            div { dt { (plain(name)) } dd { bdi { (plain(value)) } } }
        }
    }
}

/// `, on 2026-01-31T12:00:00.000Z`, once the search is recorded.
pub fn when(receipt: Option<&Receipt>) -> Markup {
    html! {
        @if let Some(receipt) = receipt {
            ", recorded " time datetime=(plain(&receipt.occurred_at)) { (plain(&receipt.occurred_at)) }
        }
    }
}

/// Where the probe came from and why the search was made.
pub fn probe(sheet: &Sheet<'_>, answer: &SearchResponse) -> Markup {
    let quality = answer.probe_quality.as_ref();
    html! {
        dl {
            (fact("Source", &sheet.source.source_type.replace('_', " ")))
            (fact("Acquired under", &sheet.source.acquired_under))
            (fact("Investigation", &sheet.source.investigation_ref))
            (fact("Offence or incident", &sheet.source.offence_type))
            (fact("Edits", if sheet.source.edits.is_empty() { "none stated" } else { &sheet.source.edits }))
            (fact("Faces found", &answer.faces.len().to_string()))
            @if let Some(quality) = quality {
                (fact("Quality", &format!("{} of 100", quality.lowest)))
                (fact("Flagged", &quality.flags.join(", ").replace('_', " ")))
            }
            (fact("Purpose", &sheet.context.purpose_code.replace('_', " ")))
            (fact("Justification", &sheet.context.justification))
            (fact("Asked by system", &sheet.context.system_name))
        }
    }
}

/// Each pool that was asked for, searched or not.
pub fn pools(pools: &[PoolResult]) -> Markup {
    html! {
        ul.pools {
            @for pool in pools {
                @if pool.searched {
                    li { "Searched " bdi { strong { (plain(&pool.pool)) } } ": " (grouped(pool.gallery_size)) " searchable images" }
                    @if let Some(warning) = may_miss(pool) { li.refused { strong { (warning) } } }
                    @for owner in &pool.contact_owners {
                        li { (contact_owner(&pool.pool, owner)) }
                    }
                } @else {
                    li.refused {
                        strong { "Not searched: " } bdi { (plain(&pool.pool)) }
                        @if let Some(refusal) = &pool.refusal { " - " (plain(&refusal.message)) }
                    }
                }
            }
        }
    }
}

/// Meaning, algorithm and receipt.
pub fn footer(answer: &SearchResponse) -> Markup {
    let exact = match answer.exactness() {
        Exactness::Certified => {
            "certified exact: identical to comparing every searchable template in full precision"
        }
        Exactness::Approximate => {
            "approximate: the list may miss people who belong in it; see the pools for what was measured"
        }
        Exactness::Exact => "every searchable template was compared",
        Exactness::Unspecified => "",
    };
    html! {
        footer {
            section {
                h2 { "What a similarity means" }
                p { (plain(&answer.similarity_meaning)) }
                dl {
                    (fact("One-to-one threshold", &format!("{:.4}", answer.pack_threshold)))
                    @if let Some(algorithm) = &answer.algorithm {
                        (fact("Algorithm", &format!("{}, matcher {}", algorithm.pack, algorithm.matcher_version)))
                        (fact("Space", &algorithm.space_id))
                    }
                    (fact("Search", exact))
                }
            }
            @for used in &answer.operating_points {
                @if let Some(point) = &used.operating_point {
                    section {
                        h2 { "Operating point of " bdi { (plain(&used.pool)) } ": " (plain(&point.id)) }
                        @for line in words::paragraph(point).lines() { p { (line) } }
                    }
                }
            }
            @if let Some(receipt) = &answer.receipt { (proof(receipt)) }
        }
    }
}

fn proof(receipt: &Receipt) -> Markup {
    html! {
        section {
            h2 { "Receipt" }
            dl {
                (fact("Event", &receipt.event_id))
                (fact("Entry", &format!("{} of {}", receipt.entry_index, receipt.tree_size)))
                (fact("Entry hash", &hex::encode(&receipt.entry_hash)))
            }
            pre tabindex="0" aria-label="Signed head of the audit log" { (checkpoint(&receipt.checkpoint)) }
            p.quiet { "Keep this text: " code { "likeness audit verify --checkpoint FILE" } " checks the log against it." }
        }
    }
}

/// A signed note has several lines, which stay lines.
fn checkpoint(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}
