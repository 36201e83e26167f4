//! Each way to misbehave gives its outcome, and the executor goes on.

use nas_core::executor::{Crash, Ended, Executor, Exit, Phase, TrialFailure};

use super::fake::{assert_finished, executor, failure, job, run};

/// Runs a trial with these rules between two honest ones, all on one worker.
#[track_caller]
fn check(rules: &str, look: impl FnOnce(&TrialFailure, &str)) {
    let mut executor = executor(1);
    let told = run(&mut executor, vec![job(0, ""), job(1, rules), job(2, "")]);
    assert_finished(told.of(0));
    assert_finished(told.of(2));
    let (kind, message) = failure(told.of(1));
    look(kind, message);
    assert!(executor.stop_all(std::time::Duration::ZERO).len() <= 2);
}

#[track_caller]
fn crash(failure: &TrialFailure) -> &Crash {
    match failure {
        TrialFailure::Crashed(crash) => crash,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_segmentation_fault_costs_one_trial_and_names_its_last_words() {
    check("segfault", |failure, message| {
        let crash = crash(failure);
        assert_eq!(crash.exit, Exit::Signal(11));
        assert_eq!(crash.phase, Phase::AfterEpochs(1));
        assert_eq!(crash.stderr_tail, "the last words before a segmentation fault");
        assert_eq!(
            message,
            "the worker was ended by signal 11 (SIGSEGV, segmentation fault) after 1 epoch; it \
             wrote: the last words before a segmentation fault"
        );
    });
}

#[test]
fn an_uncaught_cpp_exception_is_told_with_its_text() {
    check("abort", |failure, message| {
        assert_eq!(crash(failure).exit, Exit::Signal(6));
        assert!(message.ends_with("an instance of 'c10::Error'"), "{message}");
    });
}

#[test]
fn a_worker_that_exits_quietly_has_crashed() {
    check("exit", |failure, message| {
        assert_eq!(crash(failure).exit, Exit::Code(0));
        assert_eq!(message, "the worker ended with code 0 after 1 epoch");
    });
}

#[test]
fn garbage_on_standard_output_ends_the_worker() {
    check("garbage", |failure, message| {
        assert_eq!(crash(failure).phase, Phase::FirstEpoch);
        assert!(message.contains("something else writes here"), "{message}");
    });
}

#[test]
fn a_worker_that_closes_its_standard_output_is_killed() {
    check("mute", |failure, message| {
        crash(failure);
        assert!(message.contains("closed its standard output"), "{message}");
    });
}

#[test]
fn a_result_for_another_trial_counts_for_none() {
    check("impostor", |failure, message| {
        crash(failure);
        assert!(message.contains("an unexpected message, a result"), "{message}");
    });
}

#[test]
fn a_measurement_that_is_no_number_is_a_diverged_training() {
    check("nan", |failure, message| {
        assert_eq!(*failure, TrialFailure::Diverged);
        assert_eq!(message, "measurement `validation_accuracy` is NaN");
    });
}

#[test]
fn what_the_worker_reports_is_passed_on() {
    check("diverge", |failure, _| assert_eq!(*failure, TrialFailure::Diverged));
    check("error", |failure, message| {
        assert_eq!(*failure, TrialFailure::Reported);
        assert_eq!(message, "libtorch refused the network");
    });
}

#[test]
fn why_a_worker_died_stands_in_the_trials_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut broken = job(7, "segfault");
    broken.work.log = nas_core::executor::trial_log(folder.path(), 7);
    run(&mut executor(1), vec![broken]);
    let log = std::fs::read_to_string(folder.path().join("trials/7/log.txt")).unwrap();
    assert!(log.starts_with("supervisor: the worker was ended by signal 11"), "{log}");
}

#[test]
fn two_attempts_of_one_trial_complete_each_for_itself() {
    let mut executor = executor(2);
    let mut second = job(3, "");
    second.attempt = 1;
    second.work.attempt = 1;
    let told = run(&mut executor, vec![job(3, "slow=0.05,segfault"), second]);
    let by_attempt = |attempt| {
        let mut found = told.completions.iter().filter(|done| done.attempt == attempt);
        found.next().unwrap()
    };
    assert!(matches!(by_attempt(0).ended, Ended::Failed { .. }));
    assert_finished(by_attempt(1));
}
