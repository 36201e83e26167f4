//! `nas doctor`: looks for what may be missing on this machine.

use std::fs;
use std::path::Path;

use clap::Args;
use nas_core::executor::{DataCache, worker_program};
use nas_core::plugin::Registry;
use nas_core::protocol::data::{DataConfig, DataFormat};

use crate::components;
use crate::error::HostError;
use crate::exit_code::ExitCode;
use crate::output;
use crate::output::style::{ERROR, LITERAL, WARNING, paint};

/// What can be given: nothing.
#[derive(Args)]
pub(crate) struct Arguments {}

/// What was found.
enum Finding {
    Good(String),
    Poor(String),
    Bad(String),
}

/// Looks at everything, and fails if something is missing that a search needs.
pub(crate) fn run(_: &Arguments) -> Result<ExitCode, HostError> {
    let registry = components::registry();
    let findings = [
        ("nas", Finding::Good(format!("version {}", env!("CARGO_PKG_VERSION")))),
        ("worker", worker()),
        ("device", device()),
        (
            "plugins",
            match &registry {
                Ok(registry) => plugins(registry),
                Err(error) => Finding::Bad(format!("failed to {error}")),
            },
        ),
        (
            "plugin host",
            match &registry {
                Ok(registry) => plugin_host(registry),
                Err(_) => Finding::Poor("not looked for".to_owned()),
            },
        ),
        (
            "search path",
            match &registry {
                Ok(registry) => Finding::Good(paths(&registry.places().search)),
                Err(_) => Finding::Poor("not read".to_owned()),
            },
        ),
        (
            "plugin cache",
            match &registry {
                Ok(registry) => folder(&registry.places().cache),
                Err(_) => Finding::Poor("not read".to_owned()),
            },
        ),
        ("sandbox", sandbox()),
    ];
    let is_bad = findings.iter().any(|(_, finding)| matches!(finding, Finding::Bad(_)));
    for (what, finding) in findings {
        let (word, text) = match finding {
            Finding::Good(text) => (paint(LITERAL, "ok  "), text),
            Finding::Poor(text) => (paint(WARNING, "note"), text),
            Finding::Bad(text) => (paint(ERROR, "FAIL"), text),
        };
        output::data(format!("{word}  {what:<12}  {text}"));
    }
    Ok(if is_bad { ExitCode::Workers } else { ExitCode::Success })
}

/// Starts a worker, which loads libtorch, and lets it prepare the built-in digits.
fn worker() -> Finding {
    let program = match worker_program() {
        Ok(program) => program,
        Err(error) => return Finding::Bad(format!("failed to {error}")),
    };
    let config = DataConfig {
        format: DataFormat::Digits,
        path: None,
        validation_fraction: 0.2,
        holdout_fraction: 0.2,
        limit: None,
        split_seed: 0,
    };
    let scratch = std::env::temp_dir().join(format!("nas-doctor-{}", std::process::id()));
    let prepared = DataCache::new(&scratch).get(&program, &config);
    // What stays behind is a few kilobytes in the folder for such things.
    let _ = fs::remove_dir_all(&scratch);
    match prepared {
        Ok((data, _)) => Finding::Good(format!(
            "{} starts, loads libtorch, and prepared {} images",
            program.display(),
            data.train.images + data.validation.images + data.holdout.images
        )),
        Err(error) => Finding::Bad(format!("{}: failed to {error}", program.display())),
    }
}

fn device() -> Finding {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let gpu = match Path::new("/proc/driver/nvidia/version").exists() {
        true => {
            "an NVIDIA driver is loaded (execution.device = \"cuda\" needs a libtorch with CUDA)"
        }
        false => "no NVIDIA driver",
    };
    Finding::Good(format!("{processors} processors; {gpu}"))
}

fn plugins(registry: &Registry) -> Finding {
    let count = registry.components().len();
    match (count, registry.broken()) {
        (0, []) => {
            Finding::Bad("none was found (`make build` builds those of this project)".to_owned())
        }
        (_, []) => Finding::Good(format!("{count} components")),
        (_, broken) => {
            let reasons: Vec<String> =
                broken.iter().map(|broken| format!("failed to {}", broken.reason)).collect();
            Finding::Poor(format!("{count} components; {}", reasons.join("; ")))
        }
    }
}

fn plugin_host(registry: &Registry) -> Finding {
    match registry.places().hosts.iter().find(|path| path.is_file()) {
        Some(path) => Finding::Good(path.display().to_string()),
        None => Finding::Bad(format!(
            "missing: new plugins can't be tried out (looked at {}; NAS_PLUGIN_HOST sets its place)",
            paths(&registry.places().hosts)
        )),
    }
}

fn folder(path: &Path) -> Finding {
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => Finding::Good(path.display().to_string()),
        Ok(_) => Finding::Bad(format!("{} is no folder", path.display())),
        Err(_) => Finding::Good(format!("{} (made when it is needed)", path.display())),
    }
}

/// What this kernel has to contain the processes that try plugins out.
fn sandbox() -> Finding {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let landlock = read("/sys/kernel/security/lsm").contains("landlock");
    let seccomp = read("/proc/sys/kernel/seccomp/actions_avail").contains("kill");
    match (landlock, seccomp) {
        (true, true) => Finding::Good("Landlock and seccomp".to_owned()),
        (false, true) => Finding::Poor("seccomp; no Landlock was seen in this kernel".to_owned()),
        (true, false) => Finding::Poor("Landlock; no seccomp was seen in this kernel".to_owned()),
        (false, false) => Finding::Poor(
            "neither Landlock nor seccomp was seen: unknown plugins are tried out with this user's \
             rights"
                .to_owned(),
        ),
    }
}

fn paths(paths: &[std::path::PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
