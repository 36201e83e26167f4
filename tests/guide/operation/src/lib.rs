//! The operations `squeeze`: convolutions, with and without a weight for each channel.
//!
//! # Source
//! Hu, Shen, Sun. Squeeze-and-excitation networks. CVPR 2018, section 3.

use nas_plugin_api::component::{Component, OperationInfo, OperationSet};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{Activation, BatchNorm, Conv2d, GraphBuilder, Layer, NodeIndex, Shape};
use nas_plugin_api::template::{OperationContext, Role};

nas_plugin_api::export_plugin! { operations: [SqueezeOperations] }

nas_plugin_api::configuration! {
    /// Settings of the operations.
    pub struct SqueezeConfig {
        /// How many channels share one squeezed number (16 in the paper's larger networks).
        #[schemars(range(min = 1, max = 1024))]
        pub reduction: usize = 4_usize,
    }
}

/// The set.
pub struct SqueezeOperations(SqueezeConfig);

impl Component for SqueezeOperations {
    const NAME: &'static str = "squeeze";
    const SUMMARY: &'static str = "convolutions, with and without a weight for each channel";
    type Config = SqueezeConfig;
    type Context = ();

    fn create(config: SqueezeConfig, (): ()) -> Result<Self, PluginError> {
        Ok(Self(config))
    }
}

impl OperationSet for SqueezeOperations {
    fn operations(&self) -> Vec<OperationInfo> {
        vec![
            OperationInfo::new("conv_3x3", "ReLU, 3×3 convolution, batch norm"),
            OperationInfo::new("squeeze_conv_3x3", "the same, its channels weighed"),
            OperationInfo::new("identity", "the input; only where the shape stays"),
        ]
    }

    fn build(
        &self,
        operation: &str,
        context: &OperationContext,
        inputs: &[NodeIndex],
        graph: &mut GraphBuilder,
    ) -> Result<NodeIndex, PluginError> {
        let &[x] = inputs else {
            return Err(PluginError::unsupported(format!("read {} inputs", inputs.len())));
        };
        match operation {
            "conv_3x3" => Ok(convolution(context, x, graph)),
            "squeeze_conv_3x3" => {
                let x = convolution(context, x, graph);
                Ok(self.weigh_channels(context, x, graph))
            }
            "identity" if context.inputs.first() == Some(&context.output) => {
                Ok(graph.layer(Layer::Identity, x))
            }
            _ => Err(PluginError::unsupported(format!(
                "build `{operation}` from {:?} to {}",
                context.inputs, context.output
            ))),
        }
    }
}

impl SqueezeOperations {
    /// One number for each channel, made of the means of all channels, scales that channel.
    fn weigh_channels(
        &self,
        context: &OperationContext,
        x: NodeIndex,
        graph: &mut GraphBuilder,
    ) -> NodeIndex {
        let channels = context.channels();
        let means = graph.global_avg_pool(x);
        let squeezed = graph.linear((channels / self.0.reduction).max(1), means);
        let squeezed = graph.relu(squeezed);
        let weights = graph.linear(channels, squeezed);
        let weights = graph.layer(Activation::Sigmoid, weights);
        let weights = graph.layer(Layer::Reshape { shape: Shape::from([channels, 1, 1]) }, weights);
        graph.node(Layer::Mul, &[x, weights])
    }
}

fn convolution(context: &OperationContext, x: NodeIndex, graph: &mut GraphBuilder) -> NodeIndex {
    let x = graph.relu(x);
    let convolution = Conv2d::new(context.channels(), 3).padding(1).stride(context.stride);
    let x = graph.layer(convolution, x);
    // A supernet's paths are scaled by the mixture, and need no scale of their own.
    let affine = context.role == Role::Final;
    graph.layer(BatchNorm { affine, ..BatchNorm::default() }, x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(operation: &str, stride: usize, expected: Result<&str, &str>) {
        let set = SqueezeOperations::create(SqueezeConfig::default(), ()).unwrap();
        let mut graph = GraphBuilder::new();
        let input = graph.input([8, 6, 6]);
        let output = Shape::from([8, 6 / stride, 6 / stride]);
        let inputs = vec![graph.shape(input).clone()];
        let context = OperationContext { role: Role::Final, inputs, output, stride };
        let built = set.build(operation, &context, &[input], &mut graph);
        let shape = built.map(|node| graph.shape(node).to_string());
        let shape = shape.map_err(|error| error.to_string());
        assert_eq!(shape, expected.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn shapes_are_those_asked_for() {
        check("conv_3x3", 1, Ok("[8, 6, 6]"));
        check("squeeze_conv_3x3", 2, Ok("[8, 3, 3]"));
        check("identity", 1, Ok("[8, 6, 6]"));
    }

    #[test]
    fn what_can_not_be_built_is_refused() {
        check("identity", 2, Err("build `identity` from [Shape([8, 6, 6])] to [8, 3, 3]"));
        check("conv_9x9", 1, Err("build `conv_9x9` from [Shape([8, 6, 6])] to [8, 6, 6]"));
    }
}
