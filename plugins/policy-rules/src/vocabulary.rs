//! What conditions can speak of, by question.

use nas_plugin_api::verdict::QuestionKind;

use crate::types::Type;

/// The names that a condition can use at a question, with their types.
pub(crate) fn of(kind: QuestionKind) -> Vec<(&'static str, Type)> {
    let number = || Type::Number;
    let record = |fields: &[&'static str]| {
        Type::Record(fields.iter().map(|field| (*field, Type::Number)).collect())
    };
    let numbers = || Type::Map(Box::new(Type::Number));
    let mut names = vec![
        ("elapsed_seconds", number()),
        (
            "spent",
            record(&[
                "trials",
                "wall_seconds",
                "cpu_seconds",
                "gpu_seconds",
                "energy_kwh",
                "money",
            ]),
        ),
        ("budget", numbers()),
        (
            "history",
            Type::Record(vec![
                ("proposed", Type::Number),
                ("best", Type::Number),
                ("outcomes", Type::Map(Box::new(Type::Number))),
            ]),
        ),
    ];
    let is_of_trial =
        matches!(kind, QuestionKind::Candidate | QuestionKind::Review | QuestionKind::Champion);
    if is_of_trial {
        names.extend([
            ("trial", number()),
            ("cost", record(&["parameters", "multiply_adds", "activation_bytes", "depth"])),
            ("operations", numbers()),
        ]);
    }
    match kind {
        QuestionKind::Review | QuestionKind::Champion => names.extend([
            ("outcome", Type::Text),
            ("measurements", numbers()),
            ("objectives", Type::List(Box::new(Type::Number))),
        ]),
        QuestionKind::Progress => names.extend([
            ("unit", Type::Text),
            ("completed", number()),
            ("best", number()),
            ("best_so_far", number()),
            ("mean", number()),
            ("signals", numbers()),
        ]),
        QuestionKind::Plan | QuestionKind::Resume => names.extend([
            ("strategy", Type::Text),
            ("space", Type::Text),
            ("space_size", number()),
            ("epochs", number()),
            ("workers", number()),
        ]),
        _ => {}
    }
    names
}
