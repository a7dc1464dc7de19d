//! How errors are written.

use alloc::format;
use alloc::vec::Vec;

use super::{field, hex, process};
use crate::ids::Pid;
use crate::limits::MAX_ERROR_TEXT;
use crate::rsp::request::Request;
use crate::rsp::server::{Feature, Features};

/// What was refused, in the words that GDB has for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) enum Refusal {
    /// `vAttach`.
    Attach(Pid),
    /// `vRun` with a program.
    Run,
    /// `vRun` without one.
    RunDefault,
}

/// How an error is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) enum ErrorForm {
    /// `Exx`.
    Code,
    /// `Exx;HEXTEXT`.
    CodeAndText,
    /// `F-1,xx`, which has no room for text.
    File,
    /// A notification and no answer, see [`put_refusal`].
    Refusal(Refusal),
    /// `E.TEXT`.
    Text,
}

impl ErrorForm {
    /// The form of an error in answer to `request`.
    pub(in super::super) fn new(features: Features, request: &Request<'_>) -> Self {
        // GDB before `error-message` shows `E.TEXT` to its user, or takes it for an error at least, in answer to these,
        // and takes it for data or a broken packet in answer to some others.
        let text =
            matches!(request, Request::Process(_) | Request::Registers(_) | Request::Resume(_) | Request::Setting(_));
        match Self::unasked(features) {
            _ if matches!(request, Request::File(_)) => Self::File,
            Self::Code if features.has(Feature::Gdb) && Refusal::of(request).is_some() => {
                Refusal::of(request).map_or(Self::Text, Self::Refusal)
            }
            Self::Code if text && !features.has(Feature::Lldb) => Self::Text,
            form => form,
        }
    }

    /// The form of an error in answer to whatever it was.
    pub(in super::super) fn unasked(features: Features) -> Self {
        if features.has(Feature::ErrorMessage) {
            Self::Text
        } else if features.has(Feature::ErrorStrings) {
            Self::CodeAndText
        } else {
            Self::Code
        }
    }

    pub(in super::super) fn emit(self, out: &mut Vec<u8>, errno: u8, text: &str) {
        let text = &text.as_bytes()[..text.floor_char_boundary(MAX_ERROR_TEXT)];
        match self {
            Self::Code | Self::CodeAndText => {
                out.push(b'E');
                field::put_byte(out, errno);
                if self == Self::CodeAndText {
                    out.push(b';');
                    hex::encode(out, text);
                }
            }
            Self::File => put_file_error(out, errno.into()),
            Self::Refusal(refusal) => put_refusal(out, refusal, text),
            Self::Text => {
                out.extend_from_slice(b"E.");
                put_text(out, text);
            }
        }
    }
}

impl Refusal {
    fn of(request: &Request<'_>) -> Option<Self> {
        match *request {
            Request::Process(process::Request::Attach(pid)) => Some(Self::Attach(pid)),
            Request::Process(process::Request::Run { program: b"", .. }) => Some(Self::RunDefault),
            Request::Process(process::Request::Run { .. }) => Some(Self::Run),
            _ => None,
        }
    }
}

/// Text, which cannot be escaped.
pub(super) fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().map(|byte| match byte {
        b'$' | b'#' | b'*' | b'}' => b'?',
        0..b' ' | 0x7f => b' ',
        other => *other,
    }));
}

/// GDB before `error-message` drops the text of every answer to `vAttach` and `vRun`. What it does show, with the request
/// then taken for failed, is a stop notification that it can't read (seen with GDB 13.1).
fn put_refusal(out: &mut Vec<u8>, refusal: Refusal, text: &[u8]) {
    let what = match refusal {
        Refusal::Attach(pid) => format!("Attaching to process {pid} failed: "),
        Refusal::Run => "Running the program on the remote target failed: ".into(),
        // What GDB itself says to an error.
        Refusal::RunDefault => {
            "Running the default executable on the remote target failed; try \"set remote exec-file\"? The reason: "
                .into()
        }
    };
    out.extend_from_slice(b"Stop:X\n");
    out.extend_from_slice(what.as_bytes());
    put_text(out, text);
}

pub(super) fn put_file_error(out: &mut Vec<u8>, errno: u32) {
    out.extend_from_slice(b"F-1,");
    field::put_number(out, errno.into());
}
