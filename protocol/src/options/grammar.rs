//! The grammar: where a connection string's transport, names and values begin and end.
//!
//! What the names and values mean is not decided here.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::char;
use nom::combinator::{all_consuming, eof, map, opt, peek, value};
use nom::error::{ErrorKind, ParseError};
use nom::multi::{fold_many0, separated_list1};
use nom::sequence::{delimited, preceded, terminated};
use nom::{Err, IResult, Parser};
use thiserror::Error;

/// The string is not built as the grammar says.
///
/// Nothing of the string is repeated, since a password may be anywhere in it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{problem} at byte {at} of the connection string; allowed: TRANSPORT:NAME=VALUE[,NAME=VALUE]...")]
pub struct SyntaxError {
    /// Where, in bytes from the start.
    pub at: usize,
    /// What is wrong there.
    pub problem: SyntaxProblem,
}

/// What is wrong with the form of a connection string.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum SyntaxProblem {
    /// No colon ends the transport's name.
    #[error("no colon after the transport")]
    NoColon,
    /// Nothing stands where a parameter should.
    #[error("no parameter")]
    NoParameter,
    /// A quoted value does not end.
    #[error("no closing quote for the value")]
    NoClosingQuote,
    /// Something other than a comma follows a quoted value.
    #[error("no comma between a quoted value and what follows it")]
    NoComma,
}

/// A connection string taken apart.
#[derive(Debug, PartialEq)]
pub(super) struct RawString<'a> {
    pub(super) transport: &'a str,
    pub(super) parameters: Vec<RawParameter<'a>>,
}

#[derive(Debug, PartialEq)]
pub(super) struct RawParameter<'a> {
    pub(super) name: &'a str,
    /// Unquoted. `None` where there is no equals sign.
    pub(super) value: Option<Cow<'a, str>>,
}

/// Takes `text` apart.
pub(super) fn parse(text: &str) -> Result<RawString<'_>, SyntaxError> {
    match all_consuming(connection_string).parse(text) {
        Ok((_, raw)) => Ok(raw),
        Err(Err::Error(located) | Err::Failure(located)) => {
            Err(SyntaxError { at: text.len() - located.rest.len(), problem: located.problem })
        }
        Err(Err::Incomplete(_)) => unreachable!("complete parsers never ask for more"),
    }
}

/// A problem and what was left of the input where it showed.
struct Located<'a> {
    rest: &'a str,
    problem: SyntaxProblem,
}

impl<'a> ParseError<&'a str> for Located<'a> {
    /// Every place where input can be refused is wrapped in [`or_fail`], which puts the true problem in.
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Self { rest, problem: SyntaxProblem::NoParameter }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

type Parsed<'a, T> = IResult<&'a str, T, Located<'a>>;

/// Ends the whole parse with `problem` where `parser` does not match.
fn or_fail<'a, T>(
    problem: SyntaxProblem,
    mut parser: impl Parser<&'a str, Output = T, Error = Located<'a>>,
) -> impl FnMut(&'a str) -> Parsed<'a, T> {
    move |input| parser.parse(input).map_err(|_| Err::Failure(Located { rest: input, problem }))
}

fn connection_string(input: &str) -> Parsed<'_, RawString<'_>> {
    let mut transport = terminated(take_while(|c| c != ':'), or_fail(SyntaxProblem::NoColon, char(':')));
    let (rest, transport) = transport.parse(input)?;
    let (rest, parameters) = separated_list1(char(','), parameter).parse(rest)?;
    Ok((rest, RawString { transport, parameters }))
}

fn parameter(input: &str) -> Parsed<'_, RawParameter<'_>> {
    let name = or_fail(SyntaxProblem::NoParameter, take_while1(|c| c != ',' && c != '='));
    let value = opt(preceded(char('='), alt((quoted, plain))));
    map((name, value), |(name, value)| RawParameter { name, value }).parse(input)
}

fn plain(input: &str) -> Parsed<'_, Cow<'_, str>> {
    map(take_while(|c| c != ','), Cow::Borrowed).parse(input)
}

fn quoted(input: &str) -> Parsed<'_, Cow<'_, str>> {
    let piece = alt((take_while1(|c| c != '"'), value("\"", tag("\"\""))));
    let text = fold_many0(piece, String::new, |text, piece| text + piece);
    let closing = or_fail(SyntaxProblem::NoClosingQuote, char('"'));
    let end = or_fail(SyntaxProblem::NoComma, peek(alt((tag(","), eof))));
    terminated(delimited(char('"'), map(text, Cow::Owned), closing), end).parse(input)
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    fn problem(text: &str) -> (usize, SyntaxProblem) {
        let error = parse(text).unwrap_err();
        (error.at, error.problem)
    }

    #[test]
    fn a_value_is_plain_up_to_the_comma_or_quoted_with_doubled_quotes() {
        let raw = parse(r#"ssl:certuser=a b "c" d,hidden,password="x,""y""",port="#).unwrap();
        assert_eq!(raw.transport, "ssl");
        let value = |text: &'static str| Some(Cow::Borrowed(text));
        let expected = [
            ("certuser", value(r#"a b "c" d"#)),
            ("hidden", None),
            ("password", Some(Cow::Owned(r#"x,"y""#.to_owned()))),
            ("port", value("")),
        ];
        assert_eq!(raw.parameters, expected.map(|(name, value)| RawParameter { name, value }));
    }

    #[test]
    fn only_the_first_colon_and_the_first_equals_sign_separate() {
        let raw = parse("tcp:port=51:60,password=a=b").unwrap();
        let values: Vec<_> = raw.parameters.into_iter().map(|parameter| parameter.value.unwrap()).collect();
        assert_eq!(values, vec!["51:60", "a=b"]);
    }

    #[test]
    fn a_broken_form_is_told_with_its_place() {
        assert_eq!(problem(""), (0, SyntaxProblem::NoColon));
        assert_eq!(problem("tcp"), (3, SyntaxProblem::NoColon));
        assert_eq!(problem("tcp:"), (4, SyntaxProblem::NoParameter));
        assert_eq!(problem("tcp:=5"), (4, SyntaxProblem::NoParameter));
        assert_eq!(problem("tcp:port=5,"), (11, SyntaxProblem::NoParameter));
        assert_eq!(problem("tcp:port=5,,hidden"), (11, SyntaxProblem::NoParameter));
        assert_eq!(problem("tcp:password=\"a,port=5"), (22, SyntaxProblem::NoClosingQuote));
        assert_eq!(problem("tcp:password=\"a\"b,port=5"), (16, SyntaxProblem::NoComma));
    }

    #[test]
    fn the_message_repeats_nothing_of_the_string() {
        assert_eq!(
            parse("tcp,password=Secret1").unwrap_err().to_string(),
            "no colon after the transport at byte 20 of the connection string; \
             allowed: TRANSPORT:NAME=VALUE[,NAME=VALUE]..."
        );
    }
}
