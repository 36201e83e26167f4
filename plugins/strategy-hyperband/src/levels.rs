//! The fidelities that are used.

use nas_plugin_api::error::PluginError;

/// Epochs of each level, rising by `factor` up to the run's own.
///
/// # Errors
/// A factor below 2, or less than one epoch to begin with.
pub(crate) fn levels(
    min_epochs: u32,
    max_epochs: u32,
    factor: u32,
) -> Result<Vec<u32>, PluginError> {
    if factor < 2 || min_epochs == 0 {
        return Err(PluginError::configuration("raise epochs by a factor below 2, or from 0"));
    }
    if min_epochs > max_epochs {
        let text = format!("begin with {min_epochs} epochs where training has {max_epochs}");
        let help = "lower `strategy.min_epochs` or raise `training.epochs`";
        return Err(PluginError::configuration(text).with_help(help));
    }
    let mut levels = vec![max_epochs];
    let mut share = f64::from(max_epochs);
    loop {
        share /= f64::from(factor);
        let epochs = share.round() as u32;
        if epochs < min_epochs || levels.last() == Some(&epochs) {
            levels.reverse();
            return Ok(levels);
        }
        levels.push(epochs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_powers_of_the_factor_below_the_whole() {
        assert_eq!(levels(1, 27, 3), Ok(vec![1, 3, 9, 27]));
        assert_eq!(levels(2, 27, 3), Ok(vec![3, 9, 27]));
        assert_eq!(levels(1, 8, 3), Ok(vec![1, 3, 8]));
        assert_eq!(levels(1, 1, 3), Ok(vec![1]));
        assert!(levels(0, 9, 3).is_err() && levels(1, 9, 1).is_err());
        let error = levels(12, 9, 3).unwrap_err();
        assert_eq!(error.to_string(), "begin with 12 epochs where training has 9");
    }
}
