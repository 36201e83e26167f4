//! What a search uses up.

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::Outcome;
use nas_plugin_api::verdict::{
    Action, Candidate, History, PolicyContext, Question, QuestionKind, Review, Spending, Verdict,
};
use policy_runaway::{Rule, Runaway, RunawayConfig};

use crate::progress;

fn context(cpu_seconds: f64, trials: u64, refused: u64) -> PolicyContext {
    PolicyContext {
        spent: Spending { cpu_seconds, trials, ..Spending::default() },
        history: History {
            outcomes: [("refused".to_owned(), refused)].into(),
            ..History::default()
        },
        ..PolicyContext::default()
    }
}

/// The first objection to generations that cost so many seconds, and after how many.
fn first_objection(config: RunawayConfig, costs: &[f64]) -> Option<(usize, Verdict)> {
    let mut policy = Runaway::create(config, ()).unwrap();
    let mut spent = 0.0;
    costs.iter().enumerate().find_map(|(index, cost)| {
        spent += cost;
        let question = progress("generation", index as u32 + 1, 0.5, 0.5);
        let verdict = policy.judge(&question, &context(spent, 10, 0)).unwrap();
        (verdict.action != Action::Allow).then_some((index + 1, verdict))
    })
}

#[test]
fn a_generation_that_costs_many_times_those_before_halts() {
    let config = RunawayConfig::default;
    let (after, verdict) =
        first_objection(config(), &[100.0, 90.0, 110.0, 100.0, 120.0, 100.0, 2000.0]).unwrap();
    assert_eq!((after, verdict.code.as_str()), (7, "cost_growth"));
    assert_eq!(verdict.action, Action::HaltRun);
    assert_eq!(verdict.evidence["median_seconds"], 100.0);
    assert_eq!(verdict.evidence["growth"], 20.0);
    let doubling = [10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0];
    assert_eq!(first_objection(config(), &doubling).map(|(after, _)| after), Some(8));
    assert_eq!(first_objection(config(), &[100.0, 1.0, 1.1, 1.0, 1.0, 1.2, 1.1, 30.0]), None);
    assert_eq!(first_objection(config(), &[0.0; 20]), None);
    let off = RunawayConfig { max_cost_growth: None, ..config() };
    assert_eq!(first_objection(off, &doubling), None);
    let original = RunawayConfig { rule: Rule::Original, ..config() };
    assert_eq!(first_objection(original, &doubling), None, "the original rule stays as it is");
}

#[test]
fn a_search_whose_proposals_are_only_refused_halts() {
    let mut policy = Runaway::create(RunawayConfig::default(), ()).unwrap();
    let mut judge = |trials, refused| {
        let question = Question::Candidate(Candidate::default());
        policy.judge(&question, &context(10.0, trials, refused)).unwrap()
    };
    assert_eq!(judge(10, 1000).action, Action::Allow);
    let verdict = judge(10, 1001);
    assert_eq!((verdict.action, verdict.code.as_str()), (Action::HaltRun, "proposal_rate"));
    assert_eq!(verdict.evidence["refused"], 1001.0);
    assert_eq!(judge(0, 101).code, "proposal_rate", "nothing was trained at all");
}

#[test]
fn a_run_has_no_more_hours_than_it_may() {
    let config = RunawayConfig { max_run_hours: Some(2.0), ..RunawayConfig::default() };
    let (after, verdict) = first_objection(config, &[3600.0, 3600.0, 1.0]).unwrap();
    assert_eq!((after, verdict.code.as_str()), (3, "run_compute"));
    assert_eq!(verdict.evidence["allowed"], 2.0);
}

#[test]
fn a_lineage_is_trained_no_longer_than_it_may() {
    let config = RunawayConfig { max_lineage_seconds: Some(100.0), ..RunawayConfig::default() };
    let mut policy = Runaway::create(config, ()).unwrap();
    assert!(policy.answers().contains(&QuestionKind::Candidate));
    assert_eq!(policy.needs(QuestionKind::Review), ["train_seconds"]);
    let nobody = PolicyContext::default();
    let candidate = |trial, parents: &[u64]| Candidate {
        trial,
        parents: parents.to_vec(),
        ..Candidate::default()
    };
    let mut train = |trial, parents: &[u64], seconds| {
        let candidate = candidate(trial, parents);
        let verdict = policy.judge(&Question::Candidate(candidate.clone()), &nobody).unwrap();
        let review = Question::Review(Review {
            candidate,
            outcome: Outcome::Finished,
            measurements: Measurements::from([("train_seconds", seconds)]),
            objectives: vec![0.5],
        });
        assert_eq!(policy.judge(&review, &nobody).unwrap().action, Action::Allow);
        verdict
    };
    assert_eq!(train(0, &[], 60.0).action, Action::Allow);
    assert_eq!(train(1, &[], 10.0).action, Action::Allow);
    assert_eq!(train(2, &[0, 1], 60.0).action, Action::Allow, "60 s before it");
    let verdict = train(3, &[1, 2], 1.0);
    assert_eq!(
        (verdict.action, verdict.code.as_str()),
        (Action::RejectCandidate, "lineage_compute")
    );
    assert_eq!(verdict.evidence["lineage_seconds"], 120.0);
    assert_eq!(train(4, &[1], 1.0).action, Action::Allow, "another line");
}
