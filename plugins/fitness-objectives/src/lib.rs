//! Several objectives at once, under the name `objectives`: measurements and costs to be made large
//! or small, each with a limit if there is one.

use std::collections::BTreeMap;

use nas_plugin_api::component::{Component, Fitness};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::{Cost, Measurements, names};
use nas_plugin_api::objective::Objective;

nas_plugin_api::export_plugin! { fitness: [Objectives] }

nas_plugin_api::configuration! {
    /// Settings of several objectives.
    pub struct ObjectivesConfig {
        /// Measurements to be made large; the first one decides which network is called the best.
        pub maximize: Vec<String> = vec![names::VALIDATION_ACCURACY.to_owned()],
        /// Measurements to be made small. `parameters`, `multiply_adds`, `activation_bytes` and
        /// `depth` are counted from the network and need not be measured.
        pub minimize: Vec<String> = vec![names::PARAMETERS.to_owned()],
        /// The worst acceptable value of objectives, by name: a network beyond one is infeasible.
        pub limits: BTreeMap<String, f64> = BTreeMap::new(),
    }
}

/// Several objectives at once.
pub struct Objectives(Vec<Objective>);

impl Component for Objectives {
    const NAME: &'static str = "objectives";
    const SUMMARY: &'static str = "several measurements and costs, for a front of trade-offs";
    type Config = ObjectivesConfig;
    type Context = ();

    fn create(config: ObjectivesConfig, (): ()) -> Result<Self, PluginError> {
        let large = config.maximize.iter().map(|name| Objective::maximize(name));
        let small = config.minimize.iter().map(|name| Objective::minimize(name));
        let mut objectives: Vec<Objective> = large.chain(small).collect();
        if objectives.is_empty() {
            return Err(PluginError::configuration("score by no objective"));
        }
        for (place, objective) in objectives.iter().enumerate() {
            let name = &objective.name;
            if objectives[..place].iter().any(|other| other.name == *name) {
                return Err(PluginError::configuration(format!("score by `{name}` twice")));
            }
        }
        for (name, &limit) in &config.limits {
            let Some(place) = objectives.iter().position(|objective| objective.name == *name)
            else {
                let text = format!("limit `{name}`, which is no objective");
                let help = "name it in `maximize` or `minimize` as well";
                return Err(PluginError::configuration(text).with_help(help));
            };
            objectives[place].limit = Some(limit);
        }
        Ok(Self(objectives))
    }
}

impl Fitness for Objectives {
    fn needs(&self) -> Vec<String> {
        let names = self.0.iter().map(|objective| objective.name.clone());
        names.filter(|name| cost(&Cost::default(), name).is_none()).collect()
    }

    fn objectives(&self) -> Vec<Objective> {
        self.0.clone()
    }

    fn score(&mut self, measured: &Measurements, costs: &Cost) -> Result<Vec<f64>, PluginError> {
        let value = |objective: &Objective| {
            let name = &objective.name;
            cost(costs, name)
                .or_else(|| measured.get(name))
                .ok_or_else(|| PluginError::internal(format!("score a trial without `{name}`")))
        };
        self.0.iter().map(value).collect()
    }
}

/// What is counted from the network's graph.
fn cost(cost: &Cost, name: &str) -> Option<f64> {
    match name {
        names::PARAMETERS => Some(cost.parameters as f64),
        names::MULTIPLY_ADDS => Some(cost.multiply_adds as f64),
        "activation_bytes" => Some(cost.activation_bytes as f64),
        "depth" => Some(f64::from(cost.depth)),
        _ => None,
    }
}
