//! Gets ONNX Runtime and the default model pack, and says what is there.
//!
//! `cargo run --release -p likeness-models --example pull`, and on a machine without network the folder (or file)
//! with the two packages as its argument.

use std::error::Error;
use std::process::ExitCode;

use likeness_models::{Home, PullEvent, PullOptions, list, pull};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let home = Home::locate()?;
    let from = std::env::args_os().nth(1).map(Into::into);
    let pulled = pull(&home, &PullOptions { from }, &mut |event| match event {
        PullEvent::Present(item) => println!("{item}: there and intact"),
        PullEvent::Overridden(path) => println!("ONNX Runtime: using {}", path.display()),
        PullEvent::Repairing(item) => println!("{item}: altered, installing it again"),
        PullEvent::Fetching { item, client } => println!("{item}: fetching with {client} ({})", item.why()),
        PullEvent::Importing(item) => println!("{item}: checking and unpacking"),
        PullEvent::Installed(item) => println!("{item}: installed"),
    })?;
    println!("runtime {}", pulled.runtime.display());
    for listed in list(&home)? {
        match listed.pack {
            Ok(pack) => println!(
                "pack {} {}: {} numbers, space {}",
                pack.name, pack.version, pack.dimension, pack.space_id
            ),
            Err(error) => println!("pack {} cannot be used: {error}", listed.name),
        }
    }
    Ok(())
}
