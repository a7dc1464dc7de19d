//! What a `dprintf` prints: C's formats as GDB accepts them, with arguments of 64 bits and strings in the target.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Target;

/// Longest text that one format may make, in bytes. Also bounds widths and precisions.
pub const MAX_TEXT: usize = 16 * 1024;

/// Bytes of a string read at a time, aligned, so that no read touches a page that the string is not in.
const CHUNK: usize = 64;

/// The text, or `None` where the format needs what integers in registers and strings in memory can't give (floating
/// point, wide characters), has fewer arguments than directives, is malformed, or makes more than [`MAX_TEXT`].
///
/// Escape sequences are understood, since GDB sends the format as the user typed it. A string ends at its NUL, or where
/// memory is unreadable.
pub fn render(format: &[u8], arguments: &[u64], target: &mut impl Target) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut arguments = arguments.iter().copied();
    let mut rest = format;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'\\', _) => {
                let (byte, after) = escape(after)?;
                text.push(byte);
                after
            }
            (b'%', [b'%', after @ ..]) => {
                text.push(b'%');
                after
            }
            (b'%', _) => {
                let (directive, after) = Directive::parse(after)?;
                directive.write(arguments.next()?, target, &mut text)?;
                after
            }
            _ => {
                text.push(*first);
                after
            }
        };
        if text.len() > MAX_TEXT {
            return None;
        }
    }
    Some(text)
}

/// What follows a backslash.
fn escape(rest: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, after) = rest.split_first()?;
    let byte = match first {
        b'0'..=b'7' => {
            let length = rest.iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
            let (digits, after) = rest.split_at(length);
            let value = digits.iter().fold(0, |value: u16, digit| value * 8 + u16::from(digit - b'0'));
            return Some((value as u8, after));
        }
        b'a' => 0x07,
        b'b' => 0x08,
        b'e' => 0x1b,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'\\' | b'"' | b'\'' => first,
        _ => return None,
    };
    Some((byte, after))
}

/// What stands between `%` and the letter, and the letter.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "C's flags, each on its own")]
struct Directive {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    /// Bytes of the argument that count.
    size: u32,
    conversion: u8,
}

impl Directive {
    fn parse(mut rest: &[u8]) -> Option<(Self, &[u8])> {
        let mut directive = Self::default();
        while let [flag, after @ ..] = rest {
            match flag {
                b'-' => directive.left = true,
                b'+' => directive.plus = true,
                b' ' => directive.space = true,
                b'#' => directive.alternate = true,
                b'0' => directive.zeros = true,
                b'\'' => {}
                _ => break,
            }
            rest = after;
        }
        (directive.width, rest) = number(rest)?;
        if let [b'.', after @ ..] = rest {
            let (precision, after) = number(after)?;
            (directive.precision, rest) = (Some(precision), after);
        }
        (directive.size, rest) = match rest {
            [b'h', b'h', after @ ..] => (1, after),
            [b'h', after @ ..] => (2, after),
            [b'l', b'l', after @ ..] | [b'l' | b'j' | b'z' | b't', after @ ..] => (8, after),
            _ => (4, rest),
        };
        let wide = directive.size == 8;
        let (&conversion, after) = rest.split_first()?;
        let known = match conversion {
            b'd' | b'i' | b'u' | b'x' | b'X' | b'o' | b'p' => true,
            b'c' | b's' => !wide,
            _ => false,
        };
        directive.conversion = conversion;
        known.then_some((directive, after))
    }

    fn write(&self, argument: u64, target: &mut impl Target, text: &mut Vec<u8>) -> Option<()> {
        match self.conversion {
            b'c' => self.pad(&[], &[argument as u8], false, text),
            b's' if argument == 0 => self.pad(&[], b"(null)", false, text),
            b's' => self.pad(&[], &self.string(argument, target)?, false, text),
            _ => {
                let (prefix, digits) = self.digits(argument);
                self.pad(prefix.as_bytes(), digits.as_bytes(), self.zeros && self.precision.is_none(), text);
            }
        }
        Some(())
    }

    /// Sign or base, and the digits up to the precision.
    fn digits(&self, argument: u64) -> (&'static str, String) {
        let unused = 64 - 8 * self.size;
        let unsigned = argument << unused >> unused;
        let signed = (argument << unused) as i64 >> unused;
        let base = self.alternate && unsigned != 0;
        let (prefix, digits) = match self.conversion {
            b'd' | b'i' => {
                let sign = match (signed < 0, self.plus, self.space) {
                    (true, ..) => "-",
                    (_, true, _) => "+",
                    (_, _, true) => " ",
                    _ => "",
                };
                (sign, signed.unsigned_abs().to_string())
            }
            b'x' => (if base { "0x" } else { "" }, format!("{unsigned:x}")),
            b'X' => (if base { "0X" } else { "" }, format!("{unsigned:X}")),
            b'o' => (if base { "0" } else { "" }, format!("{unsigned:o}")),
            b'p' => ("0x", format!("{argument:x}")),
            _ => ("", unsigned.to_string()),
        };
        (prefix, format!("{digits:0>width$}", width = self.precision.unwrap_or(0)))
    }

    fn string(&self, address: u64, target: &mut impl Target) -> Option<Vec<u8>> {
        let limit = self.precision.unwrap_or(MAX_TEXT + 1);
        let mut string = Vec::new();
        while string.len() < limit {
            let at = address.checked_add(string.len() as u64)?;
            let mut chunk = [0; CHUNK];
            let chunk = &mut chunk[..CHUNK - at as usize % CHUNK];
            if !target.read_memory(at, chunk) {
                break;
            }
            let end = memchr::memchr(0, chunk);
            string.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
            if end.is_some() {
                break;
            }
        }
        string.truncate(limit);
        Some(string)
    }

    fn pad(&self, prefix: &[u8], body: &[u8], zeros: bool, text: &mut Vec<u8>) {
        let missing = self.width.saturating_sub(prefix.len() + body.len());
        let padding = |byte| core::iter::repeat_n(byte, missing);
        if !self.left && !zeros {
            text.extend(padding(b' '));
        }
        text.extend_from_slice(prefix);
        if !self.left && zeros {
            text.extend(padding(b'0'));
        }
        text.extend_from_slice(body);
        if self.left {
            text.extend(padding(b' '));
        }
    }
}

/// The decimal number at the beginning, 0 if there is none, and what follows it.
fn number(rest: &[u8]) -> Option<(usize, &[u8])> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = rest.split_at(length);
    let value = digits.iter().try_fold(0, |value: usize, digit| {
        let value = value * 10 + usize::from(digit - b'0');
        (value <= MAX_TEXT).then_some(value)
    })?;
    Some((value, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two strings in readable memory from 0x1000 to 0x1100.
    struct Memory;

    impl Target for Memory {
        fn register(&mut self, _: u16) -> Option<u64> {
            None
        }

        fn read_memory(&mut self, address: u64, buffer: &mut [u8]) -> bool {
            let mut memory = [b'x'; 0x100];
            memory[0x3e..0x42].copy_from_slice(b"hey\0");
            let Some(from) = address.checked_sub(0x1000).map(|from| from as usize) else { return false };
            memory
                .get(from..)
                .and_then(|memory| memory.get(..buffer.len()))
                .map(|m| buffer.copy_from_slice(m))
                .is_some()
        }
    }

    fn rendered(format: &str, arguments: &[u64]) -> Option<String> {
        render(format.as_bytes(), arguments, &mut Memory).map(|text| String::from_utf8(text).expect("ASCII"))
    }

    #[test]
    fn directives_print_as_in_c() {
        let cases: &[(&str, u64, &str)] = &[
            ("%d", u64::MAX, "-1"),
            ("%d", 0xffff_ffff, "-1"),
            ("%u", u64::MAX, "4294967295"),
            ("%lu", u64::MAX, "18446744073709551615"),
            ("%ld", i64::MIN as u64, "-9223372036854775808"),
            ("%hhd", 0x1ff, "-1"),
            ("%hx", 0x1_2345, "2345"),
            ("[%5d]", 42, "[   42]"),
            ("[%-5d]", 42, "[42   ]"),
            ("[%05d]", -42_i64 as u64, "[-0042]"),
            ("[%+d]", 42, "[+42]"),
            ("[% d]", 42, "[ 42]"),
            ("[%5.3d]", 7, "[  007]"),
            ("[%05.3d]", 7, "[  007]"),
            ("%#x", 255, "0xff"),
            ("%#X", 0, "0"),
            ("%#o", 8, "010"),
            ("%#06x", 255, "0x00ff"),
            ("%p", 0x7fff_0000_0000, "0x7fff00000000"),
            ("[%3c]", u64::from(b'z'), "[  z]"),
            ("%zu", 1 << 40, "1099511627776"),
            ("[%6s]", 0, "[(null)]"),
            ("[%5s]", 0x103e, "[  hey]"),
            ("[%-5s]", 0x103e, "[hey  ]"),
            ("[%.2s]", 0x103e, "[he]"),
            ("[%.3s]", 0x10f0, "[xxx]"),
            ("[%s]", 0x10fd, "[xxx]"),
            ("[%s]", 0x10, "[]"),
        ];
        for &(format, argument, expected) in cases {
            assert_eq!(rendered(format, &[argument]).as_deref(), Some(expected), "{format}");
        }
    }

    #[test]
    fn escapes_are_those_of_c() {
        assert_eq!(rendered(r#"a\n\t\\\"\101\60z 100%%\7"#, &[]).as_deref(), Some("a\n\t\\\"A0z 100%\u{7}"));
    }

    #[test]
    fn what_cannot_be_printed_is_refused() {
        for format in ["%", "%f", "%*d", "%n", "%ls", "%99999d", "%5", "\\", "\\q", "%d%d"] {
            assert_eq!(rendered(format, &[1]), None, "{format}");
        }
    }

    #[test]
    fn text_is_bounded() {
        let format = "%9999d".repeat(3);
        assert_eq!(rendered(&format, &[1, 2, 3]), None);
    }
}
