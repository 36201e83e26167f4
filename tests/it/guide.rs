//! The plugins of the book's guides, as their readers build them: each on its own, outside of the
//! workspace, with `nas-plugin-api` as its only dependency.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nas_core::journal::Event;

use crate::support::{Sandbox, repository, text};

/// Folder below `tests/guide`, kind, and the component's name.
const GUIDES: [(&str, &str, &str); 5] = [
    ("operation", "operations", "squeeze"),
    ("space", "space", "residual"),
    ("strategy", "strategy", "climb"),
    ("fitness", "fitness", "accuracy-multiply-adds"),
    ("policy", "policy", "failures"),
];
/// The same of the one that takes the place of the strategy in a search of its own.
const ONE_SHOT: (&str, &str, &str) = ("one-shot-strategy", "one-shot strategy", "lottery");

fn all() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    GUIDES.into_iter().chain([ONE_SHOT])
}

/// A folder with all libraries, built and tested once.
fn libraries() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = repository().join("target/guide");
        let plugins = folder.join("plugins");
        std::fs::create_dir_all(&plugins).unwrap();
        for (guide, ..) in all() {
            let crate_folder = copy(guide, &folder);
            cargo(&["test"], &crate_folder, &folder);
            cargo(&["build"], &crate_folder, &folder);
        }
        for entry in std::fs::read_dir(folder.join("build/debug")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "so") {
                std::fs::copy(&path, plugins.join(path.file_name().unwrap())).unwrap();
            }
        }
        plugins
    })
}

/// Copies a crate to where its path to `nas-plugin-api` still holds, with the repository's lock
/// file, so that no other versions are needed than those that are here.
fn copy(guide: &str, folder: &Path) -> PathBuf {
    let (from, to) = (repository().join("tests/guide").join(guide), folder.join(guide));
    std::fs::create_dir_all(to.join("src")).unwrap();
    for file in ["Cargo.toml", "src/lib.rs"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
    std::fs::copy(repository().join("Cargo.lock"), to.join("Cargo.lock")).unwrap();
    to
}

#[track_caller]
fn cargo(arguments: &[&str], crate_folder: &Path, folder: &Path) {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(crate_folder)
        .env("CARGO_TARGET_DIR", folder.join("build"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}, {}: {}",
        crate_folder.display(),
        text(&output)
    );
}

#[test]
fn a_plugin_needs_the_api_alone_and_nothing_unsafe() {
    for (guide, ..) in all() {
        let folder = repository().join("tests/guide").join(guide);
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap();
        assert_eq!(dependencies.keys().collect::<Vec<_>>(), ["nas-plugin-api"], "{guide}");
        assert!(!manifest.contains_key("dev-dependencies"), "{guide}");
        let source = std::fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        assert!(!source.contains("unsafe"), "{guide}");
    }
}

#[test]
fn the_plugins_of_the_guides_are_listed() {
    let sandbox = Sandbox::with_fake_worker("").with_plugins(libraries());
    let output = sandbox.run(&["plugin", "list"]);
    let list = text(&output);
    assert!(!list.contains("unusable"), "{list}");
    for (_, kind, name) in all() {
        let words: Vec<&str> = kind.split(' ').chain([name]).collect();
        let is_of =
            |line: &str| line.split_whitespace().take(words.len()).eq(words.iter().copied());
        assert!(list.lines().any(is_of), "{kind} {name}: {list}");
        let shown = text(&sandbox.run(&["plugin", "show", name]));
        assert!(shown.contains(&format!("{name} ({kind})")), "{shown}");
    }
}

#[test]
fn the_plugins_of_the_guides_make_up_one_search() {
    let sandbox = Sandbox::with_fake_worker("").with_plugins(libraries());
    let configuration = repository().join("tests/guide/search.toml");
    sandbox.configure(&std::fs::read_to_string(configuration).unwrap());
    let checked = sandbox.run(&["check", "search.toml"]);
    assert!(checked.status.success(), "{}", text(&checked));
    sandbox.search(&[]);
    let events = sandbox.events();
    let Some(Event::Started(start)) = events.first() else { panic!("{events:?}") };
    let components: Vec<(&str, &str)> =
        start.components.iter().map(|one| (one.kind.name(), one.name.as_str())).collect();
    assert_eq!(components, GUIDES.map(|(_, kind, name)| (kind, name)));
    let finished = events.iter().filter(
        |event| matches!(event, Event::Ended { result, .. } if result.outcome.has_result()),
    );
    assert_eq!(finished.count(), 6);
}

#[test]
fn the_one_shot_strategy_of_the_guide_searches_a_supernet() {
    let sandbox = Sandbox::with_fake_worker("").with_plugins(libraries());
    let configuration = repository().join("tests/guide/one-shot.toml");
    sandbox.configure(&std::fs::read_to_string(configuration).unwrap());
    let checked = sandbox.run(&["check", "search.toml"]);
    assert!(checked.status.success(), "{}", text(&checked));
    sandbox.search(&[]);
    let events = sandbox.events();
    let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
    assert_eq!(count(|event| matches!(event, Event::SearchEpoch { .. })), 4);
    assert_eq!(count(|event| matches!(event, Event::Ended { .. })), 3);
    let derived = events.iter().find_map(|event| match event {
        Event::SearchEnded(end) => Some(end.genotypes.len()),
        _ => None,
    });
    assert_eq!(derived, Some(8));
}

#[test]
fn the_policy_of_the_guide_halts_a_search_whose_workers_crash() {
    let sandbox = Sandbox::with_fake_worker("exit").with_plugins(libraries());
    let configuration = repository().join("tests/guide/search.toml");
    sandbox.configure(&std::fs::read_to_string(configuration).unwrap());
    let output = sandbox.run(&["search", "search.toml", "--set", "policy.0.in_a_row=2"]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(6), "{told}");
    assert!(told.contains("failures_in_a_row"), "{told}");
}

#[test]
fn the_space_in_toml_is_the_space_of_the_plugin() {
    let sandbox = Sandbox::with_fake_worker("").with_plugins(libraries());
    let file = repository().join("tests/guide/space/residual.toml");
    let common = "operations.name = \"squeeze\"\nstrategy.name = \"climb\"\n\
                  fitness.name = \"accuracy\"\ndata.format = \"digits\"\n";
    let sample = |space: &str| {
        sandbox.configure(&format!("{common}space = {{ {space}, channels = 8, cells = 2 }}\n"));
        let arguments = ["space", "sample", "search.toml", "--count", "20", "--json"];
        let output = sandbox.run(&arguments);
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let in_toml = sample(&format!("name = \"file\", file = {:?}", file.display().to_string()));
    assert_eq!(in_toml, sample("name = \"residual\""));
}
