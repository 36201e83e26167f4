//! Which files the process may still open (Landlock, Linux 5.13 and later).

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::Enforcement;

/// Where systems keep the libraries that a plugin may need, and the cache of their places.
const SYSTEM_LIBRARIES: [&str; 7] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/nix/store", "/gnu/store", "/etc/ld.so.cache"];

/// Allows to read these and the system's libraries, and nothing else.
pub(super) fn restrict(readable: &[PathBuf]) -> Enforcement {
    match ruleset(readable) {
        Ok(RulesetStatus::FullyEnforced) => Enforcement::Full,
        Ok(RulesetStatus::PartiallyEnforced) => Enforcement::Partial,
        Ok(RulesetStatus::NotEnforced) | Err(_) => Enforcement::None,
    }
}

fn ruleset(readable: &[PathBuf]) -> Result<RulesetStatus, RulesetError> {
    /// Linux 6.12; an older kernel enforces what it knows.
    const WANTED: ABI = ABI::V6;
    let readable =
        SYSTEM_LIBRARIES.iter().map(Path::new).chain(readable.iter().map(PathBuf::as_path));
    // A library may lie in a folder that LD_LIBRARY_PATH names; those are the user's own words.
    let named: Vec<_> = std::env::var_os("LD_LIBRARY_PATH")
        .map(|paths| std::env::split_paths(&paths).collect())
        .unwrap_or_default();
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?
        // Paths that do not exist on this system are passed over.
        .add_rules(path_beneath_rules(readable, AccessFs::ReadFile | AccessFs::ReadDir))?
        .add_rules(path_beneath_rules(named, AccessFs::ReadFile | AccessFs::ReadDir))?
        .restrict_self()?;
    Ok(status.ruleset)
}
