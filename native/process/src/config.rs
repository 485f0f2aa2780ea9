//! What workers are made from, as the JVM says it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::ProcessError;

/// A Python environment for workers. Equal configurations share a zygote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ZygoteConfig {
    /// Absolute path of the Python executable.
    pub(crate) executable: PathBuf,
    /// The bridge of its version.
    pub(crate) bridge: PathBuf,
    /// Folder that holds the package `ember_worker`.
    pub(crate) worker_package: PathBuf,
    /// Variables beyond those of this process.
    pub(crate) environment: BTreeMap<String, String>,
}

/// Workers of one environment that may serve the same sessions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Config {
    pub(crate) zygote: ZygoteConfig,
    pub(crate) scope: String,
    /// Whether the scope has brought its Python, which nobody else has then.
    pub(crate) brought: bool,
    pub(crate) limits: Limits,
}

/// When workers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Limits {
    /// An idle worker goes after this long.
    idle_seconds: u64,
    /// A worker that holds more memory than this is not used again.
    pub(crate) resident_bytes: u64,
    /// How long the environment's imports may take.
    start_seconds: u64,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(flatten)]
    zygote: ZygoteConfig,
    scope: String,
    #[serde(default)]
    brought: bool,
    #[serde(flatten)]
    limits: Limits,
}

impl Config {
    /// Reads the JSON object.
    pub fn parse(json: &[u8]) -> Result<Self, ProcessError> {
        let Wire {
            zygote,
            scope,
            brought,
            limits,
        } = serde_json::from_slice(json)?;
        Ok(Self {
            zygote,
            scope,
            brought,
            limits,
        })
    }
}

impl Limits {
    pub(crate) const fn idle(self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }

    pub(crate) const fn start(self) -> Duration {
        Duration::from_secs(self.start_seconds)
    }
}
