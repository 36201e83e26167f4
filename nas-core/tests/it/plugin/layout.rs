//! The layouts of everything that crosses, compared with those of earlier and later versions.
//!
//! `tests/fixtures/abi-1.0.0` is a copy of the interface as it was first published. If a test here
//! fails, the change that made it fail would lock out every plugin built so far: make it a new
//! capability instead, with an id and a module of its own.

use nas_plugin_api::abi as live;
use nas_plugin_api::abi::{StableAbi, compatible};

#[track_caller]
fn check<Frozen: StableAbi, Live: StableAbi>() {
    let (frozen, today) = (Frozen::LAYOUT, Live::LAYOUT);
    // Equal, and not only compatible: nothing may be added either.
    assert_eq!(newer_abi::same(frozen, today), Ok(()));
}

macro_rules! same {
    ($( $test:ident: $name:ident; )*) => { $(
        #[test]
        fn $test() {
            check::<frozen_abi::$name, live::$name>();
        }
    )* };
}

same! {
    the_root: PluginRoot_Ref;
    operations: OperationsModule_Ref;
    spaces: SpaceModule_Ref;
    strategies: StrategyModule_Ref;
    one_shot_strategies: OneShotStrategyModule_Ref;
    fitness: FitnessModule_Ref;
    policies: PolicyModule_Ref;
    benchmarks: BenchmarkModule_Ref;
    errors: AbiError;
}

#[test]
fn a_newer_host_takes_plugins_of_today() {
    use newer_abi as newer;
    let root = newer::compatible(newer::PluginRoot_Ref::LAYOUT, live::PluginRoot_Ref::LAYOUT);
    assert_eq!(root, Ok(()));
    let (new, old) = (newer::StrategyModule_Ref::LAYOUT, live::StrategyModule_Ref::LAYOUT);
    assert_eq!(newer::compatible(new, old), Ok(()));
}

/// Proves that the comparison above is a strict one.
#[test]
fn one_field_more_is_a_difference() {
    use newer_abi as newer;
    let (new, old) = (newer::StrategyModule_Ref::LAYOUT, live::StrategyModule_Ref::LAYOUT);
    assert!(newer::same(new, old).is_err());
    assert!(newer::same(newer::PluginRoot_Ref::LAYOUT, live::PluginRoot_Ref::LAYOUT).is_err());
}

#[test]
fn a_module_of_another_kind_is_refused() {
    let (fitness, policies) = (live::FitnessModule_Ref::LAYOUT, live::PolicyModule_Ref::LAYOUT);
    assert!(compatible(fitness, policies).is_err());
}
