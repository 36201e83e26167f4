//! Rules about the repository itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{programs, repository};

/// Every Rust file of the repository that is part of the product.
fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
            let (path, name) = (entry.path(), entry.file_name());
            let hidden = name.to_string_lossy().starts_with('.');
            if path.is_dir() && !hidden && name != "target" && name != "tests" {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["nas-plugin-api", "nas-core", "plugins", "host"] {
        walk(&repository().join(folder), &mut found);
    }
    found
}

/// The packages below `package`, all the way down, as built (no development dependencies).
fn dependencies(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal,build", "--prefix", "none", "--package"])
        .arg(package)
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[track_caller]
fn check_absent(package: &str, forbidden: &[&str]) {
    let found = dependencies(package);
    for name in forbidden {
        assert!(!found.iter().any(|found| found == name), "`{package}` depends on `{name}`");
    }
}

#[test]
fn only_nas_torch_knows_libtorch() {
    let libtorch = ["tch", "torch-sys"];
    for package in ["nas-plugin-api", "nas-core", "nas"] {
        check_absent(package, &libtorch);
    }
    for plugin in std::fs::read_dir(repository().join("plugins")).unwrap() {
        let name = plugin.unwrap().file_name().into_string().unwrap();
        check_absent(&name, &["tch", "torch-sys", "nas-core", "nas-torch"]);
    }
    check_absent("nas-core", &["clap", "nas-torch"]);
    check_absent("nas-plugin-api", &["nas-core", "rusqlite"]);
}

#[test]
fn the_supervisor_links_no_libtorch() {
    for program in ["nas", "nas-plugin-host"] {
        let output = Command::new("ldd").arg(programs().join(program)).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("libc"), "run `make build` first: {text}");
        assert!(!text.contains("torch"), "{program}: {text}");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} has no module documentation", path.display());
    }
}

#[test]
fn no_file_is_a_drawer_for_odds_and_ends() {
    for path in sources() {
        let name = path.file_stem().unwrap().to_string_lossy();
        let vague = ["utils", "util", "common", "helpers", "helper", "misc"];
        assert!(!vague.contains(&name.as_ref()), "{}", path.display());
    }
}

#[test]
fn no_test_is_switched_off() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("#[ignore"), "{}", path.display());
    }
}

#[test]
fn only_the_clock_reads_the_time() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let allowed = ["budget/clock.rs", "nas-core/torch", "benches"];
        if !allowed.iter().any(|part| path.to_string_lossy().contains(part)) {
            assert!(!text.contains("Instant::now"), "{} reads a clock", path.display());
        }
    }
}
