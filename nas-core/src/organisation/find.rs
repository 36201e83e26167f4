//! Which policy file is in force: the first that is found.

use std::env;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{OrganisationError, read};
use super::rules::{PluginRules, Rules};
use super::signature;
use crate::journal::OrganisationRecord;
use crate::plugin::{AllowedLibraries, Registry};
use crate::settings::Settings;

/// The file that holds for everybody on a machine; who can't change it can't get round it.
const SYSTEM_FILE: &str = "/etc/nas/policy.toml";
/// The key that must have signed the file, where it is there (minisign's public key).
const SYSTEM_KEY: &str = "/etc/nas/policy.pub";
/// Names a file where there is none for the whole system.
const FILE_VARIABLE: &str = "NAS_POLICY";
/// Names a file with a key where there is none for the whole system.
const KEY_VARIABLE: &str = "NAS_POLICY_KEY";

/// An organisation's policy that is in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Organisation {
    /// Its file.
    pub path: PathBuf,
    /// What named the file.
    pub found_by: FoundBy,
    /// Hexadecimal sha256 of the file.
    pub sha256: String,
    /// What the signature says of itself, where a trusted key is configured.
    pub signed: Option<String>,
    /// Other files that were named, and do not count since this one was found first.
    pub unused: Vec<PathBuf>,
    /// What it says.
    pub rules: Rules,
}

/// What named a policy file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// It lies where the system's policy lies.
    System,
    /// The environment.
    Environment,
    /// The run's configuration.
    Run,
}

/// Where policy files and trusted keys are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyPlaces {
    /// The system's file, which need not be there.
    pub system: PathBuf,
    /// The system's trusted key, which need not be there.
    pub system_key: PathBuf,
    /// The file that the environment names.
    pub environment: Option<PathBuf>,
    /// The trusted key that the environment names.
    pub environment_key: Option<PathBuf>,
}

impl PolicyPlaces {
    /// The system's files in `/etc/nas` (`policy.toml`, `policy.pub`), and what `NAS_POLICY` and
    /// `NAS_POLICY_KEY` name.
    #[must_use]
    pub fn from_environment() -> Self {
        let named = |variable| env::var_os(variable).filter(|path| !path.is_empty());
        Self {
            system: PathBuf::from(SYSTEM_FILE),
            system_key: PathBuf::from(SYSTEM_KEY),
            environment: named(FILE_VARIABLE).map(PathBuf::from),
            environment_key: named(KEY_VARIABLE).map(PathBuf::from),
        }
    }
}

impl Organisation {
    /// The policy that holds for a run with these settings, whose relative paths begin in
    /// `folder`; for any run, where no settings are given. `None` where there is none.
    ///
    /// # Errors
    /// A file that can't be read, is none, or is not signed as it must be.
    pub fn in_force(
        places: &PolicyPlaces,
        settings: Option<(&Settings, &Path)>,
    ) -> Result<Option<Self>, OrganisationError> {
        let run = settings.and_then(|(settings, folder)| {
            settings.organisation_policy.as_ref().map(|path| folder.join(path))
        });
        let system = is_there("the organisation's policy", &places.system)?
            .then(|| (FoundBy::System, places.system.clone()));
        let named = places.environment.iter().map(|path| (FoundBy::Environment, path.clone()));
        let of_run = run.into_iter().map(|path| (FoundBy::Run, path));
        let mut found = system.into_iter().chain(named).chain(of_run);
        let key = match is_there("the trusted key", &places.system_key)? {
            true => Some(&places.system_key),
            false => places.environment_key.as_ref(),
        };
        let Some((found_by, path)) = found.next() else {
            // A run may still name its own file where none was asked for.
            return match key.filter(|_| settings.is_some()) {
                None => Ok(None),
                Some(key) => Err(OrganisationError::Missing {
                    key: key.clone(),
                    places: format!(
                        "`{}`, {FILE_VARIABLE} and the run's `organisation_policy`",
                        places.system.display()
                    ),
                }),
            };
        };
        let unused = found.map(|(_, path)| path).filter(|other| *other != path).collect();
        let bytes = read("the organisation's policy", &path)?;
        let signed = match key {
            Some(key) => Some(signature::verify(&path, &bytes, key)?),
            None => None,
        };
        let content = |message| OrganisationError::Content { path: path.clone(), message };
        let text = std::str::from_utf8(&bytes).map_err(|error| content(error.to_string()))?;
        let rules: Rules = toml::from_str(text).map_err(|error| content(error.to_string()))?;
        rules.check().map_err(content)?;
        let sha256 = HEXLOWER.encode(&Sha256::digest(&bytes));
        Ok(Some(Self { path, found_by, sha256, signed, unused, rules }))
    }

    /// Whose it is and where it lies, for messages.
    #[must_use]
    pub fn title(&self) -> String {
        format!("the policy of {} (`{}`)", self.rules.organisation, self.path.display())
    }

    /// Holds a registry to the rules: which libraries may be loaded, which are trusted, which run in
    /// a process of their own.
    pub fn restrict(&self, registry: &Registry) {
        let PluginRules { trusted, isolation, .. } = &self.rules.plugins;
        self.allowed_libraries().into_iter().for_each(|only| registry.allow_only(only));
        if let Some(trusted) = trusted {
            registry.trust_only(&trusted.iter().cloned().collect());
        }
        registry.isolate(*isolation);
    }

    /// The libraries that may be loaded, if not all may.
    pub(super) fn allowed_libraries(&self) -> Option<AllowedLibraries> {
        let PluginRules { sha256, signer, .. } = self.rules.plugins.clone();
        let is_open = sha256.is_none() && signer.is_none();
        let (policy, sha256) = (self.title(), sha256.unwrap_or_default());
        (!is_open).then_some(AllowedLibraries { policy, sha256, signer })
    }

    /// What the journal records of it.
    #[must_use]
    pub fn record(&self) -> OrganisationRecord {
        OrganisationRecord {
            organisation: self.rules.organisation.clone(),
            path: std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone()),
            found_by: self.found_by,
            sha256: self.sha256.clone(),
            signed: self.signed.clone(),
            rules: serde_json::to_value(&self.rules).unwrap_or_default(),
        }
    }
}

/// Whether there is such a file; not to be allowed to know is no answer.
fn is_there(what: &'static str, path: &Path) -> Result<bool, OrganisationError> {
    match path.try_exists() {
        Ok(exists) => Ok(exists),
        Err(source) => Err(OrganisationError::File { what, path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, name: &str) {
        std::fs::write(path, format!("organisation = \"{name}\"")).unwrap();
    }

    #[test]
    fn the_first_file_that_is_found_is_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str| folder.path().join(name);
        let mut places = PolicyPlaces {
            system: of("system"),
            system_key: of("key"),
            environment: Some(of("environment")),
            environment_key: None,
        };
        let name = |places: &PolicyPlaces| {
            let found = Organisation::in_force(places, None).unwrap();
            found.map(|one| (one.rules.organisation, one.found_by, one.unused.len()))
        };
        write(&of("environment"), "second");
        assert_eq!(name(&places), Some(("second".to_owned(), FoundBy::Environment, 0)));
        write(&of("system"), "first");
        assert_eq!(name(&places), Some(("first".to_owned(), FoundBy::System, 1)));
        std::fs::remove_file(of("system")).unwrap();
        places.environment = None;
        assert_eq!(name(&places), None);
    }

    #[test]
    fn the_systems_key_counts_for_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str| folder.path().join(name);
        let places = PolicyPlaces {
            system: of("system"),
            system_key: of("key"),
            environment: Some(of("environment")),
            environment_key: None,
        };
        write(&of("environment"), "anybody");
        std::fs::write(of("key"), "untrusted comment: no key\nAAAA").unwrap();
        let error = Organisation::in_force(&places, None).unwrap_err();
        assert!(matches!(error, OrganisationError::Key { .. }), "{error}");
    }
}
