//! A strategy that was restored goes on as if nothing had happened.

use nas_plugin_api::component::{Command, Mixture, OneShotPlan, OneShotStrategy, Report};
use nas_plugin_api::error::{ErrorCode, PluginError};
use nas_plugin_api::template::Space;
use space_darts::DartsConfig;

use crate::methods::{METHODS, small};
use crate::spaces::{chain, darts, nb201};
use crate::toy::Toy;

/// A strategy that is thrown away after every command and restored in a new one, which was created
/// with another seed.
struct Forgetful<'a> {
    method: &'a str,
    space: &'a Space,
    state: Vec<u8>,
}

impl Forgetful<'_> {
    fn strategy(&self) -> Result<Box<dyn OneShotStrategy>, PluginError> {
        let mut strategy = small(self.method, self.space, 999);
        strategy.restore(&self.state)?;
        Ok(strategy)
    }
}

impl OneShotStrategy for Forgetful<'_> {
    fn plan(&mut self) -> Result<OneShotPlan, PluginError> {
        self.strategy()?.plan()
    }

    fn next(&mut self, report: &Report) -> Result<Command, PluginError> {
        let mut strategy = self.strategy()?;
        let command = strategy.next(report)?;
        self.state = strategy.save()?;
        Ok(command)
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        Ok(self.state.clone())
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), PluginError> {
        self.state = state.to_vec();
        Ok(())
    }

    fn relax_at(&self, alpha: &[f64]) -> Result<Mixture, PluginError> {
        self.strategy()?.relax_at(alpha)
    }
}

#[test]
fn every_epoch_is_a_place_to_go_on_from() {
    let space = darts(DartsConfig::default());
    for method in METHODS {
        let toy = Toy::new(&space, 3, 0.3, 1);
        let whole = toy.drive(small(method, &space, 1).as_mut()).unwrap();
        let places = [0, whole.checkpoints.len() / 2, whole.checkpoints.len() - 1];
        for (n_commands, state, toy) in places.map(|place| &whole.checkpoints[place]) {
            let mut strategy = small(method, &space, 2);
            strategy.restore(state).unwrap();
            let rest = toy.clone().drive(strategy.as_mut()).unwrap();
            assert_eq!(rest.commands, whole.commands[*n_commands..], "{method}");
        }
    }
}

#[test]
fn nothing_is_forgotten_between_two_commands() {
    for space in [nb201(), chain()] {
        for method in METHODS {
            let toy = Toy::new(&space, 2, 0.3, 3);
            let mut strategy = small(method, &space, 3);
            let state = strategy.save().unwrap();
            let whole = toy.clone().drive(strategy.as_mut()).unwrap();
            let mut forgetful = Forgetful { method, space: &space, state };
            let pieces = toy.drive(&mut forgetful).unwrap();
            assert_eq!(pieces.commands, whole.commands, "{method} on {}", space.name());
        }
    }
}

#[test]
fn one_seed_gives_one_search() {
    let space = nb201();
    for method in METHODS {
        let run = |seed| {
            let toy = Toy::new(&space, 2, 0.3, 3);
            toy.drive(small(method, &space, seed).as_mut()).unwrap().commands
        };
        assert_eq!(run(4), run(4), "{method}");
    }
}

#[test]
fn the_state_of_another_space_is_refused() {
    let state = small("darts", &chain(), 0).save().unwrap();
    let mut strategy = small("darts", &nb201(), 0);
    for state in [state.as_slice(), b"{}"] {
        let error = strategy.restore(state).unwrap_err();
        assert_eq!(error.code, ErrorCode::Message);
        assert!(error.help.is_some());
    }
}
