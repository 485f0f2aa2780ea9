//! Sufficient statistics of rows: whole numbers, so that no order of adding shows. `statistics.py` says the same.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch};
use arrow_schema::DataType;

use crate::codes::{Block, Column, Refusal};
use crate::gains::Cell;
use crate::plan::{By, Counting, Feature, Plan};
use crate::scores::leaf;

/// No sum may come near the end of a long.
const MOST: u64 = 1 << 62;
const TOO_LARGE: &str = "outcomes are too large to be summed exactly: fewer digits, or scale them";
const NO_SHARES: &str = "the criteria kl and chi2 are for outcomes between 0 and 1";

/// What was counted so far: for each feature, open node, code and arm the rows and the sum of their units.
#[derive(Debug)]
pub struct Statistics {
    features: Vec<Cells>,
    arms: usize,
    at_most: u64,
}

/// The cells of a feature, and where each open node's are.
#[derive(Debug)]
struct Cells {
    /// Empty until something is counted.
    numbers: Vec<Cell>,
    /// The place of each open node, and the open node of each place.
    local: Vec<u32>,
    nodes: Vec<u32>,
    /// Codes of the feature times arms.
    line: usize,
}

/// The cells of an open node by a feature: an arm after another, of a code after another.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) feature: usize,
    pub(crate) node: usize,
    pub(crate) cells: &'a [Cell],
}

/// An open node that does not count a feature.
const NOWHERE: u32 = u32::MAX;

/// A row that some tree counts.
#[derive(Clone, Copy)]
struct Counted {
    row: usize,
    node: usize,
}

/// Arms, hashes and outcomes of a batch, in the order of its first columns.
struct Known {
    arms: Vec<u16>,
    hashes: Int64Array,
    units: Vec<Int64Array>,
}

/// A block of a batch's rows, as codes.
struct Part<'a> {
    counting: &'a Counting,
    known: &'a Known,
    block: &'a Block,
    rows: Range<usize>,
}

impl Statistics {
    /// Nothing yet; `None` if the plan counts nothing.
    pub fn new(plan: &Plan) -> Option<Self> {
        let counting = plan.counting.as_ref()?;
        let features = plan.features.iter().enumerate().map(|(at, feature)| {
            let (nodes, local) = locals(counting, at);
            Cells {
                numbers: Vec::new(),
                local,
                nodes,
                line: feature.width * plan.arms.len(),
            }
        });
        Some(Self {
            features: features.collect(),
            arms: plan.arms.len(),
            at_most: 0,
        })
    }

    /// Counts the rows of a batch: the arm, the row's hash, one outcome or one an arm, a list of the features that
    /// are numbers, and one of those that are texts.
    ///
    /// # Errors
    ///
    /// See [`Refusal`].
    pub fn add(&mut self, plan: &Plan, batch: &RecordBatch) -> Result<(), Refusal> {
        let Some(counting) = &plan.counting else {
            return Err(shape("the plan counts nothing"));
        };
        let known = Known::of(plan, counting, batch)?;
        self.watch(&known)?;
        known.shares_only(counting)?;
        let [numbers, texts] = batch
            .columns()
            .get(2 + known.units.len()..)
            .unwrap_or_default()
        else {
            return Err(shape("features are a list of numbers and a list of texts"));
        };
        let columns = featured(plan, numbers, texts)?;
        let mut block = Block::new(plan.features.len());
        let mut some = Vec::with_capacity(block.rows());
        for first in (0..batch.num_rows()).step_by(block.rows()) {
            let rows = first..batch.num_rows().min(first + block.rows());
            for (at, (feature, column)) in plan.features.iter().zip(&columns).enumerate() {
                block.encode(at, feature, column, rows.clone())?;
            }
            let part = Part {
                counting,
                known: &known,
                block: &block,
                rows,
            };
            self.count(plan, &part, &mut some);
        }
        Ok(())
    }

    /// Adds cells that were counted elsewhere: rows of a feature, an open node, and its cells.
    ///
    /// # Errors
    ///
    /// See [`Refusal`].
    pub fn merge(&mut self, batch: &RecordBatch) -> Result<(), Refusal> {
        let [features, nodes, cells] = batch.columns() else {
            return Err(shape("cells come with a feature and a node"));
        };
        let (features, nodes) = (place(features)?, place(nodes)?);
        let (ends, numbers) = lists(cells)?;
        let rows = features.values().iter().zip(nodes.values());
        for ((feature, node), ends) in rows.zip(ends.windows(2)) {
            let [first, end] = *ends else { continue };
            let given = usize::try_from(first).ok().zip(usize::try_from(end).ok());
            let given = given.and_then(|(first, end)| numbers.values().get(first..end));
            let feature = usize::try_from(*feature).ok();
            let cells = feature.and_then(|feature| self.features.get_mut(feature));
            let (Some(cells), Some(given)) = (cells, given) else {
                return Err(shape("there is no such feature"));
            };
            cells.merge(*node, given)?;
        }
        Ok(())
    }

    /// Copies the cells of all features, one after another.
    ///
    /// # Errors
    ///
    /// [`Refusal::Shape`] if `cells` has not as many places.
    pub fn copy(&self, cells: &mut [i64]) -> Result<(), Refusal> {
        let mut rest = cells;
        for feature in &self.features {
            let Some((place, after)) = rest.split_at_mut_checked(feature.size() * 2) else {
                return Err(shape("there are more cells than places"));
            };
            match feature.numbers.as_flattened() {
                [] => place.fill(0),
                numbers => place.copy_from_slice(numbers),
            }
            rest = after;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(shape("there are more places than cells"))
        }
    }

    /// All cells that something was counted in, feature after feature.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let features = self.features.iter().enumerate();
        features.flat_map(|(feature, cells)| {
            let lines = cells.numbers.chunks_exact(cells.line.max(1));
            lines.zip(&cells.nodes).map(move |(cells, node)| Line {
                feature,
                node: *node as usize,
                cells,
            })
        })
    }

    fn watch(&mut self, known: &Known) -> Result<(), Refusal> {
        for units in known.units.iter().flat_map(Int64Array::values) {
            self.at_most = self.at_most.saturating_add(units.unsigned_abs());
        }
        if self.at_most > MOST {
            return Err(Refusal::Value(TOO_LARGE.to_owned()));
        }
        Ok(())
    }

    fn count(&mut self, plan: &Plan, part: &Part<'_>, some: &mut Vec<Counted>) {
        let counting = part.counting;
        let trees = plan.trees.iter().zip(&counting.draws);
        for ((tree, draw), places) in trees.zip(&counting.places) {
            if places.iter().all(|place| *place < 0) {
                continue;
            }
            some.clear();
            let hashes = part.known.hashes.values().iter().skip(part.rows.start);
            for (row, hash) in (0..part.rows.len()).zip(hashes) {
                if !draw.takes(hash.cast_unsigned()) {
                    continue;
                }
                let place = places.get(leaf(tree, part.block, row));
                if let Ok(node) = usize::try_from(place.copied().unwrap_or(-1)) {
                    some.push(Counted { row, node });
                }
            }
            for (at, cells) in self.features.iter_mut().enumerate() {
                if !cells.nodes.is_empty() {
                    cells.open();
                    cells.count(part, at, self.arms, some);
                }
            }
        }
    }
}

impl Cells {
    fn size(&self) -> usize {
        self.nodes.len() * self.line
    }

    fn open(&mut self) {
        if self.numbers.is_empty() {
            self.numbers = vec![[0, 0]; self.size()];
        }
    }

    fn merge(&mut self, node: i32, given: &[i64]) -> Result<(), Refusal> {
        let of_node = usize::try_from(node)
            .ok()
            .and_then(|node| self.local.get(node));
        let local = of_node.filter(|local| **local != NOWHERE).copied();
        let (given, []) = given.as_chunks::<2>() else {
            return Err(shape("cells are of rows and units"));
        };
        let (Some(local), true) = (local, given.len() == self.line) else {
            return Err(shape("cells are not those of the node"));
        };
        self.open();
        let lines = self.numbers.chunks_exact_mut(self.line.max(1));
        for (cell, given) in lines.skip(local as usize).take(1).flatten().zip(given) {
            let rows = cell[0].checked_add(given[0]);
            let sum = rows.zip(cell[1].checked_add(given[1]));
            let (rows, units) = sum.ok_or_else(|| Refusal::Value(TOO_LARGE.to_owned()))?;
            *cell = [rows, units];
        }
        Ok(())
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "rows are of the batch; nodes, codes and arms were checked when the plan was read"
    )]
    fn count(&mut self, part: &Part<'_>, at: usize, arms: usize, some: &[Counted]) {
        let (known, codes) = (part.known, part.block.line(at));
        for counted in some {
            let local = self.local[counted.node];
            if local == NOWHERE {
                continue;
            }
            let code = usize::from(codes[counted.row]);
            let row = part.rows.start + counted.row;
            let line = local as usize * self.line + code * arms;
            let cell = &mut self.numbers[line + usize::from(known.arms[row])];
            cell[0] += 1;
            if let [units] = known.units.as_slice() {
                cell[1] += units.values()[row];
            } else {
                for (at, units) in known.units.iter().enumerate() {
                    self.numbers[line + at][1] += units.values()[row];
                }
            }
        }
    }
}

impl Known {
    fn of(plan: &Plan, counting: &Counting, batch: &RecordBatch) -> Result<Self, Refusal> {
        let outcomes = if counting.valued { plan.arms.len() } else { 1 };
        let columns = batch.columns();
        let [arms, hashes, rest @ ..] = columns else {
            return Err(shape("there are fewer columns than two"));
        };
        let units = rest.iter().take(outcomes).map(whole);
        Ok(Self {
            arms: coded(plan, arms)?,
            hashes: whole(hashes)?,
            units: units.collect::<Result<_, _>>()?,
        })
    }

    fn shares_only(&self, counting: &Counting) -> Result<(), Refusal> {
        let Some(one) = counting.shares else {
            return Ok(());
        };
        let mut units = self.units.iter().flat_map(Int64Array::values);
        if units.all(|units| (0..=one).contains(units)) {
            Ok(())
        } else {
            Err(Refusal::Value(NO_SHARES.to_owned()))
        }
    }
}

/// A column for each feature, of the lists that rows have of them.
fn featured<'a>(
    plan: &Plan,
    numbers: &'a ArrayRef,
    texts: &'a ArrayRef,
) -> Result<Vec<Column<'a>>, Refusal> {
    let is_number = |feature: &&Feature| matches!(feature.by, By::Boundaries(_));
    let many = plan.features.iter().filter(is_number).count();
    let mut numbers = Column::each(numbers, many)?.into_iter();
    let mut texts = Column::each(texts, plan.features.len() - many)?.into_iter();
    let columns = plan.features.iter().map(|feature| match feature.by {
        By::Boundaries(_) => numbers.next(),
        By::Categories { .. } => texts.next(),
    });
    let columns: Option<Vec<_>> = columns.collect();
    columns.ok_or_else(|| shape("there are fewer values than features"))
}

/// The open nodes that count a feature, and the place of each open node among them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "open nodes are numbered in 32 bits, which the plan checks"
)]
fn locals(counting: &Counting, feature: usize) -> (Vec<u32>, Vec<u32>) {
    let Some(wanted) = &counting.wanted else {
        let all: Vec<u32> = (0..counting.opened as u32).collect();
        return (all.clone(), all);
    };
    let mut local = vec![NOWHERE; counting.opened];
    let nodes = wanted.get(feature).cloned().unwrap_or_default();
    for (at, node) in nodes.iter().enumerate() {
        if let Some(place) = local.get_mut(*node as usize) {
            *place = at as u32;
        }
    }
    (nodes, local)
}

fn coded(plan: &Plan, arms: &ArrayRef) -> Result<Vec<u16>, Refusal> {
    let code = |arm: Option<&str>| {
        let known = arm.and_then(|arm| plan.arms.get(arm));
        known.ok_or_else(|| Refusal::Value(format!("{arm:?} is none of the arms")))
    };
    match Column::of(arms.as_ref())? {
        Column::Texts(texts) => texts.texts(0..arms.len()).map(code).collect(),
        Column::LargeTexts(texts) => texts.texts(0..arms.len()).map(code).collect(),
        Column::Numbers(_) => Err(shape("arms are numbers")),
    }
}

fn whole(column: &ArrayRef) -> Result<Int64Array, Refusal> {
    if *column.data_type() != DataType::Int64 {
        return Err(shape("hashes and outcomes are whole numbers"));
    }
    if column.null_count() > 0 {
        return Err(Refusal::Value("a row has no outcome".to_owned()));
    }
    Ok(column.as_primitive::<Int64Type>().clone())
}

fn place(column: &ArrayRef) -> Result<Int32Array, Refusal> {
    if *column.data_type() != DataType::Int32 || column.null_count() > 0 {
        return Err(shape("features and nodes are whole numbers"));
    }
    Ok(column.as_primitive::<Int32Type>().clone())
}

/// Where each list ends, and the numbers of all.
fn lists(column: &ArrayRef) -> Result<(Vec<i32>, Int64Array), Refusal> {
    let lists: Option<&ListArray> = column.as_list_opt();
    let numbers = lists.and_then(|lists| lists.values().as_primitive_opt::<Int64Type>());
    match lists.zip(numbers) {
        Some((lists, numbers)) if lists.null_count() == 0 && numbers.null_count() == 0 => {
            Ok((lists.value_offsets().to_vec(), numbers.clone()))
        }
        _ => Err(shape("cells are lists of whole numbers")),
    }
}

fn shape(words: &str) -> Refusal {
    Refusal::Shape(words.to_owned())
}
