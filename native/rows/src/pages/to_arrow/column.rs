//! One column of a batch in the making, whatever its type.

use super::super::PageError;
use super::super::SparkType;
use super::super::cells::Cells;
use super::fixed::{Booleans, Fixed, Great, Intervals, Nanos, Small};
use super::nested::{Group, List};
use super::variable::Text;

/// A growing column.
#[derive(Debug)]
pub(super) enum Column {
    /// Nothing but a length.
    Null(usize),
    Boolean(Booleans),
    One(Fixed<1>),
    Two(Fixed<2>),
    Four(Fixed<4>),
    Eight(Fixed<8>),
    Nanos(Nanos),
    Small(Small),
    Great(Great),
    Interval(Intervals),
    Text(Text<4>),
    LargeText(Text<8>),
    List(List),
    Map(List),
    Struct(Group),
    Variant(Group),
}

/// The same work for whichever column it is.
macro_rules! each {
    ($column:expr, $it:ident => $work:expr, $len:ident => $null:expr) => {
        match $column {
            Column::Null($len) => $null,
            Column::Boolean($it) => $work,
            Column::One($it) => $work,
            Column::Two($it) => $work,
            Column::Four($it) => $work,
            Column::Eight($it) => $work,
            Column::Nanos($it) => $work,
            Column::Small($it) => $work,
            Column::Great($it) => $work,
            Column::Interval($it) => $work,
            Column::Text($it) => $work,
            Column::LargeText($it) => $work,
            Column::List($it) => $work,
            Column::Map($it) => $work,
            Column::Struct($it) => $work,
            Column::Variant($it) => $work,
        }
    };
}

impl Column {
    pub(super) fn new(of: &SparkType, large: bool) -> Self {
        match of {
            SparkType::Null => Self::Null(0),
            SparkType::Boolean => Self::Boolean(Booleans::default()),
            SparkType::Byte => Self::One(Fixed::default()),
            SparkType::Short => Self::Two(Fixed::default()),
            SparkType::Int | SparkType::Float | SparkType::Date | SparkType::YearMonth => {
                Self::Four(Fixed::default())
            }
            SparkType::Long
            | SparkType::Double
            | SparkType::Timestamp
            | SparkType::TimestampNtz
            | SparkType::Time
            | SparkType::DayTime => Self::Eight(Fixed::default()),
            SparkType::TimestampLtzNanos | SparkType::TimestampNtzNanos => {
                Self::Nanos(Nanos::default())
            }
            SparkType::Decimal { precision, .. } if *precision <= 18 => {
                Self::Small(Small::default())
            }
            SparkType::Decimal { .. } => Self::Great(Great::default()),
            SparkType::Interval => Self::Interval(Intervals::default()),
            SparkType::String | SparkType::Binary => Self::text(large),
            SparkType::Variant => {
                Self::Variant(Group::new(vec![Self::text(large), Self::text(large)]))
            }
            SparkType::Array { element, .. } => {
                let width = element.element_width();
                Self::List(List::new(Self::new(element, large), [width, 0]))
            }
            SparkType::Map { key, value, .. } => {
                let widths = [key.element_width(), value.element_width()];
                let entries = vec![Self::new(key, large), Self::new(value, large)];
                Self::Map(List::new(Self::Struct(Group::new(entries)), widths))
            }
            SparkType::Struct(fields) => {
                let fields = fields.iter().map(|field| Self::new(&field.of, large));
                Self::Struct(Group::new(fields.collect()))
            }
        }
    }

    fn text(large: bool) -> Self {
        if large {
            Self::LargeText(Text::default())
        } else {
            Self::Text(Text::default())
        }
    }

    /// Appends every cell.
    pub(super) fn append<'call, C: Cells<'call>>(&mut self, cells: &C) -> Result<(), PageError> {
        match self {
            Self::Null(len) => *len += cells.count(),
            Self::Boolean(booleans) => booleans.append(cells),
            Self::One(fixed) => fixed.append(cells),
            Self::Two(fixed) => fixed.append(cells),
            Self::Four(fixed) => fixed.append(cells),
            Self::Eight(fixed) => fixed.append(cells),
            Self::Nanos(nanos) => nanos.append(cells)?,
            Self::Small(decimals) => decimals.append(cells)?,
            Self::Great(decimals) => decimals.append(cells)?,
            Self::Interval(intervals) => intervals.append(cells)?,
            Self::Text(text) => text.append(cells)?,
            Self::LargeText(text) => text.append(cells)?,
            Self::List(list) => list.append_arrays(cells)?,
            Self::Map(list) => list.append_maps(cells)?,
            Self::Struct(group) => group.append_structs(cells)?,
            Self::Variant(group) => group.append_variants(cells)?,
        }
        Ok(())
    }

    /// Appends `count` nulls.
    pub(super) fn append_nulls(&mut self, count: usize) {
        each!(self, it => it.append_nulls(count), len => *len += count);
    }

    /// Empties the column and keeps its buffers.
    pub(super) fn clear(&mut self) {
        each!(self, it => it.clear(), len => *len = 0);
    }

    /// Bytes of its buffers.
    pub(super) fn capacity(&self) -> usize {
        each!(self, it => it.capacity(), _len => 0)
    }

    pub(super) fn view(&self) -> View<'_> {
        each!(self, it => it.view(), len => View {
            len: *len,
            nulls: *len,
            buffers: [std::ptr::null(); 3],
            used: 0,
            children: &[],
        })
    }
}

/// What a consumer gets to see of a column.
#[derive(Debug)]
pub(super) struct View<'column> {
    pub(super) len: usize,
    pub(super) nulls: usize,
    pub(super) buffers: [*const u8; 3],
    /// Entries of `buffers` that count.
    pub(super) used: usize,
    pub(super) children: &'column [Column],
}
