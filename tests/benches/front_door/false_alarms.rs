//! How often policies object to searches that are honest: 20 seeds of each kind of search, every
//! policy only observed, so that no objection cuts short what the others see.
//!
//! `runaway` with its original rule is asked afterwards, over the same journals.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use nas_core::journal::{Event, Journal};
use nas_plugin_api::verdict::Action;
use serde_json::Value;

use crate::parts::{folder, programs, repository};
use crate::table::Table;

const SEEDS: u64 = 20;

/// As `examples/digits.toml`, made shorter.
const DIGITS: &str = r#"
space = { name = "nb201", channels = 12, cells = 1 }
data.format = "digits"
training = { epochs = 3, batch_size = 32, learning_rate = 0.05, crop_padding = 1 }
budget.trials = 20
holdout.trials_between_reads = 5
"#;

/// As `examples/darts-digits.toml`, made shorter.
const DARTS: &str = r#"
space = { name = "darts", cells = 3, channels = 4, nodes = 3 }
strategy = { name = "darts", epochs = 6, batch_size = 64, alpha_learning_rate = 0.01 }
supernet = { threads = 1, cells = 3, channels = 4 }
data.format = "digits"
training = { epochs = 2, batch_size = 64, learning_rate = 0.05, crop_padding = 1 }
budget = { wall_seconds = 600.0, trial_seconds = 120.0 }
operations.name = "darts"
fitness.name = "accuracy"
execution.workers = 2
[[policy]]
name = "collapse"
mode = "observe"
rule = "skips"
max_skips = 0.34
first_epoch = 3
"#;

/// Without training; the holdout's numbers of images are those of the table.
const NB201: &str = r#"
space = { name = "nb201" }
training.epochs = 12
budget.trials = 300
"#;

/// What all but one-shot searches have in common.
const COMMON: &str = r#"
operations.name = "nb201"
fitness.name = "accuracy"
execution = { workers = 2, deterministic = true }
"#;

/// All policies that judge every kind of search by its results.
const POLICIES: &str = r#"
[[policy]]
name = "runaway"
mode = "observe"
[[policy]]
name = "anomaly"
mode = "observe"
"#;

const AUDIT: &str = "[[policy]]\nname = \"holdout-audit\"\nmode = \"observe\"\n";

const ORIGINAL: &str = "[[policy]]\nname = \"runaway\"\nrule = \"original\"\n";

pub(crate) fn run(table: &mut Table) {
    let digits =
        |strategy: &str| format!("strategy = {strategy}\n{DIGITS}{COMMON}{POLICIES}{AUDIT}");
    let regularized = r#"{ name = "regularized-evolution", population = 8, sample_size = 4 }"#;
    let generations = r#"{ name = "evolution", population = 4, generations = 8 }"#;
    count(table, "digits, regularized-evolution", &digits(regularized));
    count(table, "digits, evolution", &digits(generations));
    count(table, "digits, darts", &format!("{DARTS}{POLICIES}{AUDIT}"));

    let data = std::env::var_os("NAS_DATA")
        .map_or_else(|| repository().join("../shared/data"), Into::into);
    let file = data.join("nb201.csv.gz");
    if !file.is_file() {
        table.note(&format!("  SKIPPED: {} does not exist", file.display()));
        return;
    }
    let nb201 = |strategy: &str| {
        let benchmark = format!("benchmark = {{ name = \"nb201\", file = {file:?} }}");
        let images = "validation_images = 25000\nholdout_images = 10000\n";
        format!("strategy = {strategy}\n{benchmark}\n{NB201}{COMMON}{POLICIES}{AUDIT}{images}")
    };
    count(table, "nb201, random", &nb201(r#"{ name = "random" }"#));
    count(table, "nb201, regularized-evolution", &nb201(r#"{ name = "regularized-evolution" }"#));
    let generations = r#"{ name = "evolution", population = 20, generations = 20 }"#;
    count(table, "nb201, evolution", &nb201(generations));
}

/// One line: in how many of the runs each policy objected at least once.
fn count(table: &mut Table, what: &str, configuration: &str) {
    let folder = folder();
    let path = folder.path();
    write(path, "search.toml", configuration);
    write(path, "original.toml", ORIGINAL);
    let mut alarms: BTreeMap<String, u64> = BTreeMap::new();
    let (mut n_trials, mut n_reads, mut original) = (0, 0, 0);
    for seed in 0..SEEDS {
        nas(
            path,
            &["search", "search.toml", "--seed", &seed.to_string(), "--name", &format!("s{seed}")],
        );
        let journal = Journal::read_only(&newest(path)).expect("the run has a journal");
        let events: Vec<Event> =
            journal.events().map(|recorded| recorded.expect("sound").event).collect();
        let objected: BTreeSet<String> = events.iter().filter_map(objection).collect();
        objected.into_iter().for_each(|policy| *alarms.entry(policy).or_default() += 1);
        n_trials += events.iter().filter(|event| matches!(event, Event::Ended { .. })).count();
        n_reads += events.iter().filter(|event| matches!(event, Event::Audited { .. })).count();
        let replayed =
            nas(path, &["policy", "replay", "last", "--policy", "original.toml", "--json"]);
        let replayed: Value = serde_json::from_slice(&replayed).expect("JSON");
        original += u64::from(replayed.as_array().is_some_and(|all| !all.is_empty()));
    }
    let of = |policy: &str| match configuration.contains(&format!("name = \"{policy}\"")) {
        true => alarms.get(policy).copied().unwrap_or(0).to_string(),
        false => "-".to_owned(),
    };
    table.note(&format!(
        "  {what}: {SEEDS} runs, {n_trials} trials, {n_reads} reads of the holdout; runs with an alarm: \
         runaway {}, anomaly {}, holdout-audit {}, collapse {}; runaway with the original rule {original}",
        of("runaway"),
        of("anomaly"),
        of("holdout-audit"),
        of("collapse"),
    ));
}

/// The policy of an objection that a search would not have gone on from as it did; a warning changes
/// nothing.
fn objection(event: &Event) -> Option<String> {
    match event {
        Event::Judged { policy, verdict, .. }
            if verdict.action.severity() > Action::Warn.severity() =>
        {
            Some(policy.clone())
        }
        _ => None,
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("the folder can be written");
}

/// The folder of the run that began last.
fn newest(folder: &Path) -> std::path::PathBuf {
    let runs = std::fs::read_dir(folder.join("runs")).expect("there are runs");
    let runs = runs.map(|run| run.expect("a folder").path());
    let began = |run: &std::path::PathBuf| run.metadata().and_then(|it| it.created()).ok();
    runs.max_by_key(began).expect("there is a run")
}

fn nas(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(programs().join("nas"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_CACHE_HOME", programs().join("bench-cache"))
        .env("XDG_STATE_HOME", folder.join("state"))
        .env_remove("NAS_POLICY")
        .stdin(Stdio::null())
        .output()
        .expect("run `make build` first");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
