//! Names of pipes, and the templates that a server makes its name from.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{all_consuming, map, map_opt, opt, value};
use nom::multi::many0;
use nom::sequence::preceded;
use nom::{IResult, Parser};

use super::ValueError;
use super::value::{PlainValue, check_text, decimal};
use crate::ids::{Pid, Tid};

/// Longest name of a pipe, in bytes: what Windows leaves of 256 after `\\.\pipe\`.
const MAX_PIPE_NAME: usize = 247;

text_value! {
    /// The name of a pipe: 1 to 247 bytes, with no spaces, quotation marks, slashes or backslashes, and not `.` or `..`.
    ///
    /// It is a file name on Unix, so what would lead out of the directory of pipes is kept out.
    pub struct PipeName;
    allowed: "a name of up to 247 bytes without spaces, quotation marks, slashes and backslashes";
    check: check_name;
}

fn check_name(text: &str) -> Result<(), &'static str> {
    check_text(text, MAX_PIPE_NAME)?;
    match text.chars().find(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '/' | '\\')) {
        Some('"' | '\'') => Err("has a quotation mark"),
        Some('/' | '\\') => Err("has a slash or backslash"),
        Some(_) => Err("has a space"),
        None if matches!(text, "." | "..") => Err("is not a name"),
        None => Ok(()),
    }
}

/// What a server makes the name of its pipe from: text and up to two `printf` codes for numbers.
///
/// The first code stands for the server's process id, the second for its thread id. A code is `%d`, `%i`, `%u`, `%x`,
/// `%X` or `%o`; between the percent sign and the letter there may be `0` and a width of up to 20 digits. `%%` is a
/// percent sign.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PipeTemplate {
    /// Neighbouring text is one piece.
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Piece {
    Text(String),
    Number(Id, Code),
}

/// Whose number.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Id {
    Process,
    Thread,
}

/// How a number is printed: with at least `width` digits.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Code {
    radix: Radix,
    width: usize,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Radix {
    Octal,
    Decimal,
    LowerHex,
    UpperHex,
}

impl PipeTemplate {
    /// The pipe's name in the process `pid` where the thread `tid` makes it.
    #[must_use]
    pub fn expand(&self, pid: Pid, tid: Tid) -> PipeName {
        PipeName(self.print(pid.raw(), tid.raw()))
    }

    fn print(&self, pid: i32, tid: i32) -> String {
        let print = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Number(Id::Process, code) => code.print(pid),
            Piece::Number(Id::Thread, code) => code.print(tid),
        };
        self.pieces.iter().map(print).collect()
    }

    /// Puts text together and gives the codes their meaning.
    fn assemble(tokens: Vec<Token<'_>>) -> Result<Self, &'static str> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut ids = [Id::Process, Id::Thread].into_iter();
        for token in tokens {
            match (token, pieces.last_mut()) {
                (Token::Text(text), Some(Piece::Text(last))) => last.push_str(text),
                (Token::Text(text), _) => pieces.push(Piece::Text(text.to_owned())),
                (Token::Code(code), _) => {
                    let id = ids.next().ok_or("has more than two codes")?;
                    pieces.push(Piece::Number(id, code));
                }
            }
        }
        let template = Self { pieces };
        // The largest ids make the longest name.
        check_name(&template.print(i32::MAX, i32::MAX))?;
        Ok(template)
    }
}

/// A template for this very name.
impl From<PipeName> for PipeTemplate {
    fn from(name: PipeName) -> Self {
        Self { pieces: alloc::vec![Piece::Text(name.0)] }
    }
}

impl Code {
    /// Widest number: more than any id has in any radix. The name's length is bounded besides.
    const MAX_WIDTH: u32 = 20;

    fn print(self, id: i32) -> String {
        let width = self.width;
        match self.radix {
            Radix::Octal => format!("{id:0width$o}"),
            Radix::Decimal => format!("{id:0width$}"),
            Radix::LowerHex => format!("{id:0width$x}"),
            Radix::UpperHex => format!("{id:0width$X}"),
        }
    }
}

impl PlainValue for PipeTemplate {
    const ALLOWED: &'static str = "a name of up to 247 bytes without spaces, quotation marks, slashes and backslashes, \
         with up to two codes such as %d, %x or %08x, and %% for a percent sign";
}

impl FromStr for PipeTemplate {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let tokens = all_consuming(many0(token)).parse(text).map_err(|_| "has a code that does not print a number");
        tokens
            .and_then(|(_, tokens)| Self::assemble(tokens))
            .map_err(|problem| ValueError::new(text, problem, Self::ALLOWED))
    }
}

#[derive(Clone, Copy)]
enum Token<'a> {
    Text(&'a str),
    Code(Code),
}

fn token(input: &str) -> IResult<&str, Token<'_>> {
    let text = alt((take_while1(|c| c != '%'), value("%", tag("%%"))));
    alt((map(text, Token::Text), map(code, Token::Code))).parse(input)
}

/// A width without the zero flag pads with spaces, which a name has none of; so it is no code here.
fn code(input: &str) -> IResult<&str, Code> {
    let digits = take_while(|c: char| c.is_ascii_digit());
    let width = map_opt(digits, |digits: &str| match digits {
        "" => Some(0),
        _ => decimal(digits).filter(|width| *width <= Code::MAX_WIDTH).map(|width| width as usize),
    });
    let padding = map(opt(preceded(char('0'), width)), Option::unwrap_or_default);
    let radix = alt((
        value(Radix::Octal, char('o')),
        value(Radix::Decimal, one_of("diu")),
        value(Radix::LowerHex, char('x')),
        value(Radix::UpperHex, char('X')),
    ));
    preceded(char('%'), map((padding, radix), |(width, radix)| Code { radix, width })).parse(input)
}

impl fmt::Display for PipeTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(&text.replace('%', "%%")),
            Piece::Number(_, code) => code.fmt(f),
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.radix {
            Radix::Octal => 'o',
            Radix::Decimal => 'd',
            Radix::LowerHex => 'x',
            Radix::UpperHex => 'X',
        };
        match self.width {
            0 => write!(f, "%{letter}"),
            width => write!(f, "%0{width}{letter}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn expanded(template: &str) -> String {
        let template: PipeTemplate = template.parse().unwrap();
        template.expand(Pid::new(1234).unwrap(), Tid::new(0xABCD).unwrap()).to_string()
    }

    fn problem(template: &str) -> String {
        template.parse::<PipeTemplate>().unwrap_err().to_string()
    }

    #[test]
    fn the_first_code_is_the_process_and_the_second_the_thread() {
        assert_eq!(expanded("debug_%d_%x"), "debug_1234_abcd");
        assert_eq!(expanded("%x"), "4d2");
        assert_eq!(expanded("%u%i"), "123443981");
        assert_eq!(expanded("%o-%X"), "2322-ABCD");
    }

    #[test]
    fn a_width_pads_with_zeros_and_two_percent_signs_are_one() {
        assert_eq!(expanded("p%08x.%06X"), "p000004d2.00ABCD");
        assert_eq!(expanded("%02d"), "1234");
        assert_eq!(expanded("100%%-%d"), "100%-1234");
        assert_eq!(expanded("%0d"), "1234");
        assert_eq!(expanded("plain"), "plain");
    }

    #[test]
    fn a_name_makes_a_template_for_itself_percent_signs_and_all() {
        let name: PipeName = "100%d".parse().unwrap();
        let template = PipeTemplate::from(name);
        assert_eq!(template.to_string(), "100%%d");
        assert_eq!(expanded(&template.to_string()), "100%d");
    }

    #[test]
    fn a_code_that_is_not_a_number_or_pads_with_spaces_is_refused() {
        for template in ["%s", "%", "a%", "%5d", "%-5d", "%ld", "%021d", "%0099999999999d", "%+d"] {
            assert!(problem(template).contains("has a code that does not print a number"), "{template}");
        }
        assert!(problem("%d%d%d").contains("has more than two codes"));
    }

    #[test]
    fn what_makes_a_bad_name_makes_a_bad_template() {
        assert!(problem("two words").starts_with("`two words` has a space;"));
        assert!(problem("\"quoted\"").contains("has a quotation mark"));
        assert!(problem("../pipe").contains("has a slash or backslash"));
        assert!(problem("..").contains("is not a name"));
        assert!(problem("bell\u{7}").contains("has a control character"));
        assert!(problem("").starts_with("no value is given;"));
    }

    #[test]
    fn the_longest_expansion_counts() {
        assert!(("a".repeat(237) + "%d").parse::<PipeTemplate>().is_ok());
        assert!(("a".repeat(238) + "%d").parse::<PipeTemplate>().is_err());
        assert!(("a".repeat(236) + "%o").parse::<PipeTemplate>().is_ok());
        assert!(("a".repeat(237) + "%o").parse::<PipeTemplate>().is_err());
        assert!(("a".repeat(228) + "%020d").parse::<PipeTemplate>().is_err());
    }
}
