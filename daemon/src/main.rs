//! The `dbgsrv` command.

use dbgsrv::{app, gdbserver, lldb_server, worker};
use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before the server's own: a worker starts for every session and needs nothing of the rest.
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_default();
    if gdbserver::is_meant(&name) {
        return gdbserver::main();
    }
    if lldb_server::is_meant(&name) {
        return lldb_server::main();
    }
    if arguments.next().is_some_and(|first| first == worker::ARGUMENT) {
        return worker::main(arguments);
    }
    app::main()
}
