//! A journal that is cut off anywhere can be repeated, and the search ends as if nothing happened.

use nas_core::journal::{Event, EventLog, JournalError, MemoryLog, Recorded};
use nas_core::search::{SearchError, Silent};
use proptest::prelude::*;
use serde_json::json;

use super::{budget, search, settings, story};

/// A log whose storage is full after so many groups.
struct CutOff {
    log: MemoryLog,
    groups_left: usize,
}

impl EventLog for CutOff {
    fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        if self.groups_left == 0 {
            return Err(JournalError::Busy { path: "nowhere".into() });
        }
        self.groups_left -= 1;
        self.log.append(events)
    }
}

fn recorded(events: &[Event]) -> Vec<Recorded> {
    events
        .iter()
        .enumerate()
        .map(|(seq, event)| Recorded { seq: seq as u64, time_ms: 0, event: event.clone() })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_search_cut_off_anywhere_goes_on_as_if_nothing_had_happened(
        groups in 1_usize..120,
        seed in 0_u64..4,
        generational in any::<bool>(),
    ) {
        let strategy = match generational {
            true => json!({"name": "evolution", "population": 8, "generations": 5}),
            false => json!({"name": "regularized-evolution", "population": 8, "sample_size": 3}),
        };
        let policies = json!([{"name": "limits", "max_parameters": 120_000}, {"name": "convergence"}]);
        let settings = settings(strategy, &[budget(40), ("policy", policies), ("seed", json!(seed))]);
        let mut whole = MemoryLog::default();
        search(&settings, &mut whole, &mut Silent, seed).run().unwrap();

        let mut cut = CutOff { log: MemoryLog::default(), groups_left: groups };
        let ended = search(&settings, &mut cut, &mut Silent, seed).run();
        let was_cut = matches!(ended, Err(SearchError::Journal(_)));
        prop_assert!(was_cut || ended.is_ok());

        let mut rest = MemoryLog::default();
        let before = cut.log.events().to_vec();
        if was_cut {
            let mut silent = Silent;
            let mut resumed = search(&settings, &mut rest, &mut silent, seed + 100);
            resumed.replay(&recorded(&before)).unwrap();
            resumed.run().unwrap();
        }
        let together: Vec<Event> = before.iter().chain(rest.events()).cloned().collect();
        let order = |events: &[Event]| -> Vec<String> {
            let mut story = story(events);
            // Which of several running trials ends first is the executor's affair.
            story.retain(|line| !line.starts_with("ended"));
            story
        };
        prop_assert_eq!(order(&together), order(whole.events()));
    }
}

#[test]
fn a_strategy_that_answers_otherwise_ends_the_resume() {
    let settings_before = settings(json!({"name": "random"}), &[budget(10)]);
    let mut log = MemoryLog::default();
    search(&settings_before, &mut log, &mut Silent, 1).run().unwrap();
    let settings_after = settings(json!({"name": "random"}), &[budget(10), ("seed", json!(9))]);
    let mut rest = MemoryLog::default();
    let mut silent = Silent;
    let mut resumed = search(&settings_after, &mut rest, &mut silent, 1);
    let error = resumed.replay(&recorded(log.events())).unwrap_err();
    assert!(error.to_string().contains("the journal can't be repeated"), "{error}");
}
