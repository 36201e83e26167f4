//! What an edge can do: read one channel of its group, or all of them.

use nas_plugin_api::component::{Component, OperationInfo, OperationSet};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{Conv2d, GraphBuilder, Layer, NodeIndex, Slice};
use nas_plugin_api::template::OperationContext;

use crate::problem::N_CHANNELS;

configuration! {
    /// These operations have nothing to set.
    pub struct PlantedOperationsConfig {}
}

/// `pick_0`, `pick_1` … read one channel, `slow_0`, `slow_1` … as well but learn slowly, and `skip`
/// hands all channels on.
#[derive(Debug)]
pub(crate) struct PlantedOperations;

impl Component for PlantedOperations {
    const NAME: &'static str = "planted";
    const SUMMARY: &'static str = "reads one channel of a group";
    type Config = PlantedOperationsConfig;
    type Context = ();

    fn create(_: Self::Config, (): ()) -> Result<Self, PluginError> {
        Ok(Self)
    }
}

impl OperationSet for PlantedOperations {
    fn operations(&self) -> Vec<OperationInfo> {
        let of = |kind: &'static str| {
            (0..N_CHANNELS).map(move |channel| format!("{kind}_{channel}")).collect::<Vec<_>>()
        };
        let names = of("pick").into_iter().chain(of("slow")).chain(["skip".to_owned()]);
        names.map(|name| OperationInfo::new(&name, "planted")).collect()
    }

    fn build(
        &self,
        operation: &str,
        _: &OperationContext,
        inputs: &[NodeIndex],
        graph: &mut GraphBuilder,
    ) -> Result<NodeIndex, PluginError> {
        let group = inputs[0];
        match operation.split_once('_') {
            None => Ok(graph.layer(Layer::Identity, group)),
            Some((kind, channel)) => {
                let start = channel.parse().map_err(|_| PluginError::unsupported(operation))?;
                let slice = Slice { axis: 0, start, end: None, step: N_CHANNELS };
                let one = graph.layer(slice, group);
                let read = match kind {
                    "pick" => fast(one, graph),
                    _ => slow(one, graph),
                };
                // As many channels as were read, so that part of a group can go through as well.
                Ok(graph.concat(&[read; N_CHANNELS]))
            }
        }
    }
}

/// The channel plus a learnt multiple of it.
fn fast(channel: NodeIndex, graph: &mut GraphBuilder) -> NodeIndex {
    let learnt = graph.layer(Conv2d::depthwise(1), channel);
    graph.add(&[channel, learnt])
}

/// A product of learnt multiples: close to nothing at first, and slow to leave it.
fn slow(channel: NodeIndex, graph: &mut GraphBuilder) -> NodeIndex {
    (0..3).fold(channel, |x, _| graph.layer(Conv2d::depthwise(1), x))
}
