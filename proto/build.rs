//! Compiles `likeness/v1/*.proto` without an external compiler and keeps the descriptor set for reflection.
use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const FILES: [&str; 15] = [
    "likeness/v1/application.proto",
    "likeness/v1/audit.proto",
    "likeness/v1/backup.proto",
    "likeness/v1/common.proto",
    "likeness/v1/comparison.proto",
    "likeness/v1/decision.proto",
    "likeness/v1/deletion_list.proto",
    "likeness/v1/enrolment.proto",
    "likeness/v1/migration.proto",
    "likeness/v1/operating_point.proto",
    "likeness/v1/pool.proto",
    "likeness/v1/protection.proto",
    "likeness/v1/retention.proto",
    "likeness/v1/search.proto",
    "likeness/v1/subject.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=likeness");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("likeness.bin"), descriptors.encode_to_vec())?;
    let mut calls = Vec::new();
    for file in &descriptors.file {
        for service in &file.service {
            for method in &service.method {
                let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                calls.push((name, method.output_type().trim_start_matches('.').to_owned()));
            }
        }
    }
    fs::write(out.join("calls.rs"), constants(&calls))?;
    tonic_prost_build::configure().bytes(".likeness.v1").compile_fds(descriptors)?;
    Ok(())
}

/// Every call and the type of its answer as constants, so that whoever must treat all calls can be checked at compile time.
fn constants(calls: &[(String, String)]) -> String {
    let count = calls.len();
    let names: String = calls.iter().map(|(name, _)| format!("{name:?}, ")).collect();
    let answers: String = calls.iter().map(|(_, answer)| format!("{answer:?}, ")).collect();
    format!(
        "/// Full name of every call of the package.\npub const CALLS: [&str; {count}] = [{names}];\n\
         /// Full name of the message that each of [`CALLS`] answers with, in the same order.\n\
         pub const ANSWERS: [&str; {count}] = [{answers}];\n"
    )
}
