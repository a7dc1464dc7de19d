//! What machine this is.

use std::fs;

use dbgsrv_protocol::rsp::platform::HostInfo;
use nix::sys::utsname::uname;

use crate::engine::linux::arch;

/// Where distributions say what they are, in this order (os-release(5)).
const RELEASE_FILES: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// Describes this machine.
///
/// # Errors
/// What uname(2) says.
pub(crate) fn host_info() -> nix::Result<HostInfo> {
    let system = uname()?;
    let text = |field: &std::ffi::OsStr| field.as_encoded_bytes().to_vec();
    let release = text(system.release());
    Ok(HostInfo {
        triple: arch::TRIPLE,
        pointer_size: size_of::<usize>() as u32,
        distribution: RELEASE_FILES
            .iter()
            .find_map(|path| fs::read(path).ok())
            .and_then(|text| distribution(&text))
            .unwrap_or_default(),
        os_version: version(&release).to_vec(),
        os_build: release,
        os_kernel: text(system.version()),
        host_name: text(system.nodename()),
    })
}

/// The numbers that a kernel's release begins with.
fn version(release: &[u8]) -> &[u8] {
    let end = release.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(release.len());
    release[..end].strip_suffix(b".").unwrap_or(&release[..end])
}

/// The value of `ID` in the text of os-release(5).
fn distribution(text: &[u8]) -> Option<Vec<u8>> {
    let value = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"ID="))?;
    let quotes = |byte: &&u8| !matches!(byte, b'"' | b'\'');
    Some(value.trim_ascii().iter().filter(quotes).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_described() {
        let info = host_info().expect("a machine");
        assert!(info.triple.starts_with(std::env::consts::ARCH), "{info:?}");
        assert_eq!(info.pointer_size, 8);
        assert!(info.os_build.starts_with(&info.os_version) && !info.os_version.is_empty(), "{info:?}");
    }

    #[test]
    fn a_release_begins_with_its_version() {
        for (release, expected) in [("6.18.44-fc", "6.18.44"), ("5.10.0", "5.10.0"), ("6.-rc", "6"), ("x", "")] {
            assert_eq!(version(release.as_bytes()), expected.as_bytes());
        }
    }

    #[test]
    fn a_distribution_may_be_quoted() {
        assert_eq!(distribution(b"NAME=x\nID=debian\n").unwrap(), b"debian");
        assert_eq!(distribution(b"ID=\"opensuse-leap\"\n").unwrap(), b"opensuse-leap");
        assert_eq!(distribution(b"VERSION_ID=12\n"), None);
    }
}
