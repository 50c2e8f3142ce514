//! `likeness search`: one probe, one or more pools, a ranked list of candidates per person.

use std::path::{Path, PathBuf};

use clap::Args;
use likeness_proto::v1::{SearchRequest, SearchResponse, search_response::Mode};

use super::{
    connect::{self, Connection},
    context::StatedContext,
    failure::{Exit, Failure},
    output, page, picture,
    profile::Profile,
    selection::{Select, how_to_choose},
    source::{Acquisition, source_types},
};

mod json;
mod table;

/// What was typed.
#[derive(Args, Debug)]
pub struct SearchArgs {
    /// The probe: a JPEG, PNG, WebP, BMP or TIFF file
    image: PathBuf,
    /// Pool to search; give it again for more pools
    #[arg(long = "pool", value_name = "NAME", required = true)]
    pools: Vec<String>,
    #[command(flatten)]
    context: StatedContext,
    /// Where the probe came from
    #[arg(long, value_name = "TYPE", value_parser = source_types())]
    source: String,
    #[command(flatten)]
    acquisition: Acquisition,
    /// Which face is meant: `only`, `largest`, `index:N` or `box:LEFT,TOP,WIDTH,HEIGHT`
    #[arg(long, value_name = "CHOICE", default_value = "only")]
    select: Select,
    /// Longest candidate list wanted, 1 to 200 [default: the server's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: Option<u32>,
    /// Show only candidates at or above the threshold of an approved operating point
    #[arg(long)]
    identification: bool,
    /// The operating point to use (implies --identification) [default: the newest that fits each pool]
    #[arg(long, value_name = "ID")]
    operating_point: Option<String>,
    /// A threshold (implies --identification); must be exactly that of an approved operating point
    #[arg(long, value_name = "SIMILARITY", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Also write one self-contained page with the probe and the candidates side by side
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl SearchArgs {
    /// Whether results go out as JSON.
    pub fn json(&self) -> bool {
        self.json
    }
}

/// Searches and prints what was found.
///
/// # Errors
/// The image cannot be read, the service refuses or fails, or a result cannot be written.
pub async fn run(args: SearchArgs, profile: &Profile) -> Result<Exit, Failure> {
    let probe = picture::read(&args.image)?;
    let context = args.context.wire(profile);
    let source = args.acquisition.wire(&args.source, &context);
    let connection = Connection::open(profile).await?;
    let request = SearchRequest {
        context: Some(context.clone()),
        probe: probe.clone(),
        source: Some(source.clone()),
        selection: args.select.wire(),
        pools: args.pools.clone(),
        candidate_list_length: args.limit.unwrap_or(0),
        mode: if args.identification { Mode::Identification } else { Mode::Unspecified }.into(),
        operating_point: args.operating_point.clone().unwrap_or_default(),
        threshold: args.threshold,
    };
    let sheet = page::Sheet { probe: &probe, context: &context, source: &source };
    let answer = match connection.search().search(connect::call(request)).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            let failure = Failure::from(status);
            return Err(explain(failure, args.html.as_deref(), &sheet));
        }
    };
    // The person's answer first: a page that fails to write must not hide what was found.
    if args.json {
        output::json(&json::render(&answer))?;
    } else {
        output::line(&table::render(&answer))?;
    }
    if let Some(path) = &args.html {
        let images = page::fetch(&connection, &context, &answer).await;
        output::private_file(path, page::render(&sheet, &answer, &images).as_bytes())?;
        output::note(&format!("Page with the probe and the candidates: {}", path.display()));
    }
    Ok(exit_of(&answer))
}

/// When a face has to be chosen: the faces by number, drawn too when a page was asked for.
fn explain(failure: Failure, page: Option<&Path>, sheet: &page::Sheet<'_>) -> Failure {
    let Some(refusal) = failure.refusal().filter(|refusal| !refusal.faces.is_empty()) else {
        return failure;
    };
    let mut more = how_to_choose(&refusal.faces, "--select");
    if let Some(path) = page {
        more.push_str(&match output::private_file(path, page::choose(sheet, refusal).as_bytes()) {
            Ok(()) => format!("\nThe faces are drawn and numbered in {}", path.display()),
            Err(unwritten) => format!("\n{}", unwritten.for_people()),
        });
    }
    failure.showing(more)
}

/// A pool that was asked for and not searched makes the answer partial.
fn exit_of(answer: &SearchResponse) -> Exit {
    if answer.pools.iter().all(|pool| pool.searched) { Exit::Done } else { Exit::Partial }
}
