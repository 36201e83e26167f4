//! Which of several evaluated networks are best.

use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;

/// The genotypes by their accuracies, best first, in their order where these are equal; one that is
/// not a number counts as the worst.
///
/// # Errors
/// Fewer or more accuracies than genotypes.
pub(crate) fn best_first(
    genotypes: Vec<Genotype>,
    accuracies: &[f64],
) -> Result<Vec<Genotype>, PluginError> {
    let mut ranked: Vec<(Genotype, f64)> = pair(genotypes, accuracies)?;
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(ranked.into_iter().map(|(genotype, _)| genotype).collect())
}

/// Each genotype with its accuracy; minus infinity for what is not a number.
///
/// # Errors
/// Fewer or more accuracies than genotypes.
pub(crate) fn pair(
    genotypes: Vec<Genotype>,
    accuracies: &[f64],
) -> Result<Vec<(Genotype, f64)>, PluginError> {
    if genotypes.len() != accuracies.len() {
        return Err(PluginError::internal(format!(
            "rank {} networks by {} accuracies: each must have been evaluated",
            genotypes.len(),
            accuracies.len()
        )));
    }
    let known = |&accuracy: &f64| if accuracy.is_nan() { f64::NEG_INFINITY } else { accuracy };
    Ok(genotypes.into_iter().zip(accuracies.iter().map(known)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_keep_their_order_and_nan_is_worst() {
        let genotypes: Vec<Genotype> = (0..4).map(|value| Genotype(vec![value])).collect();
        let ranked = best_first(genotypes.clone(), &[0.5, f64::NAN, 0.9, 0.5]).unwrap();
        assert_eq!(ranked.iter().map(|g| g.0[0]).collect::<Vec<_>>(), [2, 0, 3, 1]);
        assert!(best_first(genotypes, &[0.5]).is_err());
    }
}
