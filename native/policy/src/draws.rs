//! Which rows a tree has, by their hashes: `draws.py` says the same.

use serde::Deserialize;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The rows of a tree: of all, those whose upper half is below; and of them a half, or both.
#[derive(Debug, Deserialize)]
pub(crate) struct Draw {
    seed: u64,
    below: u64,
    half: Option<u64>,
}

impl Draw {
    pub(crate) fn takes(&self, hash: u64) -> bool {
        let word = mixed(hash ^ self.seed);
        word >> 32 < self.below && self.half.is_none_or(|half| word & 1 == half)
    }
}

/// The finisher of splitmix64.
fn mixed(word: u64) -> u64 {
    let word = word.wrapping_add(GOLDEN);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::mixed;

    #[test]
    fn words_are_mixed_as_splitmix64_does() {
        assert_eq!(mixed(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(mixed(1), 0x910A_2DEC_8902_5CC1);
    }
}
