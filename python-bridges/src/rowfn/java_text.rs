//! Text as Java reads it: whatever is no UTF-8 becomes U+FFFD, one for each beginning of a
//! character and one for each surrogate.

/// The characters of `bytes`.
pub(super) fn decoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, character) = first(rest);
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = rest.get(length..).unwrap_or_default();
    }
    text
}

/// How many bytes the first character takes, or the beginning of one, and which it is.
fn first(bytes: &[u8]) -> (usize, Option<char>) {
    let lead = bytes.first().copied().unwrap_or_default();
    let (length, bits, second) = match lead {
        0..0x80 => return (1, Some(char::from(lead))),
        0xC2..0xE0 => (2, lead & 0x1F, 0x80..=0xBF),
        0xE0 => (3, lead & 0x0F, 0xA0..=0xBF),
        0xE1..0xF0 => (3, lead & 0x0F, 0x80..=0xBF), // surrogates too
        0xF0 => (4, lead & 0x07, 0x90..=0xBF),
        0xF1..0xF4 => (4, lead & 0x07, 0x80..=0xBF),
        0xF4 => (4, lead & 0x07, 0x80..=0x8F),
        _ => return (1, None),
    };
    let mut code = u32::from(bits);
    for place in 1..length {
        let range = if place == 1 {
            second.clone()
        } else {
            0x80..=0xBF
        };
        match bytes.get(place) {
            Some(byte) if range.contains(byte) => code = code << 6 | u32::from(byte & 0x3F),
            _ => return (place, None),
        }
    }
    (length, char::from_u32(code))
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn text_stays_what_it_is() {
        for text in [
            "",
            "a",
            "caf\u{e9}",
            "\u{65e5}\u{672c}",
            "\u{1f600}\0\u{ffff}\u{10ffff}",
        ] {
            assert_eq!(decoded(text.as_bytes()), text);
        }
    }

    #[test]
    fn each_beginning_of_a_character_is_one_mark() {
        let marks = |bytes: &[u8]| {
            decoded(bytes)
                .chars()
                .filter(|it| *it == '\u{fffd}')
                .count()
        };
        assert_eq!(marks(b"\xFF\xFE"), 2);
        assert_eq!(marks(b"\xE2\x82"), 1);
        assert_eq!(marks(b"\xE2\x82a"), 1);
        assert_eq!(marks(b"\xE0\x80\x80"), 3);
        assert_eq!(marks(b"\xF0\x9F\x98a"), 1);
        assert_eq!(marks(b"\xF4\x90\x80\x80"), 4);
    }

    #[test]
    fn a_surrogate_is_one_mark_in_java() {
        assert_eq!(decoded(b"\xED\xA0\x80x"), "\u{fffd}x");
        assert_eq!(decoded(b"\xED\xA0"), "\u{fffd}");
    }
}
