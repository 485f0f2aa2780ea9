//! The kernel of `ember.policy`: scores of forests and sufficient statistics of rows, over Arrow.
//!
//! A [`Plan`] is read once from JSON and checked there; behind it every node, code and arm is in its range. Batches
//! come as Arrow columns, become codes block by block (`codes`), and are scored (`scores`) or counted (`statistics`).
//! The reference is numpy's code in `python/ember/src/ember/policy`: the same bits.

mod abi;
mod border;
mod codes;
mod draws;
mod plan;
mod scores;
mod statistics;

pub use abi::EmberPolicy;
pub use border::ember_policy_v1;
pub use codes::Refusal;
pub use plan::{Plan, Wrong};
pub use scores::score;
pub use statistics::Statistics;
