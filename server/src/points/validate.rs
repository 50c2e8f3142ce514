//! Whether a record says one thing: what is written twice agrees, and every number is in its range.
use jiff::{ToSpan as _, tz::TimeZone};
use thiserror::Error;

use super::record::{FORMAT, MeasuredSize, OperatingPoint, Rate};

/// Longest validity, in days: an algorithm, a camera park and a population change faster than that.
pub const MOST_DAYS: i64 = 731;
/// Most gallery sizes, and most steps of all curves together.
const MOST_SIZES: usize = 64;
const MOST_ROWS: usize = 50_000;
/// Longest text, in characters.
const MOST_TEXT: usize = 1000;

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the operating point is not valid: {0}")]
pub struct InvalidRecord(pub(super) String);

impl OperatingPoint {
    /// Checks that the record does not contradict itself.
    ///
    /// # Errors
    /// [`InvalidRecord`] with the first thing that is wrong.
    pub fn check(&self) -> Result<(), InvalidRecord> {
        let require =
            |holds: bool, what: &str| if holds { Ok(()) } else { Err(InvalidRecord(what.to_owned())) };
        require(self.format == FORMAT, "`format` is not 1, the one this program reads")?;
        let hex = |text: &str| {
            text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        for (name, digest) in [
            ("algorithm.space_id", &self.algorithm.space_id),
            ("algorithm.digest", &self.algorithm.digest),
            ("evidence.data_set_digest", &self.evidence.data_set_digest),
            ("evidence.report_id", &self.evidence.report_id),
            ("evidence.run_digest", &self.evidence.run_digest),
        ] {
            require(hex(digest), &format!("`{name}` is not 64 lower-case hexadecimal digits"))?;
        }
        for (name, text) in [
            ("algorithm.pack", &self.algorithm.pack),
            ("algorithm.version", &self.algorithm.version),
            ("evidence.data_set", &self.evidence.data_set),
            ("evidence.tool", &self.evidence.tool),
            ("approver", &self.approver),
        ] {
            require(usable(text), &format!("`{name}` is empty, too long, or has hidden characters"))?;
        }
        let applies = &self.applies_to;
        require(!applies.pool_kinds.is_empty(), "`applies_to.pool_kinds` is empty")?;
        require(
            !applies.use_cases.is_empty() && applies.use_cases.iter().all(|code| usable(code)),
            "`applies_to.use_cases` is empty or has an unusable code",
        )?;
        let unit = |value: f64| value > 0.0 && value < 1.0;
        require(self.threshold.is_finite() && self.threshold <= 1.0, "`threshold` is not a similarity")?;
        require(unit(self.target_fpir), "`target_fpir` is not between 0 and 1")?;
        require(unit(self.confidence), "`confidence` is not between 0 and 1")?;
        require(self.list_length >= 1, "`list_length` is 0")?;
        self.check_curve()?;
        let largest = self.curve.last().map_or(0, |size| size.references);
        require(
            1 <= applies.gallery_from
                && applies.gallery_from <= applies.gallery_to
                && applies.gallery_to <= largest,
            "`applies_to` names gallery sizes that are empty, reversed, or larger than any measured",
        )?;
        let (fpir, fnir) =
            self.rates_at_threshold().ok_or_else(|| InvalidRecord("nothing was measured".into()))?;
        require(close(&self.fpir, &fpir), "`fpir` is not what the curve says at the threshold")?;
        require(close(&self.fnir, &fnir), "`fnir` is not what the curve says at the threshold")?;
        let worst = &self.worst;
        for group in worst.fpir.iter().chain(&worst.fnir) {
            let counted = Rate::counted(group.rate.count, group.rate.of, self.confidence);
            require(
                usable(&group.group) && counted.is_some_and(|counted| close(&group.rate, &counted)),
                "a rate in `worst` contradicts its counts",
            )?;
        }
        require(
            (worst.fpir.is_some() && worst.fnir.is_some()) != worst.not_measured.is_some(),
            "`worst` needs the worst groups, or why there are none",
        )?;
        require(
            worst.not_measured.as_ref().is_none_or(|why| usable(why)),
            "`worst.not_measured` is not a reason",
        )?;
        require(
            self.demonstration_only || !self.evidence.synthetic,
            "measured on synthetic images, it must be marked `demonstration_only`",
        )?;
        let made = self.made_at.to_zoned(TimeZone::UTC).date();
        let last = made.checked_add(MOST_DAYS.days()).unwrap_or(jiff::civil::Date::MAX);
        require(
            made <= self.expires_on && self.expires_on <= last,
            &format!("`expires_on` lies before it was made, or more than {MOST_DAYS} days after"),
        )
    }

    fn check_curve(&self) -> Result<(), InvalidRecord> {
        let wrong = |what: &str| Err(InvalidRecord(format!("`curve`: {what}")));
        let rows: usize = self.curve.iter().map(|size| size.rows.len()).sum();
        if self.curve.is_empty() || self.curve.len() > MOST_SIZES || rows > MOST_ROWS {
            return wrong("it has no gallery size, or too many sizes or steps");
        }
        if self.curve.windows(2).any(|pair| pair[0].references >= pair[1].references) {
            return wrong("gallery sizes do not ascend");
        }
        self.curve.iter().try_for_each(|size| match size.contradiction() {
            None => Ok(()),
            Some(what) => wrong(what),
        })
    }
}

impl MeasuredSize {
    fn contradiction(&self) -> Option<&'static str> {
        if self.references == 0
            || self.mated_searches == 0
            || self.non_mated_searches == 0
            || self.rows.is_empty()
        {
            return Some("a gallery size has no images, searches or steps");
        }
        for row in &self.rows {
            if !row.threshold.is_finite()
                || row.false_positives > self.non_mated_searches
                || row.missed > self.mated_searches
            {
                return Some("a step is not finite, or counts more searches than were made");
            }
        }
        let descends = self.rows.windows(2).any(|pair| {
            pair[0].threshold >= pair[1].threshold
                || pair[0].false_positives < pair[1].false_positives
                || pair[0].missed > pair[1].missed
        });
        descends.then_some("thresholds or misses do not ascend, or false positives do not descend")
    }
}

/// Counts agree exactly, computed ends to the last few bits: another machine's logarithm may differ in them.
fn close(left: &Rate, right: &Rate) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9;
    left.count == right.count
        && left.of == right.of
        && near(left.rate, right.rate)
        && near(left.low, right.low)
        && near(left.high, right.high)
}

fn usable(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MOST_TEXT && !text.chars().any(crate::text::is_hidden)
}
