//! stand-in
use dbgsrv_protocol::control::ServerInfo;
use std::io;
pub(crate) fn server_info(listening: Vec<String>, sessions: u32) -> io::Result<ServerInfo> {
    Ok(ServerInfo {
        release: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        system: String::new(),
        architecture: String::new(),
        host: String::new(),
        user: String::new(),
        started: 0,
        listening,
        sessions,
    })
}
