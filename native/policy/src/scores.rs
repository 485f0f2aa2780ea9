//! Scores of rows: the means of the leaves that a forest's trees have for them.

use arrow_array::RecordBatch;

use crate::codes::{Block, Column, Refusal};
use crate::plan::{Plan, Tree};

/// Writes a score for each row and arm, row after row. The trees' scores are added in their order.
///
/// # Errors
///
/// See [`Refusal`].
pub fn score(plan: &Plan, batch: &RecordBatch, scores: &mut [f64]) -> Result<(), Refusal> {
    let arms = plan.arms.len();
    let rows = batch.num_rows();
    if batch.num_columns() != plan.features.len() || scores.len() != rows * arms {
        let words = format!("{rows} rows of {} columns", batch.num_columns());
        return Err(Refusal::Shape(words));
    }
    let columns = columns(batch)?;
    let needed = needed(plan);
    let mut block = Block::new(plan.features.len());
    scores.fill(0.0);
    for (at, scores) in scores.chunks_mut(block.rows() * arms).enumerate() {
        let first = at * block.rows();
        let some = first..first + scores.len() / arms;
        for &feature in &needed {
            if let (Some(of), Some(column)) = (plan.features.get(feature), columns.get(feature)) {
                block.encode(feature, of, column, some.clone())?;
            }
        }
        for tree in &plan.trees {
            add(tree, &block, arms, scores);
        }
    }
    divide(scores, plan.trees.len());
    Ok(())
}

pub(crate) fn columns(batch: &RecordBatch) -> Result<Vec<Column<'_>>, Refusal> {
    let columns = batch.columns().iter();
    columns.map(|column| Column::of(column.as_ref())).collect()
}

/// Features that some tree reads, and those whose values may be forbidden.
fn needed(plan: &Plan) -> Vec<usize> {
    let used = plan.used();
    let features = plan.features.iter().zip(used).enumerate();
    features
        .filter(|(_, (feature, used))| *used || feature.has_rule())
        .map(|(at, _)| at)
        .collect()
}

fn add(tree: &Tree, block: &Block, arms: usize, scores: &mut [f64]) {
    for (row, scores) in scores.chunks_mut(arms).enumerate() {
        let leaf = leaf(tree, block, row);
        let found = tree.scores.get(leaf * arms..(leaf + 1) * arms);
        for (score, of_leaf) in scores.iter_mut().zip(found.unwrap_or_default()) {
            *score += of_leaf;
        }
    }
}

/// The node that a row of a block ends in.
#[expect(
    clippy::indexing_slicing,
    reason = "nodes, features and codes were checked when the plan was read"
)]
pub(crate) fn leaf(tree: &Tree, block: &Block, row: usize) -> usize {
    let codes = block.codes();
    let mut at = 0;
    loop {
        let node = tree.nodes[at];
        let code = codes[node.feature as usize * block.rows() + row];
        let left = tree.goes_left[at * tree.width + usize::from(code)];
        let next = if left { node.left } else { node.right } as usize;
        if next == at {
            return at;
        }
        at = next;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a forest has no 2^53 trees")]
fn divide(scores: &mut [f64], trees: usize) {
    for score in scores {
        *score /= trees as f64;
    }
}
