//! The kernel of `ember.policy`: scores of forests, sufficient statistics of rows and splits, over Arrow.
//!
//! A [`Plan`] is read once from JSON and checked there; behind it every node, code and arm is in its range. Batches
//! come as Arrow columns, become codes block by block (`codes`), and are scored (`scores`) or counted (`statistics`).
//! In what was counted, splits are searched (`search`) by what they gain (`gains`).
//! The reference is numpy's code in `python/ember/src/ember/policy`: the same bits.

mod abi;
mod border;
mod codes;
mod draws;
mod gains;
mod logarithm;
mod plan;
mod scores;
mod search;
mod statistics;
mod words;

pub use abi::EmberPolicy;
pub use border::ember_policy_v1;
pub use codes::Refusal;
pub use plan::{Plan, Wrong};
pub use scores::score;
pub use search::best_splits;
pub use statistics::Statistics;
