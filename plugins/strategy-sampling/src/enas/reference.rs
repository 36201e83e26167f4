//! The controller against PyTorch's autograd (`tests/reference/make_reference.py`).

use nas_plugin_api::graph::NodeIndex;
use nas_plugin_api::serde_json::{self, Value};
use nas_plugin_api::template::{Options, Space, TemplateBuilder, TemplateLayer};

use super::config::EnasConfig;
use super::controller::Controller;
use super::reinforce::Reinforce;

/// The space that the script assumes.
fn space() -> Space {
    let mut builder = TemplateBuilder::new("reference");
    let x = builder.input([4, 8, 8]);
    let operations = |names: &[&str], search_only: Vec<usize>, min, max| Options::Operation {
        candidates: names.iter().map(|&name| name.to_owned()).collect(),
        search_only,
        min,
        max,
    };
    let names = ["none", "pool", "sep_conv_3x3", "skip"];
    let mut edge = |id: &str, options: Options| -> NodeIndex {
        let choice = builder.choice(id, options);
        builder.operation_of(choice, x, [4, 8, 8].into(), 1)
    };
    let a = edge("normal/edge_0_2", operations(&names, vec![0], 1, 1));
    let b = edge("reduction/edge_0_2", operations(&names, vec![0], 1, 1));
    let node = builder.chosen_inputs("node", &[x, a, b], 2, 2);
    let several = builder.choice("several", operations(&["a", "b", "c"], Vec::new(), 0, 2));
    let y = builder.operation_of(several, node, [4, 8, 8].into(), 1);
    let z = builder.relu(y);
    let depth = builder.choice("depth", Options::Depth { repeats: vec![1, 2, 3] });
    let out = builder.push("depth", TemplateLayer::Depth { choice: depth }, &[x, y, z]);
    Space::new(builder.finish(out).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[track_caller]
fn check_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let tolerance = 1e-10 * (1.0 + expected.abs());
        assert!((found - expected).abs() < tolerance, "{what} {place}: {found} {expected}");
    }
}

#[test]
fn probabilities_gradients_and_updates_agree_with_pytorch() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../tests/reference/enas.json")).unwrap();
    for case in cases {
        let config: EnasConfig = serde_json::from_value(case["settings"].clone()).unwrap();
        let controller = Controller::new(&space(), &config);
        let mut parameters = numbers(&case["parameters"]);
        assert_eq!(parameters.len(), controller.n_parameters());
        let mut reinforce = Reinforce::new(&config, parameters.len());
        for update in case["updates"].as_array().unwrap() {
            let samples = update["samples"].as_array().unwrap();
            let mut gradient = vec![0.0; parameters.len()];
            for sample in samples {
                let moves: Vec<usize> = serde_json::from_value(sample["moves"].clone()).unwrap();
                let walked = controller.replay(&parameters, &moves);
                let expected = [&sample["log_probability"], &sample["entropy"]];
                let expected = expected.map(|value| value.as_f64().unwrap());
                check_close("sample", &[walked.log_probability, walked.entropy], &expected);
                let accuracy = sample["accuracy"].as_f64().unwrap();
                let factor = reinforce.factor(accuracy, walked.entropy, &config);
                let share = factor / samples.len() as f64;
                controller.add_gradient(&parameters, &moves, share, &mut gradient);
                controller.add_gradient(&parameters, &moves, factor, reinforce.gradient());
                if std::ptr::eq(sample, &raw const samples[samples.len() - 1]) {
                    check_close("gradient", &gradient, &numbers(&update["gradient"]));
                }
                reinforce.count_sample(&config, &mut parameters);
            }
            check_close("parameters", &parameters, &numbers(&update["parameters"]));
        }
    }
}
