//! The programs and plugins of this installation.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nas_core::containment::{Containment, Enforcement};
use nas_core::executor::{DataCache, worker_program};
use nas_core::plugin::{Places, PluginLoadError, Registry, isolated};
use nas_core::protocol::data::{DataConfig, DataFormat};

use super::Finding;

/// Looks at programs, plugins, and the folders that they need.
pub(super) fn look(
    registry: &Result<Arc<Registry>, PluginLoadError>,
) -> Vec<(&'static str, Finding)> {
    let mut findings = vec![
        ("nas", Finding::Good(format!("version {}", env!("CARGO_PKG_VERSION")))),
        ("worker", worker()),
        ("device", device()),
        ("data cache", cache(DataCache::of_user().path())),
    ];
    match registry {
        Ok(registry) => {
            let places = registry.places();
            findings.extend([
                ("plugins", plugins(registry)),
                ("plugin host", plugin_host(places)),
                ("search path", Finding::Good(paths(&places.search))),
                ("plugin cache", cache(&places.cache)),
            ]);
        }
        Err(error) => {
            let advice = "NAS_PLUGIN_PATH says where plugins are".to_owned();
            findings.push(("plugins", Finding::Bad(format!("failed to {error}"), advice)));
        }
    }
    findings
}

/// Starts a worker, which loads libtorch, and lets it prepare the built-in digits.
fn worker() -> Finding {
    let program = match worker_program() {
        Ok(program) => program,
        Err(error) => {
            let advice = "`make build` builds it; NAS_WORKER names it where it is elsewhere";
            return Finding::Bad(format!("failed to {error}"), advice.to_owned());
        }
    };
    let config = DataConfig {
        format: DataFormat::Digits,
        path: None,
        validation_fraction: 0.2,
        holdout_fraction: 0.2,
        limit: None,
        max_duplicates: None,
        split_seed: 0,
    };
    let scratch = std::env::temp_dir().join(format!("nas-doctor-{}", std::process::id()));
    let prepared = DataCache::new(&scratch).get(&program, &config);
    // What stays behind is a few kilobytes in the folder for such things.
    let _ = fs::remove_dir_all(&scratch);
    let program = program.display();
    match prepared {
        Ok((data, _)) => Finding::Good(format!(
            "{program} starts, loads libtorch, and prepared {} images",
            data.train.images + data.validation.images + data.holdout.images
        )),
        Err(error) => Finding::Bad(
            format!("{program}: failed to {error}"),
            "`make setup` makes libtorch available; a folder with libraries that the worker may \
             not read belongs in LD_LIBRARY_PATH"
                .to_owned(),
        ),
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
        (0, []) => Finding::Bad(
            "none was found".to_owned(),
            "`make build` builds those of this project".to_owned(),
        ),
        (_, []) => Finding::Good(format!("{count} components")),
        (_, broken) => {
            let reasons: Vec<String> =
                broken.iter().map(|broken| format!("failed to {}", broken.reason)).collect();
            Finding::Poor(
                format!("{count} components; {}", reasons.join("; ")),
                "build those again, or take them off the search path".to_owned(),
            )
        }
    }
}

/// Starts the program in which plugins run, and has it give up what they must not have.
fn plugin_host(places: &Places) -> Finding {
    const BUILD: &str = "`make build` builds it; NAS_PLUGIN_HOST names it where it is elsewhere";
    let contained = match isolated::rehearse(places) {
        Ok(contained) => contained,
        Err(error) => return Finding::Bad(format!("failed to {error}"), BUILD.to_owned()),
    };
    let Containment { limits, files, system_calls } = contained;
    let parts = [("limits", limits), ("files", files), ("system calls", system_calls)];
    let lacking: Vec<&str> =
        parts.iter().filter(|part| part.1 != Enforcement::Full).map(|part| part.0).collect();
    let hosts = paths(&places.hosts);
    match lacking.is_empty() {
        true => Finding::Good(format!("{hosts}; what is not trusted is contained there")),
        false => Finding::Poor(
            format!("{hosts}; this kernel contains it less than wanted: {}", lacking.join(", ")),
            "see Landlock and seccomp below; until then, trust who wrote your plugins".to_owned(),
        ),
    }
}

/// A folder that is made when it is needed.
fn cache(path: &Path) -> Finding {
    let name = path.display();
    let advice = "XDG_CACHE_HOME names another place for caches".to_owned();
    let Some(parent) = path.ancestors().find(|path| path.exists()) else {
        return Finding::Bad(format!("{name} can't be looked at"), advice);
    };
    if !parent.is_dir() {
        return Finding::Bad(format!("{} is no folder", parent.display()), advice);
    }
    // Asked by doing it: rights, quotas and read-only disks all show.
    let probe = parent.join(format!(".nas-doctor-{}", std::process::id()));
    let written = fs::write(&probe, "");
    let _ = fs::remove_file(&probe);
    match written {
        Ok(()) if parent == path => Finding::Good(name.to_string()),
        Ok(()) => Finding::Good(format!("{name} (made when it is needed)")),
        Err(error) => Finding::Bad(format!("{name} can't be written: {error}"), advice),
    }
}

fn paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
