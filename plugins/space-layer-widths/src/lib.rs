//! The search space `layer-widths`: how many layers, and how wide each.

mod layer;
mod layer_widths;

pub use layer_widths::{Form, LayerWidthsConfig, LayerWidthsSpace};

nas_plugin_api::export_plugin! { spaces: [LayerWidthsSpace] }
