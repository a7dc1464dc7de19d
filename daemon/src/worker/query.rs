//! Questions: `qRcmd`, `qSymbol`, `qGetTLSAddr`.

use super::conversation::Conversation;
use dbgsrv_protocol::rsp::query::Request;
use dbgsrv_protocol::rsp::server::Reply;

const HELP: &str = "\
The following monitor commands are supported:
  exit      end this session; debuggees that were attached to go on
  help      this text
  why       why the last attach or run was refused
";

pub(super) fn answer(session: &mut Conversation, request: Request<'_>, reply: Reply<'_>) {
    match request {
        Request::Monitor(line) => monitor(session, line, reply),
        Request::Symbol { .. } | Request::TlsAddress { .. } => reply.unsupported(),
    }
}

fn monitor(session: &mut Conversation, line: &[u8], reply: Reply<'_>) {
    match line.trim_ascii() {
        b"exit" => {
            session.finish();
            reply.ok();
        }
        b"" | b"help" => reply.text(HELP),
        b"why" => match &session.refusal {
            Some(refusal) => reply.text(&format!("{refusal}\n")),
            None => reply.text("nothing was refused\n"),
        },
        other => {
            let shown = String::from_utf8_lossy(other).into_owned();
            reply.text(&format!("unknown command `{shown}`; `monitor help` lists them\n"));
        }
    }
}
