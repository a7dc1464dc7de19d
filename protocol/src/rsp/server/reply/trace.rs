//! Answers about tracepoints ([`trace`]).

use super::{Reply, field, hex};
use crate::rsp::trace;

impl Reply<'_> {
    /// In answer to `QTFrame`: the number of the frame that is selected now, and of its tracepoint; `None`: no such frame.
    pub fn trace_frame(self, found: Option<(u32, u32)>) {
        self.send(|out| match found {
            None => out.extend_from_slice(b"F-1"),
            Some((frame, tracepoint)) => {
                out.push(b'F');
                field::put_number(out, frame.into());
                out.push(b'T');
                field::put_number(out, tracepoint.into());
            }
        });
    }

    /// In answer to `qTP`: how often a tracepoint was hit, and how many bytes of the buffer its frames take up.
    pub fn trace_hits(self, hits: u64, bytes: u64) {
        self.send(|out| {
            out.push(b'V');
            field::put_number(out, hits);
            out.push(b':');
            field::put_number(out, bytes);
        });
    }

    /// In answer to `qTfP` and its like; `None`: that was all.
    pub fn trace_piece(self, piece: Option<trace::Piece<'_>>) {
        self.send(|out| match piece {
            None => out.push(b'l'),
            Some(piece) => piece.emit(out),
        });
    }

    /// In answer to `qTStatus`.
    pub fn trace_status(self, status: &trace::Status<'_>) {
        self.send(|out| status.emit(out));
    }

    /// In answer to `qTV`; `None`: its value is not known.
    pub fn trace_value(self, value: Option<u64>) {
        self.send(|out| match value {
            None => out.push(b'U'),
            Some(value) => {
                out.push(b'V');
                field::put_number(out, value);
            }
        });
    }

    /// In answer to `qTBuffer`: bytes of the buffer; none: it ends before them.
    pub fn trace_buffer(self, bytes: &[u8]) {
        self.send(|out| {
            if bytes.is_empty() {
                out.push(b'l');
            } else {
                hex::encode(out, bytes);
            }
        });
    }
}
