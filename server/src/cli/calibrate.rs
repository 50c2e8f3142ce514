//! `likeness calibrate`: a tester's run becomes a signed operating point, for a person to approve.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::{Timestamp, civil::Date};
use likeness_server::{
    keys::TesterKey,
    points::{self, Calibration, Run, percent},
    pool::PoolKind,
};

use super::{
    failure::{Exit, Failure, chain},
    output,
};

/// What was typed.
#[derive(Args, Debug)]
pub struct CalibrateArgs {
    /// Folder of a complete `likeness-bench identify` run
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Kinds of pool it is meant for, separated by commas
    #[arg(long, value_name = "KIND,…", required = true, value_delimiter = ',', value_parser = kind)]
    pool_kinds: Vec<PoolKind>,
    /// Purposes it is meant for, separated by commas, for example `criminal_investigation`
    #[arg(long = "use-case", value_name = "CODE,…", required = true, value_delimiter = ',')]
    use_cases: Vec<String>,
    /// Share of searches for people who are not enrolled that may return anybody, for example 0.003
    #[arg(long, value_name = "SHARE", value_parser = share)]
    target_fpir: f64,
    /// Fewest searchable images of a pool it may be used in
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    gallery_from: u64,
    /// Most searchable images of a pool it may be used in [default: the largest gallery of the run]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    gallery_to: Option<u64>,
    /// Why the worst demographic group is not known, when the data set has no labels
    #[arg(long, value_name = "TEXT")]
    without_groups: Option<String>,
    /// Id of the person who is asked to approve it, as in that person's token
    #[arg(long, value_name = "ID")]
    approver: String,
    /// Last day of validity, at most two years from now
    #[arg(long, value_name = "YYYY-MM-DD")]
    expires: Date,
    /// The tester's private key; made on first use, with the public half beside it in FILE.pub
    #[arg(long, value_name = "FILE", default_value = "tester.key")]
    key: PathBuf,
    /// Signed record to write; never replaces one
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn kind(text: &str) -> Result<PoolKind, String> {
    text.replace('-', "_").parse().map_err(|error| format!("{error}"))
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if share > 0.0 && share < 1.0 { Ok(share) } else { Err(format!("`{text}` does not lie between 0 and 1")) }
}

/// Reads the run, makes the record, signs it.
///
/// # Errors
/// The run is incomplete, changed, or cannot support what is asked for; a file cannot be written.
pub fn run(args: CalibrateArgs) -> Result<Exit, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::new(Exit::Refused, chain(error));
    let run = Run::read(&args.run).map_err(|error| failed(&error))?;
    let asked = Calibration {
        pool_kinds: args.pool_kinds.into_iter().collect(),
        use_cases: args.use_cases.into_iter().collect(),
        target_fpir: args.target_fpir,
        gallery_from: args.gallery_from,
        gallery_to: args.gallery_to,
        without_groups: args.without_groups,
        approver: args.approver,
        expires_on: args.expires,
    };
    let point = points::calibrate(&run, &asked, Timestamp::now()).map_err(|error| failed(&error))?;
    let key = tester_key(&args.key)?;
    let note = points::sign(&point, &key).map_err(|error| failed(&error))?;
    if args.out.exists() {
        return Err(Failure::usage(format!("`{}` exists already; it was left as it is", args.out.display())));
    }
    output::private_file(&args.out, note.as_bytes())?;
    let applies = &point.applies_to;
    output::line(&format!(
        "Operating point for {}: threshold {}, for {} to {} searchable images\n\
         FPIR {} ({} of {}, {} to {}), FNIR {} ({} of {}, {} to {})",
        point.algorithm.pack,
        point.threshold,
        applies.gallery_from,
        applies.gallery_to,
        percent(point.fpir.rate),
        point.fpir.count,
        point.fpir.of,
        percent(point.fpir.low),
        percent(point.fpir.high),
        percent(point.fnir.rate),
        point.fnir.count,
        point.fnir.of,
        percent(point.fnir.low),
        percent(point.fnir.high),
    ))?;
    for (what, group) in [("FPIR", &point.worst.fpir), ("FNIR", &point.worst.fnir)] {
        if let Some(group) = group {
            output::line(&format!(
                "Worst group by {what}: {} {} ({} to {})",
                group.group,
                percent(group.rate.rate),
                percent(group.rate.low),
                percent(group.rate.high)
            ))?;
        }
    }
    if let Some(why) = &point.worst.not_measured {
        output::line(&format!("Worst group: not measured, {why}"))?;
    }
    if point.demonstration_only {
        output::line("Measured on synthetic images: for demonstration only, not for operational use.")?;
    }
    output::line(&format!(
        "Signed by {}\nIt holds nowhere yet: `{}` must approve it with\n  likeness operating-point approve {} --tester-key {}.pub",
        key.verifier(),
        point.approver,
        args.out.display(),
        args.key.display(),
    ))?;
    Ok(Exit::Done)
}

fn tester_key(file: &Path) -> Result<TesterKey, Failure> {
    let failed = |error: likeness_server::keys::KeyError| Failure::usage(chain(&error));
    if file.exists() {
        return TesterKey::open(file).map_err(failed);
    }
    let key = TesterKey::create(file).map_err(failed)?;
    output::note(&format!(
        "Made the tester's key {}; keep it private, and hand {}.pub to those who approve.",
        file.display(),
        file.display()
    ));
    Ok(key)
}
