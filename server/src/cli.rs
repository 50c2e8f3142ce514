//! The command line: what was typed, and which command it means.

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

mod application;
mod audit;
mod backup;
mod calibrate;
mod compare;
mod connect;
mod context;
mod decision;
mod deletion_list;
mod details;
mod enrol;
mod failure;
mod image_file;
mod json;
mod models;
mod operating_point;
mod output;
mod page;
mod picture;
mod policy;
mod pool;
mod profile;
mod protect;
mod restore;
mod retention;
mod search;
mod searchable;
mod selection;
mod setup;
mod source;
mod subject;
mod system;
mod text;
mod wording;

use failure::{Exit, Failure};
use profile::Profile;

/// Exit codes, for `--help`.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 failure, 2 wrong usage, 3 refused (image, quality, request), 4 denied (token, role, purpose), \
5 no server answers, 6 the audit log does not verify, 7 done in part, 8 an operating point does not hold any more, 130 stopped by Ctrl-C.

A candidate is intelligence, never an identification.";

/// Accountable facial matching: enrol, search and compare, with every operation recorded
#[derive(Parser, Debug)]
#[command(name = "likeness", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// Where the server is and who is asking; a file, or the folder that `init` made
    #[arg(long, global = true, value_name = "FILE", env = profile::VARIABLE)]
    profile: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make a data folder: configuration, certificates, keys, an empty audit log and a first profile
    Init(setup::InitArgs),
    /// Serve a data folder
    Serve(setup::ServeArgs),
    /// Make and list pools
    #[command(subcommand)]
    Pool(pool::PoolCommand),
    /// Enrol a folder per person, or a manifest with metadata, into a pool
    Enrol(enrol::EnrolArgs),
    /// Look for a probe in pools
    Search(search::SearchArgs),
    /// Record what a person thinks of a candidate, and list it
    #[command(subcommand)]
    Decision(decision::DecisionCommand),
    /// Compare two images; neither is stored in a pool
    Compare(compare::CompareArgs),
    /// Show what a pool holds about a subject
    Subject(subject::SubjectArgs),
    /// Put subjects under protected views, lift them, list them. Default purpose `record_management`
    #[command(subcommand)]
    Protect(protect::ProtectCommand),
    /// Read one held image into a file
    Image(image_file::ImageArgs),
    /// Take a held image out of search; it is kept
    Unenrol(searchable::SearchableArgs),
    /// Put a held image back into search
    Reenrol(searchable::SearchableArgs),
    /// Copy pools, settings and the log into a new folder, without the keys. Default purpose `system_administration`
    Backup(backup::BackupArgs),
    /// Put a backup back; no server may run. Who was erased since stays erased. Default purpose `system_administration`
    Restore(restore::RestoreArgs),
    /// List, fetch, add and verify model packs
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Turn a tester's run into a signed operating point, for approval
    Calibrate(calibrate::CalibrateArgs),
    /// Approve, list, show and revoke operating points. Default purpose `system_administration`
    #[command(subcommand)]
    OperatingPoint(operating_point::PointCommand),
    /// Why and until when records are kept; what is due, what left use, and what was erased
    Retention(Box<retention::RetentionArgs>),
    /// People who ask that their record be deleted: receive, decide, appeals, counts. Default purpose `record_management`
    Application(Box<application::ApplicationArgs>),
    /// Lists back to forces: which of their images must go, signed, acknowledged, compared. Default purpose `record_management`
    DeletionList(Box<deletion_list::DeletionListArgs>),
    /// Verify the audit log, and read it as an auditor
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Ask the policies what a caller may do, and look them over
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Register, review and revoke the systems that may call
    #[command(subcommand)]
    System(system::SystemCommand),
    /// Issue and revoke tokens
    #[command(subcommand)]
    Token(setup::TokenCommand),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

impl Command {
    /// Whether results, and failures with them, go to standard output as JSON.
    fn json(&self) -> bool {
        match self {
            Self::Init(args) => args.json,
            Self::Pool(command) => command.json(),
            Self::Enrol(args) => args.json,
            Self::Search(args) => args.json(),
            Self::Decision(command) => command.json(),
            Self::Compare(args) => args.json,
            Self::Subject(args) => args.json,
            Self::Protect(command) => command.json(),
            Self::Image(args) => args.json,
            Self::Unenrol(args) | Self::Reenrol(args) => args.json,
            Self::Backup(args) => args.json(),
            Self::Restore(args) => args.json(),
            Self::Models(command) => command.json(),
            Self::Audit(command) => command.json(),
            Self::OperatingPoint(command) => command.json(),
            Self::Retention(args) => args.json,
            Self::Application(args) => args.json,
            Self::DeletionList(args) => args.json,
            Self::Policy(command) => command.json(),
            Self::System(command) => command.json(),
            Self::Calibrate(_) | Self::Serve(_) | Self::Token(_) | Self::Completions { .. } => false,
        }
    }
}

/// Runs the command and says how it ended.
pub fn main(cli: Cli) -> ExitCode {
    let json = cli.command.json();
    let exit = run(cli).unwrap_or_else(|failure| {
        output::note(&failure.for_people());
        if json {
            // Standard error has said it already; a standard output that is gone changes nothing.
            let _ = output::json(&failure.for_programs());
        }
        failure.exit()
    });
    ExitCode::from(exit as u8)
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let named = cli.profile.as_deref();
    match cli.command {
        Command::Init(args) => setup::init(args),
        Command::Serve(args) => setup::serve(args),
        Command::Models(command) => models::run(command),
        Command::Audit(command) if command.is_local() => audit::run(&command, named),
        Command::Restore(args) => restore::run(args, named),
        Command::Calibrate(args) => calibrate::run(args),
        Command::Policy(command) => policy::run(command, named),
        Command::System(command) => system::run(command, named),
        Command::Token(command) => setup::token(command),
        Command::Completions { shell } => completions(shell),
        client => {
            if let Command::Retention(args) = &client
                && let Some(ended) = retention::offline(args)
            {
                return ended;
            }
            if let Command::DeletionList(args) = &client
                && let Some(ended) = deletion_list::offline(args)
            {
                return ended;
            }
            if let Command::OperatingPoint(command) = &client
                && let Some(done) = command.local()
            {
                return done;
            }
            let profile = Profile::find(named)?;
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .map_err(|error| Failure::fault(format!("cannot start: {error}")))?;
            let ended = runtime.block_on(as_client(client, &profile));
            // A blocking read that is still under way must not hold up the answer to Ctrl-C.
            runtime.shutdown_background();
            ended
        }
    }
}

/// The commands that call the service.
async fn as_client(command: Command, profile: &Profile) -> Result<Exit, Failure> {
    // A bulk run stops in its own way: it waits for the answers under way and says what was done.
    if let Command::Enrol(args) = command {
        return enrol::run(args, profile).await;
    }
    let call = async {
        match command {
            Command::Pool(command) => pool::run(command, profile).await,
            Command::Search(args) => Box::pin(search::run(args, profile)).await,
            Command::Decision(command) => decision::run(command, profile).await,
            Command::Compare(args) => compare::run(args, profile).await,
            Command::Audit(command) => audit::ask(command, profile).await,
            Command::Subject(args) => subject::run(args, profile).await,
            Command::Protect(command) => protect::run(command, profile).await,
            Command::Image(args) => image_file::run(args, profile).await,
            Command::Unenrol(args) => searchable::run(args, false, profile).await,
            Command::Reenrol(args) => searchable::run(args, true, profile).await,
            Command::OperatingPoint(command) => operating_point::run(command, profile).await,
            Command::Backup(args) => backup::run(args, profile).await,
            Command::Retention(args) => Box::pin(retention::run(*args, profile)).await,
            Command::Application(args) => Box::pin(application::run(*args, profile)).await,
            Command::DeletionList(args) => Box::pin(deletion_list::run(*args, profile)).await,
            Command::Init(_)
            | Command::Serve(_)
            | Command::Restore(_)
            | Command::Enrol(_)
            | Command::Models(_)
            | Command::Calibrate(_)
            | Command::Policy(_)
            | Command::System(_)
            | Command::Token(_)
            | Command::Completions { .. } => Err(Failure::fault("this command does not call the service")),
        }
    };
    tokio::select! {
        ended = call => ended,
        _ = tokio::signal::ctrl_c() => Err(Failure::new(Exit::Interrupted, "stopped; the request may have been carried out, and is recorded if it was")),
    }
}

fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "likeness", &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests;
