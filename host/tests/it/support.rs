//! Running `nas` in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A configuration that is right; tests change one thing.
pub(crate) const GOOD: &str = r#"
name = "test"

[operations]
name = "nb201"

[space]
name = "nb201"
cells = 1

[strategy]
name = "regularized-evolution"
population = 10

[fitness]
name = "accuracy"

[[policy]]
name = "limits"

[data]
format = "digits"

[training]
epochs = 2

[budget]
trials = 4
"#;

/// A folder for one test.
pub(crate) struct Place {
    folder: TempDir,
}

/// What a command left.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A place with this configuration as `search.toml`.
    pub(crate) fn with(configuration: &str) -> Self {
        let place = Self::new();
        fs::write(place.path().join("search.toml"), configuration).expect("it can be written");
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `nas` here, without a terminal and without colours.
    #[track_caller]
    pub(crate) fn nas(&self, arguments: &[&str]) -> Answer {
        let output = Command::new(env!("CARGO_BIN_EXE_nas"))
            .args(arguments)
            .current_dir(self.path())
            .env("XDG_CACHE_HOME", cache())
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env_remove("NAS_ANCHOR")
            .env_remove("NAS_POLICY")
            .env_remove("NAS_POLICY_KEY")
            .env_remove("NAS_RUNS")
            .env_remove("NAS_PLUGIN_PATH")
            .output()
            .expect("nas starts");
        let folder = self.path().display().to_string();
        let text =
            |bytes| String::from_utf8(bytes).expect("it writes UTF-8").replace(&folder, "[folder]");
        Answer {
            code: output.status.code().expect("it ends by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// The plugin cache of all tests: what was tried out once is known.
fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// An error message is shown whole.
#[track_caller]
pub(crate) fn check_error(answer: &Answer, code: i32, snapshot: &str) {
    assert_eq!(answer.code, code, "{}", answer.stderr);
    assert_eq!(answer.stdout, "", "nothing was asked for that could be given");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(snapshot, answer.stderr);
    });
}
