//! What is a gap that luck does not explain, and when it is looked at.

#![cfg(test)]

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::toolkit::rng::{Generator, RngExt, generator};
use nas_plugin_api::trial::Outcome;
use nas_plugin_api::verdict::{
    Action, Candidate, HoldoutReading, PolicyContext, Progress, Question, Review, Verdict,
};
use policy_holdout_audit::{HoldoutAudit, HoldoutAuditConfig};

fn policy(config: HoldoutAuditConfig) -> HoldoutAudit {
    HoldoutAudit::create(config, ()).unwrap()
}

/// A read of the digits: 288 validation and 359 holdout images.
fn reading(trial: u64, validation_accuracy: f64, holdout_accuracy: f64) -> HoldoutReading {
    HoldoutReading {
        trial,
        trials: trial + 1,
        queries: 5,
        validation_accuracy,
        holdout_accuracy,
        validation_images: 288,
        holdout_images: 359,
    }
}

fn candidate() -> Question {
    Question::Candidate(Candidate::default())
}

fn champion(trial: u64) -> Question {
    Question::Champion(Review {
        candidate: Candidate { trial, ..Candidate::default() },
        outcome: Outcome::Finished,
        measurements: Measurements::default(),
        objectives: Vec::new(),
    })
}

fn ask(policy: &mut HoldoutAudit, question: &Question, holdout: &[HoldoutReading]) -> Verdict {
    let context = PolicyContext { holdout: holdout.to_vec(), ..PolicyContext::default() };
    policy.judge(question, &context).unwrap()
}

/// What is said of the last of these reads.
#[track_caller]
fn check(readings: &[HoldoutReading], expected: Action) {
    let verdict = ask(&mut policy(HoldoutAuditConfig::default()), &candidate(), readings);
    assert_eq!(verdict.action, expected, "{}", verdict.reason);
}

#[test]
fn a_gap_that_picking_explains_passes() {
    check(&[], Action::Allow);
    check(&[reading(39, 0.9965, 0.9889)], Action::Allow);
    check(&[reading(39, 1.0, 0.975)], Action::Allow);
    check(&[reading(39, 0.8, 0.95)], Action::Allow);
}

#[test]
fn a_search_that_improves_validation_only_halts_and_says_since_when() {
    let readings = [reading(19, 0.93, 0.92), reading(39, 1.0, 0.921)];
    let verdict = ask(&mut policy(HoldoutAuditConfig::default()), &candidate(), &readings);
    assert_eq!((verdict.action, verdict.code.as_str()), (Action::HaltRun, "validation_only"));
    assert!(
        verdict
            .reason
            .ends_with("since trial 19, validation rose by 7.0 points and the holdout by 0.1"),
        "{}",
        verdict.reason
    );
    assert!(verdict.evidence["probability"] < verdict.evidence["level"]);
}

#[test]
fn each_read_is_judged_once_and_the_champion_by_its_own() {
    let mut policy = policy(HoldoutAuditConfig::default());
    let leaked = [reading(19, 1.0, 0.9)];
    let progress = Question::Progress(Progress::default());
    assert_eq!(ask(&mut policy, &progress, &leaked).action, Action::HaltRun);
    assert_eq!(ask(&mut policy, &candidate(), &leaked).action, Action::Allow);
    assert_eq!(ask(&mut policy, &champion(19), &leaked).action, Action::HaltRun);
    assert_eq!(ask(&mut policy, &champion(20), &leaked).action, Action::Allow);
}

#[test]
fn a_harder_holdout_is_allowed_where_it_is_known() {
    let readings = [reading(39, 0.98, 0.9)];
    let mut strict = policy(HoldoutAuditConfig::default());
    assert_eq!(ask(&mut strict, &candidate(), &readings).action, Action::HaltRun);
    let config = HoldoutAuditConfig { allowed_gap: 0.06, ..HoldoutAuditConfig::default() };
    assert_eq!(ask(&mut policy(config), &candidate(), &readings).action, Action::Allow);
}

#[test]
fn splits_of_unknown_size_are_an_error_until_they_are_set() {
    let unknown =
        HoldoutReading { validation_images: 0, holdout_images: 0, ..reading(9, 0.9, 0.9) };
    let context = PolicyContext { holdout: vec![unknown], ..PolicyContext::default() };
    let mut asked = policy(HoldoutAuditConfig::default());
    let error = asked.judge(&candidate(), &context).unwrap_err();
    assert!(error.to_string().contains("how many images"), "{error}");
    let config = HoldoutAuditConfig {
        validation_images: Some(25_000),
        holdout_images: Some(10_000),
        ..HoldoutAuditConfig::default()
    };
    assert_eq!(policy(config).judge(&candidate(), &context).unwrap().action, Action::Allow);
}

#[test]
fn settings_out_of_range_are_refused() {
    for (false_alarm_rate, allowed_gap) in [(0.0, 0.0), (0.6, 0.0), (f64::NAN, 0.0), (0.01, 1.1)] {
        let config =
            HoldoutAuditConfig { false_alarm_rate, allowed_gap, ..HoldoutAuditConfig::default() };
        assert!(HoldoutAudit::create(config, ()).is_err());
    }
}

/// A search that picks by luck alone: 100 networks of accuracy 0.9, the best read after every 20.
fn lucky_search(random: &mut Generator) -> Vec<HoldoutReading> {
    let mut draw = |images: u32| {
        let right = (0..images).filter(|_| random.random_bool(0.9)).count();
        right as f64 / f64::from(images)
    };
    let mut best: f64 = 0.0;
    (0..5)
        .map(|look| {
            best = (0..20).fold(best, |best, _| best.max(draw(288)));
            reading(20 * look + 19, best, draw(359))
        })
        .collect()
}

/// At a rate of 20 %, not the default, so that there is something to count.
#[test]
fn false_alarms_of_whole_runs_stay_below_the_rate() {
    const RUNS: u32 = 400;
    let mut random = generator(11);
    let config = HoldoutAuditConfig { false_alarm_rate: 0.2, ..HoldoutAuditConfig::default() };
    let halted = (0..RUNS).filter(|_| {
        let readings = lucky_search(&mut random);
        let mut policy = policy(config.clone());
        (1..=readings.len())
            .any(|n| ask(&mut policy, &candidate(), &readings[..n]).action == Action::HaltRun)
    });
    let rate = halted.count() as f64 / f64::from(RUNS);
    assert!(rate <= 0.2, "{rate}");
}
