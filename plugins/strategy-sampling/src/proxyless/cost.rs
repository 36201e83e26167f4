//! The expected cost of what the gates draw, and how it enters the loss.
//!
//! # Source
//! Cai, Zhu, Han. ProxylessNAS, ICLR 2019, section 3.3; `mit-han-lab/proxylessnas@bf58b5c`:
//! search/nas_manager.py `add_regularization_loss`.

use nas_plugin_api::error::PluginError;

use super::config::{CostLoss, ProxylessConfig};

/// The derivatives of the loss with a cost in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slopes {
    /// In the loss without cost.
    pub(super) loss: f64,
    /// In the expected cost.
    pub(super) cost: f64,
}

/// The derivatives at this loss and expected cost.
///
/// # Errors
/// Costs of which there is no logarithm above 0.
pub(super) fn slopes(
    config: &ProxylessConfig,
    loss: f64,
    cost: f64,
    reference: f64,
) -> Result<Slopes, PluginError> {
    match config.cost_loss {
        CostLoss::None => Ok(Slopes { loss: 1.0, cost: 0.0 }),
        CostLoss::AddLinear => Ok(Slopes { loss: 1.0, cost: config.add_linear_factor / reference }),
        CostLoss::MulLog if cost > 1.0 && reference > 1.0 => {
            let (factor, exponent) = (config.mul_log_factor, config.mul_log_exponent);
            let ratio = cost.ln() / reference.ln();
            Ok(Slopes {
                loss: factor * ratio.powf(exponent),
                cost: factor * loss * exponent * ratio.powf(exponent - 1.0)
                    / (cost * reference.ln()),
            })
        }
        CostLoss::MulLog => Err(PluginError::unsupported(format!(
            "multiply the loss by the logarithm of costs: the expected cost is {cost} and the \
             reference {reference}, both must be above 1"
        ))
        .with_help("set `cost_loss = \"add-linear\"`, which takes costs of any size")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss_of(config: &ProxylessConfig, loss: f64, cost: f64) -> f64 {
        match config.cost_loss {
            CostLoss::MulLog => 0.2 * loss * (cost.ln() / 80_f64.ln()).powf(0.3),
            CostLoss::AddLinear => loss + 0.1 * (cost - 80.0) / 80.0,
            CostLoss::None => loss,
        }
    }

    #[test]
    fn slopes_are_derivatives() {
        for cost_loss in [CostLoss::MulLog, CostLoss::AddLinear, CostLoss::None] {
            let config = ProxylessConfig { cost_loss, ..ProxylessConfig::default() };
            let slopes = slopes(&config, 2.3, 95.0, 80.0).unwrap();
            let at = |loss, cost| loss_of(&config, loss, cost);
            let by_loss = (at(2.3 + 1e-5, 95.0) - at(2.3 - 1e-5, 95.0)) / 2e-5;
            let by_cost = (at(2.3, 95.0 + 1e-3) - at(2.3, 95.0 - 1e-3)) / 2e-3;
            assert!((slopes.loss - by_loss).abs() < 1e-9, "{cost_loss:?}");
            assert!((slopes.cost - by_cost).abs() < 1e-9, "{cost_loss:?}");
        }
    }

    #[test]
    fn costs_without_a_logarithm_are_refused() {
        let error = slopes(&ProxylessConfig::default(), 1.0, 0.5, 80.0).unwrap_err();
        assert!(error.to_string().contains("the expected cost is 0.5"), "{error}");
    }
}
