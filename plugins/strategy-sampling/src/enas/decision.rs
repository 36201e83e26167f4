//! What the controller decides, one after another, in any space.

use nas_plugin_api::template::{ChoiceIndex, Options, Space};
use nas_plugin_api::toolkit::picks::{limits, selectable};

use super::config::EnasConfig;

/// The decisions of a space: one for every choice that has more than one option, in their order.
pub(super) struct Decisions {
    pub(super) decisions: Vec<Decision>,
    pub(super) vocabularies: Vec<Vocabulary>,
    /// Per choice, what is picked before anything is decided: the only option's members.
    pub(super) forced: Vec<Vec<usize>>,
}

/// One choice: some members are picked, one after another and none twice.
///
/// A choice that takes a varying number of members is over when `stop` is picked.
pub(super) struct Decision {
    pub(super) choice: ChoiceIndex,
    /// Whose embeddings and softmax weights are used.
    pub(super) vocabulary: usize,
    /// Whether a genotype may pick each member.
    selectable: Vec<bool>,
    min: usize,
    pub(super) max: usize,
    /// Logits are squashed to this, if it is not 0.
    pub(super) tanh_constant: f64,
    /// Added to the logits for good, or nothing.
    pub(super) fixed_bias: Vec<f64>,
}

/// What can be picked; choices among the same things share one.
#[derive(Debug, PartialEq)]
pub(super) struct Vocabulary {
    members: Members,
    /// Whether `stop` follows the members.
    has_stop: bool,
}

/// What the members are.
#[derive(Debug, PartialEq)]
enum Members {
    /// Operations by their names.
    Operations(Vec<String>),
    /// So many inputs.
    Inputs(usize),
    /// Numbers of repeats, of channels or of features.
    Numbers(Vec<usize>),
}

impl Vocabulary {
    /// Number of members, `stop` included.
    pub(super) fn size(&self) -> usize {
        let members = match &self.members {
            Members::Operations(names) => names.len(),
            Members::Inputs(n) => *n,
            Members::Numbers(numbers) => numbers.len(),
        };
        members + usize::from(self.has_stop)
    }

    /// The first biases of the softmax.
    pub(super) fn biases(&self, config: &EnasConfig) -> Vec<f64> {
        let mut biases = vec![0.0; self.size()];
        for member in self.favoured(config) {
            biases[member] = config.favoured_bias;
        }
        biases
    }

    fn favoured(&self, config: &EnasConfig) -> Vec<usize> {
        let Members::Operations(names) = &self.members else {
            return Vec::new();
        };
        let is_favoured = |&member: &usize| config.favoured_operations.contains(&names[member]);
        (0..names.len()).filter(is_favoured).collect()
    }

    /// What is added to logits for good, or nothing.
    fn fixed_bias(&self, config: &EnasConfig, choice: &str) -> Vec<f64> {
        let favoured = self.favoured(config);
        if favoured.is_empty() || !choice.starts_with(&config.fixed_bias_prefix) {
            return Vec::new();
        }
        let sign = |member| if favoured.contains(&member) { 1.0 } else { -1.0 };
        (0..self.size()).map(|member| sign(member) * config.fixed_bias).collect()
    }
}

impl Decisions {
    pub(super) fn new(space: &Space, config: &EnasConfig) -> Self {
        let mut vocabularies: Vec<Vocabulary> = Vec::new();
        let mut decisions = Vec::new();
        let mut forced = vec![Vec::new(); space.n_choices()];
        for (choice, described) in space.template().choices.iter().enumerate() {
            if space.n_options(choice) == 1 {
                forced[choice] = space.selection(choice, 0).to_vec();
                continue;
            }
            let (min, max) = limits(space, choice);
            let members = members(&described.options);
            let tanh_constant = match members {
                Members::Inputs(_) => config.tanh_constant,
                _ => config.tanh_constant / config.operation_tanh_reduce,
            };
            let wanted = Vocabulary { members, has_stop: min < max };
            let vocabulary = match vocabularies.iter().position(|known| *known == wanted) {
                Some(known) => known,
                None => {
                    vocabularies.push(wanted);
                    vocabularies.len() - 1
                }
            };
            let shared = &vocabularies[vocabulary];
            let may_pick = selectable(space, choice);
            let n_members = shared.size() - usize::from(shared.has_stop);
            decisions.push(Decision {
                choice,
                vocabulary,
                selectable: (0..n_members).map(|member| may_pick.contains(&member)).collect(),
                min,
                max,
                tanh_constant,
                fixed_bias: shared.fixed_bias(config, &described.id),
            });
        }
        Self { decisions, vocabularies, forced }
    }
}

impl Decision {
    /// Which members may be picked after these, `stop` last where there is one.
    pub(super) fn allowed(&self, picked: &[usize]) -> Vec<bool> {
        let may_stop = (self.min < self.max).then_some(picked.len() >= self.min);
        let members = self.selectable.iter().enumerate();
        members
            .map(|(member, &selectable)| selectable && !picked.contains(&member))
            .chain(may_stop)
            .collect()
    }

    /// Whether this pick means that no more follow.
    pub(super) fn is_stop(&self, pick: usize) -> bool {
        pick == self.selectable.len()
    }
}

fn members(options: &Options) -> Members {
    match options {
        Options::Operation { candidates, .. } => Members::Operations(candidates.clone()),
        Options::Inputs { n, .. } => Members::Inputs(*n),
        Options::Depth { repeats: numbers } | Options::Width { values: numbers } => {
            Members::Numbers(numbers.clone())
        }
        // A kind of a newer version never reaches this plugin: the layout would not match.
        _ => Members::Numbers(Vec::new()),
    }
}
