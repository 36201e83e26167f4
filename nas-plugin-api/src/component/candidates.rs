//! Which of a set's operations a search space offers as candidates.

use super::OperationInfo;
use crate::error::PluginError;

impl OperationInfo {
    /// The names of the candidates: `wanted` in its own order, or everything `offered` where
    /// nothing in particular is wanted.
    ///
    /// # Errors
    /// A wanted name that the set does not offer, or none to choose from.
    pub fn select<'a>(offered: &'a [Self], wanted: &[String]) -> Result<Vec<&'a str>, PluginError> {
        let find = |name: &String| {
            offered.iter().find(|operation| &operation.name == name).ok_or_else(|| {
                let known: Vec<&str> = offered.iter().map(|known| known.name.as_str()).collect();
                PluginError::configuration(format!(
                    "offer operation `{name}`, which the set does not have (it has {})",
                    known.join(", ")
                ))
                .with_help(
                    "name operations of the set in the space's `operations`, or choose another set",
                )
            })
        };
        let candidates: Vec<&Self> = match wanted {
            [] => offered.iter().collect(),
            wanted => wanted.iter().map(find).collect::<Result<_, _>>()?,
        };
        match candidates.is_empty() {
            true => Err(PluginError::configuration("offer operations: the set is empty")),
            false => Ok(candidates.iter().map(|operation| operation.name.as_str()).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &[&str], expected: &str) {
        let offered = ["conv_3x3", "identity"].map(|name| OperationInfo::new(name, ""));
        let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
        let selected = OperationInfo::select(&offered, &wanted);
        let text = selected.map_or_else(|error| error.to_string(), |names| names.join(" "));
        assert_eq!(text, expected);
    }

    #[test]
    fn candidates_come_as_wanted_or_all() {
        check(&[], "conv_3x3 identity");
        check(&["identity", "conv_3x3"], "identity conv_3x3");
        let message = "offer operation `conv3x3`, which the set does not have (it has conv_3x3, \
                       identity)";
        check(&["conv3x3"], message);
    }
}
