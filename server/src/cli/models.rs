//! `likeness models list | pull | add | verify`: which algorithm exactly, on this machine.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use likeness_matcher::{
    Matcher, MatcherOptions,
    verify::{DESCRIPTOR_TOLERANCE, LANDMARK_TOLERANCE_PX, verify},
};
use likeness_models::{Home, Pack, PackSummary, PullEvent, PullOptions, golden, list, pull};
use serde_json::{Value, json};

use super::{
    failure::{Exit, Failure, chain},
    output,
    text::{plain, short},
};

mod add;

/// What was typed.
#[derive(Subcommand, Debug)]
pub enum ModelsCommand {
    /// List the installed packs
    List(ListArgs),
    /// Fetch ONNX Runtime and the default pack, pinned by digest; does nothing when both are there
    Pull(PullArgs),
    /// Register your own ONNX detector and embedder as a pack
    Add(Box<add::AddArgs>),
    /// Run the golden face chips through a pack and print the differences
    Verify(VerifyArgs),
}

/// The packs.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A fetch.
#[derive(Args, Debug)]
pub struct PullArgs {
    /// Take the packages from this file or folder instead of the registries, for a machine without network
    #[arg(long, value_name = "PATH")]
    from: Option<PathBuf>,
}

/// A verification.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// Name of the pack
    #[arg(default_value = likeness_models::DEFAULT_PACK)]
    pack: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ModelsCommand {
    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        match self {
            Self::List(args) => args.json,
            Self::Verify(args) => args.json,
            Self::Add(args) => args.json,
            Self::Pull(_) => false,
        }
    }
}

/// Runs one of the commands.
///
/// # Errors
/// A pack is refused, cannot be fetched, or cannot be run.
pub fn run(command: ModelsCommand) -> Result<Exit, Failure> {
    let home = home()?;
    match command {
        ModelsCommand::List(args) => show(&home, args.json),
        ModelsCommand::Pull(args) => fetch(&home, &PullOptions { from: args.from }).map(|()| Exit::Done),
        ModelsCommand::Add(args) => add::run(&home, *args),
        ModelsCommand::Verify(args) => check(&home, &args),
    }
}

fn home() -> Result<Home, Failure> {
    Home::locate().map_err(|error| Failure::usage(chain(&error)))
}

/// Fetches ONNX Runtime and the default pack when they are absent.
///
/// # Errors
/// They cannot be fetched.
pub fn ensure_default() -> Result<(), Failure> {
    fetch(&home()?, &PullOptions::default())
        .map_err(|failure| failure.advise("with a network or a mirror, run this again; or copy the packages here and run `likeness models pull --from FOLDER`"))
}

fn fetch(home: &Home, options: &PullOptions) -> Result<(), Failure> {
    let mut say = |event: PullEvent| {
        output::note(&match event {
            PullEvent::Present(item) => format!("{item}: installed and intact"),
            PullEvent::Overridden(path) => format!("using the site's own library {}", path.display()),
            PullEvent::Repairing(item) => format!("{item}: what is installed was altered; replacing it"),
            PullEvent::Fetching { item, client } => {
                format!("{item}: fetching with {client} ({})", item.why())
            }
            PullEvent::Importing(item) => format!("{item}: checking and unpacking"),
            PullEvent::Installed(item) => format!("{item}: installed"),
        });
    };
    pull(home, options, &mut say).map(drop).map_err(|error| Failure::fault(chain(&error)))
}

fn to_json(pack: &PackSummary) -> Value {
    json!({
        "name": pack.name.as_str(),
        "version": pack.version,
        "licence": pack.licence,
        "provenance": pack.provenance,
        "space_id": pack.space_id.to_string(),
        "detector": pack.detector.as_str(),
        "landmarks": pack.landmarks,
        "chip_size": pack.chip_size,
        "dimension": pack.dimension,
        "metric": pack.metric.as_str(),
        "threshold": { "similarity": pack.threshold.similarity, "source": pack.threshold.source, "meaning": pack.threshold.meaning },
    })
}

fn show(home: &Home, as_json: bool) -> Result<Exit, Failure> {
    let packs =
        list(home).map_err(|error| Failure::fault(format!("cannot read the model packs: {error}")))?;
    if as_json {
        let packs: Value = packs
            .iter()
            .map(|listed| match &listed.pack {
                Ok(pack) => to_json(pack),
                Err(error) => json!({ "name": listed.name.as_str(), "refused": chain(error) }),
            })
            .collect();
        output::json(&json!({ "home": home.path().display().to_string(), "packs": packs }))?;
        return Ok(Exit::Done);
    }
    if packs.is_empty() {
        output::line(&format!(
            "No model pack in {}. `likeness models pull` fetches the default one.",
            home.path().display()
        ))?;
        return Ok(Exit::Done);
    }
    let mut table =
        output::table(["pack", "version", "detector", "landmarks", "embedding", "threshold", "space"]);
    for listed in &packs {
        match &listed.pack {
            Ok(pack) => table.add_row([
                pack.name.to_string(),
                short(&pack.version, 24),
                pack.detector.to_string(),
                if pack.landmarks { "own model" } else { "the detector's" }.to_owned(),
                format!("{}, {}", pack.dimension, pack.metric),
                format!("{:.4}", pack.threshold.similarity),
                short(&pack.space_id.to_string(), 13),
            ]),
            Err(error) => {
                table.add_row([listed.name.to_string(), format!("REFUSED: {}", short(&chain(error), 100))])
            }
        };
    }
    output::line(&table.trim_fmt())?;
    Ok(Exit::Done)
}

fn check(home: &Home, args: &VerifyArgs) -> Result<Exit, Failure> {
    let pack = Pack::open(home, &args.pack).map_err(|error| Failure::fault(chain(&error)))?;
    let chips = golden(pack.manifest()).map_err(|error| Failure::fault(chain(&error)))?;
    if chips.is_empty() {
        return Err(Failure::new(
            Exit::Refused,
            format!(
                "pack `{}` shares no model with `face-api`, so there are no golden values for it",
                plain(&args.pack)
            ),
        )
        .advise(
            "its digests and shapes are checked each time it is opened; measure it with `likeness-bench`",
        ));
    }
    let runtime = home.runtime_library().map_err(|error| Failure::fault(chain(&error)))?;
    let matcher = Matcher::open(&pack, &runtime, &MatcherOptions::default())
        .map_err(|error| Failure::fault(chain(&error)))?;
    let differences = verify(&matcher, &chips).map_err(|error| Failure::fault(chain(&error)))?;
    let agrees = differences.iter().all(likeness_matcher::verify::ChipDifference::agrees);
    if args.json {
        let chips: Value = differences
            .iter()
            .map(|chip| json!({ "descriptor": chip.descriptor, "landmarks_px": chip.landmarks_px, "agrees": chip.agrees() }))
            .collect();
        output::json(&json!({
            "pack": args.pack,
            "space_id": pack.space_id().to_string(),
            "agrees": agrees,
            "descriptor_tolerance": DESCRIPTOR_TOLERANCE,
            "landmark_tolerance_px": LANDMARK_TOLERANCE_PX,
            "chips": chips,
        }))?;
    } else {
        let mut table = output::table([
            "golden chip",
            "largest descriptor difference",
            "largest landmark difference (px)",
            "agrees",
        ]);
        let cell = |difference: Option<f32>| {
            difference.map_or_else(|| "other model".to_owned(), |difference| format!("{difference:.6}"))
        };
        for (number, chip) in differences.iter().enumerate() {
            let word = if chip.agrees() { "yes" } else { "NO" };
            table.add_row([
                number.to_string(),
                cell(chip.descriptor),
                cell(chip.landmarks_px),
                word.to_owned(),
            ]);
        }
        output::line(&format!(
            "{}\nAccepted: {DESCRIPTOR_TOLERANCE} per descriptor value, {LANDMARK_TOLERANCE_PX} px per landmark.",
            table.trim_fmt()
        ))?;
    }
    if agrees {
        Ok(Exit::Done)
    } else {
        Err(Failure::fault(format!("pack `{}` does not compute what it should on this machine", plain(&args.pack)))
            .advise("`likeness models pull` reinstalls altered files; if it persists, this processor or runtime is not usable for it"))
    }
}
