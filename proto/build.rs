//! Compiles `likeness/v1/*.proto` without an external compiler and keeps the descriptor set for reflection.
use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const FILES: [&str; 6] = [
    "likeness/v1/common.proto",
    "likeness/v1/comparison.proto",
    "likeness/v1/enrolment.proto",
    "likeness/v1/pool.proto",
    "likeness/v1/search.proto",
    "likeness/v1/subject.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=likeness");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("likeness.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().bytes(".likeness.v1").compile_fds(descriptors)?;
    Ok(())
}
