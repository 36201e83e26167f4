//! An organisation's policy holds: a run may be stricter, and every attempt to be looser is refused
//! before anything runs.

use std::path::{Path, PathBuf};
use std::process::Output;

use nas_core::journal::{Event, StopReason};
use serde_json::Value;

use crate::support::{Sandbox, Signer, programs, repository, text};

const CONFIGURATION: &str = r#"
operations.name = "nb201"
space = { name = "nb201", cells = 1 }
strategy.name = "random"
fitness.name = "accuracy"
data.format = "digits"
training.epochs = 1
execution = { workers = 1, keep_weights = "none" }
"#;

/// A sandbox with a policy of an organisation, and a run's configuration.
fn held(policy: &str, more: &str) -> Sandbox {
    let sandbox = Sandbox::with_fake_worker("");
    sandbox.configure(&format!("{CONFIGURATION}{more}"));
    std::fs::write(sandbox.path("policy.toml"), format!("organisation = \"the lab\"\n{policy}"))
        .unwrap();
    sandbox
}

/// Runs `nas` where the environment names the policy.
fn nas(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    sandbox.nas(arguments).env("NAS_POLICY", "policy.toml").output().unwrap()
}

/// `nas check` and `nas search` refuse the configuration, with all of these words, and leave no run behind.
#[track_caller]
fn check_refused(sandbox: &Sandbox, words: &[&str]) {
    check_refused_with(2, sandbox, words);
}

#[track_caller]
fn check_refused_with(code: i32, sandbox: &Sandbox, words: &[&str]) {
    for command in ["check", "search"] {
        let output = nas(sandbox, &[command, "search.toml"]);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
        for word in words {
            assert!(text(&output).contains(word), "{word} in {}", text(&output));
        }
    }
    assert!(!sandbox.path("runs").exists(), "nothing ran");
}

#[track_caller]
fn succeed(output: Output) -> String {
    assert!(output.status.success(), "{}", text(&output));
    text(&output)
}

#[test]
fn a_looser_budget_is_refused_with_both_values() {
    let sandbox = held(
        "[budget]\ntrials = 10\nwall_seconds = 60.0\ntrial_seconds = 30.0",
        "budget = { trials = 5000, wall_seconds = 50.0, trial_seconds = 45.0 }",
    );
    check_refused(
        &sandbox,
        &["`trials` in `budget` is 5000", "allows 10", "the lab", "is 45, and", "allows 30"],
    );
}

#[test]
fn what_a_run_leaves_out_of_its_budget_is_the_organisations() {
    let sandbox = held("[budget]\ntrials = 3", "");
    let checked = succeed(nas(&sandbox, &["check", "search.toml"]));
    assert!(
        checked.contains("the policy of the lab (`policy.toml`), named by NAS_POLICY"),
        "{checked}"
    );
    succeed(nas(&sandbox, &["search", "search.toml"]));
    let events = sandbox.events();
    let dispatched = events.iter().filter(|event| matches!(event, Event::Dispatched { .. }));
    assert_eq!(dispatched.count(), 3);
    let Some(Event::OrganisationPolicy(record)) =
        events.iter().find(|event| matches!(event, Event::OrganisationPolicy(_)))
    else {
        panic!("the policy is not in the journal");
    };
    let digest = nas_core::digest::sha256_of(&sandbox.path("policy.toml")).unwrap();
    assert_eq!(
        (record.sha256.as_str(), record.organisation.as_str()),
        (digest.as_str(), "the lab")
    );
}

#[test]
fn a_required_policy_judges_without_being_named() {
    let sandbox =
        held("[[policy]]\nname = \"limits\"\nmax_parameters = 1\n[budget]\ntrials = 3", "");
    let output = nas(&sandbox, &["search", "search.toml", "--set", "execution.max_refusals=4"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    let refused = sandbox.events().into_iter().filter(
        |event| matches!(event, Event::Judged { policy, enforced: true, .. } if policy == "limits"),
    );
    assert_eq!(refused.count(), 4);
}

#[test]
fn settings_of_a_required_policy_may_only_be_stricter() {
    let policy =
        "[[policy]]\nname = \"limits\"\nmax_parameters = 100000\ndenied_operations = [\"none\"]";
    let own = |text: &str| format!("budget.trials = 2\n[[policy]]\nname = \"limits\"\n{text}");
    check_refused(
        &held(policy, &own("max_parameters = 2000000")),
        &["`max_parameters` of policy `limits` is 2000000", "has 100000", "at most 100000"],
    );
    check_refused(&held(policy, &own("mode = \"observe\"")), &["`observe`", "has `enforce`"]);
    check_refused(
        &held(policy, &own("denied_operations = [\"skip_connect\"]")),
        &["`denied_operations` of policy `limits`", "\"none\" too"],
    );
    let runaway = "[[policy]]\nname = \"runaway\"";
    let own = "budget.trials = 2\n[[policy]]\nname = \"runaway\"\nsmallest_jump = 10.0";
    check_refused(&held(runaway, own), &["`smallest_jump` of policy `runaway` is 10.0", "has 0.2"]);
    let own = "budget.trials = 2\n[[policy]]\nname = \"limits\"\nmax_parameters = 50000";
    succeed(nas(&held(policy, own), &["check", "search.toml"]));
}

#[test]
fn a_required_policy_that_cannot_be_made_stops_every_search() {
    let sandbox = held("[[policy]]\nname = \"no-such-policy\"", "");
    check_refused(
        &sandbox,
        &["the policy of the lab", "has a policy that fails", "no-such-policy"],
    );
    let sandbox = held("[[policy]]\nname = \"limits\"\nmax_parametres = 1", "");
    check_refused(&sandbox, &["has a policy that fails", "max_parametres"]);
}

/// The digests of all libraries but those of these components.
fn digests(sandbox: &Sandbox, without: &[&str]) -> String {
    let list = sandbox.run(&["plugin", "list", "--json"]);
    let list: Vec<Value> = serde_json::from_slice(&list.stdout).unwrap();
    let of = |wanted: bool| {
        list.iter()
            .filter(move |one| without.contains(&one["name"].as_str().unwrap()) == wanted)
            .filter_map(|one| one["library"]["sha256"].as_str())
    };
    let unwanted: Vec<&str> = of(true).collect();
    let all: Vec<String> = of(false)
        .filter(|digest| !unwanted.contains(digest))
        .map(|one| format!("{one:?}"))
        .collect();
    format!("[plugins]\nsha256 = [{}]", all.join(", "))
}

#[test]
fn an_unlisted_plugin_is_refused_and_never_loaded() {
    let any = Sandbox::with_fake_worker("");
    let sandbox = held(&digests(&any, &["random"]), "budget.trials = 1");
    check_refused(
        &sandbox,
        &["strategy `random` comes from the library", "which the policy of the lab"],
    );
    let sandbox = held(&digests(&any, &["nb201"]), "budget.trials = 1");
    let output = nas(&sandbox, &["space", "show", "nb201"]);
    assert!(
        !output.status.success() && text(&output).contains("does not allow it"),
        "{}",
        text(&output)
    );
    let sandbox = held(&digests(&any, &[]), "budget.trials = 1");
    succeed(nas(&sandbox, &["search", "search.toml"]));
}

#[test]
fn a_plugin_is_allowed_if_the_organisation_signed_it() {
    let signer = Signer::new();
    let listed = digests(&Sandbox::with_fake_worker(""), &[]);
    let sandbox = held(&format!("{listed}\nsigner = \"{}\"", signer.key()), "");
    let growing = CONFIGURATION.replace("accuracy", "growing");
    sandbox.configure(&format!("{growing}budget.trials = 1"));
    let plugins = sandbox.path("plugins");
    std::fs::create_dir(&plugins).unwrap();
    let library = plugins.join("libgrowing_fitness.so");
    std::fs::copy(programs().join("examples/libgrowing_fitness.so"), &library)
        .expect("run `make test`, which builds the fixtures");
    let sandbox = sandbox.with_plugins(&plugins);
    check_refused(&sandbox, &["fitness `growing`", "does not allow", "or one that RW"]);
    Signer::new().sign(&library);
    check_refused(&sandbox, &["fitness `growing`", "does not allow"]);
    signer.sign(&library);
    succeed(nas(&sandbox, &["search", "search.toml"]));
    std::fs::remove_dir_all(sandbox.path("runs")).unwrap();
    let mut changed = std::fs::read(&library).unwrap();
    changed.push(0);
    std::fs::write(&library, changed).unwrap();
    check_refused(&sandbox, &["fitness `growing`", "does not allow"]);
}

#[test]
fn data_come_from_where_the_organisation_allows() {
    // It is the data that can't be used.
    check_refused_with(
        4,
        &held("[data]\nformats = [\"idx\", \"npz\"]", "budget.trials = 1"),
        &["`format` in `data` is \"digits\"", "one of \"idx\", \"npz\""],
    );
    let sandbox = held("[data]\nfolders = [\"cleared\"]", "budget.trials = 1");
    std::fs::create_dir(sandbox.path("cleared")).unwrap();
    std::fs::create_dir(sandbox.path("elsewhere")).unwrap();
    let check = |path: &str, is_allowed: bool| {
        let path = format!("data.path={path}");
        let set = ["check", "search.toml", "--set", "data.format=npz", "--set", &path];
        let output = text(&nas(&sandbox, &set));
        assert_eq!(!output.contains("none of the folders"), is_allowed, "{output}");
    };
    check("elsewhere/images.npz", false);
    check("cleared/../elsewhere/images.npz", false);
    std::os::unix::fs::symlink(sandbox.path("elsewhere"), sandbox.path("cleared/link")).unwrap();
    check("cleared/link/images.npz", false);
    check("cleared/images.npz", true);
}

#[test]
fn data_are_those_that_the_organisation_lists() {
    let sandbox = held("", "budget.trials = 1");
    std::fs::create_dir_all(sandbox.path("images/of")).unwrap();
    std::fs::write(sandbox.path("images/of/a"), "first").unwrap();
    std::fs::write(sandbox.path("images/b"), "second").unwrap();
    // As the book has it.
    let list =
        "cd images && find -L . -type f | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum";
    let listed = std::process::Command::new("sh")
        .args(["-c", list])
        .current_dir(sandbox.folder.path())
        .output()
        .unwrap();
    let digest = String::from_utf8(listed.stdout).unwrap()[..64].to_owned();
    let allowed = format!("organisation = \"the lab\"\n[data]\nsha256 = [\"{digest}\"]");
    std::fs::write(sandbox.path("policy.toml"), allowed).unwrap();
    let check = || {
        let set = ["check", "search.toml", "--set", "data.format=idx", "--set", "data.path=images"];
        text(&nas(&sandbox, &set))
    };
    assert!(!check().contains("does not allow"), "{}", check());
    std::fs::write(sandbox.path("images/of/a"), "other").unwrap();
    assert!(check().contains("does not allow"), "{}", check());
}

#[test]
fn the_holdout_is_read_and_signs_of_life_are_given_as_the_organisation_says() {
    let policy = "holdout.queries = 2\nstop.heartbeat = \"10m\"";
    let check = |set: &str, expected: &str| {
        check_refused(&held(policy, set), &[expected, "the policy of the lab"]);
    };
    check("holdout.queries = 3", "`queries` in `holdout` is 3");
    check("stop.heartbeat = \"1h\"", "`heartbeat` in `stop` is 1h");
    let sandbox = held(policy, "holdout.queries = 1\nstop.heartbeat = \"5m\"");
    succeed(nas(&sandbox, &["check", "search.toml"]));
    // What a run leaves out is the organisation's.
    let sandbox = held(policy, "budget.trials = 1");
    succeed(nas(&sandbox, &["search", "search.toml"]));
    let events = sandbox.events();
    let Some(Event::Started(start)) = events.first() else { panic!("{events:?}") };
    let settings = &start.settings;
    assert_eq!(settings["holdout"]["queries"], 2);
    assert_eq!(settings["stop"]["heartbeat"], "10m");
}

#[test]
fn rules_that_came_later_hold_from_the_resume_on() {
    let sandbox = held("holdout.queries = 3", "budget.trials = 1");
    succeed(nas(&sandbox, &["search", "search.toml"]));
    let resume = |rules: &str, trials: &str| {
        let policy = format!("organisation = \"the lab\"\n{rules}");
        std::fs::write(sandbox.path("policy.toml"), policy).unwrap();
        succeed(nas(&sandbox, &["resume", "last", "--set", trials]));
        let settings = sandbox.events().into_iter().rev().find_map(|event| match event {
            Event::Resumed { settings, .. } => settings,
            _ => None,
        });
        let settings = settings.expect("they changed");
        (settings["holdout"]["queries"].clone(), settings["stop"]["heartbeat"].clone())
    };
    // What the run has waited without a heartbeat is no silence.
    let found = resume("holdout.queries = 3\nstop.heartbeat = \"2s\"", "budget.trials=2");
    assert_eq!(found, (3.into(), "2s".into()));
    let found = resume("holdout.queries = 2\nstop.heartbeat = \"1h\"", "budget.trials=3");
    assert_eq!(found, (2.into(), "1h".into()));
}

#[test]
fn no_more_is_written_out_than_the_organisation_allows() {
    let sandbox = held("[export]\nweights = \"best\"\nfolders = [\"runs\"]", "");
    let set = |more: &[&str]| {
        let mut arguments = vec!["check", "search.toml"];
        more.iter().for_each(|one| arguments.extend(["--set", one]));
        nas(&sandbox, &arguments)
    };
    succeed(set(&[]));
    let output = text(&set(&["execution.keep_weights=all", "execution.runs=/tmp/elsewhere"]));
    assert!(
        output.contains("`keep_weights` is \"all\"") && output.contains("allows \"best\""),
        "{output}"
    );
    assert!(output.contains("`execution.runs` is `/tmp/elsewhere`"), "{output}");
}

#[test]
fn rates_and_quotas_may_not_be_the_runs_own_idea() {
    let policy = "quota = { file = \"quota.toml\", team = \"vision\" }\n[budget]\nmoney = 10.0\n\
                  rates.price_per_cpu_hour = 0.5";
    let sandbox = held(policy, "");
    let quota = "[team.vision]\ntrials = 2\n[team.speech]\ntrials = 9";
    std::fs::write(sandbox.path("quota.toml"), quota).unwrap();
    let check = |set: &[&str], expected: &str| {
        let mut arguments = vec!["check", "search.toml"];
        set.iter().for_each(|one| arguments.extend(["--set", one]));
        let output = nas(&sandbox, &arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(expected), "{}", text(&output));
    };
    check(
        &["budget.rates.price_per_cpu_hour=0.1"],
        "`price_per_cpu_hour` in `budget.rates` is 0.1, and the policy of the lab",
    );
    check(&["budget.money=11.0"], "`money` in `budget` is 11, and the policy of the lab");
    check(&["quota.file=quota.toml", "quota.team=speech"], "`quota` is team `speech` of");
    succeed(nas(&sandbox, &["search", "search.toml"]));
    let spent = StopReason::BudgetSpent { budget: "quota.vision.trials".to_owned() };
    assert_eq!(reason(&sandbox), spent);
}

#[test]
fn a_space_may_have_allowed_operations_only() {
    let sandbox = held("[operations]\nallowed = [\"none\", \"skip_connect\"]", "");
    check_refused(&sandbox, &["nor_conv_3x3", "does not allow", "only none, skip_connect"]);
}

#[test]
fn a_run_is_taken_up_under_the_policy_that_holds_now() {
    let sandbox = held("[budget]\ntrials = 6", "budget.trials = 4");
    succeed(nas(&sandbox, &["search", "search.toml"]));
    let output = nas(&sandbox, &["resume", "last", "--set", "budget.trials=7"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("is 7, and the policy of the lab"), "{}", text(&output));
    let output = sandbox.run(&["resume", "last", "--set", "budget.trials=5"]);
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    assert!(text(&output).contains("none holds now"), "{}", text(&output));
    let n_events = sandbox.events().len();
    std::fs::write(sandbox.path("policy.toml"), "organisation = \"the lab\"\nbudget.trials = 2")
        .unwrap();
    let output = nas(&sandbox, &["resume", "last"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("is 4, and the policy of the lab"), "{}", text(&output));
    assert_eq!(sandbox.events().len(), n_events, "nothing was journalled");
    std::fs::write(sandbox.path("policy.toml"), "organisation = \"the lab\"\nbudget.trials = 5")
        .unwrap();
    succeed(nas(&sandbox, &["resume", "last", "--set", "budget.trials=5"]));
    let records =
        sandbox.events().into_iter().filter(|e| matches!(e, Event::OrganisationPolicy(_)));
    assert_eq!(records.count(), 2, "each session has the policy that held");
}

#[test]
fn a_retrained_network_is_held_to_it_too() {
    let sandbox = held("[budget]\ntrial_seconds = 100.0", "budget.trials = 2");
    succeed(sandbox.run(&["search", "search.toml"]));
    let output = nas(&sandbox, &["retrain", "last", "--set", "budget.trial_seconds=200"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("is 200, and the policy of the lab"), "{}", text(&output));
}

#[test]
fn a_run_may_name_the_policy_itself() {
    let sandbox = held("[budget]\ntrials = 2", "organisation_policy = \"policy.toml\"");
    let checked = succeed(sandbox.run(&["check", "search.toml"]));
    assert!(checked.contains("named by the configuration"), "{checked}");
    std::fs::write(sandbox.path("other.toml"), "organisation = \"the other\"").unwrap();
    let mut check = sandbox.nas(&["check", "search.toml"]);
    let checked = succeed(check.env("NAS_POLICY", "other.toml").output().unwrap());
    assert!(checked.contains("the policy of the other"), "{checked}");
    assert!(checked.contains("`policy.toml` was named too and does not count"), "{checked}");
}

/// Every command that would search, with a trusted key.
#[track_caller]
fn check_stopped(sandbox: &Sandbox, policy: &Path, key: &Path, expected: &str) {
    let commands: [&[&str]; 4] = [
        &["check", "search.toml"],
        &["search", "search.toml"],
        &["resume", "last", "--set", "budget.trials=4"],
        &["retrain", "last"],
    ];
    for command in commands {
        let mut nas = sandbox.nas(command);
        nas.env("NAS_POLICY", policy).env("NAS_POLICY_KEY", key);
        let output = nas.output().unwrap();
        assert!(!output.status.success(), "{command:?} {}", text(&output));
        assert!(text(&output).contains(expected), "{command:?} {}", text(&output));
    }
}

fn signed() -> PathBuf {
    repository().join("tests/fixtures/signed-policy")
}

#[test]
fn with_a_trusted_key_only_what_it_signed_lets_searches_run() {
    let sandbox = held("", "budget.trials = 2");
    succeed(sandbox.run(&["search", "search.toml"]));
    let (policy, key) = (signed().join("policy.toml"), signed().join("policy.pub"));
    let mut nas = sandbox.nas(&["check", "search.toml"]);
    let checked =
        succeed(nas.env("NAS_POLICY", &policy).env("NAS_POLICY_KEY", &key).output().unwrap());
    assert!(checked.contains("signed: policy of the test lab"), "{checked}");

    check_stopped(
        &sandbox,
        &policy,
        &signed().join("other.pub"),
        "is not signed by the trusted key",
    );
    check_stopped(&sandbox, &policy, &sandbox.path("no.pub"), "the trusted key");
    check_stopped(&sandbox, &sandbox.path("policy.toml"), &key, "the signature can't be read");
    check_stopped(&sandbox, Path::new(""), &key, "there is no policy");

    let changed = sandbox.path("changed.toml");
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&changed, text.replace("trials = 5", "trials = 500")).unwrap();
    std::fs::copy(signed().join("policy.toml.minisig"), sandbox.path("changed.toml.minisig"))
        .unwrap();
    check_stopped(
        &sandbox,
        &changed,
        &key,
        "what was signed was changed, or another key signed it",
    );
    std::fs::write(sandbox.path("changed.toml.minisig"), "untrusted comment: none\nAAAA").unwrap();
    check_stopped(&sandbox, &changed, &key, "is none of minisign's");
}

#[test]
fn a_policy_that_cannot_be_read_stops_every_search() {
    let sandbox = held("no = \"such rule\"", "budget.trials = 2");
    for (policy, expected) in
        [("policy.toml", "unknown field `no`"), ("gone.toml", "can't be read")]
    {
        let mut nas = sandbox.nas(&["search", "search.toml"]);
        let output = nas.env("NAS_POLICY", policy).output().unwrap();
        assert_eq!(output.status.code(), Some(6), "{}", text(&output));
        assert!(text(&output).contains(expected), "{}", text(&output));
    }
    assert!(!sandbox.path("runs").exists(), "nothing ran");
}

/// The same search under one of the examples; `CONFIGURATION`, with a strategy that ends by itself.
fn under(policy: &str) -> (Sandbox, Output) {
    let sandbox = Sandbox::with_fake_worker("");
    let strategy = "strategy = { name = \"evolution\", population = 10, generations = 40 }";
    sandbox.configure(&CONFIGURATION.replace("strategy.name = \"random\"", strategy));
    let file = repository().join("examples/policies").join(policy);
    let mut nas = sandbox.nas(&["search", "search.toml"]);
    let output = nas.env("NAS_POLICY", file).output().unwrap();
    (sandbox, output)
}

fn reason(sandbox: &Sandbox) -> StopReason {
    match sandbox.events().pop() {
        Some(Event::Stopped { reason, .. }) => reason,
        other => panic!("it did not stop: {other:?}"),
    }
}

#[test]
fn one_search_differs_under_three_organisations_by_their_files_only() {
    let (lab, output) = under("research-lab.toml");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(matches!(reason(&lab), StopReason::StrategyDone { .. }), "{:?}", reason(&lab));
    let (startup, output) = under("startup.toml");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(reason(&startup), StopReason::BudgetSpent { budget: "trials".to_owned() });
    let (bank, output) = under("regulated-bank.toml");
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    let StopReason::AwaitingApproval { threshold, .. } = reason(&bank) else {
        panic!("{:?}", reason(&bank));
    };
    assert_eq!(threshold, "trials");
}
