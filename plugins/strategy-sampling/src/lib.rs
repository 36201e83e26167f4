//! One-shot strategies that train one sampled network of the supernet at a time: `enas` (a
//! controller trained by REINFORCE), `proxyless` (binary gates) and `spos` (uniform paths, then
//! evolution on inherited weights).

mod enas;
mod learning_rate;
mod path_costs;
mod proxyless;
mod ranking;
mod saved_state;
mod spos;

pub use enas::{Enas, EnasConfig};
pub use proxyless::{CostLoss, Gates, Proxyless, ProxylessConfig};
pub use spos::{Spos, SposConfig};

nas_plugin_api::export_plugin! { one_shot_strategies: [Enas, Proxyless, Spos] }
