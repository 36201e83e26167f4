//! A strategy that is restored goes on as if nothing had happened.

use nas_plugin_api::component::{Component, OneShotStrategy, StrategyContext};
use nas_plugin_api::template::Space;
use strategy_sampling::{Enas, EnasConfig, Gates, Proxyless, ProxylessConfig, Spos, SposConfig};

use crate::toy::Toy;
use crate::{cell, chain, context, enas, proxyless, spos};

fn create<S: Component<Context = StrategyContext>>(
    config: S::Config,
    space: Space,
    seed: u64,
) -> S {
    S::create(config, context(space, seed)).unwrap()
}

/// Restores after so many epochs into a strategy of another seed, and compares every command that
/// follows.
#[track_caller]
fn check<S>(config: S::Config, space: &Space, epochs: usize)
where
    S: OneShotStrategy + Component<Context = StrategyContext>,
    S::Config: Clone,
{
    let mut one = Toy::new(space, 5);
    let mut undisturbed: S = create(config.clone(), space.clone(), 1);
    one.run_epochs(&mut undisturbed, epochs);
    let saved = undisturbed.save().unwrap();

    let mut other = Toy::new(space, 5);
    other.run_epochs(&mut create::<S>(config.clone(), space.clone(), 1), epochs);
    let mut restored: S = create(config, space.clone(), 2);
    restored.restore(&saved).unwrap();
    other.restart();

    assert_eq!(one.run(&mut undisturbed), other.run(&mut restored));
    assert!(one.commands.len() > epochs);
    assert_eq!(one.commands, other.commands);
    assert_eq!(undisturbed.save().unwrap(), restored.save().unwrap());
}

#[test]
fn enas_goes_on_bit_for_bit() {
    let short = EnasConfig { epochs: 4, updates_per_epoch: 3, ..enas::config() };
    for epochs in [1, 2, 4] {
        check::<Enas>(short.clone(), &cell(), epochs);
    }
}

#[test]
fn proxyless_goes_on_bit_for_bit() {
    for gates in [Gates::FullV2, Gates::Two] {
        let short = ProxylessConfig {
            epochs: 3,
            cost_loss: strategy_sampling::CostLoss::MulLog,
            ..proxyless::config(gates)
        };
        for epochs in [1, 3, 4] {
            check::<Proxyless>(short.clone(), &chain(20), epochs);
        }
    }
}

#[test]
fn spos_goes_on_bit_for_bit() {
    let short = SposConfig { generations: 4, ..spos::config() };
    for epochs in [1, 2, 4] {
        check::<Spos>(short.clone(), &chain(20), epochs);
    }
}

#[test]
fn states_that_do_not_fit_are_refused() {
    let error = |strategy: &mut dyn OneShotStrategy, state: &[u8]| {
        strategy.restore(state).unwrap_err().message
    };
    let config = || proxyless::config(Gates::FullV2);
    let saved = create::<Proxyless>(config(), chain(20), 0).save().unwrap();
    let mut other: Proxyless = create(config(), cell(), 0);
    let message = error(&mut other, &saved);
    assert!(message.contains("it has 160 architecture weights, expected"), "{message}");
    assert!(error(&mut other, b"{").starts_with("restore the strategy's state"));

    let saved = create::<Enas>(enas::config(), chain(20), 0).save().unwrap();
    let message = error(&mut create::<Enas>(enas::config(), cell(), 0), &saved);
    assert!(message.contains("parameters of the controller"), "{message}");

    let mut strategy: Spos = create(SposConfig { generations: 1, ..spos::config() }, chain(20), 0);
    Toy::new(&chain(20), 0).run_epochs(&mut strategy, 3);
    let saved = strategy.save().unwrap();
    let message = error(&mut create::<Spos>(spos::config(), cell(), 0), &saved);
    assert!(message.contains("a genotype of space `cell`"), "{message}");
}
