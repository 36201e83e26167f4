//! Every method, small: what each needs to search in a second.

use nas_plugin_api::component::{Component, OneShotStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::template::Space;
use strategy_darts::one_shot::OneShot;
use strategy_darts::{
    Darts, DartsConfig, DartsPt, DartsPtConfig, DrNas, DrNasConfig, FairDarts, FairDartsConfig,
    Gdas, GdasConfig, PDarts, PDartsConfig, PcDarts, PcDartsConfig, Snas, SnasConfig,
};

use crate::spaces::context;

/// Their names.
pub(crate) const METHODS: [&str; 8] =
    ["darts", "gdas", "snas", "pc-darts", "drnas", "p-darts", "fair-darts", "darts-pt"];

/// A method with few epochs and large steps.
pub(crate) fn small(method: &str, space: &Space, seed: u64) -> Box<dyn OneShotStrategy> {
    try_small(method, space, seed).unwrap()
}

fn try_small(
    method: &str,
    space: &Space,
    seed: u64,
) -> Result<Box<dyn OneShotStrategy>, PluginError> {
    let context = context(space, seed);
    Ok(match method {
        "darts" => {
            let config =
                DartsConfig { epochs: 5, alpha_learning_rate: 0.03, ..DartsConfig::default() };
            Box::new(OneShot::<Darts>::create(config, context)?)
        }
        "gdas" => {
            let config = GdasConfig {
                epochs: 150,
                alpha_learning_rate: 0.003,
                last_temperature: 1.0,
                ..GdasConfig::default()
            };
            Box::new(OneShot::<Gdas>::create(config, context)?)
        }
        "snas" => {
            let config = SnasConfig {
                epochs: 10,
                alpha_learning_rate: 0.03,
                last_temperature: 0.3,
                ..SnasConfig::default()
            };
            Box::new(OneShot::<Snas>::create(config, context)?)
        }
        "pc-darts" => {
            let config = PcDartsConfig {
                epochs: 7,
                frozen_epochs: 2,
                alpha_learning_rate: 0.03,
                ..PcDartsConfig::default()
            };
            Box::new(OneShot::<PcDarts>::create(config, context)?)
        }
        "drnas" => {
            let config = DrNasConfig {
                stage_epochs: vec![10, 10],
                operations_kept: vec![0, 3],
                frozen_epochs: 1,
                alpha_learning_rate: 0.03,
                ..DrNasConfig::default()
            };
            Box::new(OneShot::<DrNas>::create(config, context)?)
        }
        "p-darts" => {
            let config = PDartsConfig {
                stage_epochs: 4,
                frozen_epochs: 1,
                max_skips: 100,
                alpha_learning_rate: 0.03,
                ..PDartsConfig::default()
            };
            Box::new(OneShot::<PDarts>::create(config, context)?)
        }
        "fair-darts" => {
            let config = FairDartsConfig {
                epochs: 6,
                alpha_learning_rate: 0.05,
                zero_one_weight: 0.1,
                ..FairDartsConfig::default()
            };
            Box::new(OneShot::<FairDarts>::create(config, context)?)
        }
        "darts-pt" => {
            let config = DartsPtConfig {
                epochs: 2,
                interval: 1,
                alpha_learning_rate: 0.01,
                ..DartsPtConfig::default()
            };
            Box::new(OneShot::<DartsPt>::create(config, context)?)
        }
        other => panic!("no method {other}"),
    })
}
