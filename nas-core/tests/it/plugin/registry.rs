//! Finding components, and creating them with a checked configuration.

use std::fs;
use std::time::{Duration, Instant};

use nas_core::plugin::{
    Places, PluginLoadError, Registry, Source, check_config, read_config_files,
};
use nas_plugin_api::component::{Ask, ComponentKind};
use nas_plugin_api::measurement::{Cost, Measurements};
use serde_json::{Map, Value, json};

use super::fixture::{Folders, context, library};

#[test]
fn a_component_is_found_with_its_library_and_its_digest() {
    let folders = Folders::with(&["healthy"]);
    let registry = folders.scan();
    let known = registry.find(ComponentKind::Strategy, "healthy").expect("it is there");
    let Source::Library(source) = &known.source else { panic!("{:?}", known.source) };
    assert_eq!(
        folders.without_folders(&source.path.display().to_string()),
        "plugins/libhealthy.so"
    );
    let record = registry.record(ComponentKind::Strategy, "healthy").expect("a record");
    assert_eq!(record.sha256.as_deref(), Some(source.sha256.as_str()));
    assert_eq!(source.sha256.len(), 64);
}

#[test]
fn an_unknown_name_is_told_with_the_one_that_was_meant() {
    let error = Folders::with(&["healthy"])
        .scan()
        .find(ComponentKind::Strategy, "helthy")
        .err()
        .map(|error| error.to_string())
        .expect("there is none");
    assert!(
        error.starts_with("find strategy `helthy` (did you mean `healthy`?); known: "),
        "{error}"
    );
}

#[test]
fn two_libraries_with_one_name_are_an_error_until_one_is_chosen() {
    let folders = Folders::with(&["healthy", "healthy_twin"]);
    let mut registry = folders.scan();
    let find = |registry: &Registry| {
        registry
            .find(ComponentKind::Strategy, "healthy")
            .map(|known| folders.without_folders(&known.source.to_string()))
            .map_err(|error| folders.without_folders(&error.to_string()))
    };
    assert_eq!(
        find(&registry),
        Err("choose between strategy `healthy` of `plugins/libhealthy.so` and \
             `plugins/libhealthy_twin.so`: name one of the libraries"
            .to_owned())
    );
    // Only who asks for it has to choose.
    registry.find(ComponentKind::Fitness, "file-size").expect("there is one of this name");
    let twin = folders.places.search[0].join("libhealthy_twin.so");
    registry.choose(ComponentKind::Strategy, "healthy", &twin).expect("it is there");
    assert_eq!(find(&registry), Ok("`plugins/libhealthy_twin.so`".to_owned()));
}

#[test]
fn two_copies_of_one_library_are_one() {
    let folders = Folders::with(&["healthy"]);
    folders.put("libcopy.so", &fs::read(library("healthy")).expect("the fixture"));
    folders.scan().find(ComponentKind::Strategy, "healthy").expect("the copies are the same");
}

#[test]
fn a_strategy_runs_with_the_defaults_of_its_configuration() {
    for folders in Folders::isolated_and_trusted(&["healthy"]) {
        let registry = folders.scan();
        let known = registry.find(ComponentKind::Strategy, "healthy").expect("it is there");
        let config = check_config(&known.info, &Map::new()).expect("nothing is set");
        assert_eq!(config, json!({"proposals": 3}));
        let mut strategy = registry.strategy("healthy", &config, &context()).expect("a strategy");
        let Ok(Ask::Proposals(proposals)) = strategy.ask(10) else { panic!("proposals expected") };
        assert_eq!(proposals.len(), 3);
        let space = context().space;
        assert!(proposals.iter().all(|proposal| space.check(&proposal.genotype).is_ok()));
        assert!(matches!(strategy.ask(1), Ok(Ask::Done { .. })));
    }
}

#[test]
fn a_file_of_a_configuration_arrives_with_all_its_bytes() {
    const BYTES: usize = 3_000_000;
    let folders = Folders::with(&["healthy"]);
    let content: Vec<u8> = (0..BYTES).map(|index| (index % 251) as u8).collect();
    fs::write(folders.root.path().join("table.bin"), &content).expect("a file");
    let registry = folders.scan();
    let info = &registry.find(ComponentKind::Fitness, "file-size").expect("it is there").info;
    let written = Map::from_iter([("table".to_owned(), Value::from("table.bin"))]);
    let mut config = check_config(info, &written).expect("a path is a text");
    let records =
        read_config_files(info, &mut config, folders.root.path()).expect("the file is there");
    assert_eq!(records.len(), 1);
    assert!(records[0].path.ends_with("table.bin"), "{records:?}");
    assert_eq!(records[0].sha256.len(), 64);
    let mut fitness = registry.fitness("file-size", &config).expect("a fitness");
    let scores = fitness.score(&Measurements::default(), &Cost::default()).expect("scores");
    let sum: u64 = content.iter().map(|&byte| u64::from(byte)).sum();
    assert_eq!(scores, [BYTES as f64, sum as f64]);
}

#[test]
fn a_file_that_is_missing_is_told_with_its_path() {
    let folders = Folders::with(&["healthy"]);
    let registry = folders.scan();
    let info = &registry.find(ComponentKind::Fitness, "file-size").expect("it is there").info;
    let mut config = json!({"table": "missing.bin"});
    let error = read_config_files(info, &mut config, folders.root.path()).expect_err("no file");
    let text = folders.without_folders(&error.to_string());
    assert!(text.starts_with("read the file `"), "{text}");
    assert!(text.contains("missing.bin` of `file-size`"), "{text}");
}

#[test]
fn a_library_that_changed_is_scanned_again() {
    let folders = Folders::with(&["healthy"]);
    folders.scan();
    folders.put("libhealthy.so", &fs::read(library("nan_fitness")).expect("the fixture"));
    let registry = folders.scan();
    assert!(registry.find(ComponentKind::Strategy, "healthy").is_err());
    registry.find(ComponentKind::Fitness, "undefined").expect("the new library's component");
}

#[test]
fn what_was_listed_is_what_is_loaded() {
    let folders = Folders::with(&["healthy"]);
    let registry = folders.scan();
    folders.put("libhealthy.so", &fs::read(library("healthy_twin")).expect("the fixture"));
    // The copy of the listed bytes is still there.
    let mut strategy = registry.strategy("healthy", &json!({}), &context()).expect("a strategy");
    assert!(strategy.ask(4).is_ok_and(|asked| matches!(asked, Ask::Proposals(p) if p.len() == 3)));

    let folders = Folders::with(&["healthy"]);
    let registry = folders.scan();
    folders.put("libhealthy.so", &fs::read(library("healthy_twin")).expect("the fixture"));
    fs::remove_dir_all(&folders.places.cache).expect("the copies");
    let created = registry.strategy("healthy", &json!({}), &context());
    assert!(matches!(created.err(), Some(PluginLoadError::Changed { .. })));
}

#[test]
fn a_cache_that_others_may_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folders = Folders::with(&["healthy"]);
    fs::create_dir(&folders.places.cache).expect("a folder");
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(&folders.places.cache, open).expect("permissions");
    let scanned = Registry::scan(folders.places.clone());
    assert!(matches!(scanned.err(), Some(PluginLoadError::Cache { .. })));
}

#[test]
fn old_copies_of_libraries_that_are_gone_are_removed() {
    let folders = Folders::with(&["healthy", "nan_fitness"]);
    let sha256 = |registry: &Registry, kind, name| {
        registry.record(kind, name).expect("it is known").sha256.expect("it is in a library")
    };
    let registry = folders.scan();
    let gone = sha256(&registry, ComponentKind::Fitness, "undefined");
    let stays = sha256(&registry, ComponentKind::Strategy, "healthy");
    fs::remove_file(folders.places.search[0].join("libnan_fitness.so")).expect("it was there");
    let age = |digest: &str| {
        let month_ago = std::time::SystemTime::now() - Duration::from_secs(30 * 24 * 3600);
        let folder = fs::File::open(folders.places.cache.join(digest)).expect("a copy");
        folder.set_modified(month_ago).expect("its time can be set");
    };
    age(&gone);
    age(&stays);
    // Something new on the search path, so that the index is written.
    folders.put("libother.so", &fs::read(library("healthy_twin")).expect("the fixture"));
    folders.scan();
    assert!(!folders.places.cache.join(&gone).exists());
    assert!(folders.places.cache.join(&stays).exists());
}

#[test]
fn listing_what_is_known_takes_milliseconds_and_runs_nothing() {
    let folders = Folders::with(&["healthy", "nan_fitness", "segfault_in_constructor"]);
    let first = folders.scan();
    // Without a host, nothing could be tried out.
    let places = Places { hosts: Vec::new(), ..folders.places.clone() };
    let begin = Instant::now();
    let again = Registry::scan(places).expect("a scan");
    let took = begin.elapsed();
    println!("listing three known libraries: {took:?}");
    assert_eq!(again.components(), first.components());
    assert_eq!(again.broken(), first.broken());
    assert!(took < Duration::from_millis(50), "{took:?}");
}
