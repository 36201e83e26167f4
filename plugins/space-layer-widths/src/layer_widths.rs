//! Layers, the choice of how many count, head.

use nas_plugin_api::component::{Component, OperationInfo, SearchSpace};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{Layer, NodeIndex};
use nas_plugin_api::template::{Options, Scale, Template, TemplateBuilder};

use crate::layer::{Widths, layer};

configuration! {
    /// What the layers are.
    pub enum Form {
        /// 3×3 convolutions, with pools in between.
        Conv,
        /// Linear layers on the flattened input.
        Mlp,
    }
}

configuration! {
    /// Settings of the space `layer-widths`.
    pub struct LayerWidthsConfig {
        /// What the layers are.
        pub form: Form = Form::Conv,
        /// Fewest layers.
        #[schemars(range(min = 1))]
        pub min_layers: usize = 3_usize,
        /// Most layers.
        #[schemars(range(min = 1, max = 1000))]
        pub max_layers: usize = 12_usize,
        /// Widths to choose from, in rising order: channels or features.
        #[schemars(length(min = 1))]
        pub widths: Vec<usize> = [64_usize, 128, 256, 512],
        /// Whether each layer but the first may have a shortcut beside it.
        pub skips: bool = false,
    }
}

/// Networks of some layers, each of its own width: the plainest space in which size is searched.
///
/// A genotype reads `[layers, width of layer 1, …, width of the last layer]`, with a 0 or 1 per
/// layer from the second on where shortcuts are allowed. Widths of layers that are not there do
/// not matter. No operations are chosen, and the scale's channels and cells do not apply.
#[derive(Debug)]
pub struct LayerWidthsSpace {
    config: LayerWidthsConfig,
}

impl Component for LayerWidthsSpace {
    const NAME: &'static str = "layer-widths";
    const SUMMARY: &'static str = "how many layers and how wide each, convolutional or dense";
    type Config = LayerWidthsConfig;
    type Context = ();

    fn create(config: Self::Config, (): ()) -> Result<Self, PluginError> {
        if config.min_layers == 0 || config.min_layers > config.max_layers {
            let (min, max) = (config.min_layers, config.max_layers);
            return Err(PluginError::configuration(format!(
                "choose from {min} to {max} layers: `min_layers` must be at least 1 and at most \
                 `max_layers`"
            )));
        }
        if config.widths.is_empty() || config.widths.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(PluginError::configuration(format!(
                "choose from the widths {:?}: `widths` must rise from one to the next",
                config.widths
            )));
        }
        Ok(Self { config })
    }
}

impl SearchSpace for LayerWidthsSpace {
    fn template(&self, _: &[OperationInfo], scale: &Scale) -> Result<Template, PluginError> {
        if scale.channels.is_some() || scale.cells.is_some() {
            return Err(PluginError::configuration(
                "scale `layer-widths` by channels or cells: its genotypes say both themselves",
            )
            .with_help("leave the scale's channels and cells out"));
        }
        let LayerWidthsConfig { form, min_layers, max_layers, .. } = self.config;
        let mut network = TemplateBuilder::new(Self::NAME);
        let widths = self.choices(&mut network);

        let mut x = network.input(scale.input.clone());
        if form == Form::Mlp && network.shape(x).0.len() > 1 {
            x = network.layer(Layer::Flatten, x);
        }
        let mut features: Vec<NodeIndex> = Vec::new();
        for number in 1..=max_layers {
            network.begin(&format!("layer_{number}"));
            x = layer(form, number, &widths, x, &mut network);
            if number >= min_layers {
                features.push(match form {
                    Form::Conv => network.global_avg_pool(x),
                    Form::Mlp => x,
                });
            }
        }
        network.begin("head");
        let layers: Vec<usize> = (min_layers..=max_layers).collect();
        let features = network.chosen_depth("layers", &layers, &features);
        let logits = network.linear(scale.classes, features);
        Ok(network.finish(logits)?)
    }
}

impl LayerWidthsSpace {
    /// Makes the choices in the order of the encoding.
    fn choices(&self, network: &mut TemplateBuilder) -> Widths {
        let LayerWidthsConfig { min_layers, max_layers, skips, .. } = self.config;
        let widths = Widths { values: self.config.widths.clone(), skips };
        network.choice("layers", Options::Depth { repeats: (min_layers..=max_layers).collect() });
        for number in 1..=max_layers {
            network.choice(&Widths::id(number), widths.options());
        }
        for number in (1..=max_layers).filter(|&number| widths.may_skip(number)) {
            network.choice(&Widths::skip_id(number), Widths::skip_options());
        }
        widths
    }
}
