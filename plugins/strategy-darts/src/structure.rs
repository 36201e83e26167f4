//! What a method of the family knows of the space that it searches.

use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::{ChoiceIndex, Options, Space};
use nas_plugin_api::toolkit::incoming_edges::IncomingEdges;
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::toolkit::picks;
use nas_plugin_api::toolkit::repair::repair;
use nas_plugin_api::toolkit::rng::Generator;

/// A space, the layout of its mixtures, and which operations feed which node.
#[derive(Clone, Debug)]
pub struct Structure {
    /// The space.
    pub space: Space,
    /// Where each choice's paths lie in a mixture.
    pub layout: MixtureLayout,
    /// The nodes that keep some of their incoming edges.
    pub nodes: Vec<IncomingEdges>,
}

/// How a choice takes part in a mixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Candidate operations, weighted as the method does.
    Operation,
    /// Incoming edges whose operations say how strong they are: a plain sum, unless the method
    /// weights edges (PC-DARTS).
    Edges,
    /// Incoming edges of which nothing else says how strong they are: always weighted by softmax.
    OtherInputs,
    /// A depth or a width: one number, weighted as the method does.
    Number,
}

impl Structure {
    /// Reads a space.
    ///
    /// # Errors
    /// A space in which nothing is chosen.
    pub fn new(space: &Space) -> Result<Self, PluginError> {
        let layout = MixtureLayout::new(space);
        if layout.n_paths() == 0 {
            return Err(PluginError::configuration(format!(
                "search space `{}`: it has no choice to make",
                space.name()
            ))
            .with_help("train its one network as a trial, or use a space with choices"));
        }
        Ok(Self { layout, nodes: IncomingEdges::of(space), space: space.clone() })
    }

    /// The choices of the space.
    pub fn choices(&self) -> std::ops::Range<ChoiceIndex> {
        0..self.layout.n_choices()
    }

    /// A choice's id.
    #[must_use]
    pub fn id(&self, choice: ChoiceIndex) -> &str {
        &self.space.template().choices[choice].id
    }

    /// How a choice takes part in a mixture.
    #[must_use]
    pub fn kind(&self, choice: ChoiceIndex) -> Kind {
        match self.space.template().choices[choice].options {
            Options::Operation { .. } => Kind::Operation,
            Options::Inputs { .. } => match self.node(choice) {
                Some(node) if node.has_operations() => Kind::Edges,
                _ => Kind::OtherInputs,
            },
            _ => Kind::Number,
        }
    }

    /// The node whose inputs this choice selects among.
    #[must_use]
    pub fn node(&self, choice: ChoiceIndex) -> Option<&IncomingEdges> {
        self.nodes.iter().find(|node| node.inputs == choice)
    }

    /// Names of a choice's candidate operations; none for other choices.
    #[must_use]
    pub fn candidates(&self, choice: ChoiceIndex) -> &[String] {
        match &self.space.template().choices[choice].options {
            Options::Operation { candidates, .. } => candidates,
            _ => &[],
        }
    }

    /// Whether a genotype may pick nothing but what the search alone offers at this path: `none`
    /// in the space of DARTS.
    #[must_use]
    pub fn is_search_only(&self, choice: ChoiceIndex, path: usize) -> bool {
        matches!(
            &self.space.template().choices[choice].options,
            Options::Operation { search_only, .. } if search_only.contains(&path)
        )
    }

    /// The genotype of these picks, repaired where the space has constraints that they don't meet.
    ///
    /// # Errors
    /// Picks that are no options, or constraints that nothing meets.
    pub fn genotype(
        &self,
        picked: &[Vec<usize>],
        rng: &Generator,
    ) -> Result<Genotype, PluginError> {
        let genotype = picks::genotype(&self.space, picked)?;
        // A copy of the generator, so that looking at the genotype changes nothing.
        repair(&self.space, genotype, &mut rng.clone())
    }
}
