//! The values of a question, under the names of [`crate::vocabulary`]. All numbers are reals.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cel::{Context, Value};
use nas_plugin_api::verdict::{Candidate, Plan, PolicyContext, Progress, Question, Review};

/// Everything that a condition can speak of.
pub(crate) fn of(question: &Question, context: &PolicyContext) -> Context<'static> {
    let mut facts = Context::default();
    let mut set = |name: &str, value: Value| facts.add_variable_from_value(name, value);
    let PolicyContext { elapsed_seconds, spent, budget, history, .. } = context;
    set("elapsed_seconds", real(*elapsed_seconds));
    set(
        "spent",
        record([
            ("trials", real(spent.trials as f64)),
            ("wall_seconds", real(spent.wall_seconds)),
            ("cpu_seconds", real(spent.cpu_seconds)),
            ("gpu_seconds", real(spent.gpu_seconds)),
            ("energy_kwh", real(spent.energy_kwh)),
            ("money", real(spent.money)),
        ]),
    );
    set("budget", map(budget));
    let outcomes = history.outcomes.iter().map(|(name, n)| (name.clone(), *n as f64)).collect();
    set(
        "history",
        record([
            ("proposed", real(history.proposed as f64)),
            ("best", real(history.best.unwrap_or(f64::NEG_INFINITY))),
            ("outcomes", map(&outcomes)),
        ]),
    );
    match question {
        Question::Candidate(candidate) => of_candidate(candidate, &mut set),
        Question::Review(review) | Question::Champion(review) | Question::Export(review) => {
            let Review { candidate, outcome, measurements, objectives } = review;
            of_candidate(candidate, &mut set);
            set("outcome", Value::from(outcome.name()));
            set("measurements", map(&measurements.0));
            let objectives: Vec<Value> = objectives.iter().map(|value| real(*value)).collect();
            set("objectives", Value::List(Arc::new(objectives)));
        }
        Question::Progress(progress) => {
            let Progress { unit, completed, best, best_so_far, mean, signals } = progress;
            set("unit", Value::from(unit.as_str()));
            set("completed", real(f64::from(*completed)));
            set("best", real(*best));
            set("best_so_far", real(*best_so_far));
            set("mean", real(*mean));
            set("signals", map(signals));
        }
        Question::Plan(plan) | Question::Resume(plan) => {
            let Plan { strategy, space, space_size, epochs, workers } = plan;
            set("strategy", Value::from(strategy.as_str()));
            set("space", Value::from(space.as_str()));
            set("space_size", real(*space_size));
            set("epochs", real(f64::from(*epochs)));
            set("workers", real(f64::from(*workers)));
        }
        _ => {}
    }
    facts
}

fn of_candidate(candidate: &Candidate, set: &mut impl FnMut(&str, Value)) {
    let Candidate { trial, cost, operations, .. } = candidate;
    set("trial", real(*trial as f64));
    set(
        "cost",
        record([
            ("parameters", real(cost.parameters as f64)),
            ("multiply_adds", real(cost.multiply_adds as f64)),
            ("activation_bytes", real(cost.activation_bytes as f64)),
            ("depth", real(f64::from(cost.depth))),
        ]),
    );
    let operations =
        operations.iter().map(|(name, times)| (name.to_string(), f64::from(*times))).collect();
    set("operations", map(&operations));
}

fn real(value: f64) -> Value {
    Value::Float(value)
}

fn map(values: &BTreeMap<String, f64>) -> Value {
    let values: HashMap<String, Value> =
        values.iter().map(|(name, value)| (name.clone(), real(*value))).collect();
    Value::from(values)
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields: HashMap<String, Value> =
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Value::from(fields)
}
