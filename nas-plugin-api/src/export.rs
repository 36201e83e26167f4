//! How a crate becomes a plugin.

use nas_plugin_abi::{PluginRoot, PluginRoot_Ref, WithMetadata, root_module};

use crate::adapter;

/// Makes a crate a plugin: registers its components, and exports them when the crate is built as a
/// library to load (`crate-type = ["cdylib"]`). Linked in (`"rlib"`), the same components are
/// found without loading anything, provided the crate is named somewhere (`use my_plugin as _;`).
///
/// ```ignore
/// nas_plugin_api::export_plugin! {
///     strategies: [RandomSearch],
///     policies: [Limits],
/// }
/// ```
///
/// The lists are `operations`, `spaces`, `strategies`, `one_shot_strategies`, `fitness`,
/// `policies` and `benchmarks`, in any order; use the macro once in a crate, in its `lib.rs`.
#[macro_export]
macro_rules! export_plugin {
    ( $( $list:ident : [ $( $component:ty ),* $(,)? ] ),* $(,)? ) => {
        $( $( $crate::inventory::submit! { $crate::__registration!($list, $component) } )* )*

        // No lint of the plugin's is touched here: compilers do not apply `unsafe_code` to what
        // another crate's macro writes, so a plugin may forbid it.
        const _: () = {
            #[unsafe(export_name = concat!("nas_plugin_root_", env!("CARGO_CRATE_NAME")))]
            pub static NAS_PLUGIN_ROOT: $crate::abi::LibHeader = $crate::__plugin_header!();

            // A plugin that aborts on a panic can't be guarded: it says so where the host looks
            // before it runs anything.
            #[cfg(panic = "unwind")]
            const TEXT: &str = $crate::__plugin_text!("unwind");
            #[cfg(not(panic = "unwind"))]
            const TEXT: &str = $crate::__plugin_text!("abort");

            // Exported only because linkers drop sections that nothing refers to: GNU ld does so in
            // spite of `#[used]`.
            #[used]
            #[unsafe(export_name = concat!("nas_plugin_manifest_", env!("CARGO_CRATE_NAME")))]
            #[unsafe(link_section = ".nas.manifest")]
            pub static NAS_PLUGIN_MANIFEST: [u8; TEXT.len()] = $crate::export::section(TEXT);
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __registration {
    (operations, $component:ty) => {
        $crate::component::Registration::operations::<$component>()
    };
    (spaces, $component:ty) => {
        $crate::component::Registration::space::<$component>()
    };
    (strategies, $component:ty) => {
        $crate::component::Registration::strategy::<$component>()
    };
    (one_shot_strategies, $component:ty) => {
        $crate::component::Registration::one_shot_strategy::<$component>()
    };
    (fitness, $component:ty) => {
        $crate::component::Registration::fitness::<$component>()
    };
    (policies, $component:ty) => {
        $crate::component::Registration::policy::<$component>()
    };
    (benchmarks, $component:ty) => {
        $crate::component::Registration::benchmark::<$component>()
    };
}

/// What a library's manifest section says: JSON, readable without running the library.
#[doc(hidden)]
#[macro_export]
macro_rules! __plugin_text {
    ($panic:literal) => {
        concat!(
            "{\"abi\":1,\"name\":\"",
            env!("CARGO_PKG_NAME"),
            "\",\"version\":\"",
            env!("CARGO_PKG_VERSION"),
            "\",\"panic\":\"",
            $panic,
            "\"}\n"
        )
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __plugin_header {
    () => {{
        extern "C" fn constructor() -> $crate::abi::RootModuleResult {
            $crate::abi::__call_root_module_loader($crate::export::root)
        }
        // Sound: the constructor returns this very type of root module.
        unsafe {
            $crate::abi::LibHeader::from_constructor::<$crate::abi::PluginRoot_Ref>(
                constructor,
                $crate::abi::CheckTypeLayout::Yes,
            )
        }
    }};
}

/// A text as the content of a section.
#[doc(hidden)]
#[must_use]
pub const fn section<const BYTES: usize>(text: &str) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let mut index = 0;
    // `copy_from_slice` is not const before Rust 1.87.
    while index < BYTES {
        bytes[index] = text.as_bytes()[index];
        index += 1;
    }
    bytes
}

/// This library's root module.
#[doc(hidden)]
#[must_use]
pub fn root() -> PluginRoot_Ref {
    const ROOT: &WithMetadata<PluginRoot> = &WithMetadata::new(PluginRoot {
        manifest: adapter::manifest_bytes,
        extension: adapter::extension,
    });
    root_module(ROOT)
}
