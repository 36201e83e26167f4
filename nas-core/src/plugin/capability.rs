//! Which capability of a library makes which kind of component.

use nas_plugin_api::component::ComponentKind;

/// The id of the capability that makes components of this kind.
pub(super) fn capability(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Operations => "nas.operations/1",
        ComponentKind::Space => "nas.space/1",
        ComponentKind::Strategy => "nas.strategy/1",
        ComponentKind::OneShotStrategy => "nas.one_shot_strategy/1",
        ComponentKind::Fitness => "nas.fitness/1",
        ComponentKind::Policy => "nas.policy/1",
        ComponentKind::Benchmark => "nas.benchmark/1",
        // A kind that this crate does not know yet has no capability here.
        _ => "nas.unknown/1",
    }
}

#[cfg(test)]
mod tests {
    use nas_plugin_api::adapter::CAPABILITIES;

    use super::*;

    #[test]
    fn every_capability_has_its_kind() {
        use ComponentKind::*;
        let kinds = [Operations, Space, Strategy, OneShotStrategy, Fitness, Policy, Benchmark];
        assert_eq!(kinds.map(capability), CAPABILITIES);
    }
}
