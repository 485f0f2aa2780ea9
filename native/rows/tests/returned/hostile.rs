//! Arrays as no sound library would make them: whatever their contents say, they are refused or
//! all that their layout leads to can be read. Run with `PROPTEST_CASES` for more of them, and by
//! `ci/sanitize`, which sees each byte that is read out of place.

use std::mem::ManuallyDrop;
use std::sync::Arc;

use arrow_array::ffi::to_ffi;
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, FieldRef, Fields};
use ember_rows::{Returned, ReturnedSchema, RowsError};
use proptest::prelude::*;

const DEPTH: usize = 3;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2048)))]

    #[test]
    fn what_is_not_refused_can_be_read(seed in any::<u64>()) {
        let batch = Dice(seed | 1).batch();
        if let Ok(returned) = check(&batch) {
            prop_assert_eq!(returned.layout().first(), Some(&i64::try_from(batch.len())?));
            read_all(&returned);
        }
    }
}

#[test]
fn many_batches_are_sound_and_many_are_not() {
    let sound = (1..=400).filter(|seed| {
        check(&Dice(u64::wrapping_mul(*seed, 0x9E37_79B9_7F4A_7C15) | 1).batch()).is_ok()
    });
    let sound = sound.count();
    assert!((40..360).contains(&sound), "{sound} of 400");
}

fn check(batch: &ArrayData) -> Result<Returned, RowsError> {
    let (array, schema) = to_ffi(batch)?;
    let (mut array, mut schema) = (ManuallyDrop::new(array), ManuallyDrop::new(schema));
    // SAFETY: just exported, and moved out exactly once.
    let schema = unsafe { ReturnedSchema::take((&raw mut *schema).cast()) }?;
    // SAFETY: as above; exported with this schema.
    unsafe { schema.check((&raw mut *array).cast()) }?.copied()
}

/// Reads every byte that the layout names, as the JVM may.
fn read_all(returned: &Returned) {
    let mut longs = returned.layout().iter().skip(1).copied();
    let mut next = || usize::try_from(longs.next().unwrap()).unwrap();
    let mut columns = next();
    let mut sum = 0_u64;
    while columns > 0 {
        let (_rows, _nulls, buffers, children) = (next(), next(), next(), next());
        for _ in 0..buffers {
            let (address, bytes) = (next(), next());
            let first: *const u8 = std::ptr::with_exposed_provenance(address);
            if bytes > 0 {
                // SAFETY: what this test is about: a checked batch's buffer has these bytes.
                let bytes = unsafe { std::slice::from_raw_parts(first, bytes) };
                sum += bytes.iter().map(|it| u64::from(*it)).sum::<u64>();
            }
        }
        columns = columns - 1 + children;
    }
    std::hint::black_box(sum);
}

/// Random choices: one seed makes the whole batch (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Some columns, mostly as long as the batch.
    fn batch(&mut self) -> ArrayData {
        let rows = self.below(6);
        let columns: Vec<_> = (0..=self.below(3))
            .map(|_| {
                let of = self.type_of(DEPTH);
                let rows = self.near(rows);
                self.array(&of, rows)
            })
            .collect();
        let fields: Fields = columns
            .iter()
            .map(|it| field("c", it.data_type(), true))
            .collect();
        // SAFETY: deliberately unsound contents; buffers are as long as lengths say.
        unsafe {
            ArrayData::builder(DataType::Struct(fields))
                .len(rows)
                .child_data(columns)
                .build_unchecked()
        }
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(end).unwrap()).unwrap()
    }

    /// Mostly `rows`, sometimes one less or more.
    fn near(&mut self, rows: usize) -> usize {
        match self.below(12) {
            0 => rows.saturating_sub(1),
            1 => rows + 1,
            _ => rows,
        }
    }

    fn bytes(&mut self, count: usize) -> Buffer {
        (0..count)
            .map(|_| u8::try_from(self.below(256)).unwrap())
            .collect::<Vec<_>>()
            .into()
    }

    fn type_of(&mut self, depth: usize) -> DataType {
        let kinds = if depth == 0 { 9 } else { 16 };
        match self.below(kinds) {
            0 => DataType::Null,
            1 => DataType::Boolean,
            2 => DataType::Int64,
            3 => DataType::Utf8,
            4 => DataType::LargeBinary,
            5 => DataType::Utf8View,
            6 => DataType::FixedSizeBinary(3),
            7 => DataType::Decimal128(10, 2),
            8 => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            9 => DataType::List(self.inner(depth)),
            10 => DataType::LargeList(self.inner(depth)),
            11 => DataType::ListView(self.inner(depth)),
            12 => DataType::FixedSizeList(self.inner(depth), 2),
            13 => {
                let entries = [
                    ("k", DataType::Utf8, false),
                    ("v", self.type_of(depth - 1), true),
                ];
                let entries = entries.map(|(name, of, null)| field(name, &of, null));
                let entries = DataType::Struct(Fields::from_iter(entries));
                DataType::Map(field("entries", &entries, false), false)
            }
            _ => DataType::Struct(Fields::from_iter([
                field("a", &self.type_of(depth - 1), true),
                field("b", &self.type_of(depth - 1), true),
            ])),
        }
    }

    fn inner(&mut self, depth: usize) -> FieldRef {
        field("item", &self.type_of(depth - 1), true)
    }

    /// An array whose buffers are long enough, and hold anything.
    fn array(&mut self, of: &DataType, rows: usize) -> ArrayData {
        let offset = if self.below(4) == 0 { self.below(4) } else { 0 };
        let slots = rows + offset;
        let (buffers, children) = self.parts(of, slots);
        let nulls =
            (self.below(3) == 0 && *of != DataType::Null).then(|| self.bytes(slots.div_ceil(8)));
        // SAFETY: deliberately unsound contents; buffers are as long as lengths say.
        unsafe {
            ArrayData::builder(of.clone())
                .len(rows)
                .offset(offset)
                .null_bit_buffer(nulls)
                .buffers(buffers)
                .child_data(children)
                .build_unchecked()
        }
    }

    fn parts(&mut self, of: &DataType, slots: usize) -> (Vec<Buffer>, Vec<ArrayData>) {
        match of {
            DataType::Null => (vec![], vec![]),
            DataType::Boolean => (vec![self.bytes(slots.div_ceil(8))], vec![]),
            DataType::Utf8 => (vec![self.offsets::<i32>(slots, 9), self.bytes(9)], vec![]),
            DataType::LargeBinary => (vec![self.offsets::<i64>(slots, 9), self.bytes(9)], vec![]),
            DataType::Utf8View => (vec![self.views(slots), self.bytes(40)], vec![]),
            DataType::FixedSizeBinary(size) => (
                vec![self.bytes(slots * usize::try_from(*size).unwrap())],
                vec![],
            ),
            DataType::Dictionary(_, values) => {
                (vec![self.numbers(slots, 5)], vec![self.array(values, 3)])
            }
            DataType::List(field) | DataType::Map(field, _) => {
                let child = self.array(field.data_type(), 5);
                (vec![self.offsets::<i32>(slots, 5)], vec![child])
            }
            DataType::LargeList(field) => {
                let child = self.array(field.data_type(), 5);
                (vec![self.offsets::<i64>(slots, 5)], vec![child])
            }
            DataType::ListView(field) => {
                let child = self.array(field.data_type(), 5);
                (
                    vec![self.numbers(slots, 4), self.numbers(slots, 3)],
                    vec![child],
                )
            }
            DataType::FixedSizeList(field, size) => {
                let rows = self.near(slots * usize::try_from(*size).unwrap());
                (vec![], vec![self.array(field.data_type(), rows)])
            }
            DataType::Struct(fields) => {
                let mut child = |it: &FieldRef| {
                    let rows = self.near(slots);
                    self.array(it.data_type(), rows)
                };
                (vec![], fields.iter().map(&mut child).collect())
            }
            other => (
                vec![self.bytes(slots * other.primitive_width().unwrap())],
                vec![],
            ),
        }
    }

    /// Offsets into `end` values: in order, or anywhere but for the last, which tells a length.
    fn offsets<T: TryFrom<i64> + Ord + Copy>(&mut self, slots: usize, end: usize) -> Buffer
    where
        T::Error: std::fmt::Debug,
        Vec<T>: Into<Bytes>,
    {
        let wild = self.below(4) == 0;
        let mut offsets: Vec<i64> = (0..=slots)
            .map(|_| i64::try_from(self.below(end + 1)).unwrap())
            .collect();
        if wild {
            for at in 0..slots {
                if let Some(offset) = offsets.get_mut(at) {
                    *offset += [0, 0, 7, -9][self.below(4)];
                }
            }
        } else {
            offsets.sort_unstable();
        }
        let offsets: Vec<T> = offsets
            .into_iter()
            .map(|it| T::try_from(it).unwrap())
            .collect();
        let Bytes(buffer) = offsets.into();
        buffer
    }

    /// Numbers below `end`, seldom one far away.
    fn numbers(&mut self, slots: usize, end: usize) -> Buffer {
        let mut number = || match self.below(25) {
            0 => i32::MAX,
            1 => -1,
            _ => i32::try_from(self.below(end)).unwrap(),
        };
        Buffer::from_vec((0..slots).map(|_| number()).collect::<Vec<i32>>())
    }

    /// Views of short texts, and of pieces of the one buffer or of what is not there.
    fn views(&mut self, slots: usize) -> Buffer {
        let mut view = || {
            let long = self.below(3) == 0;
            let length = if long {
                13 + self.below(9)
            } else {
                self.below(13)
            };
            let mut view = u128::try_from(length).unwrap();
            if long {
                let buffer = usize::from(self.below(9) == 0);
                let start = self.below(30);
                view |=
                    u128::try_from(buffer).unwrap() << 64 | u128::try_from(start).unwrap() << 96;
            }
            view
        };
        Buffer::from_vec((0..slots).map(|_| view()).collect::<Vec<u128>>())
    }
}

/// A buffer made of either width of offsets.
struct Bytes(Buffer);

impl From<Vec<i32>> for Bytes {
    fn from(values: Vec<i32>) -> Self {
        Self(Buffer::from_vec(values))
    }
}

impl From<Vec<i64>> for Bytes {
    fn from(values: Vec<i64>) -> Self {
        Self(Buffer::from_vec(values))
    }
}

fn field(name: &str, of: &DataType, nullable: bool) -> FieldRef {
    Arc::new(Field::new(name, of.clone(), nullable))
}
