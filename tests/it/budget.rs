//! Budgets hold, kills and resumes included.

use std::time::Duration;

use crate::support::{Limits, Random, Sandbox};

#[test]
fn fifty_randomised_runs_stay_within_their_budgets() {
    let mut random = Random(50);
    for run in 0..50 {
        let limits = Limits {
            trials: 1 + random.below(12),
            cpu_seconds: 0.4 + random.below(200) as f64 / 100.0,
            wall_seconds: 0.6 + random.below(150) as f64 / 100.0,
        };
        let burn = random.below(300) as f64 / 1000.0;
        let kills = random.below(3);
        check(run, &limits, burn, kills, &mut random);
    }
}

fn check(run: u64, limits: &Limits, burn: f64, kills: u64, random: &mut Random) {
    let rules = format!("burn={burn},spin@3%7,segfault@5%9,lie@1%3,setup-burn=0.02");
    let sandbox = Sandbox::with_fake_worker(&rules);
    sandbox.configure(&format!(
        r#"
        seed = {run}
        operations.name = "nb201"
        space = {{ name = "nb201", cells = 1 }}
        strategy.name = "random"
        fitness.name = "accuracy"
        data.format = "digits"
        training.epochs = 3
        execution.workers = 2
        [budget]
        trials = {}
        cpu_seconds = {}
        wall_seconds = {}
        "#,
        limits.trials, limits.cpu_seconds, limits.wall_seconds
    ));
    for _ in 0..kills {
        let mut supervisor = match sandbox.run_folder() {
            Some(folder) => sandbox.spawn(&["resume", folder.to_str().unwrap()]),
            None => sandbox.spawn(&["search", "search.toml"]),
        };
        std::thread::sleep(Duration::from_millis(50 + random.below(600)));
        supervisor.kill().unwrap();
        supervisor.wait().unwrap();
    }
    match sandbox.run_folder() {
        Some(folder) => sandbox.run(&["resume", folder.to_str().unwrap()]),
        None => sandbox.run(&["search", "search.toml"]),
    };
    sandbox.assert_workers_end_within(Duration::from_secs(2));
    limits.assert_kept(&sandbox.events(), run);
}
