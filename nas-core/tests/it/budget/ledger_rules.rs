//! The ledger's rules, one by one.

use std::sync::Arc;
use std::time::Duration;

use nas_core::budget::{
    Budget, FakeClock, HardLimits, KillMargin, Ledger, Reservation, Reserve, TICK_SECONDS,
    Workforce,
};
use nas_core::journal::Event;
use nas_core::protocol::Usage;
use nas_plugin_api::verdict::Spending;
use serde_json::json;

const ONE_WORKER: Workforce = Workforce { workers: 1, threads: 1, uses_gpu: false };
const TWO_WORKERS: Workforce = Workforce { workers: 2, threads: 1, uses_gpu: false };
const MARGIN: KillMargin =
    KillMargin { wall_seconds: 0.5, cpu_seconds: 1.0, gpu_seconds: 0.5, start_seconds: 0.0 };

fn cpu_budget(cpu_seconds: f64) -> Budget {
    Budget { cpu_seconds: Some(cpu_seconds), ..Budget::default() }
}

fn ledger(budget: &Budget, workforce: Workforce, margin: KillMargin) -> Ledger {
    Ledger::new(budget, workforce, margin, Arc::new(FakeClock::new()))
}

fn cpu(cpu_seconds: f64) -> Usage {
    Usage { cpu_seconds, ..Usage::default() }
}

#[track_caller]
fn granted(reserve: Reserve) -> Reservation {
    match reserve {
        Reserve::Granted(reservation) => reservation,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_spent(reserve: &Reserve, name: &str) {
    assert_eq!(*reserve, Reserve::Spent { budget: name.to_owned() });
}

#[test]
fn without_limits_a_trial_may_use_what_its_time_allows() {
    let budget = Budget { trial_seconds: 60.0, ..Budget::default() };
    let workforce = Workforce { workers: 1, threads: 3, uses_gpu: true };
    let mut ledger = ledger(&budget, workforce, MARGIN);
    let reservation = granted(ledger.reserve(0).unwrap());
    assert_eq!(
        reservation,
        Reservation {
            wall_seconds: 60.5,
            cpu_seconds: 242.0,
            gpu_seconds: 60.5,
            memory_bytes: 4 << 30,
        }
    );
    assert_eq!(
        ledger.hard_limits(&reservation),
        HardLimits {
            wall_seconds: 60.0,
            cpu_seconds: 241.0,
            gpu_seconds: 60.0,
            memory_bytes: 4 << 30,
        }
    );
}

#[test]
fn the_margin_covers_two_looks_and_a_thread_more() {
    let margin = KillMargin::for_polling(Duration::from_millis(100), 3);
    assert_eq!((margin.wall_seconds, margin.cpu_seconds, margin.gpu_seconds), (0.2, 0.8, 0.2));
}

#[test]
fn idle_workers_share_what_is_left() {
    let mut ledger = ledger(&cpu_budget(600.0), TWO_WORKERS, MARGIN);
    assert_eq!(granted(ledger.reserve(0).unwrap()).cpu_seconds, 300.0);
    assert_eq!(granted(ledger.reserve(1).unwrap()).cpu_seconds, 300.0);
    assert_eq!(ledger.remaining().cpu_seconds, Some(0.0));
    // What a trial does not use goes to the next.
    ledger.charge(0, &cpu(5.0));
    assert_eq!(granted(ledger.reserve(2).unwrap()).cpu_seconds, 295.0);
}

#[test]
fn a_trial_waits_rather_than_be_killed_for_lack_of_time() {
    let mut ledger = ledger(&cpu_budget(100.0), TWO_WORKERS, MARGIN);
    granted(ledger.reserve(0).unwrap());
    granted(ledger.reserve(1).unwrap());
    ledger.charge(0, &cpu(30.0));
    // 20 are free, and 61 would be enough for a trial twice as long as the last.
    assert_eq!(ledger.reserve(2).unwrap(), Reserve::Wait);
    assert!(!ledger.is_spent());
    ledger.charge(1, &cpu(30.0));
    // Nothing runs any more that could give back.
    assert_eq!(granted(ledger.reserve(2).unwrap()).cpu_seconds, 40.0);
    ledger.charge(2, &cpu(38.5));
    check_spent(&ledger.reserve(3).unwrap(), "cpu_seconds");
    assert_eq!(ledger.spent_budget().as_deref(), Some("cpu_seconds"));
}

#[test]
fn shares_that_were_too_small_are_doubled() {
    let workforce = Workforce { workers: 8, ..TWO_WORKERS };
    let mut ledger = ledger(&cpu_budget(800.0), workforce, MARGIN);
    (0..8).for_each(|trial| assert_eq!(granted(ledger.reserve(trial).unwrap()).cpu_seconds, 100.0));
    // Killed at its limit.
    ledger.charge(0, &cpu(99.5));
    assert_eq!(ledger.reserve(8).unwrap(), Reserve::Wait);
    (1..4).for_each(|trial| ledger.charge(trial, &cpu(10.0)));
    assert_eq!(granted(ledger.reserve(8).unwrap()).cpu_seconds, 200.0);
}

#[test]
fn another_attempt_is_no_new_trial_and_is_paid_for() {
    let budget = Budget { trials: Some(1), ..cpu_budget(100.0) };
    let mut ledger = ledger(&budget, ONE_WORKER, MARGIN);
    granted(ledger.reserve(0).unwrap());
    assert_eq!(ledger.abandon(0).cpu_seconds, 100.0);
    assert_eq!(ledger.spent(), Spending { trials: 1, cpu_seconds: 100.0, ..Spending::default() });
    check_spent(&ledger.reserve(0).unwrap(), "cpu_seconds");
    check_spent(&ledger.reserve(1).unwrap(), "trials");
}

#[test]
fn the_start_of_a_worker_has_room_beside_the_reservations() {
    let margin = KillMargin { start_seconds: 2.0, ..MARGIN };
    let mut ledger = ledger(&cpu_budget(100.0), TWO_WORKERS, margin);
    let both = [granted(ledger.reserve(0).unwrap()), granted(ledger.reserve(1).unwrap())];
    assert_eq!(both.map(|reservation| reservation.cpu_seconds), [48.0, 48.0]);
    for (trial, reservation) in (0..).zip(both) {
        ledger.overhead(&cpu(2.0));
        ledger.charge(trial, &cpu(reservation.cpu_seconds));
    }
    assert_eq!(ledger.spent().cpu_seconds, 100.0);
}

#[test]
fn wall_time_is_counted_over_all_sessions() {
    let budget = Budget { wall_seconds: Some(20.0), ..Budget::default() };
    let clock = Arc::new(FakeClock::new());
    // A clock that has been going for a while.
    clock.advance(Duration::from_secs(1000));
    let mut ledger = Ledger::new(&budget, ONE_WORKER, MARGIN, clock.clone());
    let spent = Spending { wall_seconds: 9.0, ..Spending::default() };
    ledger.apply(&Event::Ticked { spent });
    ledger.apply(&Event::Resumed { settings: None, version: String::new() });
    assert_eq!(granted(ledger.reserve(0).unwrap()).wall_seconds, 11.0);
    clock.advance(Duration::from_secs(10));
    assert_eq!(ledger.spent().wall_seconds, 19.0);
    assert_eq!(granted(ledger.reserve(1).unwrap()).wall_seconds, 1.0);
    clock.advance(Duration::from_millis(100));
    check_spent(&ledger.reserve(2).unwrap(), "wall_seconds");
}

#[test]
fn a_session_that_was_killed_is_charged_a_tick() {
    let mut ledger = ledger(&Budget::default(), ONE_WORKER, MARGIN);
    let resumed = Event::Resumed { settings: None, version: String::new() };
    ledger.apply(&resumed);
    assert_eq!(ledger.spent().wall_seconds, 0.0);
    ledger.apply(&resumed);
    assert_eq!(ledger.spent().wall_seconds, TICK_SECONDS);
}

#[test]
fn a_session_that_was_killed_is_charged_no_more_than_it_had_left() {
    let resumed = |wall_seconds: Option<f64>| Event::Resumed {
        settings: wall_seconds.map(|limit| json!({ "budget": { "wall_seconds": limit } })),
        version: String::new(),
    };
    let mut ledger = ledger(&Budget::default(), ONE_WORKER, MARGIN);
    ledger.apply(&resumed(Some(2.25)));
    for charged in [1.0, 2.0, 2.25, 2.25] {
        ledger.apply(&resumed(None));
        assert_eq!(ledger.spent().wall_seconds, charged);
    }
    ledger.apply(&resumed(Some(10.0)));
    assert_eq!(ledger.spent().wall_seconds, 3.25, "by the limit that holds from here");
}

#[test]
fn a_gpu_is_reserved_only_where_one_is_used() {
    let budget = Budget { gpu_seconds: Some(10.0), ..Budget::default() };
    let workforce = Workforce { uses_gpu: true, ..ONE_WORKER };
    let mut with = ledger(&budget, workforce, MARGIN);
    let reservation = granted(with.reserve(0).unwrap());
    assert_eq!(reservation.gpu_seconds, 10.0);
    with.charge(0, &Usage { gpu_seconds: 9.5, ..Usage::default() });
    check_spent(&with.reserve(1).unwrap(), "gpu_seconds");

    let mut without = ledger(&budget, ONE_WORKER, MARGIN);
    let reservation = granted(without.reserve(0).unwrap());
    assert_eq!(reservation.gpu_seconds, 0.0);
    assert_eq!(without.hard_limits(&reservation).gpu_seconds, f64::INFINITY);
}

#[test]
fn each_budget_warns_once_until_it_is_changed() {
    let clock = Arc::new(FakeClock::new());
    let mut ledger = Ledger::new(&cpu_budget(100.0), ONE_WORKER, MARGIN, clock.clone());
    ledger.overhead(&cpu(79.0));
    assert_eq!(ledger.warnings(), []);
    ledger.overhead(&cpu(1.0));
    let warnings = ledger.warnings();
    let expected =
        Event::BudgetWarning { budget: "cpu_seconds".to_owned(), spent: 80.0, limit: 100.0 };
    assert_eq!(warnings, [expected]);
    assert_eq!(ledger.warnings(), []);

    let resume = |budget: &Budget| {
        let mut ledger = Ledger::new(budget, ONE_WORKER, MARGIN, clock.clone());
        ledger.apply(&Event::Overhead { what: "worker".to_owned(), usage: cpu(80.0) });
        ledger.apply(&warnings[0]);
        ledger.warnings().len()
    };
    assert_eq!(resume(&cpu_budget(100.0)), 0);
    assert_eq!(resume(&cpu_budget(90.0)), 1);
    assert_eq!(resume(&cpu_budget(1000.0)), 0);
}
