//! Sessions in worker processes.
//!
//! ```text
//! Workers (one per environment and scope) --take--> Worker --ProcessSession--> Worker --give--> idle
//!     `--fork--> Zygote (one per environment: the libraries imported)      `--close early--> Keeper --> idle | killed
//! ```
//!
//! In: what a session is, and batches from the task's thread. Out: batches that the worker wrote into memory
//! which both map, checked before anything is read of them. The task's thread itself talks to the worker: no
//! other thread stands between them. A worker that dies ends its session with words about how it died, and
//! nothing else notices.

mod config;
#[cfg(test)]
mod fake;
mod keeper;
mod life;
mod nursery;
mod schema;
mod session;
#[cfg(test)]
mod session_tests;
mod stop;
mod worker;
mod workers;
mod zygote;
#[cfg(test)]
mod zygote_tests;

pub use config::Config;
pub use session::ProcessSession;
pub use worker::worker_processes;
pub use workers::{Workers, let_zygotes_go};

/// Why there is no worker, or why a session did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The JVM's configuration is no configuration; please report it.
    #[error("the configuration of the workers is malformed: {0}")]
    Config(#[from] serde_json::Error),
    /// The operating system refused a process, a thread or a descriptor.
    #[error("{0}: {1}")]
    System(&'static str, #[source] std::io::Error),
    /// Shared memory or a socket failed.
    #[error(transparent)]
    Wire(#[from] ember_wire::WireError),
    /// The process that forks workers has gone, or never was ready; its own words.
    #[error("the process that forks workers {0}")]
    Zygote(String),
    /// The input's schema cannot be read; please report it.
    #[error("the input's schema cannot be read: {0}")]
    Schema(String),
}
