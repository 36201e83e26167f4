//! The search space `mobile`: stages of inverted residual blocks, each chosen for itself.

mod fixed_layers;
mod mobile;
mod stages;

pub use mobile::{MobileConfig, MobileSpace};

nas_plugin_api::export_plugin! { spaces: [MobileSpace] }
