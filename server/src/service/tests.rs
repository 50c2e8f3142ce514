//! The operations that need no image: who may ask, which fields must be there, what is recorded.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use std::time::{Duration, Instant};

use bytes::Bytes;
use likeness_matcher::select::Selection;
use tempfile::TempDir;

use super::*;
use crate::{
    audit::{Entry, Operation, Outcome, Phase},
    clock::SystemClock,
    identity::{Issuer, Role, TokenRequest},
    init::{InitOptions, init},
    pool::{NewPool, PoolKind, PoolSummary},
};

mod applications;
mod backup;
mod cells;
mod filled;
mod lists;
mod retention;

/// A service over a fresh data directory, opened for administration: the matcher is not needed here.
struct Place {
    _folder: TempDir,
    data: DataDir,
    service: Arc<Service>,
}

impl Place {
    fn new() -> Place {
        let folder = TempDir::new().unwrap();
        let report = init(&folder.path().join("data"), &InitOptions::default()).unwrap();
        let data = DataDir::at(report.data_dir);
        let service = Service::open(&data, Arc::new(SystemClock), Opening::Administer)
            .expect("the default model pack is needed: run `make setup`");
        Place { _folder: folder, data, service: Arc::new(service) }
    }

    fn token(&self, roles: &[Role]) -> String {
        let request = TokenRequest {
            subject: "p-1".to_owned(),
            name: "P".to_owned(),
            organisation: "local".to_owned(),
            roles: roles.to_vec(),
            days: 90,
        };
        Issuer::open(&self.data).unwrap().mint(&request, jiff::Timestamp::now()).unwrap()
    }

    fn asked(&self, roles: &[Role], purpose: &str) -> Asked {
        Asked {
            peer: Peer::Local,
            rpc: "likeness.v1.Test/Test",
            token: Some(self.token(roles)),
            context: ContextFields {
                system_name: "likeness-cli".to_owned(),
                reference_id: "ref-1".to_owned(),
                purpose_code: purpose.to_owned(),
                justification: "asked by a test".to_owned(),
            },
            deadline: Instant::now() + Duration::from_secs(60),
            request: b"request".to_vec(),
        }
    }

    fn create(&self, name: &str, kind: PoolKind) -> Result<Answer<PoolSummary>, Unanswered> {
        self.service.create_pool(
            self.asked(&[Role::PoolAdmin], "system_administration"),
            new_pool(name, kind),
            summary,
        )
    }

    fn search(&self, asked: Asked, request: SearchRequest) -> Unanswered {
        self.service
            .search(asked, request, |_, _| Rendered { message: (), bytes: vec![] })
            .expect_err("no image is searched here")
    }

    fn entries(&self) -> Vec<Entry> {
        self.entries_after(0)
    }

    fn entries_after(&self, start: usize) -> Vec<Entry> {
        let stored = self.service.audit().entries(start as u64, 100_000).unwrap();
        stored.into_iter().map(|stored| stored.entry).collect()
    }
}

fn new_pool(name: &str, kind: PoolKind) -> NewPool {
    NewPool {
        name: name.to_owned(),
        kind,
        rationale: "made by a test".to_owned(),
        purposes: vec![],
        quality: vec![],
    }
}

fn summary(summary: &PoolSummary) -> Rendered<PoolSummary> {
    Rendered { message: summary.clone(), bytes: b"response".to_vec() }
}

fn source() -> ProbeSource {
    ProbeSource {
        source_type: "cctv".to_owned(),
        acquired_under: "consent".to_owned(),
        investigation_ref: "OP-1".to_owned(),
        ..ProbeSource::default()
    }
}

fn request(pools: &[&str]) -> SearchRequest {
    SearchRequest {
        probe: Bytes::from_static(b"probe"),
        source: Some(source()),
        selection: Selection::Only,
        pools: pools.iter().map(|&pool| pool.to_owned()).collect(),
        candidate_list_length: 0,
        mode: Default::default(),
    }
}

fn refusal(unanswered: Unanswered) -> Refusal {
    match unanswered {
        Unanswered::Refused { refusal, .. } => *refusal,
        Unanswered::Unrecorded(error) => panic!("not recorded: {error}"),
    }
}

#[test]
fn each_missing_field_is_named_and_the_refusal_is_recorded() {
    let place = Place::new();
    place.create("cells", PoolKind::Custody).unwrap();
    type Blank = fn(&mut Asked, &mut SearchRequest);
    let blanks: [(&str, Blank); 10] = [
        ("context.system_name", |asked, _| asked.context.system_name.clear()),
        ("context.reference_id", |asked, _| asked.context.reference_id = "  ".to_owned()),
        ("context.purpose_code", |asked, _| asked.context.purpose_code.clear()),
        ("context.justification", |asked, _| asked.context.justification.clear()),
        ("source.source_type", |_, request| request.source.as_mut().unwrap().source_type.clear()),
        ("source.acquired_under", |_, request| request.source.as_mut().unwrap().acquired_under.clear()),
        ("source.investigation_ref", |_, request| request.source.as_mut().unwrap().investigation_ref.clear()),
        ("source.investigation_ref", |_, request| request.source = None),
        ("probe", |_, request| request.probe = Bytes::new()),
        ("pools", |_, request| request.pools.clear()),
    ];
    for (field, blank) in blanks {
        let before = place.entries().len();
        let mut asked = place.asked(&[Role::Searcher], "criminal_investigation");
        let mut request = request(&["cells"]);
        blank(&mut asked, &mut request);
        let refusal = refusal(place.search(asked, request));
        assert_eq!((refusal.kind, refusal.code), (RefusalKind::Invalid, "missing_field"), "{field}");
        assert!(refusal.message.contains(&format!("`{field}`")), "{field}: {}", refusal.message);
        let entries = place.entries();
        assert_eq!(entries.len(), before + 1, "{field}");
        let last = entries.last().unwrap();
        assert_eq!((last.phase, last.outcome), (Phase::Single, Some(Outcome::Rejected)), "{field}");
        assert_eq!(last.refusal.as_deref(), Some("missing_field"));
        assert_eq!(last.actor.as_ref().unwrap().subject, "p-1");
        assert_eq!(last.operation, Operation::Consultation);
    }
}

#[test]
fn fields_that_are_wrong_are_named_with_the_rule() {
    let place = Place::new();
    type Spoil = fn(&mut Asked, &mut SearchRequest);
    let spoiled: [(&str, Spoil); 8] = [
        ("context.system_name", |asked, _| asked.context.system_name = "x".repeat(65)),
        ("context.reference_id", |asked, _| asked.context.reference_id = "a\u{0}b".to_owned()),
        ("context.justification", |asked, _| asked.context.justification = "short".to_owned()),
        ("context.justification", |asked, _| {
            asked.context.justification = "turned \u{202E} around".to_owned()
        }),
        ("source.source_type", |_, request| {
            request.source.as_mut().unwrap().source_type = "hearsay".to_owned()
        }),
        ("source.edits", |_, request| request.source.as_mut().unwrap().edits = "x".repeat(513)),
        ("candidate_list_length", |_, request| request.candidate_list_length = 201),
        ("pools", |_, request| request.pools = vec!["a".to_owned(), "a".to_owned()]),
    ];
    for (field, spoil) in spoiled {
        let mut asked = place.asked(&[Role::Searcher], "criminal_investigation");
        let mut request = request(&["cells"]);
        spoil(&mut asked, &mut request);
        let refusal = refusal(place.search(asked, request));
        assert_eq!(refusal.code, "invalid_field", "{field}");
        assert!(refusal.message.contains(field), "{field}: {}", refusal.message);
        let last = place.entries().pop().unwrap();
        assert!(
            last.justification.is_none_or(|text| !text.contains('\u{202E}')),
            "a hidden character is in the log"
        );
    }
}

#[test]
fn a_forbidden_pool_looks_like_one_that_does_not_exist() {
    let place = Place::new();
    place.create("missing", PoolKind::MissingPerson).unwrap();
    let ask = |pool: &str, roles: &[Role], purpose: &str| {
        refusal(place.search(place.asked(roles, purpose), request(&[pool])))
    };
    let unknown = ask("nowhere", &[Role::Searcher], "criminal_investigation");
    let forbidden = ask("missing", &[Role::Searcher], "criminal_investigation");
    let roleless = ask("missing", &[Role::Auditor], "locate_missing_person");
    assert_eq!(
        (unknown.kind, unknown.code, &unknown.message),
        (forbidden.kind, forbidden.code, &forbidden.message)
    );
    assert_eq!(
        (unknown.kind, unknown.code, &unknown.message),
        (roleless.kind, roleless.code, &roleless.message)
    );
    assert_eq!(unknown.kind, RefusalKind::Denied);
    // The log knows the difference.
    let codes: Vec<_> =
        place.entries().into_iter().rev().take(3).map(|entry| (entry.outcome, entry.refusal)).collect();
    assert_eq!(
        codes,
        ["no_policy_permits", "forbidden_by_policy", "unknown_pool"]
            .map(|code| (Some(Outcome::Denied), Some(code.to_owned())))
    );
}

#[test]
fn a_denied_search_of_several_pools_has_one_event_per_pool_and_one_of_the_whole() {
    let place = Place::new();
    place.create("missing", PoolKind::MissingPerson).unwrap();
    let before = place.entries().len();
    let asked = place.asked(&[Role::Searcher], "criminal_investigation");
    assert_eq!(refusal(place.search(asked, request(&["missing", "nowhere"]))).kind, RefusalKind::Denied);
    let entries = place.entries();
    let new = &entries[before..];
    assert_eq!(new.len(), 3);
    assert_eq!(new[0].pool.as_ref().unwrap().name, "missing");
    assert_eq!(new[1].pool.as_ref().unwrap().name, "nowhere");
    assert_eq!(new[2].operation, Operation::Combination);
    assert!(new[..2].iter().all(|entry| entry.related == Some(new[2].event_id)));
}

#[test]
fn nobody_without_a_token_learns_anything() {
    let place = Place::new();
    let mut asked = place.asked(&[Role::Searcher], "no_such_purpose");
    asked.token = None;
    asked.context.justification.clear();
    let refusal = refusal(place.search(asked, request(&["cells"])));
    assert_eq!((refusal.kind, refusal.code), (RefusalKind::Unauthenticated, "token_missing"));
    let last = place.entries().pop().unwrap();
    assert_eq!((last.outcome, last.actor), (Some(Outcome::Denied), None));
    assert_eq!(last.reference_id.as_deref(), Some("ref-1"));
}

#[test]
fn making_a_pool_is_announced_recorded_and_kept() {
    let place = Place::new();
    let answer = place.create("cells", PoolKind::Custody).unwrap();
    let receipt = answer.receipt().clone();
    let entries = place.entries();
    let [intent, outcome] = entries.as_slice() else { panic!("{} entries", entries.len()) };
    assert_eq!((intent.phase, intent.outcome), (Phase::Intent, None));
    assert_eq!(
        (outcome.phase, outcome.outcome, outcome.related),
        (Phase::Outcome, Some(Outcome::Answered), Some(intent.event_id))
    );
    assert_eq!(receipt.event_id(), outcome.event_id);
    let content = place.service.audit().content(outcome.event_id).unwrap().unwrap();
    assert_eq!(content.response.as_deref(), Some(b"response".as_slice()));
    assert_eq!(content.request.as_deref(), Some(b"request".as_slice()));

    let again = refusal(place.create("cells", PoolKind::Custody).unwrap_err());
    assert_eq!((again.kind, again.code), (RefusalKind::AlreadyExists, "pool_exists"));
    let Place { _folder: folder, data, service } = place;
    drop(service);
    let service = Service::open(&data, Arc::new(SystemClock), Opening::Administer).unwrap();
    let place = Place { _folder: folder, data, service: Arc::new(service) };
    let list = place
        .service
        .list_pools(place.asked(&[Role::Auditor], "system_administration"), |list| Rendered {
            message: list.clone(),
            bytes: vec![],
        })
        .unwrap();
    assert_eq!(list.into_parts().0.pools[0].name, "cells");
    let denied = place.service.list_pools(place.asked(&[Role::Searcher], "criminal_investigation"), |_| {
        Rendered { message: (), bytes: vec![] }
    });
    assert_eq!(refusal(denied.unwrap_err()).kind, RefusalKind::Denied);
}

#[test]
fn a_pool_admin_may_not_enrol_and_a_searcher_may_not_make_pools() {
    let place = Place::new();
    place.create("cells", PoolKind::Custody).unwrap();
    let asked = place.asked(&[Role::PoolAdmin], "record_management");
    let Err(denied) = place.service.begin_enrolment(asked, "cells") else { panic!("a pool admin may enrol") };
    assert_eq!(refusal(denied).kind, RefusalKind::Denied);
    let asked = place.asked(&[Role::Searcher], "system_administration");
    let denied = place.service.create_pool(asked, new_pool("more", PoolKind::Custody), summary).unwrap_err();
    assert_eq!(refusal(denied).kind, RefusalKind::Denied);
    assert!(place.service.pool("more").is_none());
}

#[test]
fn one_process_at_a_time_and_a_second_init_changes_nothing() {
    let place = Place::new();
    let Err(OpenError::Data(crate::data::DataError::Locked { .. })) =
        Service::open(&place.data, Arc::new(SystemClock), Opening::Administer)
    else {
        panic!("opened twice");
    };
    let before = std::fs::read(place.data.profile()).unwrap();
    assert!(matches!(
        init(place.data.path(), &InitOptions::default()),
        Err(crate::init::InitError::AlreadyInitialised(_))
    ));
    assert_eq!(std::fs::read(place.data.profile()).unwrap(), before);
    let other = TempDir::new().unwrap();
    std::fs::write(other.path().join("thesis.txt"), "mine").unwrap();
    assert!(matches!(init(other.path(), &InitOptions::default()), Err(crate::init::InitError::NotEmpty(_))));
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 1);
}

#[test]
fn content_is_forgotten_after_its_time_and_the_entries_stay() {
    let Place { _folder: folder, data, service } = Place::new();
    drop(service);
    let clock = Arc::new(crate::clock::FixedClock::at(jiff::Timestamp::now()));
    let service = Service::open(&data, clock.clone(), Opening::Administer).unwrap();
    let place = Place { _folder: folder, data, service: Arc::new(service) };
    let event = place.create("cells", PoolKind::Custody).unwrap().receipt().event_id();
    assert!(place.service.forget_old_content().unwrap().is_none());
    clock.advance(jiff::SignedDuration::from_hours(24 * 1096 - 1));
    assert!(place.service.forget_old_content().unwrap().is_none());
    assert!(place.service.audit().content(event).unwrap().is_some());
    let before = place.entries().len();
    clock.advance(jiff::SignedDuration::from_hours(2));
    let purged = place.service.forget_old_content().unwrap().unwrap();
    assert!(purged.keys > 0 && purged.parts > 0, "{purged:?}");
    assert!(place.service.audit().content(event).unwrap().is_none());
    let entries = place.entries();
    assert_eq!(entries.len(), before + 2);
    assert!(entries.iter().any(|entry| entry.event_id == event));
    assert_eq!(entries.last().unwrap().operation, Operation::Erasure);
}

#[cfg(unix)]
#[test]
fn nothing_in_a_data_directory_is_open_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let mut folders = vec![place.data.path().to_path_buf()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for path in
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).chain([folder.clone()])
        {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
            seen += 1;
            if path.is_dir() && path != folder {
                folders.push(path);
            }
        }
    }
    assert!(seen > 15, "only {seen} files");
}

mod points;
