//! A quota that several runs share, one after the other and at once.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nas_core::budget::{
    Budget, Clock, KillMargin, Ledger, Quota, QuotaError, QuotaSettings, Reserve, Workforce,
};
use nas_core::protocol::Usage;
use tempfile::TempDir;

/// A clock whose calendar can be set.
struct Calendar(AtomicU64);

const DAY_MS: u64 = 24 * 3600 * 1000;
/// The first of January 2026.
const JANUARY_MS: u64 = 1_767_225_600_000;

impl Clock for Calendar {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn unix_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A team with these limits.
struct Team {
    folder: TempDir,
    clock: Arc<Calendar>,
}

impl Team {
    fn with(limits: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("quota.toml"), format!("[team.vision]\n{limits}"))
            .unwrap();
        Self { folder, clock: Arc::new(Calendar(AtomicU64::new(JANUARY_MS))) }
    }

    fn settings(&self) -> QuotaSettings {
        QuotaSettings { file: self.folder.path().join("quota.toml"), team: "vision".to_owned() }
    }

    /// The ledger of a run with one worker.
    fn run(&self, name: &str) -> Ledger {
        let budget = Budget { trial_seconds: 10.0, ..Budget::default() };
        let workforce = Workforce { workers: 1, threads: 1, uses_gpu: false };
        let clock: Arc<dyn Clock> = self.clock.clone();
        let quota = Quota::open(&self.settings(), Path::new(name)).unwrap();
        let mut ledger = Ledger::new(&budget, workforce, KillMargin::NONE, clock).within(quota);
        ledger.report().unwrap();
        ledger
    }

    fn set(&self, days: u64) {
        self.clock.0.store(JANUARY_MS + days * DAY_MS, Ordering::Relaxed);
    }

    /// What is spent and held of processor seconds, by all runs.
    fn cpu_seconds(&self) -> (f64, f64) {
        let standings = Quota::standings(&self.settings().file, self.clock.unix_ms()).unwrap();
        (standings[0].spent.cpu_seconds, standings[0].held.cpu_seconds)
    }
}

fn cpu(cpu_seconds: f64) -> Usage {
    Usage { cpu_seconds, ..Usage::default() }
}

#[track_caller]
fn granted(ledger: &mut Ledger, trial: u64) -> f64 {
    match ledger.reserve(trial).unwrap() {
        Reserve::Granted(reservation) => reservation.cpu_seconds,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_spent(ledger: &mut Ledger, trial: u64, budget: &str) {
    let spent = Reserve::Spent { budget: budget.to_owned() };
    assert_eq!(ledger.reserve(trial).unwrap(), spent);
    assert_eq!(ledger.spent_budget().as_deref(), Some(budget));
}

#[test]
fn runs_that_reserve_at_once_never_hold_more_than_there_is() {
    let team = Team::with("cpu_seconds = 30.0");
    let (mut one, mut other) = (team.run("one"), team.run("other"));
    assert_eq!(granted(&mut one, 0), 15.0, "half, since the other is idle");
    assert_eq!(granted(&mut other, 0), 15.0);
    assert_eq!(team.cpu_seconds(), (0.0, 30.0));
    one.charge(0, &cpu(4.0));
    one.report().unwrap();
    assert_eq!(team.cpu_seconds(), (4.0, 15.0));
    assert_eq!(granted(&mut one, 1), 11.0);
    other.charge(0, &cpu(15.0));
    assert_eq!(other.reserve(1).unwrap(), Reserve::Wait, "the other may give some back");
    assert_eq!(team.cpu_seconds(), (19.0, 11.0));
    one.charge(1, &cpu(11.0));
    one.report().unwrap();
    check_spent(&mut one, 2, "quota.vision.cpu_seconds");
    check_spent(&mut other, 1, "quota.vision.cpu_seconds");
    assert_eq!(team.cpu_seconds(), (30.0, 0.0));
}

#[test]
fn trials_of_all_runs_count_together() {
    let team = Team::with("trials = 3");
    let (mut one, mut other) = (team.run("one"), team.run("other"));
    granted(&mut one, 0);
    granted(&mut other, 0);
    one.charge(0, &cpu(1.0));
    granted(&mut one, 1);
    check_spent(&mut other, 1, "quota.vision.trials");
}

#[test]
fn the_claim_of_a_killed_run_counts_until_the_run_gives_it_back() {
    let team = Team::with("cpu_seconds = 30.0");
    let mut killed = team.run("killed");
    granted(&mut killed, 0);
    drop(killed);
    let mut other = team.run("other");
    assert_eq!(granted(&mut other, 0), 10.0);
    other.charge(0, &cpu(10.0));
    assert_eq!(other.reserve(1).unwrap(), Reserve::Wait, "the killed one may be at work");
    team.clock.0.fetch_add(60_000, Ordering::Relaxed);
    check_spent(&mut other, 1, "quota.vision.cpu_seconds");
    // Taken up again, its ledger says what it really used.
    let mut again = team.run("killed");
    again.overhead(&cpu(5.0));
    again.report().unwrap();
    assert_eq!(team.cpu_seconds(), (15.0, 0.0));
}

#[test]
fn a_new_month_begins_with_an_empty_account_and_a_clock_set_back_opens_no_old_one() {
    let team = Team::with("cpu_seconds = 20.0");
    let mut run = team.run("run");
    granted(&mut run, 0);
    run.charge(0, &cpu(20.0));
    check_spent(&mut run, 1, "quota.vision.cpu_seconds");
    team.set(31);
    assert_eq!(granted(&mut run, 1), 20.0, "February");
    run.charge(1, &cpu(20.0));
    check_spent(&mut run, 2, "quota.vision.cpu_seconds");
    team.set(0);
    check_spent(&mut run, 2, "quota.vision.cpu_seconds");
    check_spent(&mut team.run("another"), 0, "quota.vision.cpu_seconds");
}

#[test]
fn a_team_is_warned_when_four_fifths_are_spent() {
    let team = Team::with("cpu_seconds = 100.0");
    let (mut one, mut other) = (team.run("one"), team.run("other"));
    other.overhead(&cpu(50.0));
    other.report().unwrap();
    one.overhead(&cpu(30.0));
    one.report().unwrap();
    let warnings = one.warnings();
    assert_eq!(warnings.len(), 1);
    assert!(format!("{warnings:?}").contains("quota.vision.cpu_seconds"), "{warnings:?}");
}

#[test]
fn a_quota_that_cannot_be_used_ends_what_counts_against_it() {
    let team = Team::with("cpu_seconds = 30.0");
    let mut run = team.run("run");
    std::fs::write(team.folder.path().join("quota.sqlite"), "no database at all, but a text")
        .unwrap();
    assert!(matches!(run.reserve(0), Err(QuotaError::Accounts { .. })));
    let open = |file: &str, team_name: &str| {
        let settings =
            QuotaSettings { file: team.folder.path().join(file), team: team_name.to_owned() };
        Quota::open(&settings, Path::new("run")).err().map(|error| error.to_string())
    };
    assert!(open("quota.toml", "speech").unwrap().contains("no team `speech` (known: vision)"));
    assert!(open("gone.toml", "vision").unwrap().contains("gone.toml"));
    std::fs::write(team.folder.path().join("wrong.toml"), "[team.vision]\nhours = 3").unwrap();
    assert!(open("wrong.toml", "vision").unwrap().contains("`hours = 3` of team `vision`"));
}
