//! Files that are refused before any of their code runs.

use std::fs;

use nas_core::plugin::PluginLoadError;
use nas_core::plugin::Registry;

use super::fixture::{Folders, library};

#[track_caller]
fn check(name: &str, bytes: &[u8], expected: &str) {
    let folders = Folders::new();
    let path = folders.put(name, bytes);
    let complaint = folders.complaint(&path);
    assert!(complaint.contains(expected), "{complaint}");
}

fn healthy() -> Vec<u8> {
    fs::read(library("healthy")).expect("the fixture")
}

#[test]
fn a_truncated_library_is_told_from_a_whole_one_wherever_it_ends() {
    let whole = healthy();
    for length in [4096, whole.len() / 2, whole.len() - 1] {
        check("libhalf.so", &whole[..length], "it is truncated");
    }
    for length in [0, 3, 40] {
        check("libhalf.so", &whole[..length], "it is no 64-bit ELF shared library");
    }
}

#[test]
fn something_else_is_no_library() {
    check("libtext.so", b"not a library at all", "it is no 64-bit ELF shared library");
    // The same numbers in every run, from Knuth's linear congruential generator.
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    let noise: Vec<u8> = (0..100_000).map(|_| next()).collect();
    check("libnoise.so", &noise, "it is no 64-bit ELF shared library");
    let headed = [&healthy()[..64], &noise].concat();
    check("libnoise.so", &headed, "load plugin");
}

#[test]
fn a_library_with_damaged_bytes_never_ends_this_process() {
    let whole = healthy();
    for position in (0..whole.len()).step_by(whole.len() / 24) {
        let mut damaged = whole.clone();
        let end = (position + 4096).min(whole.len());
        damaged[position..end].iter_mut().for_each(|byte| *byte ^= 0x5a);
        let folders = Folders::new();
        // Damage in debug information goes unnoticed, and does no harm.
        let _ = folders.complaint(&folders.put("libdamaged.so", &damaged));
    }
}

#[test]
fn a_library_for_another_processor_is_told() {
    let mut foreign = healthy();
    // e_machine: RISC-V.
    foreign[18..20].copy_from_slice(&243_u16.to_le_bytes());
    check("libforeign.so", &foreign, "it is built for ELF machine 243, this machine is");
}

#[test]
fn a_library_that_links_libtorch_is_refused() {
    let (linked, torch) = (b"libgcc_s.so.1", b"libtorch.so.1");
    let mut library = healthy();
    let position = library.windows(linked.len()).position(|window| window == linked);
    let position = position.expect("the fixture links the unwinder");
    library[position..][..torch.len()].copy_from_slice(torch);
    check("libtorched.so", &library, "it links `libtorch.so.1`");
}

#[test]
fn a_library_of_another_major_version_is_refused_without_running_it() {
    let path = library("abi_major_2");
    check(
        "libabi_major_2.so",
        &fs::read(path).expect("the fixture"),
        "it speaks version 2 of the plugin interface, this host speaks 1",
    );
}

#[test]
fn a_library_whose_panics_abort_is_refused_without_running_it() {
    let path = library("panic_abort");
    let expected = "it is built with panic = \"abort\"";
    check("libpanic_abort.so", &fs::read(path).expect("the fixture"), expected);
}

#[test]
fn a_scan_passes_over_what_is_no_plugin_and_lists_what_is_broken() {
    let folders = Folders::with(&["healthy", "abi_major_2"]);
    folders.put("libtext.so", b"not a library at all");
    folders.put("libhalf.so", &healthy()[..100_000]);
    folders.put("notes.txt", b"not even called one");
    let registry = folders.scan();
    let names: Vec<&str> =
        registry.components().iter().map(|known| known.info.name.as_str()).collect();
    assert!(names.contains(&"healthy"), "{names:?}");
    let broken: Vec<String> = registry
        .broken()
        .iter()
        .map(|broken| folders.without_folders(&broken.path.display().to_string()))
        .collect();
    assert_eq!(broken, ["plugins/libabi_major_2.so", "plugins/libhalf.so"]);
}

#[test]
fn a_file_that_does_not_exist_is_an_error_when_it_is_named() {
    let folders = Folders::new();
    let missing = folders.places.search[0].join("libmissing.so");
    let result = Registry::linked_in(folders.places.clone()).add_library(&missing);
    assert!(matches!(result, Err(PluginLoadError::Read { .. })), "{result:?}");
}
