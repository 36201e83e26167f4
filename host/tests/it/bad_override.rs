//! What `--set` can get wrong.

use crate::support::{GOOD, Place, check_error};

#[track_caller]
fn check(set: &str, snapshot: &str) {
    let place = Place::with(GOOD);
    check_error(&place.nas(&["check", "search.toml", "--set", set]), 2, snapshot);
}

#[test]
fn the_flag_is_named() {
    check("training.epochs=0", "set_out_of_range");
    check("training.epoch=3", "set_unknown_key");
    check("strategy.name=randon", "set_unknown_component");
    check("training", "set_nothing");
    check("training.epochs=[1", "set_no_value");
    check("policy.3.name=limits", "set_beyond_the_list");
}

#[test]
fn a_good_one_wins_over_the_file() {
    let place = Place::with(&GOOD.replace("population = 10", "population = 0"));
    let sets = ["--set", "strategy.population=5", "--set", "strategy.sample_size=2"];
    let answer = place.nas(&[&["check", "search.toml"][..], &sets].concat());
    assert_eq!(answer.code, 0, "{}", answer.stderr);
}
