//! Opens one `CPython` in this process: libpython, globally, then the bridge built for its version.
//!
//! In: three paths and a configuration, as the JVM found them. Out: a [`Bridge`], the bridge's table
//! behind safe calls. Nothing here links libpython, and nothing is ever closed again: an
//! interpreter does not leave a process it has entered.

mod bridge;
mod config;
mod libpython;
mod memory;

pub use bridge::{Bridge, LoadError};
pub use config::StartConfig;
