//! Everybody in turn, round by round.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use likeness_matcher::runtime::Inference;
use likeness_matcher::{Matcher, QualityPolicy, Selection, StageTimes};

use super::peer::Peers;
use super::tape::Asked;
use super::{Rate, Stage, Threads, floor};
use crate::timing::Spread;

/// Pipeline, floor, peer.
type Round = (Rate, Rate, Option<Rate>);
/// The pipeline's own networks, by what the recorded tensors were for: detector, landmarks, embedder.
pub(super) type Networks = [Option<Arc<dyn Inference>>; 3];

pub(super) struct Turns<'a> {
    pub(super) matcher: &'a Matcher,
    pub(super) images: &'a [Vec<u8>],
    pub(super) pack: &'a str,
    pub(super) tape: &'a Path,
    /// The networks as the pipeline runs them, and for each image what they are asked.
    pub(super) networks: &'a Networks,
    pub(super) asked: &'a [Vec<Asked>],
    pub(super) threads: usize,
    pub(super) seconds: f64,
}

impl Turns<'_> {
    pub(super) fn run(
        &self,
        rounds: usize,
        mut peers: Option<&mut Peers>,
    ) -> anyhow::Result<(Threads, Vec<Stage>)> {
        let (mut rates, mut times, mut networks, mut own) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        // Buffers are made on the first images.
        self.pipeline(self.seconds / 10.0)?;
        for _ in 0..rounds {
            let floor = floor::in_a_process_of_its_own(self.pack, self.tape, self.threads, self.seconds)?;
            let (rate, stage_times) = self.pipeline(self.seconds)?;
            own.push((rate.per_second(), self.own_networks(self.seconds)?.per_second()));
            let peer = peers.as_mut().map(|peers| peers.rate(self.seconds, self.images.len())).transpose()?;
            rates.push((rate, floor.rate, peer));
            networks.push(floor.ms_per_image);
            times.extend(stage_times);
        }
        let median = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied()
        };
        let all = |of: &dyn Fn(&Round) -> f64| median(rates.iter().map(of).collect()).context("no rounds");
        let threads = Threads {
            threads: self.threads,
            pipeline: all(&|round| round.0.per_second())?,
            floor: all(&|round| round.1.per_second())?,
            peer: median(rates.iter().filter_map(|round| Some(round.2?.per_second())).collect()),
            share_of_floor: all(&|round| round.0.per_second() / round.1.per_second())?,
            times_peer: median(
                rates.iter().filter_map(|round| Some(round.0.per_second() / round.2?.per_second())).collect(),
            ),
            networks: median(own.iter().map(|(_, networks)| *networks).collect()),
            share_of_networks: median(own.iter().map(|(pipeline, networks)| pipeline / networks).collect()),
            rounds: rates.clone(),
        };
        Ok((threads, by_stage(&times, &networks)?))
    }

    fn pipeline(&self, seconds: f64) -> anyhow::Result<(Rate, Vec<StageTimes>)> {
        let policy = QualityPolicy::default();
        let one = |index: usize| {
            Ok(self.matcher.analyse_timed(&self.images[index], &Selection::Largest, &policy)?.1)
        };
        self.work(seconds, one)
    }

    /// What is left of the pipeline without decoding, scaling, aligning and quality.
    fn own_networks(&self, seconds: f64) -> anyhow::Result<Rate> {
        let one = |index: usize| -> anyhow::Result<()> {
            for Asked { network, input } in &self.asked[index] {
                let network = self.networks[usize::from(*network)].as_ref();
                network.context("the pack lacks a recorded network")?.run(input)?;
            }
            Ok(())
        };
        Ok(self.work(seconds, one)?.0)
    }

    /// Works through the images, again and again, for so long; a begun image is finished.
    fn work<T: Send>(
        &self,
        seconds: f64,
        one: impl Fn(usize) -> anyhow::Result<T> + Sync,
    ) -> anyhow::Result<(Rate, Vec<T>)> {
        let next = AtomicUsize::new(0);
        let began = Instant::now();
        let until = began + Duration::from_secs_f64(seconds);
        let one_thread = || -> anyhow::Result<Vec<T>> {
            let mut done = Vec::new();
            while Instant::now() < until {
                done.push(one(next.fetch_add(1, Ordering::Relaxed) % self.images.len())?);
            }
            Ok(done)
        };
        let done = std::thread::scope(|scope| {
            let working: Vec<_> = (0..self.threads).map(|_| scope.spawn(one_thread)).collect();
            let mut all = Vec::new();
            for thread in working {
                all.extend(thread.join().map_err(|_| anyhow::anyhow!("a working thread panicked"))??);
            }
            anyhow::Ok(all)
        })?;
        Ok((Rate { images: done.len(), seconds: began.elapsed().as_secs_f64() }, done))
    }
}

fn by_stage(times: &[StageTimes], networks: &[[f64; 3]]) -> anyhow::Result<Vec<Stage>> {
    let Some(first) = times.first() else { return Ok(Vec::new()) };
    let floor =
        |network: usize| networks.iter().map(|ms| ms[network]).sum::<f64>() / networks.len().max(1) as f64;
    let names = first.stages().map(|(name, _)| name);
    let stages = names.into_iter().enumerate().map(|(place, name)| {
        let taken: Vec<Duration> = times.iter().map(|times| times.stages()[place].1).collect();
        let floor_ms = match name {
            "detect" => Some(floor(0)),
            "landmarks" => Some(floor(1)),
            "embed" => Some(floor(2)),
            _ => None,
        };
        let time = Spread::of(&taken).context("no times")?;
        Ok(Stage { name: name.to_owned(), time, floor_ms })
    });
    stages.collect()
}
