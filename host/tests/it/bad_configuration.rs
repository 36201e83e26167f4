//! What a configuration can get wrong, and what is said about it.

use crate::support::{GOOD, Place, check_error};

/// Checks the good configuration with one text replaced.
#[track_caller]
fn check(old: &str, new: &str, code: i32, snapshot: &str) {
    assert!(GOOD.contains(old), "the good configuration has `{old}`");
    let place = Place::with(&GOOD.replacen(old, new, 1));
    check_error(&place.nas(&["check", "search.toml"]), code, snapshot);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    check("population = 10", "populaton = 10", 2, "unknown_key_of_a_component");
    check("epochs = 2", "epochs = 2\nbatchsize = 8", 2, "unknown_key_of_training");
    check("[budget]\ntrials", "[budget]\ntrails", 2, "unknown_key_of_the_budget");
    check("name = \"test\"", "nmae = \"test\"", 2, "unknown_key_at_the_top");
    check("format = \"digits\"", "format = \"digits\"\nlimits = 3", 2, "unknown_key_of_data");
}

#[test]
fn a_wrong_value_is_refused_with_what_is_right() {
    check("epochs = 2", "epochs = \"two\"", 2, "wrong_type");
    check("epochs = 2", "epochs = 0", 2, "out_of_range");
    check("format = \"digits\"", "format = \"digit\"", 2, "unknown_word");
    check("population = 10", "population = 0", 2, "out_of_range_of_a_component");
    check("name = \"limits\"", "name = \"limits\"\nmode = \"watch\"", 2, "unknown_mode");
    check("trials = 4", "wall_seconds = inf", 2, "infinite");
}

#[test]
fn an_unknown_component_is_refused_with_the_nearest() {
    check("\"regularized-evolution\"", "\"regularised-evolution\"", 2, "unknown_strategy");
    check("name = \"limits\"", "name = \"limit\"", 2, "unknown_policy");
}

#[test]
fn what_is_missing_is_named() {
    check("[fitness]\nname = \"accuracy\"\n", "", 2, "missing_table");
    check("[space]\nname = \"nb201\"", "[space]", 2, "missing_name");
    check("[data]\nformat = \"digits\"\n", "", 2, "missing_data");
}

#[test]
fn everything_is_said_at_once() {
    let wrong = GOOD
        .replace("epochs = 2", "epochs = -1\nflipp = true")
        .replace("\"accuracy\"", "\"acuracy\"");
    let place = Place::with(&wrong);
    check_error(&place.nas(&["check", "search.toml"]), 2, "several_problems");
}

#[test]
fn no_toml_is_shown_where_it_ends_to_be() {
    check("cells = 1", "cells = = 1", 2, "no_toml");
    check("name = \"test\"", "name = \"test\"\nname = \"again\"", 2, "key_twice");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let place = Place::new();
    check_error(&place.nas(&["search", "nothing.toml"]), 11, "missing_file");
}

#[test]
fn data_that_are_not_there_are_a_fault_of_their_own() {
    check("format = \"digits\"", "format = \"idx\"\npath = \"nowhere\"", 4, "missing_data_folder");
}
