//! What is scored, counted or searched, read from JSON and checked once.

use serde::Deserialize;

use crate::draws::Draw;
use crate::search::{Search, WrittenSearch};
use crate::words::Vocabulary;

/// Codes are 16 bits wide, and the last code of a feature is that of what is missing.
const MOST_CODES: usize = 32_768;

/// Why a text is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Wrong {
    /// It is no JSON, or has other keys.
    #[error("the plan cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Something in it is out of its range.
    #[error("the plan contradicts itself: {0}")]
    Range(&'static str),
}

/// Features, trees, and what is counted of them. Every number in it is in its range.
#[derive(Debug)]
pub struct Plan {
    pub(crate) features: Vec<Feature>,
    pub(crate) arms: Vocabulary,
    pub(crate) trees: Vec<Tree>,
    pub(crate) counting: Option<Counting>,
    pub(crate) search: Option<Search>,
}

/// How a column's values become codes.
#[derive(Debug)]
pub(crate) struct Feature {
    pub(crate) by: By,
    pub(crate) missing_is_error: bool,
    pub(crate) width: usize,
}

#[derive(Debug)]
pub(crate) enum By {
    /// Ascending.
    Boundaries(Vec<f64>),
    Categories {
        codes: Vocabulary,
        unseen_is_error: bool,
    },
}

/// A tree by node, the root first; a leaf is its own child.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// A line of `width` for each node: whether a code goes left.
    pub(crate) goes_left: Vec<bool>,
    pub(crate) width: usize,
    /// A line of scores for each node, one an arm.
    pub(crate) scores: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) feature: u32,
    pub(crate) left: u32,
    pub(crate) right: u32,
}

/// What is counted: see `Counting` in `statistics.py`.
#[derive(Debug, Deserialize)]
pub(crate) struct Counting {
    pub(crate) opened: usize,
    pub(crate) places: Vec<Vec<i32>>,
    pub(crate) draws: Vec<Draw>,
    pub(crate) wanted: Option<Vec<Vec<u32>>>,
    pub(crate) valued: bool,
    /// Units of one, if outcomes are shares of it.
    #[serde(default)]
    pub(crate) shares: Option<i64>,
}

impl Plan {
    /// Reads JSON in which a double is the number that its bits are.
    ///
    /// # Errors
    ///
    /// See [`Wrong`].
    pub fn read(text: &[u8]) -> Result<Self, Wrong> {
        let written: Written = serde_json::from_slice(text)?;
        let features = written.features.into_iter().map(Feature::of);
        let features = features.collect::<Result<Vec<_>, _>>()?;
        let arms = written.arms.len();
        let trees = written.trees.into_iter();
        let trees = trees.map(|tree| Tree::of(tree, &features, arms));
        let plan = Self {
            trees: trees.collect::<Result<_, _>>()?,
            search: searched(written.search, arms, written.counting.as_ref())?,
            arms: vocabulary(written.arms)?,
            counting: written.counting,
            features,
        };
        match &plan.counting {
            Some(counting) if !counting.fits(&plan) => {
                Err(Wrong::Range("what is counted does not fit the trees"))
            }
            _ if plan.trees.is_empty() => Err(Wrong::Range("there are no trees")),
            _ => Ok(plan),
        }
    }

    /// Features that some node splits by.
    pub(crate) fn used(&self) -> Vec<bool> {
        let mut used = vec![false; self.features.len()];
        let nodes = self.trees.iter().flat_map(Tree::splits);
        for feature in nodes {
            if let Some(place) = used.get_mut(feature as usize) {
                *place = true;
            }
        }
        used
    }
}

#[derive(Deserialize)]
struct Written {
    features: Vec<WrittenFeature>,
    arms: Vec<Box<str>>,
    trees: Vec<WrittenTree>,
    counting: Option<Counting>,
    search: Option<WrittenSearch>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenFeature {
    Numeric {
        missing_is_error: bool,
        boundaries: Vec<u64>,
    },
    Categorical {
        missing_is_error: bool,
        categories: Vec<Box<str>>,
        unseen_is_error: bool,
    },
}

#[derive(Deserialize)]
struct WrittenTree {
    feature: Vec<u32>,
    left: Vec<u32>,
    right: Vec<u32>,
    left_codes: Vec<Vec<usize>>,
    scores: Vec<u64>,
}

impl Feature {
    fn of(written: WrittenFeature) -> Result<Self, Wrong> {
        let found = match written {
            WrittenFeature::Numeric {
                missing_is_error,
                boundaries,
            } => Self {
                width: boundaries.len() + 2,
                by: By::Boundaries(boundaries.into_iter().map(f64::from_bits).collect()),
                missing_is_error,
            },
            WrittenFeature::Categorical {
                missing_is_error,
                categories,
                unseen_is_error,
            } => Self {
                width: categories.len() + 1,
                by: By::Categories {
                    codes: vocabulary(categories)?,
                    unseen_is_error,
                },
                missing_is_error,
            },
        };
        if found.width > MOST_CODES {
            return Err(Wrong::Range("a feature has too many codes"));
        }
        Ok(found)
    }

    /// Whether some value is forbidden.
    pub(crate) fn has_rule(&self) -> bool {
        let unseen = matches!(
            self.by,
            By::Categories {
                unseen_is_error: true,
                ..
            }
        );
        self.missing_is_error || unseen
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most MOST_CODES, which Feature::of checks"
    )]
    pub(crate) fn missing(&self) -> u16 {
        (self.width - 1) as u16
    }
}

fn searched(
    written: Option<WrittenSearch>,
    arms: usize,
    counting: Option<&Counting>,
) -> Result<Option<Search>, Wrong> {
    let Some(written) = written else {
        return Ok(None);
    };
    let search = counting.and_then(|counting| Search::of(written, arms, counting));
    let wrong = Wrong::Range("what is searched does not fit what is counted");
    search.map(Some).ok_or(wrong)
}

fn vocabulary(words: Vec<Box<str>>) -> Result<Vocabulary, Wrong> {
    Vocabulary::of(words).ok_or(Wrong::Range("a vocabulary has too many words"))
}

impl Tree {
    fn of(written: WrittenTree, features: &[Feature], arms: usize) -> Result<Self, Wrong> {
        let count = written.feature.len();
        let lines = [
            written.left.len(),
            written.right.len(),
            written.left_codes.len(),
        ];
        if count == 0 || lines != [count; 3] || written.scores.len() != count * arms {
            return Err(Wrong::Range("a tree's columns have different lengths"));
        }
        let width = features.iter().map(|each| each.width).max().unwrap_or(0);
        let mut goes_left = vec![false; count * width];
        for (line, codes) in goes_left.chunks_mut(width.max(1)).zip(&written.left_codes) {
            for code in codes {
                *line
                    .get_mut(*code)
                    .ok_or(Wrong::Range("a code is out of its range"))? = true;
            }
        }
        let columns = written.feature.iter().zip(&written.left);
        let nodes: Vec<Node> = columns
            .zip(&written.right)
            .map(|((&feature, &left), &right)| Node {
                feature,
                left,
                right,
            })
            .collect();
        if !nodes
            .iter()
            .enumerate()
            .all(|(at, node)| (node.feature as usize) < features.len() && node.is_below(at, count))
        {
            return Err(Wrong::Range("a node is out of its range"));
        }
        let scores = written.scores.into_iter().map(f64::from_bits).collect();
        Ok(Self {
            nodes,
            goes_left,
            width,
            scores,
        })
    }

    fn splits(&self) -> impl Iterator<Item = u32> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(at, node)| node.left as usize != *at)
            .map(|(_, node)| node.feature)
    }
}

impl Node {
    /// Whether it is a leaf, or its children come after it: then no walk goes on for ever.
    fn is_below(self, at: usize, count: usize) -> bool {
        let (left, right) = (self.left as usize, self.right as usize);
        (left == at && right == at) || (left > at && right > at && left.max(right) < count)
    }
}

impl Counting {
    fn fits(&self, plan: &Plan) -> bool {
        let places = self.places.iter().zip(&plan.trees);
        let opened = u32::try_from(self.opened).unwrap_or(u32::MAX);
        self.places.len() == plan.trees.len()
            && self.draws.len() == plan.trees.len()
            && places.fold(true, |fits, (places, tree)| {
                let in_range =
                    |place: &i32| u32::try_from(*place).map_or(*place == -1, |at| at < opened);
                fits && places.len() == tree.nodes.len() && places.iter().all(in_range)
            })
            && self.wanted.as_ref().is_none_or(|wanted| {
                wanted.len() == plan.features.len()
                    && wanted.iter().flatten().all(|node| *node < opened)
            })
    }
}
