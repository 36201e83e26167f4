//! Searches that begin cheap: promotions go on from checkpoints, exactly and after any death.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use nas_core::journal::{Answer, Event, TrialResult};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::trial::{Proposal, TrialId};

use crate::support::{Random, Sandbox, scores, story, text};

const ON_DIGITS: &str = r#"
seed = 5
operations.name = "nb201"
space = { name = "nb201", channels = 4, cells = 1 }
strategy = { name = "asha", factor = 2 }
fitness.name = "accuracy"
data.format = "digits"
training = { epochs = 4, batch_size = 64, learning_rate = 0.1 }
budget.trials = 9
execution = { workers = 1, deterministic = true }
"#;

const INSTANT: &str = r#"
seed = 5
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy = { name = "bohb", factor = 3 }
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 9
budget.trials = 60
execution = { workers = 2, deterministic = true }
"#;

fn proposals(events: &[Event]) -> HashMap<TrialId, Proposal> {
    let mut all = HashMap::new();
    for event in events {
        if let Event::Asked { answer: Answer::Proposals { first, proposals }, .. } = event {
            all.extend((*first..).zip(proposals.iter().cloned()));
        }
    }
    all
}

fn results(events: &[Event]) -> HashMap<TrialId, TrialResult> {
    let result = |event: &Event| match event {
        Event::Ended { trial, result, .. } => Some((*trial, (**result).clone())),
        _ => None,
    };
    events.iter().filter_map(result).collect()
}

fn checkpoints(run: &Path) -> HashSet<TrialId> {
    let Ok(trials) = std::fs::read_dir(run.join("trials")) else { return HashSet::new() };
    let trials = trials.map(|trial| trial.unwrap().path());
    let with_one = trials.filter(|trial| trial.join("checkpoint.safetensors").exists());
    with_one.map(|trial| trial.file_name().unwrap().to_str().unwrap().parse().unwrap()).collect()
}

/// Kept, less those that a trial with a result went on from.
fn still_useful(events: &[Event]) -> HashSet<TrialId> {
    let (proposals, results) = (proposals(events), results(events));
    let kept = events.iter().filter_map(|event| match event {
        Event::CheckpointKept { trial, .. } => Some(*trial),
        _ => None,
    });
    let mut useful: HashSet<TrialId> = kept.collect();
    for trial in results.iter().filter(|(_, result)| result.outcome.has_result()).map(|(id, _)| id)
    {
        if let Some(from) = proposals[trial].details.continue_from {
            useful.remove(&from);
        }
    }
    useful
}

/// A network that was trained for 1, 2 and 4 epochs has the very numbers of one that was trained for
/// 4 at once.
#[test]
fn a_promotion_is_the_same_as_training_straight_through() {
    let pieces = Sandbox::with_real_worker();
    pieces.configure(ON_DIGITS);
    pieces.search(&[]);
    let events = pieces.events();
    let (proposals, results) = (proposals(&events), results(&events));
    let full = results.keys().copied().filter(|trial| {
        proposals[trial].details.fidelity.is_some_and(|fidelity| fidelity.epochs == 4)
    });
    let top = full.min().expect("one of nine trials has all epochs");
    let middle = proposals[&top].details.continue_from.unwrap();
    let begun = proposals[&middle].details.continue_from.unwrap();
    let shown = text(&pieces.run(&["show", "last", "--trial", &top.to_string()]));
    assert!(shown.contains(&format!("4, going on from trial {middle}")), "{shown}");

    // The same seed of the run and number of the trial: the same seed of the training.
    let straight = Sandbox::with_real_worker();
    let genotypes = (0..=begun).map(|trial| genotype_text(&proposals[&trial].genotype));
    let list = format!(
        "strategy = {{ name = \"list\", genotypes = {:?} }}",
        genotypes.collect::<Vec<_>>()
    );
    let asha = "strategy = { name = \"asha\", factor = 2 }";
    straight.configure(&ON_DIGITS.replace(asha, &list));
    straight.search(&[]);
    let expected = self::results(&straight.events()).remove(&begun).unwrap();
    let found = &results[&top];
    for name in ["validation_accuracy", "validation_loss", "train_loss", "train_accuracy"] {
        assert_eq!(found.measurements.get(name), expected.measurements.get(name), "{name}");
    }
    assert_eq!(checkpoints(&pieces.run_folder().unwrap()), still_useful(&events));
}

fn genotype_text(genotype: &Genotype) -> String {
    let edges = ["edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3"];
    let operations = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"];
    let choice =
        |(edge, &option): (&str, &u16)| format!("{edge}={}", operations[usize::from(option)]);
    edges.into_iter().zip(&genotype.0).map(choice).collect::<Vec<_>>().join(",")
}

#[test]
fn killed_and_resumed_it_goes_on_from_the_same_checkpoints() {
    let undisturbed = Sandbox::with_fake_worker("burn=0.02");
    undisturbed.configure(INSTANT);
    undisturbed.search(&[]);
    let killed = Sandbox::with_fake_worker("burn=0.02");
    killed.configure(INSTANT);
    let mut random = Random(3);
    for _ in 0..8 {
        let mut supervisor = match killed.run_folder() {
            Some(folder) => killed.spawn(&["resume", folder.to_str().unwrap()]),
            None => killed.spawn(&["search", "search.toml"]),
        };
        std::thread::sleep(Duration::from_millis(50 + random.below(400)));
        supervisor.kill().unwrap();
        supervisor.wait().unwrap();
        killed.assert_workers_end_within(Duration::from_secs(2));
    }
    let folder = killed.run_folder().unwrap();
    let resumed = killed.run(&["resume", folder.to_str().unwrap()]);
    // It may have ended before the last kill.
    assert!(resumed.status.success() || text(&resumed).contains("spent"), "{}", text(&resumed));
    let (expected, found) = (undisturbed.events(), killed.events());
    assert_eq!(story(&found), story(&expected));
    assert_eq!(scores(&found), scores(&expected));
    let kept = |event: &&Event| matches!(event, Event::CheckpointKept { .. });
    assert!(expected.iter().filter(kept).count() > 30);
    assert_eq!(checkpoints(&undisturbed.run_folder().unwrap()), still_useful(&expected));
    assert_eq!(checkpoints(&folder), still_useful(&found));
}
