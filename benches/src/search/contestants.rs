//! Who takes part: as many as fit into memory, the most telling first.

use std::time::Duration;

use likeness_models::Metric;

use super::TierChoice;
use super::case::Job;
use super::ours::Tier;
use super::rival::{self, Rival};
use crate::machine;
use crate::timing::timed;

/// Our name in tables.
pub(crate) const OURS: &str = "ours, certified exact";

/// The limit's name in tables.
pub(crate) const LIMIT: &str = "memory read of the codes";

/// The flags that FAISS, as a part of this program, was compiled with.
pub(crate) const FAISS_FLAGS: Option<&str> = option_env!("CXXFLAGS");

/// Left free for the system, and for what building takes for a moment.
const RESERVE: u64 = 1 << 30;

/// Another library's index.
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) rival: Box<dyn Rival>,
}

/// What building somebody took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Built {
    pub(crate) took: Duration,
    /// Growth of resident memory.
    pub(crate) bytes: i64,
}

impl Built {
    /// Adds what this work takes.
    pub(crate) fn add(&mut self, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        let before = machine::resident_bytes();
        let (done, took) = timed(work);
        done?;
        self.took += took;
        self.bytes += machine::resident_bytes() as i64 - before as i64;
        Ok(())
    }
}

fn available() -> u64 {
    machine::available_bytes().unwrap_or(4 << 30).saturating_sub(RESERVE)
}

/// Full precision in memory when that leaves room for others, on disk otherwise.
pub(super) fn choose_tier(job: &Job) -> anyhow::Result<(Tier, Vec<String>)> {
    let in_memory = job.rows * Tier::Memory.stated_bytes(job.dimension) as u64;
    let tier = match job.tier {
        TierChoice::Memory => Tier::Memory,
        TierChoice::Sealed => Tier::Sealed,
        TierChoice::Fitting if in_memory < available() / 5 * 2 => Tier::Memory,
        TierChoice::Fitting => Tier::Sealed,
    };
    let need = job.rows * (tier.stated_bytes(job.dimension) + job.dimension) as u64;
    anyhow::ensure!(
        need < available(),
        "{} x {} needs {:.1} GB of memory, but {:.1} GB are free",
        job.rows,
        job.dimension,
        need as f64 / 1e9,
        available() as f64 / 1e9
    );
    if tier == Tier::Sealed {
        let need = job.rows * (4 * job.dimension as u64 + 24);
        let free = fs4::available_space(&job.folder)?;
        anyhow::ensure!(
            need + (2 << 30) < free,
            "the sealed file of {} x {} needs {:.1} GB of disk, but `{}` has {:.1} GB free",
            job.rows,
            job.dimension,
            need as f64 / 1e9,
            job.folder.display(),
            free as f64 / 1e9
        );
    }
    Ok((tier, Vec::new()))
}

/// Everybody who fits, and a sentence for each who does not.
pub(super) fn choose(
    job: &Job,
    metric: Metric,
    tier: Tier,
) -> anyhow::Result<(Vec<Contestant>, Vec<String>)> {
    // Ours, and the memory that is read.
    let mut taken = job.rows * (tier.stated_bytes(job.dimension) + job.dimension) as u64;
    let mut largest = 0;
    let (mut chosen, mut left_out) = (Vec::new(), Vec::new());
    for contestant in everybody(job.dimension, metric, &mut left_out)? {
        let bytes = job.rows * (contestant.rival.stated_bytes() as u64 + 16);
        // An index that grows holds its old and its new memory for a moment.
        if taken + bytes + largest.max(bytes) < available() {
            taken += bytes;
            largest = largest.max(bytes);
            chosen.push(contestant);
        } else {
            left_out.push(format!(
                "{}: its {:.1} GB do not fit beside the others in {:.1} GB of free memory",
                contestant.name,
                bytes as f64 / 1e9,
                available() as f64 / 1e9
            ));
        }
    }
    Ok((chosen, left_out))
}

fn everybody(
    dimension: usize,
    metric: Metric,
    left_out: &mut Vec<String>,
) -> anyhow::Result<Vec<Contestant>> {
    let named = |name: &str, rival: Box<dyn Rival>| Contestant { name: name.to_owned(), rival };
    let mut all = vec![
        named("FAISS SQ8", Box::new(rival::bytes(dimension, metric)?)),
        named("FAISS Flat f32", Box::new(rival::flat(dimension, metric)?)),
        named("FAISS SQfp16", Box::new(rival::half(dimension, metric)?)),
    ];
    #[cfg(feature = "usearch")]
    {
        use super::usearch_exact::exact;
        use usearch::ScalarKind;
        for (name, scalars) in [
            ("usearch exact i8", ScalarKind::I8),
            ("usearch exact f16", ScalarKind::F16),
            ("usearch exact f32", ScalarKind::F32),
        ] {
            let index = exact(dimension, metric, scalars)?;
            all.push(named(&format!("{name} ({})", index.instructions()), Box::new(index)));
        }
    }
    #[cfg(not(feature = "usearch"))]
    left_out.push("usearch: this program was built without it; `scripts/bench` builds it in".to_owned());
    #[cfg(feature = "usearch")]
    let _ = left_out;
    let _ = &mut all;
    Ok(all)
}
