//! What follows for one record on one day.
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{AgeBand, ApplicationTest, CustodyOutcome, Facts, MopiGroup, RuleSet};
use crate::pool::PoolKind;

mod basis;
mod day;
mod presumption;

use basis::Basis;
use day::Day;

/// Rule of a record whose category the pool may not hold.
pub const RULE_CATEGORY: &str = "category";
/// Rule of a record that a review decided to dispose of.
pub const RULE_DISPOSED: &str = "review.dispose";
/// Rule of a record that a review retains.
pub const RULE_REVIEW: &str = "review.retain";
/// Names that no rule of a file may have.
pub(super) const RESERVED: [&str; 3] = [RULE_CATEGORY, RULE_DISPOSED, RULE_REVIEW];

/// What happens with the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Disposition {
    /// A rule retains it.
    Retain,
    /// Nothing retains it any more.
    Due {
        /// The first day on which nothing did.
        since: Date,
    },
    /// A hold keeps it, whatever the rules say.
    Held {
        /// Id of the hold that lasts longest.
        by: String,
        /// What it would be without.
        would_be: WouldBe,
    },
}

/// What a held record would be without its holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WouldBe {
    /// Retained.
    Retain,
    /// Due.
    Due {
        /// The first day on which nothing retained it.
        since: Date,
    },
}

/// What is known of the outcome, for the record as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeStatus {
    /// The pool does not hold custody images.
    NotApplicable,
    /// No event is recorded, so the outcome is missing too.
    NoEvent,
    /// An event is pending.
    Pending,
    /// Convicted in at least one event.
    Convicted,
    /// Cautioned in at least one event.
    Cautioned,
    /// Every event ended without either.
    NotConvicted,
}

impl OutcomeStatus {
    /// Every status.
    pub const ALL: [OutcomeStatus; 6] = [
        OutcomeStatus::NotApplicable,
        OutcomeStatus::NoEvent,
        OutcomeStatus::Pending,
        OutcomeStatus::Convicted,
        OutcomeStatus::Cautioned,
        OutcomeStatus::NotConvicted,
    ];

    /// The name used in files, on the command line and in reports.
    pub fn code(self) -> &'static str {
        match self {
            OutcomeStatus::NotApplicable => "not_applicable",
            OutcomeStatus::NoEvent => "no_event",
            OutcomeStatus::Pending => "pending",
            OutcomeStatus::Convicted => "convicted",
            OutcomeStatus::Cautioned => "cautioned",
            OutcomeStatus::NotConvicted => "not_convicted",
        }
    }

    fn of(kind: PoolKind, facts: &Facts) -> Self {
        let any = |outcome| facts.events.iter().any(|event| event.outcome == outcome);
        if kind != PoolKind::Custody {
            OutcomeStatus::NotApplicable
        } else if facts.events.is_empty() {
            OutcomeStatus::NoEvent
        } else if any(CustodyOutcome::Pending) {
            OutcomeStatus::Pending
        } else if any(CustodyOutcome::Convicted) {
            OutcomeStatus::Convicted
        } else if any(CustodyOutcome::Cautioned) {
            OutcomeStatus::Cautioned
        } else {
            OutcomeStatus::NotConvicted
        }
    }
}

/// What holds when the person asks for deletion (R29, R30).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presumption {
    /// Id of the rule.
    pub rule: String,
    /// What a refusal must show.
    pub test: ApplicationTest,
    /// The first day on which the rule holds. An application before is decided without a presumption.
    pub open_from: Date,
    /// Whether that day has come.
    pub open: bool,
}

impl Presumption {
    /// The test that an application made today meets.
    pub fn test_now(&self) -> ApplicationTest {
        if self.open { self.test } else { ApplicationTest::None }
    }
}

/// What follows for a record from its facts and a version of the rules, on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// What happens with it.
    pub disposition: Disposition,
    /// Id of the rule that decided.
    pub rule: String,
    /// The heaviest MoPI group among pending events, cautions and convictions.
    pub group: Option<MopiGroup>,
    /// What is known of the outcome.
    pub outcome_status: OutcomeStatus,
    /// When somebody looks at it again. For a record that is due, since when it is.
    pub next_review_on: Date,
    /// When the missing outcome is to be asked for; it may have passed.
    pub chase_on: Option<Date>,
    /// It is retained or held, and the review has not taken place.
    pub overdue_review: bool,
    /// The first later day on which this assessment is another one although no fact has changed.
    pub changes_on: Option<Date>,
    /// What holds when the person asks for deletion.
    pub presumption: Presumption,
    /// Age when the first image was taken.
    pub age_band: AgeBand,
    /// One sentence for each rule that was considered, the deciding one first. Names no person, but tells of outcomes and
    /// their days: it is kept sealed like the facts, and never goes into a log line or an audit entry.
    pub explanation: Vec<String>,
}

impl Assessment {
    /// Whether the rules no longer retain it and no hold does.
    pub fn is_due(&self) -> bool {
        matches!(self.disposition, Disposition::Due { .. })
    }
}

/// Says what follows from `facts` under `rules` on the day `today`, for a record in a pool of this kind.
///
/// Facts are taken as they are: what lies after `today` is not left out. Total: there is an answer for all facts.
pub fn assess(rules: &RuleSet, kind: PoolKind, facts: &Facts, today: Date) -> Assessment {
    let mut day = Day::new(today);
    let mut now = on(rules, kind, facts, &day);
    // An assessment depends on the day only through `Day::reached`, and so stays the same until the first day that was
    // asked about. There it may or may not change, so each such day is looked at in turn.
    while let Some(next) = day.next() {
        day = Day::new(next);
        if on(rules, kind, facts, &day) != now {
            now.changes_on = Some(next);
            break;
        }
    }
    now
}

/// The assessment as a text for people: the decision, then a line for each rule that was considered.
pub fn explain(rules: &RuleSet, kind: PoolKind, facts: &Facts, today: Date) -> String {
    let assessment = assess(rules, kind, facts, today);
    let headline = match &assessment.disposition {
        Disposition::Retain => "retained".to_owned(),
        Disposition::Due { since } => format!("due since {since}"),
        Disposition::Held { by, would_be: WouldBe::Retain } => {
            format!("held by {by}, and retained without it")
        }
        Disposition::Held { by, would_be: WouldBe::Due { since } } => {
            format!("held by {by}, due since {since} without it")
        }
    };
    let (rule, version) = (&assessment.rule, rules.version());
    let review = assessment.next_review_on;
    let changes = assessment.changes_on.map_or_else(|| "never".to_owned(), |on| on.to_string());
    let mut text = format!(
        "On {today}: {headline} (rule {rule} of version {version}). Next review {review}; changes by itself {changes}.\n"
    );
    for sentence in &assessment.explanation {
        text.push_str("- ");
        text.push_str(sentence);
        text.push('\n');
    }
    text
}

/// The assessment on one day, without `changes_on`.
fn on(rules: &RuleSet, kind: PoolKind, facts: &Facts, day: &Day) -> Assessment {
    let mut bases = basis::all(rules, kind, facts);
    // The longest time decides; of equal ones the first in the file.
    let mut decides = 0;
    for (at, basis) in bases.iter().enumerate() {
        if basis.until > bases[decides].until {
            decides = at;
        }
    }
    bases.swap(0, decides);
    let mut explanation: Vec<String> = bases.iter().map(|basis| sentence(basis, day)).collect();
    let basis = &bases[0];
    let since = basis.until;
    let due = day.reached(since);
    let mut next_review_on = if due { since } else { basis.next_review };
    let disposition = match basis::hold(facts, day) {
        Some(hold) => {
            if due {
                next_review_on = hold.expires_on;
            }
            let until = hold.expires_on;
            explanation
                .insert(0, format!("The hold {} keeps it, until {until} unless it is lifted.", hold.id));
            let would_be = if due { WouldBe::Due { since } } else { WouldBe::Retain };
            Disposition::Held { by: hold.id.clone(), would_be }
        }
        None if due => Disposition::Due { since },
        None => Disposition::Retain,
    };
    let presumption = presumption::of(rules, kind, facts, basis.event, day);
    let asks = match presumption.test {
        ApplicationTest::None => "there is no presumption of deletion",
        ApplicationTest::ExceptionalReason => "refusing needs an exceptional reason",
        ApplicationTest::HighlyExceptionalReason => "refusing needs a highly exceptional reason",
    };
    explanation
        .push(format!("{}: on an application from {} on, {asks}.", presumption.rule, presumption.open_from));
    let leap = rules.raw.counting.get_ref().leap_day_birthday;
    Assessment {
        overdue_review: !matches!(disposition, Disposition::Due { .. }) && day.reached(next_review_on),
        disposition,
        rule: basis.rule.to_owned(),
        group: basis::group(facts),
        outcome_status: OutcomeStatus::of(kind, facts),
        next_review_on,
        chase_on: bases.iter().filter_map(|basis| basis.chase_on).min(),
        changes_on: None,
        presumption,
        age_band: AgeBand::on(facts.date_of_birth, facts.first_captured_on(), leap),
        explanation,
    }
}

fn sentence(basis: &Basis<'_>, day: &Day) -> String {
    let (rule, until) = (basis.rule, basis.until);
    let why = &basis.why;
    if day.reached(until) {
        format!("{rule}: {why}; no longer retains since {until}.")
    } else {
        format!("{rule}: {why}; retains until {until}, to be reviewed on {}.", basis.next_review)
    }
}
