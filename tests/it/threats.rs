//! The book's page of threats: what it says is tried is tried.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::repository;

const ACTORS: [&str; 5] = ["Plugin author", "User", "Operator", "Another run", "Broken machine"];
const ASSETS: [&str; 6] = ["budget", "journal", "holdout", "policy", "plugins", "processes"];

/// The functions of a folder's sources that are tests.
fn tests_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
        let path = entry.path();
        let is_built = path.file_name().is_some_and(|name| name == "target" || name == ".git");
        if path.is_dir() && !is_built && !path.is_symlink() {
            tests_in(&path, found);
        } else if path.extension().is_some_and(|one| one == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let after = text.split("#[test]").skip(1);
            let named = after.filter_map(|rest| rest.split_once("fn ")?.1.split('(').next());
            found.extend(named.map(str::to_owned));
        }
    }
}

#[test]
fn every_threat_of_the_book_is_tried_by_a_test_that_exists() {
    let page = repository().join("docs/src/concepts/threats.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut tests = BTreeSet::new();
    ["host", "nas-core", "nas-plugin-api", "plugins", "tests"]
        .iter()
        .for_each(|folder| tests_in(&repository().join(folder), &mut tests));
    let mut named = BTreeSet::new();
    for actor in ACTORS {
        let (_, rest) = page.split_once(&format!("\n## {actor}\n")).expect(actor);
        let section = rest.split("\n## ").next().unwrap_or_default();
        let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [asset, attempt, tried] = cells.as_slice() else { panic!("{row}") };
            assert!(
                ASSETS.contains(&asset.to_lowercase().as_str()),
                "{actor}: {asset} is no asset"
            );
            assert!(!attempt.is_empty(), "{row}");
            let names: Vec<&str> = tried.split('`').skip(1).step_by(2).collect();
            assert!(!names.is_empty(), "{actor}, {asset}: nothing tries it");
            for name in names {
                assert!(tests.contains(name), "{actor}, {asset}: there is no test `{name}`");
                named.insert(name);
            }
        }
    }
    assert!(named.len() >= 25, "{} tests are named", named.len());
}
