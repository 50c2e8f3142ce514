//! What became of every item: counts, reasons, and the file of refusals.

use std::{collections::BTreeMap, fs::File, path::Path, time::Duration};

use likeness_proto::v1::{EnrolResponse, enrol_response::Outcome};
use serde_json::{Value, json};

use super::{
    Terms,
    item::{Item, LeftOut, Unsendable},
};
use crate::cli::{
    failure::{Exit, Failure},
    output,
    text::{grouped, short},
};

/// How often something happened, and one example of it.
#[derive(Debug)]
struct Reason {
    count: u64,
    example: String,
    message: String,
}

/// The running account.
pub struct Tally {
    enrolled: u64,
    already: u64,
    held: u64,
    refused: u64,
    largest: u64,
    reasons: BTreeMap<String, Reason>,
    left_out: BTreeMap<&'static str, Reason>,
    file: Option<csv::Writer<File>>,
}

fn add<K: Ord>(reasons: &mut BTreeMap<K, Reason>, key: K, example: &str, message: &str) {
    reasons
        .entry(key)
        .or_insert_with(|| Reason { count: 0, example: example.to_owned(), message: message.to_owned() })
        .count += 1;
}

impl Tally {
    /// An empty account; `refusals` is opened now, so that a wrong path is found before anything is sent.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn new(refusals: Option<&Path>) -> Result<Self, Failure> {
        let file =
            refusals.map(|path| output::private_writer(path).map(csv::Writer::from_writer)).transpose()?;
        let mut tally = Self {
            enrolled: 0,
            already: 0,
            held: 0,
            refused: 0,
            largest: 0,
            reasons: BTreeMap::new(),
            left_out: BTreeMap::new(),
            file,
        };
        tally.write(["subject", "source_reference", "file", "code", "message"])?;
        Ok(tally)
    }

    fn write(&mut self, cells: [&str; 5]) -> Result<(), Failure> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        file.write_record(cells)
            .map_err(|error| Failure::fault(format!("cannot write the file of refusals: {error}")))
    }

    /// Takes in the service's answer for `item`.
    ///
    /// # Errors
    /// The file of refusals cannot be written, or the service sent an outcome of another version.
    pub fn answered(&mut self, item: &Item, answer: &EnrolResponse) -> Result<(), Failure> {
        self.largest += u64::from(answer.selected_largest);
        match answer.outcome() {
            Outcome::Enrolled => self.enrolled += 1,
            Outcome::AlreadyEnrolled => self.already += 1,
            Outcome::Held => self.held += 1,
            Outcome::Refused => {
                let refusal = answer.refusal.clone().unwrap_or_default();
                self.refuse(item, &refusal.code, &refusal.message)?;
            }
            Outcome::Unspecified => {
                return Err(Failure::fault(
                    "the server answered with an outcome that this version does not know",
                )
                .advise("use the `likeness` command of the server's version"));
            }
        }
        Ok(())
    }

    /// Takes in an item that could not be sent.
    ///
    /// # Errors
    /// The file of refusals cannot be written.
    pub fn unsendable(&mut self, item: &Item, why: &Unsendable) -> Result<(), Failure> {
        self.refuse(item, why.code(), &why.to_string())
    }

    fn refuse(&mut self, item: &Item, code: &str, message: &str) -> Result<(), Failure> {
        self.refused += 1;
        let file = item.file.display().to_string();
        add(&mut self.reasons, code.to_owned(), &file, message);
        self.write([&item.subject, &item.source_reference, &file, code, message])
    }

    /// Takes in a file that is not taken for an image of a subject.
    ///
    /// # Errors
    /// The file of refusals cannot be written.
    pub fn left_out(&mut self, file: &Path, why: LeftOut) -> Result<(), Failure> {
        let file = file.display().to_string();
        add(&mut self.left_out, why.code(), &file, &why.to_string());
        self.write(["", "", &file, why.code(), &why.to_string()])
    }

    /// Items with a final answer.
    pub fn done(&self) -> u64 {
        self.enrolled + self.already + self.held + self.refused
    }

    /// Items refused, by the service or before.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// The file of refusals cannot be written.
    pub fn close(&mut self) -> Result<(), Failure> {
        match &mut self.file {
            Some(file) => file
                .flush()
                .map_err(|error| Failure::fault(format!("cannot write the file of refusals: {error}"))),
            None => Ok(()),
        }
    }

    /// Nothing refused, some refused, or all refused.
    pub fn exit(&self) -> Exit {
        match (self.refused, self.done() - self.refused) {
            (0, _) => Exit::Done,
            (_, 0) => Exit::Refused,
            _ => Exit::Partial,
        }
    }

    /// The summary for programs.
    pub fn json(&self, terms: &Terms, took: Duration) -> Value {
        let reasons = |map: Vec<(&str, &Reason)>| -> Value {
            map.into_iter()
                .map(|(code, reason)| json!({ "code": code, "count": reason.count, "example": reason.example, "message": reason.message }))
                .collect()
        };
        json!({
            "pool": terms.pool,
            "reference": terms.context.reference_id,
            "enrolled": self.enrolled,
            "already_enrolled": self.already,
            "held": self.held,
            "refused": self.refused,
            "selected_largest": self.largest,
            "refusals": reasons(self.reasons.iter().map(|(code, reason)| (code.as_str(), reason)).collect()),
            "left_out": reasons(self.left_out.iter().map(|(code, reason)| (*code, reason)).collect()),
            "seconds": took.as_secs_f64(),
            "images_per_second": self.rate(took),
        })
    }

    fn rate(&self, took: Duration) -> f64 {
        self.done() as f64 / took.as_secs_f64().max(1e-3)
    }

    /// The summary for people.
    pub fn table(&self, terms: &Terms, took: Duration) -> String {
        let mut lines = vec![format!(
            "Pool `{}`: {} enrolled, {} already enrolled, {} held, {} refused, in {:.1} s ({:.1} images/s)",
            short(&terms.pool, 48),
            grouped(self.enrolled),
            grouped(self.already),
            grouped(self.held),
            grouped(self.refused),
            took.as_secs_f64(),
            self.rate(took),
        )];
        if self.largest > 0 {
            lines.push(format!(
                "{} of them by the largest of several faces, and recorded so",
                grouped(self.largest)
            ));
        }
        let sections = [
            (
                "refused because",
                self.reasons.iter().map(|(code, reason)| (code.as_str(), reason)).collect::<Vec<_>>(),
            ),
            ("left out because", self.left_out.iter().map(|(code, reason)| (*code, reason)).collect()),
        ];
        for (title, mut reasons) in sections {
            if reasons.is_empty() {
                continue;
            }
            // Most frequent first: that is the one worth fixing.
            reasons.sort_by_key(|(code, reason)| (std::cmp::Reverse(reason.count), *code));
            let mut table = output::table([title, "count", "for example", "what it said"]);
            for (code, reason) in reasons {
                table.add_row([
                    short(code, 32),
                    grouped(reason.count),
                    tail(&reason.example, 40),
                    short(&reason.message, 80),
                ]);
            }
            lines.push(format!("\n{}", table.trim_fmt()));
        }
        lines.join("\n")
    }
}

/// The end of a path: that is where the names are.
fn tail(path: &str, limit: usize) -> String {
    let length = path.chars().count();
    if length <= limit {
        return short(path, limit);
    }
    let end: String = path.chars().skip(length - limit + 1).collect();
    short(&format!("…{end}"), limit)
}

#[cfg(test)]
mod tests;
