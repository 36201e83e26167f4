//! `nas init`: the starter is right as it is, and stays right with every default written out.

use std::fs;

use crate::support::Place;

#[test]
fn the_starter_passes_the_check() {
    let place = Place::new();
    let written = place.nas(&["init"]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    let checked = place.nas(&["check", "search.toml"]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    assert!(checked.stdout.contains("is ready to run"), "{}", checked.stdout);
}

#[test]
fn every_default_can_be_written_out() {
    let place = Place::new();
    let text = place.nas(&["init", "-"]).stdout;
    let spelled_out: Vec<String> = text
        .lines()
        .filter(|line| !line.ends_with('…'))
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    fs::write(place.path().join("all.toml"), spelled_out.join("\n")).expect("it can be written");
    let checked = place.nas(&["check", "all.toml"]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
}

#[test]
fn a_file_is_not_replaced_unasked() {
    let place = Place::with("seed = 1");
    let refused = place.nas(&["init"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(place.nas(&["init", "--force"]).code, 0);
}

#[test]
fn lines_are_short() {
    let text = Place::new().nas(&["init", "-"]).stdout;
    let long = text.lines().find(|line| line.chars().count() > 100);
    assert_eq!(long, None);
}
