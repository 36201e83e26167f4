//! `nas space`: the choices of a space and genotypes of it.

use serde_json::Value;

use crate::support::Place;

#[test]
fn a_space_is_shown_by_name() {
    let shown = Place::new().nas(&["space", "show", "nb201"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("edge_0_1"), "{}", shown.stdout);
    assert!(shown.stdout.contains("15.6 k"), "{}", shown.stdout);
}

#[test]
fn a_sample_is_the_same_for_the_same_seed() {
    let place = Place::new();
    let arguments = ["space", "sample", "nb201", "--count", "3", "--seed", "7", "--json"];
    let (first, second) = (place.nas(&arguments), place.nas(&arguments));
    assert_eq!(first.stdout, second.stdout);
    for line in first.stdout.lines() {
        let drawn: Value = serde_json::from_str(line).expect("each line is JSON");
        assert_eq!(drawn["genotype"].as_array().map(Vec::len), Some(6));
        assert!(drawn["text"].as_str().is_some_and(|text| text.contains('=')));
    }
}

#[test]
fn an_unknown_space_is_refused_with_the_nearest() {
    let answer = Place::new().nas(&["space", "show", "nb2O1"]);
    assert_eq!(answer.code, 3);
    assert!(answer.stderr.contains("did you mean `nb201`"), "{}", answer.stderr);
}
