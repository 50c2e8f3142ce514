#![allow(clippy::unwrap_used, reason = "tests")]
use likeness_proto::v1::{
    Box as WireBox, Candidate, Face, PoolResult, Receipt, RecordStanding, SubjectDetails,
};

use super::*;

const HOSTILE: &str = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u{202e}\u{1b}[2J";

fn photo(width: u32, height: u32) -> Bytes {
    let mut out = Vec::new();
    image::DynamicImage::new_rgb8(width, height)
        .write_to(&mut std::io::Cursor::new(&mut out), image::ImageFormat::Png)
        .unwrap();
    out.into()
}

fn face(index: u32) -> Face {
    Face { r#box: Some(WireBox { left: 10.0, top: 8.0, width: 12.0, height: 12.0 }), confidence: 0.9, index }
}

fn hostile_answer() -> SearchResponse {
    SearchResponse {
        candidates: vec![Candidate {
            rank: 1,
            pool: HOSTILE.into(),
            subject_reference: HOSTILE.into(),
            source_reference: HOSTILE.into(),
            capture_date: HOSTILE.into(),
            capture_circumstance: HOSTILE.into(),
            standing: Some(RecordStanding {
                outcome_status: HOSTILE.into(),
                disposition: HOSTILE.into(),
                due_since: HOSTILE.into(),
                next_review_on: HOSTILE.into(),
                review_overdue: true,
            }),
            details: Some(SubjectDetails {
                display_name: HOSTILE.into(),
                date_of_birth: HOSTILE.into(),
                attributes: [(HOSTILE.into(), HOSTILE.into())].into(),
            }),
            ..Candidate::default()
        }],
        pools: vec![PoolResult { pool: HOSTILE.into(), ..PoolResult::default() }],
        probe_face: Some(face(0)),
        faces: vec![face(0), face(1)],
        similarity_meaning: HOSTILE.into(),
        caveat: HOSTILE.into(),
        receipt: Some(Receipt {
            event_id: HOSTILE.into(),
            checkpoint: HOSTILE.into(),
            occurred_at: HOSTILE.into(),
            ..Receipt::default()
        }),
        ..SearchResponse::default()
    }
}

fn hostile_page() -> String {
    let probe = photo(64, 48);
    let context = RequestContext {
        system_name: HOSTILE.into(),
        reference_id: HOSTILE.into(),
        purpose_code: HOSTILE.into(),
        justification: HOSTILE.into(),
    };
    let source = ProbeSource {
        source_type: HOSTILE.into(),
        acquired_under: HOSTILE.into(),
        investigation_ref: HOSTILE.into(),
        offence_type: HOSTILE.into(),
        edits: HOSTILE.into(),
        origin: 0,
    };
    let images = [Fetched { image: Err(HOSTILE.into()), face: None }];
    render(&Sheet { probe: &probe, context: &context, source: &source }, &hostile_answer(), &images)
}

#[test]
fn hostile_strings_stay_text() {
    let page = hostile_page();
    assert!(!page.contains("<script"), "no script element");
    assert!(!page.contains("<img src=x"), "no injected image");
    assert_eq!(page.matches("</style>").count(), 1, "the style element ends once");
    assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}'));
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = hostile_page();
    assert!(page.contains("default-src 'none'") || page.contains("default-src &#39;none&#39;"));
    for scheme in ["http://", "https://", "src=\"/", "@import"] {
        assert!(!page.contains(scheme), "{scheme}");
    }
}

#[test]
fn caveat_receipt_and_candidate_are_there() {
    let probe = photo(64, 48);
    let (context, source) = (RequestContext::default(), ProbeSource::default());
    let answer = SearchResponse {
        candidates: vec![Candidate {
            rank: 1,
            subject_reference: "S1".into(),
            source_system: "custody suite".into(),
            standing: Some(RecordStanding {
                outcome_status: "not_convicted".into(),
                disposition: "retain".into(),
                next_review_on: "2031-02-03".into(),
                ..RecordStanding::default()
            }),
            ..Candidate::default()
        }],
        faces: vec![face(0)],
        probe_face: Some(face(0)),
        caveat: "A candidate is intelligence.".into(),
        receipt: Some(Receipt { event_id: "event-1".into(), ..Receipt::default() }),
        ..SearchResponse::default()
    };
    let images = [Fetched { image: Ok(picture::show(&photo(30, 60))), face: Some(face(0)) }];
    let page = render(&Sheet { probe: &probe, context: &context, source: &source }, &answer, &images);
    // The display set that nobody may leave out (R22).
    for part in [
        "A candidate is intelligence.",
        "event-1",
        "S1",
        "data:image/png;base64,",
        "Face of candidate 1",
        "similarity",
        ">Pool<",
        ">Held by<",
        ">Image age<",
        ">Quality<",
        ">Outcome<",
        "NOT CONVICTED",
        ">Held because<",
        "a rule retains it; next review 2031-02-03",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn choosing_a_face_numbers_them() {
    let probe = photo(64, 48);
    let (context, source) = (RequestContext::default(), ProbeSource::default());
    let refusal = Refusal {
        code: "several_faces".into(),
        message: "2 faces".into(),
        faces: vec![face(0), face(1)],
        quality: None,
    };
    let page = choose(&Sheet { probe: &probe, context: &context, source: &source }, &refusal);
    assert!(
        page.contains("2 faces") && page.matches("<text").count() == 2 && page.contains("--select index:N")
    );
}
