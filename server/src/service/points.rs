//! Approving, listing and revoking operating points. A record is only a claim until a person whom it names has approved it.
use std::sync::{Arc, PoisonError};

use super::{Answer, Asked, Refusal, RefusalKind, Rendered, Service, Unanswered, case::Case, fields::Fields};
use crate::{
    audit::{Content, Entry, Outcome, Phase, Submission},
    authorise::{Action, Place},
    identity::Actor,
    keys::VerifierKey,
    points::{self, Approval, DIGEST_NOTE, Kept, PointId, Revocation, Situation, State, StoreError},
};

/// An operating point and whether it may be used now.
#[derive(Debug, Clone)]
pub struct PointAnswer {
    /// The approved record.
    pub kept: Arc<Kept>,
    /// Whether it may be used now.
    pub state: State,
}

/// The operating points of the service.
#[derive(Debug, Clone)]
pub struct PointList {
    /// By id.
    pub points: Vec<PointAnswer>,
    /// True when one was asked for by id: its whole record may be shown.
    pub whole: bool,
}

impl Service {
    /// What decides now whether operating points of this algorithm may be used.
    pub(super) fn situation<'a>(&self, space: &'a str) -> Situation<'a> {
        Situation {
            now: self.clock.now(),
            space,
            demonstration: self.config.search.demonstration_operating_points,
        }
    }

    fn point_answer(&self, kept: Arc<Kept>) -> PointAnswer {
        // In force for any algorithm that is loaded; which pools it fits is decided when they are searched.
        let space = &kept.point.algorithm.space_id;
        let loaded = space.parse().is_ok_and(|space| self.engine_with(space).is_ok());
        let here = if loaded { space.clone() } else { String::new() };
        let state = kept.state(self.situation(&here));
        PointAnswer { kept, state }
    }

    /// Approves a signed record.
    ///
    /// # Errors
    /// [`Unanswered`] when the record does not verify, names another approver, or the person may not approve.
    pub fn approve_point<M>(
        &self,
        asked: Asked,
        record: &str,
        tester_key: &str,
        render: impl FnOnce(&PointAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::ApproveOperatingPoint, asked);
        let _turn = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, event) = match self.check_record(&mut case, token.as_deref(), record, tester_key) {
            Ok(checked) => checked,
            Err(refusal) => return Err(case.refuse(None, refusal)),
        };
        self.change(case, event, kept, render)
    }

    fn check_record(
        &self,
        case: &mut Case<'_>,
        token: Option<&str>,
        record: &str,
        tester_key: &str,
    ) -> Result<(Kept, Entry), Refusal> {
        let actor = self.may_change_points(case, token)?;
        let mut fields = Fields::default();
        if record.is_empty() {
            fields.missing("record");
        } else if record.len() > points::MOST_NOTE_BYTES {
            fields.wrong(format!("`record` is longer than {} bytes", points::MOST_NOTE_BYTES));
        }
        let key: Option<VerifierKey> = tester_key.trim().parse().ok();
        if tester_key.is_empty() {
            fields.missing("tester_key");
        } else if key.is_none() {
            fields.wrong("`tester_key` is not a public key as in a tester's `.pub` file");
        }
        fields.finish()?;
        let Some(key) = key else { return Err(Refusal::invalid("missing_field", "missing: `tester_key`")) };
        let (id, point) = points::open(record, &key)
            .map_err(|error| Refusal::invalid("operating_point_not_valid", format!("the record: {error}")))?;
        if self.points.get(&id).is_some() {
            let said = StoreError::Exists(id).to_string();
            return Err(Refusal::new(RefusalKind::AlreadyExists, "operating_point_exists", said));
        }
        self.check_uses(&point)?;
        if point.approver != actor.subject {
            return Err(Refusal::new(
                RefusalKind::Denied,
                "not_the_approver",
                "the record asks another person to approve it; that person must do so, or ask the tester for a record that names you",
            ));
        }
        case.note("operating_point", id.as_str());
        case.note(DIGEST_NOTE, points::digest(record));
        case.note("tester_key", key.to_string());
        case.note("threshold", format!("{:.6}", point.threshold));
        case.note("space", point.algorithm.space_id.clone());
        let entry = case.entry(Phase::Intent, None, None);
        let approval = Approval {
            by: actor.subject,
            organisation: actor.organisation,
            at: entry.occurred_at,
            event: entry.event_id,
        };
        let kept = Kept { id, point, note: record.to_owned(), tester_key: key, approval, revocation: None };
        match kept.state(self.situation(&kept.point.algorithm.space_id)) {
            State::Expired => Err(Refusal::invalid(
                "operating_point_expired",
                format!("its last day of validity was {}; calibrate anew", kept.point.expires_on),
            )),
            State::DemonstrationNotAllowed => Err(demonstration_not_allowed()),
            State::InForce | State::Revoked | State::OtherAlgorithm => Ok((kept, entry)),
        }
    }

    /// Its purposes exist, and every kind of pool it names may permit at least one of them.
    fn check_uses(&self, point: &points::OperatingPoint) -> Result<(), Refusal> {
        for code in &point.applies_to.use_cases {
            let purposes = self.authoriser.purposes();
            let purpose = purposes.purpose(code).filter(|purpose| purposes.is_operational(purpose));
            let reached = purpose.is_some_and(|purpose| {
                point.applies_to.pool_kinds.iter().any(|kind| purposes.of_kind(*kind).contains(&purpose))
            });
            if !reached {
                return Err(Refusal::invalid(
                    "operating_point_use",
                    format!(
                        "the record names the use case `{}`, which no pool of its kinds may permit; calibrate it for a purpose that they do",
                        crate::text::recordable(code, 64).unwrap_or_default()
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Ends an approval.
    ///
    /// # Errors
    /// [`Unanswered`] when there is no such operating point, or the person may not revoke it.
    pub fn revoke_point<M>(
        &self,
        asked: Asked,
        id: &str,
        reason: &str,
        render: impl FnOnce(&PointAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::ApproveOperatingPoint, asked);
        let _turn = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let decided = self.may_change_points(&mut case, token.as_deref()).and_then(|actor| {
            let mut fields = Fields::default();
            fields.text("reason", reason, 8, 1000);
            fields.finish()?;
            let kept = self.point(id)?;
            if kept.revocation.is_some() {
                return Err(Refusal::new(
                    RefusalKind::AlreadyExists,
                    "operating_point_revoked",
                    "it is revoked already",
                ));
            }
            case.note("operating_point", kept.id.as_str());
            case.note(DIGEST_NOTE, kept.digest());
            case.note("reason", reason);
            let entry = case.entry(Phase::Intent, None, None);
            let revocation = Revocation {
                by: actor.subject,
                at: entry.occurred_at,
                event: entry.event_id,
                reason: reason.to_owned(),
            };
            Ok((Kept { revocation: Some(revocation), ..(*kept).clone() }, entry))
        });
        match decided {
            Ok((kept, entry)) => self.change(case, entry, kept, render),
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    /// Intent, change, outcome, answer.
    fn change<M>(
        &self,
        mut case: Case<'_>,
        intent: Entry,
        kept: Kept,
        render: impl FnOnce(&PointAnswer) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        self.record_one(Submission::from(intent.clone()))?;
        let kept = match self.points.put(kept) {
            Ok(kept) => kept,
            Err(error) => return Err(case.fail(&intent, Refusal::fault("points_failed", &error))),
        };
        let rendered = render(&self.point_answer(kept));
        let entry = intent.to_outcome(self.clock.now(), Outcome::Answered);
        let content = Content { probe: None, request: case.take_request(), response: Some(rendered.bytes) };
        let receipt = self.record_one(Submission { entry, content })?;
        Ok(Answer::new(rendered.message, receipt))
    }

    /// Lists operating points; one of them when `id` is not empty.
    ///
    /// # Errors
    /// [`Unanswered`] when the person may not see them, or there is no such operating point.
    pub fn list_points<M>(
        &self,
        asked: Asked,
        id: &str,
        render: impl FnOnce(&PointList) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let token = asked.token.clone();
        let mut case = Case::begin(self, Action::ListOperatingPoints, asked);
        let found = case.introduce(token.as_deref()).and_then(|(caller, context)| {
            case.admit_elsewhere(&caller, Place::Service, &context)?;
            if id.is_empty() { Ok(self.points.all()) } else { Ok(vec![self.point(id)?]) }
        });
        match found {
            Ok(points) => {
                let list = PointList {
                    points: points.into_iter().map(|kept| self.point_answer(kept)).collect(),
                    whole: !id.is_empty(),
                };
                let mut entry = case.entry(Phase::Single, None, None);
                entry.counts.insert("operating_points".to_owned(), list.points.len() as u64);
                let rendered = render(&list);
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    pub(super) fn point(&self, id: &str) -> Result<Arc<Kept>, Refusal> {
        let shown = || crate::text::recordable(id, 32).unwrap_or_default();
        let parsed: PointId = id
            .parse()
            .map_err(|error: points::PointIdError| Refusal::invalid("invalid_field", error.to_string()))?;
        self.points.get(&parsed).ok_or_else(|| {
            Refusal::new(
                RefusalKind::NotFound,
                "no_such_operating_point",
                StoreError::Unknown(shown()).to_string(),
            )
        })
    }

    fn may_change_points(&self, case: &mut Case<'_>, token: Option<&str>) -> Result<Actor, Refusal> {
        let (caller, actor, context) = case.introduce_person(token)?;
        case.admit_elsewhere(&caller, Place::Service, &context)?;
        Ok(actor)
    }
}

pub(super) fn demonstration_not_allowed() -> Refusal {
    Refusal::invalid(
        "demonstration_operating_point",
        "it was measured on synthetic images and is not for operational use: calibrate on your own images; for a demonstration \
         without real people, set `search.demonstration_operating_points = true` in config.toml and restart",
    )
}
