//! Texts as codes: words that are few and short are compared, others are looked up by their hash.

use std::ops::Range;

use arrow_array::{Array, GenericStringArray, OffsetSizeTrait};
use hashbrown::HashMap;

use crate::codes::{Every, Refusal};

/// The words of a feature or of the arms, whose codes are their places.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    all: HashMap<Box<str>, u16, ahash::RandomState>,
    few: Option<Vec<Packed>>,
}

/// What is done about texts that are no words, and which code they get.
pub(crate) struct Unknown {
    pub(crate) code: u16,
    pub(crate) missing_is_error: bool,
    pub(crate) unseen_is_error: bool,
}

/// The first eight bytes of a text, and its length: the whole of a short one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Packed {
    bytes: u64,
    length: usize,
}

/// Of more words than these a hash is faster.
const FEW: usize = 16;

impl Vocabulary {
    /// `None` if there are more words than codes.
    pub(crate) fn of(words: Vec<Box<str>>) -> Option<Self> {
        let short = words.iter().all(|word| word.len() <= size_of::<u64>());
        let few = (short && words.len() <= FEW).then(|| {
            words
                .iter()
                .map(|word| Packed::of(word.as_bytes(), 0, word.len()))
                .collect()
        });
        let coded = words.into_iter().enumerate();
        let coded = coded.map(|(code, word)| Some((word, u16::try_from(code).ok()?)));
        Some(Self {
            all: coded.collect::<Option<_>>()?,
            few,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn get(&self, text: &str) -> Option<u16> {
        self.all.get(text).copied()
    }

    /// Encodes rows of a column.
    pub(crate) fn encode<O: OffsetSizeTrait>(
        &self,
        line: &mut [u16],
        texts: &Every<'_, GenericStringArray<O>>,
        rows: Range<usize>,
        unknown: &Unknown,
    ) -> Result<(), Refusal> {
        match &self.few {
            Some(words) if !unknown.missing_is_error && !unknown.unseen_is_error => {
                compare(words, line, texts, rows, unknown.code);
                Ok(())
            }
            _ => self.look_up(line, texts.texts(rows), unknown),
        }
    }

    fn look_up<'a>(
        &self,
        line: &mut [u16],
        texts: impl Iterator<Item = Option<&'a str>>,
        unknown: &Unknown,
    ) -> Result<(), Refusal> {
        for (code, text) in line.iter_mut().zip(texts) {
            let known = text.and_then(|text| self.get(text));
            let refused = match (known, text) {
                (Some(_), _) => false,
                (None, Some(_)) => unknown.unseen_is_error,
                (None, None) => unknown.missing_is_error,
            };
            if refused {
                return Err(Refusal::Value(format!("{text:?} is no category")));
            }
            *code = known.unwrap_or(unknown.code);
        }
        Ok(())
    }
}

/// Compares each text with every word: which one it is, no branch is to guess.
#[expect(
    clippy::indexing_slicing,
    reason = "rows are of the array, which has one end more than texts"
)]
fn compare<O: OffsetSizeTrait>(
    words: &[Packed],
    line: &mut [u16],
    texts: &Every<'_, GenericStringArray<O>>,
    rows: Range<usize>,
    unknown: u16,
) {
    let array = texts.array();
    let (ends, bytes) = (array.value_offsets(), array.value_data());
    for (code, at) in line.iter_mut().zip(texts.places(rows.clone())) {
        let (first, end) = (ends[at].as_usize(), ends[at + 1].as_usize());
        let text = Packed::of(bytes, first, end - first);
        let words = (0..).zip(words);
        *code = words.fold(
            unknown,
            |code, (at, word)| if *word == text { at } else { code },
        );
    }
    if array.null_count() > 0 {
        for (code, at) in line.iter_mut().zip(texts.places(rows)) {
            if array.is_null(at) {
                *code = unknown;
            }
        }
    }
}

impl Packed {
    /// Packs a text of so many bytes, from `first` on.
    fn of(bytes: &[u8], first: usize, length: usize) -> Self {
        let rest = bytes.get(first..).unwrap_or_default();
        let eight = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut padded = [0; size_of::<u64>()];
            for (place, byte) in padded.iter_mut().zip(rest) {
                *place = *byte;
            }
            padded
        });
        let bits = u32::try_from(length * 8).unwrap_or(u32::MAX);
        let behind = u64::MAX.checked_shl(bits).unwrap_or(0);
        Self {
            bytes: u64::from_le_bytes(eight) & !behind,
            length,
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::StringArray;

    use super::*;
    use crate::codes::Column;

    const UNKNOWN: Unknown = Unknown {
        code: 99,
        missing_is_error: false,
        unseen_is_error: false,
    };

    fn codes(words: &[&str], texts: &StringArray) -> Result<Vec<u16>, String> {
        let words = words.iter().map(|word| Box::from(*word)).collect();
        let vocabulary = Vocabulary::of(words).ok_or("too many words")?;
        let mut line = vec![0; texts.len()];
        let Ok(Column::Texts(every)) = Column::of(texts) else {
            return Err("no texts".to_owned());
        };
        let told = vocabulary.encode(&mut line, &every, 0..texts.len(), &UNKNOWN);
        told.map_err(|refusal| refusal.to_string())?;
        Ok(line)
    }

    #[test]
    fn short_words_and_long_ones_have_the_codes_of_their_places() -> Result<(), String> {
        let given = ["", "a", "a\0", "ab", "eight by", "Ödipus", "eight by!", "b"];
        let texts = given.iter().map(Some).chain([None, Some(&"a")]);
        let texts: StringArray = texts.collect();
        for more in [None, Some("longer than eight")] {
            let words: Vec<&str> = given[..6].iter().copied().chain(more).collect();
            assert_eq!(codes(&words, &texts)?, [0, 1, 2, 3, 4, 5, 99, 99, 99, 1]);
        }
        Ok(())
    }

    #[test]
    fn texts_of_a_slice_are_its_own() -> Result<(), String> {
        let texts = StringArray::from(vec![Some("b"), None, Some("a"), Some("c")]);
        assert_eq!(codes(&["a", "b"], &texts.slice(1, 3))?, [99, 0, 99]);
        Ok(())
    }
}
