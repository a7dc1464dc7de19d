//! A serial port of this machine.

use crate::OpenError;
use dbgsrv_protocol::options::{Baud, SerialPort};
use rustix::fs::{major, minor};
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A port, found, and the rate that it is to run at.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub(crate) given: SerialPort,
    pub(crate) path: PathBuf,
    pub(crate) baud: Baud,
    /// The device's number: the same under all of its names.
    device: (u32, u32),
}

impl Port {
    /// Looks it up.
    ///
    /// # Errors
    /// [`OpenError::Open`], [`OpenError::NoTerminal`].
    pub(crate) fn find(given: &SerialPort, baud: Baud) -> Result<Self, OpenError> {
        let path = path(given);
        let found =
            path.metadata().map_err(|source| OpenError::Open { port: given.clone(), path: path.clone(), source })?;
        if !found.file_type().is_char_device() {
            return Err(OpenError::NoTerminal(path));
        }
        let device = (major(found.rdev()), minor(found.rdev()));
        Ok(Self { given: given.clone(), path, baud, device })
    }

    /// What its files are called in the directory of lines.
    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}", self.device.0, self.device.1)
    }

    /// Who may open it: what a socket needs that lets in the same.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn access(&self) -> std::io::Result<(u32, u32)> {
        let found: Metadata = self.path.metadata()?;
        Ok((found.gid(), found.mode() & 0o666))
    }
}

/// The device of a port: Windows counts from 1, Linux from 0.
fn path(port: &SerialPort) -> PathBuf {
    match port {
        SerialPort::Numbered(number) => format!("/dev/ttyS{}", number.get() - 1).into(),
        SerialPort::Device(path) => Path::new(path.as_str()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found_under_all_of_their_names() {
        for (text, device) in
            [("COM2", "/dev/ttyS1"), ("2", "/dev/ttyS1"), ("/dev/serial/by-id/usb-a", "/dev/serial/by-id/usb-a")]
        {
            assert_eq!(path(&text.parse().unwrap()), Path::new(device));
        }
    }

    #[test]
    fn what_is_no_port_is_refused_by_name() {
        let baud = Baud::new(9600).unwrap();
        let error = |text: &str| Port::find(&text.parse().unwrap(), baud).unwrap_err().to_string();
        assert!(error("/no/such/port").contains("/no/such/port"), "{}", error("/no/such/port"));
        assert!(error("/etc/passwd").contains("is no serial port"), "{}", error("/etc/passwd"));
    }
}
