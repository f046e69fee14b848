//! Whether bytes are the inside of a plain JSON string, sixteen at a time.
//!
//! A session description inside a JSON text inside a JSON text has an escape every dozen bytes, so
//! that looking for the next one byte by byte was half the cost of relaying it (decision 0005).
//! This finds escapes with the carry arithmetic of "Parsing Gigabytes of JSON per Second"
//! (Langdale and Lemire, 2019, section 3.1.1), 64 bytes in a handful of operations.

use wide::i8x16;

const BLOCK: usize = 64;
const EVEN: u64 = 0x5555_5555_5555_5555;

/// Where in a block the bytes stand that matter, a bit for each.
struct Marks {
    control: u64,
    quote: u64,
    backslash: u64,
}

/// Whether this can stand between the quotes of a JSON string, with none but one-character
/// escapes. `\u` escapes are rare (controls, lone surrogates) and need a decoder's judgement.
pub(super) fn is_plain(inner: &[u8]) -> bool {
    let (blocks, rest) = inner.as_chunks::<BLOCK>();
    let mut escapes_next = 0;
    for block in blocks {
        if !is_plain_block(block, &mut escapes_next) {
            return false;
        }
    }
    // An escape that is cut off meets a space here, which cannot be escaped.
    let mut last = [b' '; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    is_plain_block(&last, &mut escapes_next)
}

fn is_plain_block(block: &[u8; BLOCK], escapes_next: &mut u64) -> bool {
    let marks = Marks::of(block);
    let escaped = escaped(marks.backslash, escapes_next);
    if (marks.control | (marks.quote & !escaped)) != 0 {
        return false;
    }
    let mut others = escaped & !marks.quote & !marks.backslash;
    while others != 0 {
        if !matches!(
            block[others.trailing_zeros() as usize],
            b'/' | b'b' | b'f' | b'n' | b'r' | b't'
        ) {
            return false;
        }
        others &= others - 1;
    }
    true
}

/// Which bytes a backslash stands before that is not escaped itself.
const fn escaped(backslash: u64, escapes_next: &mut u64) -> u64 {
    let starts = backslash & !*escapes_next;
    let follows = (starts << 1) | *escapes_next;
    let odd_starts = starts & !EVEN & !follows;
    let (sequences, carried) = odd_starts.overflowing_add(starts);
    *escapes_next = carried as u64;
    (EVEN ^ (sequences << 1)) & follows
}

impl Marks {
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut marks = Self {
            control: 0,
            quote: 0,
            backslash: 0,
        };
        let (lanes, _) = block.as_chunks::<16>();
        for (at, lane) in lanes.iter().enumerate() {
            let lane = i8x16::new(lane.map(|byte| byte as i8));
            let bits = |hit: i8x16| u64::from(hit.to_bitmask() & 0xffff) << (16 * at);
            // As signed numbers, bytes beyond ASCII are below zero.
            let control = lane.simd_lt(i8x16::splat(0x20)) & lane.simd_gt(i8x16::splat(-1));
            marks.control |= bits(control);
            marks.quote |= bits(lane.simd_eq(i8x16::splat(b'"' as i8)));
            marks.backslash |= bits(lane.simd_eq(i8x16::splat(b'\\' as i8)));
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, one byte after the other.
    fn is_plain_slowly(inner: &[u8]) -> bool {
        let mut bytes = inner.iter();
        while let Some(byte) = bytes.next() {
            let fine = match byte {
                b'\\' => matches!(
                    bytes.next(),
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')
                ),
                b'"' | 0..0x20 => false,
                _ => true,
            };
            if !fine {
                return false;
            }
        }
        true
    }

    #[test]
    fn it_says_what_reading_byte_by_byte_says() {
        let alphabet = b"\\\\\\\\\\\"nrtux \x1f\x7f\x80\xffa";
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let (mut plain, mut not) = (0, 0);
        for _ in 0..40_000 {
            let length = next(200);
            // Mostly what passes, so that faults far in are reached.
            let mut text = Vec::new();
            while text.len() < length {
                match next(if text.len() % 7 == 0 { 60 } else { 20 }) {
                    0..8 => text.extend_from_slice(b"\\\\"),
                    8..11 => text.extend_from_slice(b"\\\""),
                    11..13 => text.extend_from_slice(b"\\n"),
                    59 => text.push(alphabet[next(alphabet.len())]),
                    other => text.push(b'a' + (other % 26) as u8),
                }
            }
            let expected = is_plain_slowly(&text);
            assert_eq!(is_plain(&text), expected, "{:?}", String::from_utf8_lossy(&text));
            *if expected { &mut plain } else { &mut not } += 1;
        }
        assert!(plain > 1000 && not > 1000, "{plain} {not}");
    }

    #[test]
    fn an_escape_at_every_place_is_seen() {
        for at in 0..200 {
            for (escape, fine) in [
                ("\\\"", true),
                ("\"", false),
                ("\\u0000", false),
                ("\\x", false),
                ("\\", at < 199),
            ] {
                let mut text = "x".repeat(200);
                text.replace_range(at..=at, escape);
                assert_eq!(
                    is_plain(text.as_bytes()),
                    is_plain_slowly(text.as_bytes()),
                    "{at} {escape}"
                );
                if escape.len() == 2 {
                    assert_eq!(is_plain(text.as_bytes()), fine, "{at} {escape}");
                }
            }
        }
    }
}
