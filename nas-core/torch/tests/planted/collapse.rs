//! A search in which skip connections win though they are worse, and one in which they don't: what
//! the collapse guard says of both.
//!
//! Planted to collapse: the operations that read one channel learn slowly (three learnt factors,
//! close to nothing at first), `skip` has some of the evidence at once. Before the others have
//! learnt anything the architecture weights have settled on `skip`, and what has no weight in a
//! mixture is hardly trained. Alone and trained as long, the planted operations are far better.

use nas_core::protocol::one_shot::OneShotEpoch;
use nas_core::protocol::one_shot::signals::HESSIAN_EIGENVALUE;
use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::verdict::{Action, PolicyContext, Progress, Question};
use policy_collapse::{Collapse, CollapseConfig, Rule};
use serde_json::{Value, json};

use crate::problem::{N_EDGES, Problem};
use crate::run::{Labels, N_TRAIN, Run, run_with};
use crate::settings::{Case, darts};
use crate::space::SKIP;
use crate::trial::accuracy;

/// Until the rule of RobustDARTS, with its published numbers, is first asked: an eigenvalue every
/// two epochs, means of five of them, four apart, no way back before epoch 10.
const N_EPOCHS: u32 = 23;

/// DARTS, the same on both problems.
fn search(problem: &Problem, space: &Value) -> Run {
    let Case { strategy, mut config } = darts();
    config["epochs"] = json!(N_EPOCHS);
    config["frozen_epochs"] = json!(2);
    config["alpha_learning_rate"] = json!(0.03);
    let case = Case { strategy, config };
    run_with(problem, space, &case, &[HESSIAN_EIGENVALUE], Labels::Own)
}

/// The first epoch of which the guard has something to say, and what it wants.
fn verdict(epochs: &[OneShotEpoch], rule: Rule) -> Option<(u32, Action)> {
    let config = CollapseConfig { rule, ..CollapseConfig::default() };
    let mut policy = Collapse::create(config, ()).unwrap();
    epochs.iter().find_map(|epoch| {
        let number = epoch.checkpoint.epoch;
        let question = Question::Progress(Progress {
            unit: "epoch".to_owned(),
            completed: number + 1,
            signals: epoch.signals.clone(),
            ..Progress::default()
        });
        let action = policy.judge(&question, &PolicyContext::default()).unwrap().action;
        (action != Action::Allow).then_some((number, action))
    })
}

#[test]
fn the_guard_sees_a_collapse_and_nothing_where_there_is_none() {
    let problem = Problem::new(0);
    let names = (0..SKIP).map(|channel| format!("slow_{channel}")).chain(["skip".to_owned()]);
    let slow = json!({"operations": names.collect::<Vec<_>>()});

    let (train, test) = (problem.images(0, N_TRAIN), problem.images(2, 4096));
    let alone = |operations: &[usize]| {
        accuracy(&slow, operations, (&train, &test), (N_EPOCHS, problem.seed))
    };
    let collapsed = search(&problem, &slow);
    let n_skips = collapsed.operations.iter().filter(|&&operation| operation == SKIP).count();
    let (planted, found, skips) =
        (alone(&problem.planted), alone(&collapsed.operations), alone(&[SKIP; N_EDGES]));
    println!(
        "collapsed: {n_skips} skips; alone, planted {planted:.3}, found {found:.3}, skips {skips:.3}"
    );
    assert!(n_skips >= N_EDGES / 3, "{n_skips}");
    assert!(planted > found + 0.05 && found > skips, "{planted} {found} {skips}");
    let by_skips = verdict(&collapsed.epochs, Rule::Skips);
    let by_eigenvalue = verdict(&collapsed.epochs, Rule::Eigenvalue);
    println!("skip rule {by_skips:?}, eigenvalue rule {by_eigenvalue:?}");
    // Back to where the architecture weights had not moved yet; where the eigenvalue was small.
    assert!(matches!(by_skips, Some((10, Action::RollBack { epoch: 0..=3 }))), "{by_skips:?}");
    let expected = Some((22, Action::RollBack { epoch: 10 }));
    assert_eq!(by_eigenvalue, expected);

    let sound = search(&problem, &json!({}));
    assert!(problem.recovered(&sound.operations) >= 0.9);
    assert_eq!(verdict(&sound.epochs, Rule::Either), None);
}
