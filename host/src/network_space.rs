//! The networks of a space, without a search around them.

use nas_core::network::{NetworkSpace, OperationGraphs};
use nas_core::plugin::Registry;
use nas_core::protocol::data::DataSummary;
use nas_core::settings::{ComponentSettings, SpaceSettings};
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Role, Scale};
use serde_json::Value;

use crate::error::HostError;

/// Joins a space with operations. Without data, networks are for images of 3×32×32 and ten classes;
/// what can be chosen does not depend on that.
///
/// # Errors
/// A component that can't be loaded, or a space that can't use the operations.
pub(crate) fn network_space(
    operations: &ComponentSettings,
    space: &SpaceSettings,
    data: Option<&DataSummary>,
    registry: &Registry,
) -> Result<NetworkSpace, HostError> {
    let scale = Scale {
        input: Shape(data.map_or_else(|| vec![3, 32, 32], |data| data.shape.clone())),
        classes: data.map_or(10, |data| data.classes.len()),
        channels: space.channels,
        cells: space.cells,
        auxiliary_head: space.auxiliary_head,
        role: Role::Final,
    };
    let operations =
        registry.operations(&operations.name, &Value::Object(operations.config.clone()))?;
    let space = registry.space(&space.name, &Value::Object(space.config.clone()))?;
    Ok(NetworkSpace::new(space.as_ref(), OperationGraphs::new(operations), &scale, Role::Final)?)
}
