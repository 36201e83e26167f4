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

        #[allow(
            unsafe_code,
            clippy::allow_attributes,
            reason = "one symbol and one section, which the host finds by name"
        )]
        const _: () = {
            #[unsafe(export_name = concat!("nas_plugin_root_", env!("CARGO_CRATE_NAME")))]
            pub static NAS_PLUGIN_ROOT: $crate::abi::LibHeader = $crate::__plugin_header!();

            // A plugin that aborts on a panic can't be guarded: it says so where the host looks
            // before it runs anything.
            #[cfg(panic = "unwind")]
            const TEXT: &str = $crate::__plugin_text!("unwind");
            #[cfg(not(panic = "unwind"))]
            const TEXT: &str = $crate::__plugin_text!("abort");

            #[used]
            #[unsafe(link_section = ".nas.manifest")]
            static NAS_PLUGIN_MANIFEST: [u8; TEXT.len()] = {
                let mut bytes = [0; TEXT.len()];
                bytes.copy_from_slice(TEXT.as_bytes());
                bytes
            };
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
