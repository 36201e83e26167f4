//! What policies are asked, and what comes of a policy that fails.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nas_core::journal::{Event, MemoryLog, Recorded, StopReason};
use nas_core::plugin::{CallError, Timed};
use nas_core::search::{NoTraining, Policy, Search, Silent, StopSignal};
use nas_core::settings::{PolicyMode, Settings};
use nas_plugin_api::component::SafetyPolicy;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::trial::Outcome;
use nas_plugin_api::verdict::{PolicyContext, Question, QuestionKind, Verdict};
use serde_json::json;

use super::{budget, executor, ledger, parts, settings, stop_reason};

/// Notes what it is asked, and fails at a candidate if it is told to.
struct Witness {
    answers: Vec<QuestionKind>,
    fails_at: Option<u64>,
    asked: Asked,
}

type Asked = Arc<Mutex<Vec<(QuestionKind, String)>>>;

impl SafetyPolicy for Witness {
    fn answers(&self) -> Vec<QuestionKind> {
        self.answers.clone()
    }

    fn judge(
        &mut self,
        question: &Question,
        context: &PolicyContext,
    ) -> Result<Verdict, PluginError> {
        let text = format!("{question:?} {context:?}");
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push((question.kind(), text));
        match self.fails_at.is_some() && question.trial() == self.fails_at {
            true => Err(PluginError::internal("judge")),
            false => Ok(Verdict::allow()),
        }
    }
}

/// A search with a witness, and what that will have been asked.
fn watched<'a>(
    settings: &Settings,
    answers: &[QuestionKind],
    fails_at: Option<u64>,
    log: &'a mut MemoryLog,
    silent: &'a mut Silent,
) -> (Search<'a>, Asked) {
    let asked = Asked::default();
    let witness = Witness { answers: answers.to_vec(), fails_at, asked: Arc::clone(&asked) };
    let policy = Timed::create::<CallError>("witness", Duration::from_secs(5), move || {
        Ok(Box::new(witness) as Box<dyn SafetyPolicy>)
    });
    let mut parts = parts(settings);
    parts.policies = vec![Policy::new("witness", PolicyMode::Enforce, policy.unwrap()).unwrap()];
    let search = Search::new(
        settings,
        parts,
        ledger(settings),
        log,
        executor(settings, 3),
        Box::new(NoTraining),
        silent,
        StopSignal::default(),
    );
    (search, asked)
}

fn many_at_once() -> Settings {
    let execution = json!({"deterministic": false, "workers": 7});
    settings(
        json!({"name": "evolution", "population": 10, "generations": 12}),
        &[budget(60), ("execution", execution)],
    )
}

#[test]
fn a_replay_asks_policies_the_same_with_the_same_context() {
    let settings = many_at_once();
    let (mut log, mut silent) = (MemoryLog::default(), Silent);
    let (search, live) = watched(&settings, &QuestionKind::ALL, None, &mut log, &mut silent);
    search.run().unwrap();
    let recorded: Vec<Recorded> = (1..)
        .zip(log.events())
        .map(|(seq, event)| Recorded { seq, time_ms: 0, event: event.clone() })
        .collect();
    let (mut rest, mut silent) = (MemoryLog::default(), Silent);
    let (mut search, again) = watched(&settings, &QuestionKind::ALL, None, &mut rest, &mut silent);
    search.replay(&recorded).unwrap();
    let (live, again) = (live.lock().unwrap(), again.lock().unwrap());
    // The champion is judged at the end only.
    let expected: Vec<_> =
        live.iter().filter(|(kind, _)| *kind != QuestionKind::Champion).collect();
    assert!(expected.len() > 100, "{}", expected.len());
    assert_eq!(again.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_policy_is_asked_only_what_it_answers() {
    let settings = many_at_once();
    let (mut log, mut silent) = (MemoryLog::default(), Silent);
    let kinds = [QuestionKind::Review, QuestionKind::Champion];
    let (search, asked) = watched(&settings, &kinds, None, &mut log, &mut silent);
    search.run().unwrap();
    let asked = asked.lock().unwrap();
    assert!(asked.iter().all(|(kind, _)| kinds.contains(kind)));
    let ended = log.events().iter().filter(|event| matches!(event, Event::Ended { .. }));
    assert_eq!(asked.len(), ended.count() + 1);
}

#[test]
fn a_policy_that_fails_halts_all_that_it_was_asked_together() {
    let settings = many_at_once();
    let (mut log, mut silent) = (MemoryLog::default(), Silent);
    let kinds = [QuestionKind::Candidate];
    let (search, _) = watched(&settings, &kinds, Some(2), &mut log, &mut silent);
    search.run().unwrap();
    let refused: Vec<u64> = log
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Settled { trial, result } if result.outcome == Outcome::Refused => Some(*trial),
            _ => None,
        })
        .collect();
    assert_eq!(refused, [0, 1, 2, 3, 4, 5, 6]);
    assert!(!log.events().iter().any(|event| matches!(event, Event::Dispatched { .. })));
    match stop_reason(log.events()) {
        StopReason::PolicyHalt { policy, code, .. } => {
            assert_eq!((policy.as_str(), code.as_str()), ("witness", "policy_failed"));
        }
        other => panic!("{other:?}"),
    }
}
