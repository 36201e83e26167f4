//! Libraries that end, block or deceive the process in which they are tried out.

use std::fs;

use nas_core::plugin::Places;

use super::fixture::{Folders, library};

#[track_caller]
fn check(name: &str, expected: &str) {
    let complaint = Folders::new().complaint(&library(name));
    assert!(complaint.contains(expected), "{complaint}");
}

#[test]
fn a_crash_while_loading_is_told_with_its_signal() {
    check(
        "segfault_in_constructor",
        "trying it out, the process died of signal 11 (SIGSEGV, memory that is not its own) while \
         loading it and running its constructors",
    );
}

#[test]
fn a_crash_while_describing_is_told_apart_from_one_while_loading() {
    check("segfault_in_description", "(SIGSEGV, memory that is not its own) while asking it to");
}

#[test]
fn a_library_that_ends_the_process_is_told() {
    check("exits_in_constructor", "the process exited with code 0 while loading it");
}

#[test]
fn a_library_that_hangs_is_given_up() {
    check("hangs_in_constructor", "the process hung for 5 s and was killed while loading it");
}

#[test]
fn a_library_that_wants_all_memory_ends_its_process_only() {
    check("greedy_description", "the process died of signal 6 (SIGABRT, it aborted) while asking");
    check("greedy_description", "memory allocation of 2147483648 bytes failed");
}

#[test]
fn what_a_library_prints_does_not_garble_the_channel() {
    assert_eq!(Folders::new().complaint(&library("prints")), "");
}

#[test]
fn a_library_gets_no_files_network_or_programs_where_the_kernel_can_prevent_it() {
    let folders = Folders::with(&["nosy"]);
    let registry = folders.scan();
    assert_eq!(registry.broken(), []);
    let found = registry.components().iter().find(|known| known.info.name == "nosy");
    let report = found.expect("the fixture's component").info.defaults["report"].to_string();
    let kept = fs::read_dir(&folders.places.cache)
        .expect("the cache")
        .find_map(|entry| fs::read_to_string(entry.ok()?.path().join("description.json")).ok());
    let kept: serde_json::Value =
        serde_json::from_str(&kept.expect("a description")).expect("it is JSON");
    let containment = &kept["usable"]["containment"];
    // What is reported as enforced has to be so; older kernels enforce less.
    if containment["files"] == "full" {
        assert!(report.contains("read: permission denied, write: permission denied"), "{report}");
    }
    if containment["system_calls"] == "full" {
        assert!(report.contains("network: permission denied"), "{report}");
        assert!(report.contains("program: permission denied"), "{report}");
        assert!(report.contains("thread: allowed"), "{report}");
    }
    assert_eq!(containment["limits"], "full");
}

#[test]
fn a_verdict_is_kept_and_naming_the_library_tries_again() {
    let folders = Folders::with(&["segfault_in_constructor"]);
    let without_host = Places { hosts: Vec::new(), ..folders.places.clone() };
    let first = folders.scan().broken().to_vec();
    assert_eq!(first.len(), 1, "{first:?}");
    let again = nas_core::plugin::Registry::scan(without_host.clone());
    assert_eq!(again.expect("a scan").broken(), first);
    let mut named = nas_core::plugin::Registry::linked_in(without_host);
    let complaint = named.add_library(&first[0].path).expect_err("there is no host").to_string();
    assert!(complaint.contains("find `nas-plugin-host`"), "{complaint}");
}
