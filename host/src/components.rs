//! The components that are installed.

use std::sync::Arc;

use nas_core::organisation::{Organisation, PolicyPlaces};
use nas_core::plugin::{AllowedLibraries, Known, Places, PluginLoadError, Registry, Source};
use nas_plugin_api::component::ComponentKind;

use crate::error::HostError;

/// The kinds, in the order in which a configuration names them.
pub(crate) const KINDS: [ComponentKind; 7] = [
    ComponentKind::Operations,
    ComponentKind::Space,
    ComponentKind::Strategy,
    ComponentKind::OneShotStrategy,
    ComponentKind::Fitness,
    ComponentKind::Policy,
    ComponentKind::Benchmark,
];

/// Everything on the search path; only what the organisation's policy allows can be loaded.
///
/// # Errors
/// A cache folder that can't be used.
pub(crate) fn registry() -> Result<Arc<Registry>, PluginLoadError> {
    let registry = Arc::new(Registry::scan(Places::from_environment())?);
    // One that can't be used stops searches where they are prepared, with the reason.
    match Organisation::in_force(&PolicyPlaces::from_environment(), None) {
        Ok(organisation) => organisation.into_iter().for_each(|one| one.restrict(&registry)),
        Err(error) => {
            let policy = format!("the organisation's policy, which can't be used ({error}),");
            registry.allow_only(AllowedLibraries { policy, sha256: Vec::new(), signer: None });
        }
    }
    Ok(registry)
}

/// The components of a name, of any kind or of one (`space:nb201`); at least one.
///
/// # Errors
/// No such component.
pub(crate) fn by_name<'a>(registry: &'a Registry, name: &str) -> Result<Vec<&'a Known>, HostError> {
    let (kind, name) = match name.split_once(':') {
        Some((kind, name)) => (Some(kind), name),
        None => (None, name),
    };
    let fits = |known: &&Known| {
        known.info.name == name && kind.is_none_or(|kind| kind == known.info.kind.name())
    };
    let found: Vec<&Known> = registry.components().iter().filter(fits).collect();
    if found.is_empty() { Err(unknown(registry, name)) } else { Ok(found) }
}

/// The message of the kind to which the most similar name belongs.
fn unknown(registry: &Registry, name: &str) -> HostError {
    let nearest = KINDS.iter().find_map(|kind| match registry.find(*kind, name) {
        Err(PluginLoadError::UnknownComponent { nearest, .. }) => nearest,
        _ => None,
    });
    let help = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`nas plugin list` shows all".to_owned(),
    };
    HostError::Usage { message: format!("no component is named `{name}`; {help}") }
}

/// Where a component comes from, for a table: the crate and its version.
pub(crate) fn origin(known: &Known) -> String {
    match &known.source {
        Source::Library(library) => format!("{} {}", library.package, library.version),
        _ => "built in".to_owned(),
    }
}
