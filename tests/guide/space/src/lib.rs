//! The space `residual`: two stages of residual cells, and a hidden layer of chosen width.

use nas_plugin_api::component::{Component, OperationInfo, SearchSpace};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{Conv2d, Linear};
use nas_plugin_api::template::{Scale, Template, TemplateBuilder};

nas_plugin_api::export_plugin! { spaces: [ResidualSpace] }

nas_plugin_api::configuration! {
    /// Settings of the space.
    pub struct ResidualConfig {
        /// Names of the candidate operations; empty means all of the set.
        pub operations: Vec<String> = [],
        /// Widths of the hidden layer, in rising order.
        pub hidden: Vec<usize> = [32, 64, 128],
        /// Channels of the first stage, where the scale says nothing.
        #[schemars(range(min = 1, max = 8192))]
        pub channels: usize = 16_usize,
        /// Cells of each stage, where the scale says nothing.
        #[schemars(range(min = 1, max = 1000))]
        pub cells: usize = 1_usize,
    }
}

/// A stem, two stages of cells with half the resolution in the second, a hidden layer, logits.
pub struct ResidualSpace(ResidualConfig);

impl Component for ResidualSpace {
    const NAME: &'static str = "residual";
    const SUMMARY: &'static str = "two stages of residual cells, and a hidden layer";
    type Config = ResidualConfig;
    type Context = ();

    fn create(config: ResidualConfig, (): ()) -> Result<Self, PluginError> {
        Ok(Self(config))
    }
}

impl SearchSpace for ResidualSpace {
    fn template(
        &self,
        operations: &[OperationInfo],
        scale: &Scale,
    ) -> Result<Template, PluginError> {
        let candidates = OperationInfo::select(operations, &self.0.operations)?;
        let channels = scale.channels.unwrap_or(self.0.channels);
        let cells = scale.cells.unwrap_or(self.0.cells);

        let mut network = TemplateBuilder::new(Self::NAME);
        let mut x = network.input(scale.input.clone());
        for (stage, stride) in [1, 2].into_iter().enumerate() {
            network.begin(&format!("stage_{stage}"));
            let convolution = Conv2d::new(channels * stride, 3).padding(1).stride(stride);
            x = network.layer(convolution, x);
            x = network.batch_norm(x);
            for cell in 0..cells {
                network.begin(&format!("stage_{stage}/cell_{cell}"));
                // The same ids in every cell: chosen once, used everywhere.
                let first = network.operation("first", &candidates, x);
                let second = network.operation("second", &candidates, first);
                x = network.add(&[x, second]);
            }
        }
        network.begin("head");
        let x = network.global_avg_pool(x);
        // The builder puts the largest width in place of this one.
        let x = network.chosen_width("hidden", &self.0.hidden, Linear::new(1), x);
        let x = network.relu(x);
        let logits = network.linear(scale.classes, x);
        Ok(network.finish(logits)?)
    }
}

#[cfg(test)]
mod tests {
    use nas_plugin_api::template::Space;

    use super::*;

    fn space(cells: usize) -> Space {
        let space = ResidualSpace::create(ResidualConfig::default(), ()).unwrap();
        let operations = ["conv_3x3", "identity"].map(|name| OperationInfo::new(name, ""));
        let scale =
            Scale { input: [1, 8, 8].into(), classes: 10, cells: Some(cells), ..Scale::default() };
        Space::new(space.template(&operations, &scale).unwrap()).unwrap()
    }

    #[test]
    fn a_genotype_is_two_operations_and_a_width() {
        let space = space(1);
        assert_eq!(space.size(), 2.0 * 2.0 * 3.0);
        let text = "first=conv_3x3,second=identity,hidden=64";
        let genotype = space.parse(text).unwrap();
        assert_eq!((space.text(&genotype).as_str(), genotype.0), (text, vec![0, 1, 1]));
    }

    #[test]
    fn choices_do_not_depend_on_the_scale() {
        assert_eq!(space(1).template().choices, space(5).template().choices);
    }
}
