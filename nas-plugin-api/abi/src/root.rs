//! The root module: frozen for ever.

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::package_version_strings;
use abi_stable::prefix_type::{PrefixRefTrait, PrefixTypeTrait, WithMetadata};
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{ROption, RStr, RVec};
use abi_stable::type_layout::TypeLayout;

/// What a library offers: a description of itself, and capabilities by id.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRoot_Ref, prefix_fields = PluginRoot_Prefix)))]
#[sabi(missing_field(panic))]
pub struct PluginRoot {
    /// CBOR: the library's manifest with all its components.
    pub manifest: extern "C" fn() -> RVec<u8>,
    /// The capability of this id, if the library has it.
    #[sabi(last_prefix_field)]
    pub extension: extern "C" fn(id: RStr<'_>) -> ROption<Extension>,
}

impl RootModule for PluginRoot_Ref {
    abi_stable::declare_root_module_statics! {PluginRoot_Ref}
    const BASE_NAME: &'static str = "nas_plugin";
    const NAME: &'static str = "nas_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// A capability: a module whose type the host checks by its layout before it is used.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct Extension {
    /// The module's layout as the plugin was compiled with it.
    pub layout: &'static TypeLayout,
    /// The module, a `…Module_Ref` of this crate.
    pub module: ErasedModule,
}

/// A pointer to a module whose type is told by [`Extension::layout`].
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct ErasedModule(*const ());

// The pointer is to static, immutable data of a library that is never unloaded.
unsafe impl Send for ErasedModule {}
unsafe impl Sync for ErasedModule {}

impl Extension {
    /// Wraps a module.
    #[must_use]
    pub fn new<M>(module: &'static WithMetadata<M>) -> Self
    where
        M: PrefixTypeTrait + 'static,
        M::PrefixRef: StableAbi + PrefixRefTrait<PrefixFields = M::PrefixFields> + Copy,
    {
        let reference = M::PrefixRef::from_prefix_ref(module.static_as_prefix());
        const { assert!(size_of::<M::PrefixRef>() == size_of::<*const ()>()) };
        // Sound: a reference to a prefix type is a pointer, and the sizes were just compared.
        let pointer = unsafe { std::mem::transmute_copy::<M::PrefixRef, *const ()>(&reference) };
        Self { layout: M::PrefixRef::LAYOUT, module: ErasedModule(pointer) }
    }

    /// The module, if its layout is one that this side understands: the same, a newer one that
    /// begins like it, or an older one.
    ///
    /// # Errors
    /// The difference in layouts, as text.
    pub fn module<M: StableAbi + Copy + 'static>(&self) -> Result<M, String> {
        compatible(M::LAYOUT, self.layout)?;
        const { assert!(size_of::<M>() == size_of::<*const ()>()) };
        // Sound: the layouts were just found compatible, so the pointer is to such a module.
        Ok(unsafe { std::mem::transmute_copy::<*const (), M>(&self.module.0) })
    }
}

/// Whether a plugin's layout can be used by this host, in one direction or the other.
///
/// abi_stable's own check accepts newer plugins only; an older one is a prefix of what this side
/// knows, which is the same check with the sides exchanged (PLUGIN_ABI study, section 1.3).
///
/// # Errors
/// The difference, as text.
pub fn compatible(host: &'static TypeLayout, plugin: &'static TypeLayout) -> Result<(), String> {
    use abi_stable::abi_stability::abi_checking::check_layout_compatibility;
    check_layout_compatibility(host, plugin)
        .or_else(|_| check_layout_compatibility(plugin, host))
        .map_err(|difference| difference.to_string())
}

/// A library's root module, ready to be exported.
#[must_use]
pub fn root_module(module: &'static WithMetadata<PluginRoot>) -> PluginRoot_Ref {
    PluginRoot_Ref(module.static_as_prefix())
}
