//! Questions: `qRcmd`, `qSymbol`, `qGetTLSAddr`.

use super::conversation::{Conversation, refuse};
use dbgsrv_protocol::rsp::query::Request;
use dbgsrv_protocol::rsp::server::Reply;
use dbgsrv_protocol::rsp::thread::ThreadSelector;

const HELP: &str = "\
The following monitor commands are supported:
  exit      end this session; debuggees that were attached to go on
  help      this text
  why       why the last attach or run was refused
";

pub(super) fn answer(session: &mut Conversation, thread: ThreadSelector, request: Request<'_>, reply: Reply<'_>) {
    match request {
        Request::Monitor(line) => monitor(session, line, reply),
        Request::Symbol { name, value } => symbol(session, thread, name, value, reply),
        Request::TlsAddress { thread, offset, link_map } => {
            match session.engine.tls_address(thread, offset, link_map) {
                Ok(address) => reply.tls_address(address),
                Err(error) => refuse(&error, reply),
            }
        }
    }
}

/// Asks for the symbols that are still wanted, one by one. One that the client does not find now is asked for when it
/// offers to look again, after more libraries have been loaded.
fn symbol(session: &mut Conversation, thread: ThreadSelector, name: &[u8], value: Option<u64>, reply: Reply<'_>) {
    if let Some(address) = value
        && let Err(error) = session.engine.found_symbol(thread, name, address)
    {
        return refuse(&error, reply);
    }
    match session.engine.wanted_symbol(thread) {
        Ok(Some(wanted)) if name.is_empty() || value.is_some() => reply.symbol_lookup(wanted.as_bytes()),
        // Without a process there is nothing to look up either.
        Ok(_) | Err(_) => reply.ok(),
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
