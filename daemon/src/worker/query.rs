//! Questions: `qRcmd`, `qSymbol`, `qGetTLSAddr`, `qWatchpointSupportInfo`, `qFileLoadAddress`, `qShlibInfoAddr`.

use super::conversation::{Conversation, refuse};
use crate::engine::WATCHPOINTS;
use dbgsrv_protocol::options::StandardStreams;
use dbgsrv_protocol::rsp::query::Request;
use dbgsrv_protocol::rsp::server::{Feature, Reply};
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use nix::errno::Errno;

/// A server with `Quit GDBserver` in its list is taken for gdbserver by GDB's tests, and by scripts after their model.
const HELP: &str = "\
The following monitor commands are supported:
  exit      end this session (where this is gdbserver: Quit GDBserver); debuggees that were attached to go on
  help      this text
  stdio     `stdio client`, `stdio server`: where programs that are started from now on write to
  why       why the last attach or run was refused
";

/// gdbserver's settings, which scripts send, and its answers to them.
const SETTINGS: [(&[u8], &str); 10] = [
    (b"set debug 0", "Debug output disabled."),
    (b"set debug 1", "Debug output enabled."),
    (b"set debug-format all", "All extra debug format options enabled."),
    (b"set debug-format none", "All extra debug format options disabled."),
    (b"set debug-hw-points 0", "H/W point debugging output disabled."),
    (b"set debug-hw-points 1", "H/W point debugging output enabled."),
    (b"set event-loop-debug 0", "Event loop debug output disabled."),
    (b"set event-loop-debug 1", "Event loop debug output enabled."),
    (b"set remote-debug 0", "Protocol debug output disabled."),
    (b"set remote-debug 1", "Protocol debug output enabled."),
];

pub(super) fn answer(session: &mut Conversation, thread: ThreadSelector, request: Request<'_>, reply: Reply<'_>) {
    match request {
        Request::FileAddress(path) => match session.engine.file_address(thread, path) {
            Ok(address) => reply.address(address),
            Err(error) => refuse(&error, reply),
        },
        Request::LibraryList => match session.engine.library_list(thread) {
            Ok(address) => reply.address(address),
            Err(error) => refuse(&error, reply),
        },
        Request::Watchpoints => reply.watchpoints(WATCHPOINTS),
        Request::Monitor(line) => monitor(session, line, reply),
        // LLDB finds thread-local variables itself, and asks no more after this.
        Request::Symbol { .. } if reply.features().has(Feature::Lldb) => reply.unsupported(),
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
        b"help" => reply.text(HELP),
        b"stdio" => reply.text("stdio takes `client` or `server`\n"),
        b"stdio client" => streams(session, StandardStreams::Client, reply),
        b"stdio server" => streams(session, StandardStreams::Server, reply),
        b"why" => match &session.refusal {
            Some(refusal) => reply.text(&format!("{refusal}\n")),
            None => reply.text("nothing was refused\n"),
        },
        line => {
            if let Some((_, done)) = SETTINGS.iter().find(|(setting, _)| *setting == line) {
                let note = "What the server logs is chosen when it starts, and does not change now.";
                return reply.text(&format!("{note}\n{done}\n"));
            }
            let shown = String::from_utf8_lossy(line);
            let text = format!("Unknown monitor command: `{shown}`; `monitor help` lists them");
            reply.error(Errno::EINVAL as u8, &text);
        }
    }
}

fn streams(session: &mut Conversation, side: StandardStreams, reply: Reply<'_>) {
    session.terms.streams = Some(side);
    reply.text(&format!("programs that are started from now on write to the {side}\n"));
}
