//! What the interpreter is started with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::LoadError;

/// The configuration the JVM sends, a JSON object; kept whole for the Python side.
#[derive(Debug, Clone)]
pub struct StartConfig {
    /// The JSON text itself.
    pub json: Vec<u8>,
    /// Absolute path of the Python executable.
    pub executable: PathBuf,
    /// `major.minor` of that Python, such as `3.11`.
    pub version: String,
    /// All of its version, such as `3.11.7`, if it is known.
    pub full_version: Option<String>,
    /// What `PYTHONPATH` would be for a worker process.
    pub python_path: String,
    /// Folder that holds the package `ember_worker`.
    pub worker_package: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    executable: PathBuf,
    version: String,
    full_version: Option<String>,
    python_path: String,
    worker_package: PathBuf,
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "read by ember_worker.boot; its type is checked here"
    )]
    environment: BTreeMap<String, String>,
}

impl StartConfig {
    /// Reads the JSON object; the executable must be absolute, because a relative one would
    /// silently start the base environment.
    pub fn parse(json: &[u8]) -> Result<Self, LoadError> {
        let wire: Wire = serde_json::from_slice(json).map_err(LoadError::Config)?;
        if !wire.executable.is_absolute() {
            return Err(LoadError::RelativeExecutable(wire.executable));
        }
        Ok(Self {
            json: json.to_vec(),
            executable: wire.executable,
            version: wire.version,
            full_version: wire.full_version,
            python_path: wire.python_path,
            worker_package: wire.worker_package,
        })
    }

    /// The version as bridges state it: `0x030B` for 3.11.
    pub fn packed_version(&self) -> Option<u32> {
        let (major, minor) = self.version.split_once('.')?;
        let minor = minor.split('.').next()?;
        Some(major.parse::<u32>().ok()? << 8 | minor.parse::<u32>().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(executable: &str, version: &str) -> Vec<u8> {
        format!(
            r#"{{"executable":"{executable}","version":"{version}","pythonPath":"","workerPackage":"/x"}}"#
        )
        .into_bytes()
    }

    #[test]
    fn a_relative_executable_is_refused() {
        let refused = StartConfig::parse(&config("python3", "3.11"));
        assert!(matches!(refused, Err(LoadError::RelativeExecutable(_))));
    }

    #[test]
    fn versions_are_packed_as_bridges_state_them() {
        let packed = |version| {
            StartConfig::parse(&config("/usr/bin/python3", version))
                .unwrap()
                .packed_version()
        };
        assert_eq!(packed("3.11"), Some(0x030B));
        assert_eq!(packed("3.9.18"), Some(0x0309));
        assert_eq!(packed("three"), None);
    }

    #[test]
    fn text_that_is_no_configuration_is_refused() {
        assert!(matches!(
            StartConfig::parse(b"{}"),
            Err(LoadError::Config(_))
        ));
    }
}
