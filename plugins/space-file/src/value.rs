//! Numbers that depend on the scale.

use std::collections::BTreeMap;

use toml::Value;

/// Names and their numbers.
pub(crate) type Values = BTreeMap<String, usize>;

/// A number, written as one or as names and numbers joined by `*` and `/`, worked out from left
/// to right; divisions round down.
///
/// # Errors
/// What is neither, or a name that does not exist.
pub(crate) fn evaluate(value: &Value, values: &Values) -> Result<usize, String> {
    match value {
        Value::Integer(number) => {
            usize::try_from(*number).map_err(|_| format!("{number} is negative"))
        }
        Value::String(text) => evaluate_text(text, values),
        other => {
            Err(format!("expected a number or a product such as \"channels * 2\", got {other}"))
        }
    }
}

fn evaluate_text(text: &str, values: &Values) -> Result<usize, String> {
    let term = |word: &str| match (word.parse(), values.get(word)) {
        (Ok(number), _) => Ok(number),
        (_, Some(&number)) => Ok(number),
        _ => {
            let known: Vec<&str> = values.keys().map(String::as_str).collect();
            Err(format!("`{word}` in \"{text}\" is no value (there are {})", known.join(", ")))
        }
    };
    let spaced = text.replace('*', " * ").replace('/', " / ");
    let mut words = spaced.split_whitespace();
    let mut result = term(words.next().unwrap_or(""))?;
    while let Some(operator) = words.next() {
        let right = term(words.next().unwrap_or(""))?;
        let joined = match operator {
            "*" => result.checked_mul(right),
            "/" => result.checked_div(right),
            _ => return Err(format!("\"{text}\" joins values by something else than * and /")),
        };
        result = joined.ok_or_else(|| format!("\"{text}\" has no value"))?;
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<usize, &str>) {
        let values = Values::from([("channels".to_owned(), 16), ("cells".to_owned(), 5)]);
        let found = evaluate(&Value::String(text.to_owned()), &values);
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn products_are_worked_out_from_left_to_right() {
        check("channels", Ok(16));
        check("channels*2", Ok(32));
        check("2 * cells / 3", Ok(3));
        check("cells / 3 * 2", Ok(2));
        check("cells / 0", Err("\"cells / 0\" has no value"));
        check("cells + 1", Err("\"cells + 1\" joins values by something else than * and /"));
        let message = "`chanels` in \"chanels * 2\" is no value (there are cells, channels)";
        check("chanels * 2", Err(message));
    }
}
