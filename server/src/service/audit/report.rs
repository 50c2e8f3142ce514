//! What can be said from many entries, as JSON documents.
use jiff::Timestamp;
use serde_json::Value;

use super::{
    scope::{Scope, Sight},
    unreadable,
};
use crate::{
    audit::{Entry, Phase},
    authorise::Action,
    service::{Answer, Asked, Refusal, Rendered, Service, Unanswered, case::Case, fields::Fields},
};

mod access;
mod facts;
mod statistics;
mod suppress;

/// Which document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// Counts, small ones suppressed.
    Statistics,
    /// Organisations that reached data.
    AccessList,
    /// Entries that the anomaly rules flag.
    Anomalies,
    /// The configuration as it is.
    DpiaFacts,
}

impl ReportKind {
    fn code(self) -> &'static str {
        match self {
            ReportKind::Statistics => "statistics",
            ReportKind::AccessList => "access_list",
            ReportKind::Anomalies => "anomalies",
            ReportKind::DpiaFacts => "dpia_facts",
        }
    }
}

/// A report as it was asked for; nothing in it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRequest {
    /// Which; none when the request left it out.
    pub kind: Option<ReportKind>,
    /// RFC 3339, or empty.
    pub from: String,
    /// RFC 3339, or empty.
    pub until: String,
}

/// Entries fetched at a time.
const PIECE: u64 = 500;

/// A period of the log.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Period {
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl Period {
    pub(super) fn read(from: &str, until: &str, fields: &mut Fields) -> Period {
        Period {
            from: super::filter::time("from", from, fields),
            until: super::filter::time("until", until, fields),
        }
    }
}

impl Service {
    /// Makes a report for an auditor, from the entries they may see.
    ///
    /// # Errors
    /// [`Unanswered`] when the request is refused, denied, or fails.
    pub fn report<M>(
        &self,
        asked: Asked,
        request: &ReportRequest,
        render: impl FnOnce(&str) -> Rendered<M>,
    ) -> Result<Answer<M>, Unanswered> {
        let (mut case, scope, _) = self.audit_case(Action::ReadAudit, asked)?;
        case.note("scope", scope.told());
        case.note("report", request.kind.map_or("none", ReportKind::code));
        match self.reported(&case, request, &scope) {
            Ok(document) => {
                let entry = case.entry(Phase::Single, None, None);
                let rendered = render(&document.to_string());
                case.answer(entry, None, rendered)
            }
            Err(refusal) => Err(case.refuse(None, refusal)),
        }
    }

    fn reported(
        &self,
        case: &Case<'_>,
        request: &ReportRequest,
        scope: &Scope<'_>,
    ) -> Result<Value, Refusal> {
        let mut fields = Fields::default();
        let period = Period::read(&request.from, &request.until, &mut fields);
        if request.kind.is_none() {
            fields.missing("kind");
        }
        fields.finish()?;
        let mut document = match request.kind {
            None | Some(ReportKind::DpiaFacts) => self.facts(),
            Some(ReportKind::Statistics) => {
                let mut counts = statistics::Counts::default();
                self.scan_scoped(case, period, scope, |entry, sight| {
                    // Counts name nobody: one's own entries are counted like all others.
                    if sight != Sight::Beyond {
                        counts.add(entry);
                    }
                })?;
                counts.document()
            }
            Some(ReportKind::AccessList) => {
                let mut list = access::AccessList::default();
                self.scan_scoped(case, period, scope, |entry, sight| {
                    if sight != Sight::Beyond {
                        list.add(entry);
                    }
                })?;
                list.document()
            }
            Some(ReportKind::Anomalies) => {
                let mut watch = self.anomaly_rules.watch();
                let mut flags = Vec::new();
                self.scan_scoped(case, period, scope, |entry, sight| {
                    let found = watch.observe(entry);
                    if sight == Sight::Shown {
                        flags.extend(found.iter().map(crate::audit::anomaly::Flag::document));
                    }
                })?;
                serde_json::json!({ "rules": self.anomaly_rules.names(), "flags": flags })
            }
        };
        if let Value::Object(members) = &mut document {
            let text = |time: Option<Timestamp>| time.map_or(Value::Null, |time| format!("{time:.3}").into());
            members.insert("report".to_owned(), request.kind.map_or("", ReportKind::code).into());
            members.insert("from".to_owned(), text(period.from));
            members.insert("until".to_owned(), text(period.until));
            members.insert("scope".to_owned(), scope.told().into());
        }
        Ok(document)
    }

    /// Shows every entry of the period to `look`, with whether the person may see it. Refuses when time runs out.
    pub(super) fn scan_scoped(
        &self,
        case: &Case<'_>,
        period: Period,
        scope: &Scope<'_>,
        mut look: impl FnMut(&Entry, Sight),
    ) -> Result<(), Refusal> {
        self.scan(case, period, |entry| look(entry, scope.sight(entry)))
    }

    /// Shows every entry of the period to `look`, whoever asks. Refuses when time runs out.
    pub(super) fn scan(
        &self,
        case: &Case<'_>,
        period: Period,
        mut look: impl FnMut(&Entry),
    ) -> Result<(), Refusal> {
        let span = self.audit.span(period.from, period.until).map_err(unreadable)?;
        let mut at = span.start;
        while at < span.end {
            case.in_time()?;
            let piece = self.audit.entries(at, PIECE.min(span.end - at) as usize).map_err(unreadable)?;
            if piece.is_empty() {
                break;
            }
            for stored in &piece {
                at = stored.index + 1;
                let time = stored.entry.occurred_at;
                let inside = period.from.is_none_or(|from| time >= from)
                    && period.until.is_none_or(|until| time < until);
                if inside {
                    look(&stored.entry);
                }
            }
        }
        Ok(())
    }
}
