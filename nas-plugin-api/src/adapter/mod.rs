//! Between the component traits and the binary interface, both ways.
//!
//! On a plugin's side, `extension` wraps components into ABI objects; on the host's side, [`Maker`]
//! wraps ABI objects into the same traits again. Where the library is in another process, the calls
//! of an object cross a [`Line`] in between. Authors see none of it.

mod benchmark;
mod cbor;
mod columns;
mod fitness;
mod guard;
mod library;
mod maker;
mod manifest;
mod one_shot_strategy;
mod operations;
mod policy;
mod questions;
mod remote;
mod space;
mod strategy;

pub use library::{Library, LibraryError};
pub use maker::Maker;
pub use manifest::Manifest;
pub(crate) use manifest::manifest_bytes;
pub use remote::{Call, Line, Reply, Served};

use nas_plugin_abi::{Extension, ROption, RStr};

/// Ids of the capabilities that this version of the crate serves.
pub const CAPABILITIES: [&str; 7] = [
    operations::ID,
    space::ID,
    strategy::ID,
    one_shot_strategy::ID,
    fitness::ID,
    policy::ID,
    benchmark::ID,
];

/// The capability of this id.
pub(crate) extern "C" fn extension(id: RStr<'_>) -> ROption<Extension> {
    match id.as_str() {
        operations::ID => ROption::RSome(operations::extension()),
        space::ID => ROption::RSome(space::extension()),
        strategy::ID => ROption::RSome(strategy::extension()),
        one_shot_strategy::ID => ROption::RSome(one_shot_strategy::extension()),
        fitness::ID => ROption::RSome(fitness::extension()),
        policy::ID => ROption::RSome(policy::extension()),
        benchmark::ID => ROption::RSome(benchmark::extension()),
        _ => ROption::RNone,
    }
}
