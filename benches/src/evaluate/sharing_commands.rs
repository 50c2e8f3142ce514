//! `share`, `overdue` and `summary`: what becomes of a report after it was made.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use jiff::civil::Date;

use super::compare::write_new;
use super::output::{file_digest, read_sealed};
use super::sharing;

fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// `share`.
#[derive(Args, Clone, Debug)]
pub struct Share {
    /// A complete run folder.
    folder: PathBuf,
    /// The register; made on first use. CSV, lines are only ever added.
    #[arg(long, value_name = "FILE")]
    register: PathBuf,
    /// The body that was given the report. Without it, the report is registered only, and its days begin to count.
    #[arg(long, value_name = "TEXT")]
    with: Option<String>,
    /// The day it was given. Default: today.
    #[arg(long, requires = "with", value_name = "YYYY-MM-DD")]
    on: Option<Date>,
}

impl Share {
    /// Runs it.
    ///
    /// # Errors
    /// When the run is not complete, or the register cannot be written.
    pub fn run(&self) -> anyhow::Result<()> {
        let shared = self.with.as_deref().map(|with| (with, self.on.unwrap_or_else(today)));
        let line = sharing::share(&self.folder, &self.register, shared, today())?;
        match line.shared_on {
            Some(on) => println!("report {}: shared with {} on {on}", line.report_id, line.shared_with),
            None => println!("report {}: registered, made on {}", line.report_id, line.made_on),
        }
        Ok(())
    }
}

/// `overdue`.
#[derive(Args, Clone, Debug)]
pub struct Overdue {
    /// The register.
    #[arg(long, value_name = "FILE")]
    register: PathBuf,
    /// A body that is to be given every report; may be repeated.
    #[arg(long = "with", required = true, value_name = "TEXT")]
    bodies: Vec<String>,
    /// Days after a run within which they are to have its report.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i32).range(0..=3650))]
    within_days: i32,
}

impl Overdue {
    /// Runs it.
    ///
    /// # Errors
    /// When a report is overdue, so that whatever runs this every day notices; when the register cannot be read.
    pub fn run(&self) -> anyhow::Result<()> {
        ensure!(self.register.exists(), "there is no register `{}`", self.register.display());
        let register = sharing::read(&self.register)?;
        let late = sharing::overdue(&register, &self.bodies, self.within_days, today());
        for one in &late {
            println!(
                "OVERDUE by {} days: {} has not been given report {} ({}, {}, made on {})",
                one.days,
                one.body,
                one.report.report_id,
                one.report.algorithm,
                one.report.data_set,
                one.report.made_on
            );
        }
        ensure!(
            late.is_empty(),
            "{} reports are overdue; hand them over, then record it with `likeness-bench share`",
            late.len()
        );
        println!("nothing is overdue");
        Ok(())
    }
}

/// `summary`.
#[derive(Args, Clone, Debug)]
pub struct Summary {
    /// A complete run folder.
    folder: PathBuf,
    /// The page to write; has to be new.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The register that says who was given the report.
    #[arg(long, value_name = "FILE")]
    register: Option<PathBuf>,
}

impl Summary {
    /// Runs it.
    ///
    /// # Errors
    /// When the run is not complete or was changed, or the page cannot be written.
    pub fn run(&self) -> anyhow::Result<()> {
        let metrics = read_sealed(&self.folder)?;
        let id = file_digest(&self.folder.join("metrics.json"))?;
        let register = self.register.as_deref().map(sharing::read).transpose()?.unwrap_or_default();
        let of_this: Vec<_> = register.into_iter().filter(|line| line.report_id == id).collect();
        write_new(&self.out, crate::report::summary::page(&metrics, &id, &of_this).as_bytes())?;
        println!("{}", self.out.display());
        Ok(())
    }
}
