//! Stem, first block, stages, head.

use nas_plugin_api::component::{Component, OperationInfo, SearchSpace};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::Conv2d;
use nas_plugin_api::template::{Scale, Template, TemplateBuilder};

use crate::fixed_layers::{convolution, first_block};
use crate::stages::Sizes;

configuration! {
    /// Settings of the space `mobile`.
    pub struct MobileConfig {
        /// Names of the candidate operations; empty means all of the set.
        pub operations: Vec<String> = [],
        /// Operations that are offered only where a layer keeps its input's shape: at stride 1 with
        /// as many channels.
        pub skips: Vec<String> = ["skip", "identity"].map(str::to_owned),
        /// Channels of the stem.
        #[schemars(range(min = 1))]
        pub stem_channels: usize = 32_usize,
        /// Step of the stem; 1 for small images.
        #[schemars(range(min = 1, max = 8))]
        pub stem_stride: usize = 2_usize,
        /// Channels of the first block, which is not chosen.
        #[schemars(range(min = 1))]
        pub first_channels: usize = 16_usize,
        /// Channels of each stage.
        pub widths: Vec<usize> = [24, 40, 80, 96, 192, 320],
        /// Layers of each stage, each chosen for itself.
        pub layers: Vec<usize> = [4, 4, 4, 4, 4, 1],
        /// Step of each stage's first layer.
        pub strides: Vec<usize> = [2, 2, 2, 1, 2, 1],
        /// Channels before the global mean.
        #[schemars(range(min = 1))]
        pub head_channels: usize = 1280_usize,
        /// Factor of all channels, where the scale says nothing; the results are rounded to
        /// multiples of 8, and the head's channels only grow.
        #[schemars(range(min = 0.01, max = 100.0))]
        pub width_multiplier: f64 = 1.0,
    }
}

/// The space of ProxylessNAS, which is MobileNetV2 with every block chosen for itself: a
/// convolution, a fixed block, stages of one width whose first layer may stride, 1×1 convolution,
/// global mean, linear.
///
/// A skip is a candidate only where a layer keeps its input's shape, so with the published numbers
/// 6 of 21 layers have 6 candidates and 15 have 7. Whether it is one depends on the settings and not
/// on the scale.
///
/// The scale's `channels` are those of the stem and multiply all others in proportion. Its `cells`
/// are the layers of the deepest stage; where that is more than are chosen, every stage grows in
/// proportion and its layers except the first stand several times in a row.
///
/// # Source
/// Cai, Zhu, Han. ProxylessNAS, ICLR 2019, section 4.2; `mit-han-lab/proxylessnas@bf58b5c`:
/// search/imagenet_arch_search.py, search/models/super_nets/super_proxyless.py.
#[derive(Debug)]
pub struct MobileSpace {
    config: MobileConfig,
}

impl Component for MobileSpace {
    const NAME: &'static str = "mobile";
    const SUMMARY: &'static str =
        "stages of inverted residual blocks (MobileNetV2), each block chosen for itself";
    type Config = MobileConfig;
    type Context = ();

    fn create(config: Self::Config, (): ()) -> Result<Self, PluginError> {
        Sizes::new(&config, &Scale::default())?;
        Ok(Self { config })
    }
}

impl SearchSpace for MobileSpace {
    fn template(
        &self,
        operations: &[OperationInfo],
        scale: &Scale,
    ) -> Result<Template, PluginError> {
        let sizes = Sizes::new(&self.config, scale)?;
        let all = OperationInfo::select(operations, &self.config.operations)?;
        let is_block = |name: &&str| !self.config.skips.iter().any(|skip| skip == name);
        let blocks: Vec<&str> = all.iter().copied().filter(is_block).collect();
        if blocks.is_empty() {
            return Err(PluginError::configuration(format!(
                "fill stages with {} alone: their first layers change the shape",
                all.join(", ")
            ))
            .with_help("offer an operation that is none of the space's `skips`"));
        }
        let mut network = TemplateBuilder::new(Self::NAME);
        let image = network.input(scale.input.clone());
        network.begin("stem");
        let stem = Conv2d::new(sizes.stem, 3).stride(self.config.stem_stride).padding(1);
        let x = convolution(stem, image, &mut network);
        network.begin("first_block");
        let mut x = first_block(sizes.first, x, &mut network);
        for (number, stage) in sizes.stages.iter().enumerate() {
            for (position, decider) in stage.layers.iter().enumerate() {
                network.begin(&format!("stage_{number}/place_{position}"));
                let keeps_shape = position > 0 || stage.first_keeps_shape;
                let stride = if position == 0 { stage.stride } else { 1 };
                // A repeat of the stage's first layer is decided by a choice without skips.
                let offers_skips = keeps_shape && (*decider > 0 || stage.first_keeps_shape);
                let candidates = if offers_skips { &all } else { &blocks };
                let mut output = network.shape(x).clone();
                output.0[0] = stage.channels;
                output.0[1..].iter_mut().for_each(|extent| *extent = extent.div_ceil(stride));
                let id = format!("stage_{number}/layer_{decider}");
                x = network.operation_to(&id, candidates, x, output, stride);
            }
        }
        network.begin("head");
        let x = convolution(Conv2d::new(sizes.head, 1), x, &mut network);
        let features = network.global_avg_pool(x);
        let logits = network.linear(scale.classes, features);
        Ok(network.finish(logits)?)
    }
}
