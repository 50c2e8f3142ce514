//! Applications as the wire has them.
use jiff::civil::Date;
use likeness_proto::v1;

use crate::{
    pool::Applied,
    records::State,
    retention::{
        ApplicationTest,
        application::{ApplicationCounts, ApplicationDecision},
    },
    service::{ApplicationPage, ApplicationsAnswer, Consequence, StatisticsAnswer},
};

fn day(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

fn presumption(rule: &str, test: ApplicationTest) -> v1::DeletionPresumption {
    let needs = test.refusal();
    v1::DeletionPresumption {
        rule: rule.to_owned(),
        test: test.code().to_owned(),
        refusal_needs: needs.fields.iter().map(|field| (*field).to_owned()).collect(),
        refused_by: needs.least.code().to_owned(),
        words: needs.words.to_owned(),
    }
}

fn decision(made: &ApplicationDecision) -> v1::ApplicationDecision {
    v1::ApplicationDecision {
        on: made.on.to_string(),
        by: made.by.clone(),
        stated: Some(v1::StatedDecision {
            verdict: made.verdict.code().to_owned(),
            seniority: made.seniority.code().to_owned(),
            authority: made.authority.clone(),
            reason: made.reason.clone(),
            policing_purpose: made.policing_purpose.clone().unwrap_or_default(),
            exceptional_reason: made.exceptional_reason.clone().unwrap_or_default(),
            why_highly_exceptional: made.why_highly_exceptional.clone().unwrap_or_default(),
        }),
    }
}

pub(super) fn application(pool: &str, applied: &Applied, today: Date) -> v1::DeletionApplication {
    let application = &applied.application;
    v1::DeletionApplication {
        id: applied.id.to_string(),
        pool: pool.to_owned(),
        subject_id: applied.subject.to_string(),
        force: application.force.clone(),
        received_on: application.received_on.to_string(),
        grounds: application.grounds.clone(),
        presumption: Some(presumption(&application.rule, application.test)),
        state: application.state().code().to_owned(),
        decide_by: day(application.decide_by()),
        overdue: application.is_overdue(today),
        decision: application.decision.as_ref().map(decision),
        appeal_by: day(application.appeal_by),
        appeal: application.appeal.as_ref().map(|appeal| v1::ApplicationAppeal {
            received_on: appeal.received_on.to_string(),
            grounds: appeal.grounds.clone(),
            decide_by: appeal.decide_by.to_string(),
            decision: appeal.decision.as_ref().map(decision),
        }),
    }
}

pub(super) fn consequence(follows: &Consequence, state: State, review: Date) -> v1::ApplicationConsequence {
    let (erased_on, held_by, held_until) = match follows {
        Consequence::Retained => (None, "", None),
        Consequence::LeavesUse { erased_on } => (Some(*erased_on), "", None),
        Consequence::Held { by, until, erased_on } => (*erased_on, by.as_str(), Some(*until)),
        Consequence::BeyondUse { erased_on } => (*erased_on, "", None),
    };
    v1::ApplicationConsequence {
        outcome: follows.code().to_owned(),
        state: match state {
            State::Active => v1::RecordState::Active,
            State::BeyondUse => v1::RecordState::BeyondUse,
            State::Erasing => v1::RecordState::Erasing,
        }
        .into(),
        erased_on: day(erased_on),
        held_by: held_by.to_owned(),
        held_until: day(held_until),
        next_review_on: review.to_string(),
        words: follows.words(),
    }
}

pub(super) fn applications(answer: &ApplicationsAnswer) -> v1::GetApplicationsResponse {
    let shown = |applied| application(&answer.pool, applied, answer.today);
    v1::GetApplicationsResponse {
        subject_id: answer.subject.to_string(),
        applications: answer.applications.iter().map(shown).collect(),
        presumption_today: Some(presumption(&answer.presumption.rule, answer.presumption.test_now())),
        consequence: Some(consequence(&answer.consequence, answer.state, answer.next_review_on)),
        receipt: None,
    }
}

pub(super) fn page(page: &ApplicationPage) -> v1::ListApplicationsResponse {
    let lines = page.lines.iter().map(|line| v1::ApplicationLine {
        id: line.id.to_string(),
        subject_id: line.subject.to_string(),
        force: line.force.clone(),
        received_on: line.received_on.to_string(),
        state: line.state.code().to_owned(),
        decide_by: day(line.decide_by),
        overdue: line.decide_by.is_some_and(|by| page.today > by),
    });
    v1::ListApplicationsResponse {
        lines: lines.collect(),
        next: page.next.unwrap_or_default(),
        receipt: None,
    }
}

pub(super) fn statistics(answer: &StatisticsAnswer) -> v1::GetApplicationStatisticsResponse {
    let forces = if answer.publishable {
        answer
            .statistics
            .publishable()
            .into_iter()
            .map(|(force, shown)| {
                let count = |name: &str| shown.get(name).copied().flatten();
                v1::ForceApplications {
                    force,
                    received: count("received"),
                    agreed: count("agreed"),
                    refused: count("refused"),
                    undecided: count("undecided"),
                    overtaken: count("overtaken"),
                    appealed: count("appealed"),
                    overdue: count("overdue"),
                }
            })
            .collect()
    } else {
        answer.statistics.forces().iter().map(|(force, counts)| exact(force, counts)).collect()
    };
    v1::GetApplicationStatisticsResponse { forces, publishable: answer.publishable, receipt: None }
}

fn exact(force: &str, counts: &ApplicationCounts) -> v1::ForceApplications {
    v1::ForceApplications {
        force: force.to_owned(),
        received: Some(counts.received),
        agreed: Some(counts.agreed),
        refused: Some(counts.refused),
        undecided: Some(counts.undecided),
        overtaken: Some(counts.overtaken),
        appealed: Some(counts.appealed),
        overdue: Some(counts.overdue),
    }
}
