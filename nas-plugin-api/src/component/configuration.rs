//! Configurations: what users may set on a component.

use data_encoding::BASE64;
use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};

/// A component's configuration: plain data with defaults and a JSON Schema.
///
/// Written with [`crate::configuration!`], which derives everything that is needed.
pub trait Configuration: Serialize + DeserializeOwned + JsonSchema + Default {}

impl<T: Serialize + DeserializeOwned + JsonSchema + Default> Configuration for T {}

/// A file that a component needs. The user writes a path; the host reads the file, journals its
/// digest, and hands over the bytes, so that the component itself opens nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileField {
    /// The path as the user wrote it, for messages.
    pub path: String,
    /// The content; empty until the host has read it.
    pub bytes: Vec<u8>,
}

/// A path in configurations; path and content on their way to the component.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum FileForm {
    Path(String),
    Read {
        path: String,
        /// As base64 (RFC 4648, with padding): a configuration is a JSON value on either side, in
        /// which a list of a million numbers takes seventy million bytes.
        base64: String,
    },
}

impl Serialize for FileField {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let path = self.path.clone();
        match self.bytes.is_empty() {
            true => FileForm::Path(path).serialize(serializer),
            false => {
                FileForm::Read { path, base64: BASE64.encode(&self.bytes) }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for FileField {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match FileForm::deserialize(deserializer)? {
            FileForm::Path(path) => Self { path, bytes: Vec::new() },
            FileForm::Read { path, base64 } => {
                let bytes = BASE64.decode(base64.as_bytes()).map_err(D::Error::custom)?;
                Self { path, bytes }
            }
        })
    }
}

impl JsonSchema for FileField {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "File".into()
    }

    /// A string with format `file`, which is how the host finds the fields to read.
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "file" })
    }
}

/// Declares a configuration: a struct whose fields have documentation and defaults.
///
/// Keys that do not exist are refused; every field may be left out. Ranges are written with
/// `#[schemars(range(min = …, max = …))]`, and the host checks them before anything runs. Defaults
/// are converted with `into`, so a text needs no `to_owned`, but a whole number needs its type.
///
/// ```
/// nas_plugin_api::configuration! {
///     /// Settings of a strategy.
///     pub struct Settings {
///         /// Networks alive at once.
///         #[schemars(range(min = 2, max = 10000))]
///         pub population: usize = 50_usize,
///     }
/// }
/// assert_eq!(Settings::default().population, 50);
/// ```
///
/// Choices between words are enums without fields, the first variant being the default:
///
/// ```
/// nas_plugin_api::configuration! {
///     /// How parents are chosen.
///     pub enum Selection {
///         /// The best half.
///         Truncation,
///         /// The best of a random few.
///         Tournament,
///     }
/// }
/// assert_eq!(Selection::default(), Selection::Truncation);
/// ```
#[macro_export]
macro_rules! configuration {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident {
            $( $(#[$field_meta:meta])* $field_visibility:vis $field:ident : $type:ty = $default:expr ),*
            $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Clone, Debug, $crate::serde::Serialize, $crate::serde::Deserialize,
            $crate::schemars::JsonSchema,
        )]
        #[serde(crate = "nas_plugin_api::serde", default, deny_unknown_fields)]
        #[schemars(crate = "nas_plugin_api::schemars")]
        $visibility struct $name {
            $( $(#[$field_meta])* $field_visibility $field: $type, )*
        }
        impl ::std::default::Default for $name {
            fn default() -> Self {
                Self { $( $field: ::std::convert::Into::into($default), )* }
            }
        }
    };
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident {
            $(#[$first_meta:meta])* $first:ident
            $( , $(#[$variant_meta:meta])* $variant:ident )*
            $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Default,
            $crate::serde::Serialize, $crate::serde::Deserialize, $crate::schemars::JsonSchema,
        )]
        #[serde(crate = "nas_plugin_api::serde", rename_all = "kebab-case")]
        #[schemars(crate = "nas_plugin_api::schemars")]
        $visibility enum $name {
            $(#[$first_meta])* #[default] $first,
            $( $(#[$variant_meta])* $variant, )*
        }
    };
}
