//! The `dbgsrv` command.

use dbgsrv::{app, worker};
use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: a worker starts for every session and needs nothing of the rest.
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == worker::ARGUMENT) {
        return worker::main(arguments);
    }
    app::main()
}
