//! What components of all kinds have in common here.

/// Says of the `Method`s and the `Object` of a module that the methods are this variant of a message,
/// that the object may be a remote one, and that this module of a library makes it, with the context
/// where its kind has one.
macro_rules! component {
    ($variant:ident, $module:ty $(, $context:ident)?) => {
        impl From<Method> for $crate::adapter::remote::message::Method {
            fn from(method: Method) -> Self {
                Self::$variant(method)
            }
        }

        impl From<$crate::adapter::remote::Remote> for Object {
            fn from(remote: $crate::adapter::remote::Remote) -> Self {
                Self::from_value(remote, nas_plugin_abi::TD_Opaque)
            }
        }

        impl $crate::adapter::maker::Object for Object {
            const ID: &'static str = ID;

            fn create(
                library: &$crate::adapter::Library,
                creation: &$crate::adapter::remote::Creation,
            ) -> Result<Self, $crate::error::PluginError> {
                let module: $module = library.module(ID)?;
                $crate::adapter::cbor::receive((module.create())(
                    creation.name.as_str().into(),
                    creation.config.0.as_slice().into(),
                    $(creation.$context.0.as_slice().into(),)?
                ))
            }
        }
    };
}
pub(super) use component;
