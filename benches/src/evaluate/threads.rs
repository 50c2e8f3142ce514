//! One thread per search: the library under the index must not start threads of its own beside ours.

use std::process::Command;

/// Where OpenBLAS and OpenMP take their number of threads from, before `main`.
const VARIABLES: [&str; 2] = ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"];

/// Starts this program again with one thread for linear algebra, unless it is already so, and ends with what the other
/// process ended with.
///
/// # Errors
/// When the other process cannot be started.
pub fn one_thread_for_blas() -> anyhow::Result<()> {
    // In a test the program is the test runner, which must not be started again.
    if cfg!(test) || VARIABLES.iter().all(|variable| std::env::var(variable).is_ok_and(|set| set == "1")) {
        return Ok(());
    }
    let mut again = Command::new(std::env::current_exe()?);
    again.args(std::env::args_os().skip(1));
    for variable in VARIABLES {
        again.env(variable, "1");
    }
    std::process::exit(again.status()?.code().unwrap_or(1))
}
