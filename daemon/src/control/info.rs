//! What server this is, on which machine.

use super::processes::Describer;
use dbgsrv_protocol::control::ServerInfo;
use nix::sys::utsname::uname;
use std::io;

/// Describes this server, which listens on `listening`, has so many debug sessions, and offers this program.
///
/// # Errors
/// The system does not say; on Linux, `/proc` can't be read.
pub(crate) fn server_info(
    listening: Vec<String>,
    sessions: u32,
    implicit_command_line: Vec<String>,
) -> io::Result<ServerInfo> {
    let system = uname()?;
    let pid = std::process::id();
    let own = Describer::new()?.describe(pid).ok_or(io::ErrorKind::NotFound)?;
    Ok(ServerInfo {
        release: env!("CARGO_PKG_VERSION").to_owned(),
        pid,
        system: format!("{} {}", system.sysname().to_string_lossy(), system.release().to_string_lossy()),
        architecture: system.machine().to_string_lossy().into_owned(),
        host: system.nodename().to_string_lossy().into_owned(),
        user: own.user,
        started: own.started,
        listening,
        sessions,
        implicit_command_line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_this_process_on_this_machine() {
        let info = server_info(vec!["tcp:port=5005".to_owned()], 2, Vec::new()).expect("information");
        assert_eq!((info.pid, info.sessions, info.listening.len()), (std::process::id(), 2, 1));
        assert!(info.system.starts_with("Linux ") && info.architecture == std::env::consts::ARCH, "{info:?}");
        assert!(!info.host.is_empty() && !info.user.is_empty() && info.started > 0, "{info:?}");
    }
}
