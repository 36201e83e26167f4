//! The book and the README: generated pages are what the program says, links lead somewhere, and
//! configurations are ready to run.

use std::path::{Path, PathBuf};

use crate::benchmark::cells;
use crate::support::{Sandbox, repository, text};

/// Every page of the book, and the pages at the root.
fn pages() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
            match entry.path() {
                path if path.is_dir() => walk(&path, found),
                path if path.extension().is_some_and(|one| one == "md") => found.push(path),
                _ => {}
            }
        }
    }
    let mut found = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(|name| repository().join(name))
        .to_vec();
    walk(&repository().join("docs/src"), &mut found);
    found
}

#[track_caller]
fn check_generated(page: &str, file: &str) {
    let sandbox = Sandbox::with_fake_worker("");
    // Plugins and settings of this user are no part of the book.
    let mut nas = sandbox.nas(&["reference", page]);
    nas.env("XDG_DATA_HOME", sandbox.folder.path()).env_remove("NAS_PLUGIN_PATH");
    let output = nas.env_remove("NAS_RUNS").output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let expected = String::from_utf8(output.stdout).unwrap();
    let path = repository().join("docs/src/reference").join(file);
    let found = std::fs::read_to_string(&path).unwrap();
    let hint = format!("`target/release/nas reference {page} > docs/src/reference/{file}`");
    assert!(found == expected, "{} is out of date: {hint}", path.display());
}

#[test]
fn the_reference_of_settings_is_up_to_date() {
    check_generated("configuration", "configuration.md");
}

#[test]
fn the_reference_of_commands_is_up_to_date() {
    check_generated("commands", "commands.md");
}

#[test]
fn the_table_of_exit_codes_is_up_to_date() {
    check_generated("exit-codes", "exit_codes_table.md");
}

#[test]
fn every_link_leads_to_a_page() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = page.parent().unwrap().join(file);
            assert!(target.is_file(), "{}: {link} leads nowhere", page.display());
            let heading = |line: &str| {
                let title = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                let is_kept = |c: &char| c.is_alphanumeric() || "-_".contains(*c);
                line.starts_with('#') && title.chars().filter(is_kept).eq(anchor.chars())
            };
            let found = std::fs::read_to_string(&target).unwrap().lines().any(heading);
            assert!(anchor.is_empty() || found, "{}: {link} has no heading", page.display());
        }
    }
}

#[test]
fn every_page_of_the_book_is_in_its_contents() {
    let root = repository().join("docs/src");
    let summary = std::fs::read_to_string(root.join("SUMMARY.md")).unwrap();
    for page in pages().iter().filter_map(|page| page.strip_prefix(&root).ok()) {
        let is_included = [
            "SUMMARY.md",
            "reference/exit_codes_table.md",
            "reference/strategies_nas_bench_macro.md",
            "reference/strategies_nb201.md",
        ];
        let name = page.to_str().unwrap();
        assert!(is_included.contains(&name) || summary.contains(&format!("({name})")), "{name}");
    }
}

/// The TOML blocks of a page that are whole configurations.
fn configurations(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let is_whole = |block: &&str| ["operations", "strategy"].iter().all(|key| block.contains(key));
    blocks.filter(is_whole).filter(|block| !block.contains("{{#")).map(str::to_owned).collect()
}

#[test]
fn every_configuration_is_ready_to_run() {
    let mut count = 0;
    for page in pages() {
        for configuration in configurations(&page) {
            let sandbox = Sandbox::with_fake_worker("");
            sandbox.configure(&configuration);
            std::fs::write(sandbox.path("nb201.csv.gz"), cells()).unwrap();
            let output = sandbox.run(&["check", "search.toml"]);
            assert!(output.status.success(), "{}: {}", page.display(), text(&output));
            count += 1;
        }
    }
    assert!(count >= 2, "{count} configurations were found");
}
