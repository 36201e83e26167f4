//! The worker process of the NAS framework: started by `nas`, of no use by hand.

use std::process::ExitCode;

fn main() -> ExitCode {
    match nas_torch::worker::serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "nas-worker: {error}");
            ExitCode::FAILURE
        }
    }
}
