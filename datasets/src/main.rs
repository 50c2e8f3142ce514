//! `likeness-datasets`: renders synthetic persons, and spoils pictures as a camera would.
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use likeness_datasets::{
    Degradation, degrade, encode_jpeg,
    synth::{self, Order, Style},
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// Labelled images: synthetic persons for demonstrations, tests and load.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Render synthetic persons, a folder each, with a manifest that `likeness enrol` reads.
    Synth {
        /// Folder to write into.
        #[arg(long)]
        out: PathBuf,
        /// Number of persons.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        persons: u32,
        /// Captures of each person.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        captures: u32,
        /// Number of the first capture; number n of a person is always the same picture.
        #[arg(long, default_value_t = 0)]
        first_capture: u32,
        /// Seed of the family of persons.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Index of the first person.
        #[arg(long, default_value_t = 0)]
        start_index: u64,
        /// Kind of captures.
        #[arg(long, value_enum, default_value = "plain")]
        style: Kind,
        /// JPEG quality of the files.
        #[arg(long, default_value_t = 92, value_parser = clap::value_parser!(u8).range(1..=100))]
        quality: u8,
    },
    /// Spoil any picture as a camera would.
    Degrade {
        /// Picture to read.
        input: PathBuf,
        /// JPEG file to write.
        output: PathBuf,
        /// What kind of camera.
        #[arg(long, value_enum, default_value = "cctv")]
        style: Kind,
        /// Seed of noise and of the camera's parameters.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A cooperative portrait.
    Plain,
    /// A CCTV still.
    Cctv,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Synth { out, persons, captures, first_capture, seed, start_index, style, quality } => {
            let order = Order {
                seed,
                persons: start_index..start_index.saturating_add(u64::from(persons)),
                captures: first_capture..first_capture.saturating_add(captures),
                style: match style {
                    Kind::Plain => Style::Plain,
                    Kind::Cctv => Style::Cctv,
                },
                quality,
            };
            let bar = ProgressBar::new(u64::from(persons) * u64::from(captures));
            bar.set_style(ProgressStyle::with_template(
                "{wide_bar} {pos}/{len} rendered, {per_sec}, {eta} left",
            )?);
            let images = synth::write(&out, &order, || bar.inc(1))?;
            bar.finish_and_clear();
            println!("{images} images of {persons} synthetic persons in {} (seed {seed})", out.display());
        }
        Command::Degrade { input, output, style, seed } => {
            let picture = image::open(&input)
                .with_context(|| format!("cannot read `{}` as an image", input.display()))?
                .to_rgb8();
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let how = match style {
                Kind::Plain => Degradation::portrait(&mut rng),
                Kind::Cctv => Degradation::cctv(&mut rng),
            };
            let spoilt = degrade(&picture, &how, seed)?;
            std::fs::write(&output, encode_jpeg(&spoilt, 88)?)
                .with_context(|| format!("cannot write `{}`", output.display()))?;
            println!("{} degraded as {how:?}", output.display());
        }
    }
    Ok(())
}
