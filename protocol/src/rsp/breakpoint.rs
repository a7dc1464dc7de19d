//! Breakpoints and watchpoints: `Z0`–`Z4`, `z0`–`z4`.

use alloc::vec::Vec;
use core::iter;

use super::field;
use super::packet::hex;
use super::request::Malformed;

/// What `Z` and `z` number 0 to 4.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// `Z0`.
    Software,
    /// `Z1`.
    Hardware,
    /// `Z2`: stop when the bytes are written.
    WriteWatch,
    /// `Z3`: stop when they are read.
    ReadWatch,
    /// `Z4`: both.
    AccessWatch,
}

impl Kind {
    const fn from_digit(digit: u8) -> Option<Self> {
        Some(match digit {
            b'0' => Self::Software,
            b'1' => Self::Hardware,
            b'2' => Self::WriteWatch,
            b'3' => Self::ReadWatch,
            b'4' => Self::AccessWatch,
            _ => return None,
        })
    }

    const fn digit(self) -> u8 {
        match self {
            Self::Software => b'0',
            Self::Hardware => b'1',
            Self::WriteWatch => b'2',
            Self::ReadWatch => b'3',
            Self::AccessWatch => b'4',
        }
    }
}

/// The list of agent expressions after `;X` (conditions) or `;cmds:` (commands), checked but not compiled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expressions<'a> {
    // `XLENGTH,` before each expression, which has been decoded at the beginning of where its digits were: LENGTH
    // bytes of it, and LENGTH bytes that mean nothing any more.
    decoded: &'a [u8],
}

impl<'a> Expressions<'a> {
    /// Each expression's bytecode.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let mut rest = self.decoded;
        iter::from_fn(move || {
            let (length, digits) = header(rest)?;
            rest = &digits[2 * length..];
            Some(&digits[..length])
        })
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.decoded.is_empty()
    }

    /// The expressions that `text` starts with, decoded in place, and what follows them.
    fn parse(text: &'a mut [u8]) -> Option<(Self, &'a mut [u8])> {
        let mut end = 0;
        while text.get(end) == Some(&b'X') {
            let (length, digits) = header(&text[end..])?;
            let start = text.len() - digits.len();
            end = start.checked_add(length.checked_mul(2)?)?;
            hex::decode_in_place(text.get_mut(start..end)?)?;
        }
        let (decoded, rest) = text.split_at_mut(end);
        Some((Self { decoded }, rest))
    }

    fn emit(&self, out: &mut Vec<u8>) {
        for expression in self.iter() {
            out.push(b'X');
            field::put_number(out, expression.len() as u64);
            out.push(b',');
            hex::encode(out, expression);
        }
    }
}

impl PartialEq for Expressions<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Expressions<'_> {}

/// `XLENGTH,`: the length and what follows.
pub(super) fn header(text: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = field::number(text.strip_prefix(b"X")?)?;
    Some((usize::try_from(length).ok()?, rest.strip_prefix(b",")?))
}

/// A breakpoint request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `Z TYPE,ADDR,SIZE[;X…][;cmds:PERSIST,X…]`. Replaces the conditions of one that is there.
    Insert {
        /// Which kind.
        kind: Kind,
        /// Where.
        address: u64,
        /// Length of the watched range in bytes, or the breakpoint's kind (1 on x86).
        size: u64,
        /// Stop only if one of these is true; none: always stop.
        conditions: Expressions<'a>,
        /// Run on the target when the breakpoint is hit (`dprintf`).
        commands: Expressions<'a>,
        /// The commands go on after the client has gone.
        persist: bool,
    },
    /// `z TYPE,ADDR,SIZE`. One that is not there is no error.
    Remove {
        /// Which kind.
        kind: Kind,
        /// Where.
        address: u64,
        /// As in `Insert`.
        size: u64,
    },
}

const COMMANDS: &[u8] = b"cmds:";

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family or is of a kind that is not known.
    ///
    /// # Errors
    /// [`Malformed`] if a number is missing or the expressions are not what their lengths say.
    pub fn parse(body: &'a mut [u8]) -> Result<Option<Self>, Malformed> {
        let [letter @ (b'Z' | b'z'), digit, rest @ ..] = body else { return Ok(None) };
        let Some(kind) = Kind::from_digit(*digit) else { return Ok(None) };
        let request = if *letter == b'Z' { insert(kind, rest) } else { remove(kind, rest) };
        request.ok_or(Malformed("breakpoint")).map(Some)
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let mut head = |letter: u8, kind: Kind, address: u64, size: u64| {
            out.extend_from_slice(&[letter, kind.digit(), b',']);
            field::put_number(out, address);
            out.push(b',');
            field::put_number(out, size);
        };
        match *self {
            Self::Insert { kind, address, size, conditions, commands, persist } => {
                head(b'Z', kind, address, size);
                if !conditions.is_empty() {
                    out.push(b';');
                    conditions.emit(out);
                }
                if !commands.is_empty() {
                    out.push(b';');
                    out.extend_from_slice(COMMANDS);
                    field::put_switch(out, persist);
                    out.push(b',');
                    commands.emit(out);
                }
            }
            Self::Remove { kind, address, size } => head(b'z', kind, address, size),
        }
    }
}

/// `,ADDR,SIZE`, and what follows.
fn place(text: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (address, rest) = field::number(text.strip_prefix(b",")?)?;
    let (size, rest) = field::number(rest.strip_prefix(b",")?)?;
    Some((address, size, rest))
}

fn insert(kind: Kind, text: &mut [u8]) -> Option<Request<'_>> {
    let (address, size, rest) = place(text)?;
    let start = text.len() - rest.len();
    let mut rest = &mut text[start..];
    let (mut conditions, mut commands, mut persist) = (Expressions::default(), Expressions::default(), false);
    while let [b';', ..] = rest {
        rest = &mut rest[1..];
        if rest.starts_with(COMMANDS) {
            let (flag, list) = rest[COMMANDS.len()..].split_at_mut_checked(2)?;
            persist = field::switch(flag.strip_suffix(b",")?)?;
            (commands, rest) = Expressions::parse(list)?;
            // Where there are no commands, none go on.
            persist &= !commands.is_empty();
        } else {
            (conditions, rest) = Expressions::parse(rest)?;
        }
    }
    rest.is_empty().then_some(Request::Insert { kind, address, size, conditions, commands, persist })
}

fn remove<'a>(kind: Kind, text: &[u8]) -> Option<Request<'a>> {
    let (address, size, rest) = place(text)?;
    rest.is_empty().then_some(Request::Remove { kind, address, size })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::Request as Any;
    use crate::rsp::request::tests::{malformed, parses, round_trip, unknown};

    fn kinds() -> impl Strategy<Value = Kind> {
        prop::sample::select(
            &[Kind::Software, Kind::Hardware, Kind::WriteWatch, Kind::ReadWatch, Kind::AccessWatch][..],
        )
    }

    fn listed(list: &[Vec<u8>]) -> Vec<u8> {
        let mut text = Vec::new();
        for item in list {
            text.extend_from_slice(std::format!("X{:x},", item.len()).as_bytes());
            hex::encode(&mut text, item);
        }
        text
    }

    proptest! {
        #[test]
        fn every_request_reads_back_as_emitted(
            kind in kinds(), address: u64, size: u64, persist: bool,
            conditions: Vec<Vec<u8>>, commands: Vec<Vec<u8>>,
        ) {
            round_trip(&Request::Remove { kind, address, size }.into());
            let (mut condition_text, mut command_text) = (listed(&conditions), listed(&commands));
            let (conditions, _) = Expressions::parse(&mut condition_text).unwrap();
            let (commands, _) = Expressions::parse(&mut command_text).unwrap();
            let persist = persist && !commands.is_empty();
            round_trip(&Request::Insert { kind, address, size, conditions, commands, persist }.into());
        }
    }

    #[test]
    fn conditions_and_commands_are_told_apart() {
        let mut body = b"Z0,401000,1;X3,22002bX1,27;cmds:1,X2,3b27".to_vec();
        let Ok(Some(Any::Breakpoint(Request::Insert { address, conditions, commands, persist, .. }))) =
            Any::parse(&mut body)
        else {
            panic!("not an insertion")
        };
        assert_eq!((address, persist), (0x40_1000, true));
        assert!(conditions.iter().eq([&[0x22, 0, 0x2b][..], &[0x27]]));
        assert!(commands.iter().eq([&[0x3b, 0x27][..]]));
    }

    #[test]
    fn where_there_are_no_commands_none_go_on() {
        let mut body = b"Z0,401000,1;cmds:1,".to_vec();
        let Ok(Some(Any::Breakpoint(Request::Insert { commands, persist, .. }))) = Any::parse(&mut body) else {
            panic!("not an insertion")
        };
        assert!(commands.is_empty() && !persist);
    }

    #[test]
    fn a_plain_breakpoint_has_no_expressions() {
        let none = Expressions::default();
        let expected = Request::Insert {
            kind: Kind::AccessWatch,
            address: 0x10,
            size: 8,
            conditions: none,
            commands: none,
            persist: false,
        };
        parses(b"Z4,10,8", &expected.into());
        assert_eq!(none.iter().count(), 0);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for body in [
            "Z0",
            "Z0,",
            "Z0,1",
            "Z0,1,1;X",
            "Z0,1,1;X2,00",
            "Z0,1,1;X2,000",
            "Z0,1,1;X1,zz",
            "Z0,1,1;Xffffffffffffffff,00",
            "Z0,1,1;X1,00junk",
            "Z0,1,1;cmds:",
            "Z0,1,1;cmds:2,X1,00",
            "Z0,1,1x",
            "z0,1,1;X1,00",
            "z0,1",
        ] {
            malformed(body.as_bytes());
        }
        unknown(b"Z5,1,1");
        unknown(b"Z");
    }
}
