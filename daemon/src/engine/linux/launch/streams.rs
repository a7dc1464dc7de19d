//! What a program reads from and writes to.

use super::LaunchSettings;
use crate::engine::error::{Error, Result};
use crate::engine::linux::consoles::Console;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::Mode;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Where the standard streams of programs lead for which the client has named no files.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum StandardStreams {
    /// To where the server's do.
    #[default]
    Inherited,
    /// To a console whose output the client gets. There is nothing to read.
    Printed,
    /// The same, and what the client types can be read.
    Typed,
}

/// The streams of one program, opened: those that are its own.
#[derive(Debug, Default)]
pub(super) struct Streams {
    files: [Option<OwnedFd>; 3],
    /// The client's end, where there is a console.
    pub(super) console: Option<Console>,
}

impl Streams {
    /// Opens what the settings name.
    ///
    /// # Errors
    /// [`Error::Stream`] with the file that can't be opened.
    pub(super) fn open(settings: &LaunchSettings) -> Result<Self> {
        let mut streams = Self::default();
        for (index, path) in settings.files.iter().enumerate() {
            let Some(path) = path else { continue };
            let path = settings.directory.as_ref().map_or_else(|| path.clone(), |directory| directory.join(path));
            streams.files[index] = Some(open_file(&path, index == 0).map_err(|source| Error::Stream { path, source })?);
        }
        if settings.streams != StandardStreams::Inherited && streams.files.iter().any(Option::is_none) {
            streams.add_console(settings.streams)?;
        }
        Ok(streams)
    }

    fn add_console(&mut self, kind: StandardStreams) -> Result<()> {
        let (console, terminal) = Console::open(kind)?;
        let copy = || terminal.as_fd().try_clone_to_owned().map_err(|_| nix::errno::Errno::EMFILE);
        for (index, file) in self.files.iter_mut().enumerate().filter(|(_, file)| file.is_none()) {
            *file = Some(if index == 0 && kind == StandardStreams::Printed { nothing()? } else { copy()? });
        }
        self.console = Some(console);
        Ok(())
    }

    /// The program's descriptors, in order.
    pub(super) fn descriptors(&self) -> [Option<BorrowedFd<'_>>; 3] {
        self.files.each_ref().map(|file| file.as_ref().map(AsFd::as_fd))
    }
}

/// What has nothing to be read.
pub(super) fn nothing() -> nix::Result<OwnedFd> {
    open("/dev/null", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
}

/// Opens a file that the client has named for reading, or makes it anew.
fn open_file(path: &Path, read: bool) -> nix::Result<OwnedFd> {
    let access = if read { OFlag::O_RDONLY } else { OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC };
    // A pipe whose other end nobody has must not hold the session up.
    let flags = access | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    let file = open(path, flags, Mode::from_bits_truncate(0o666))?;
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;

    #[test]
    fn files_that_cannot_be_opened_are_named() {
        let mut settings = LaunchSettings::undebugged(Some("/nonexistent".into()));
        settings.files[1] = Some("out".into());
        let error = Streams::open(&settings).expect_err("there is no such directory");
        let Error::Stream { path, source } = &error else { panic!("{error:?}") };
        assert_eq!((path.to_str(), *source), (Some("/nonexistent/out"), Errno::ENOENT));
        assert!(error.to_string().contains("/nonexistent/out"), "{error}");
    }

    #[test]
    fn a_console_is_made_for_the_streams_that_have_no_file() {
        let null = || Some("/dev/null".into());
        let open = |streams, files| {
            let mut settings = LaunchSettings::default();
            (settings.streams, settings.files) = (streams, files);
            let streams = Streams::open(&settings).expect("opened");
            (streams.console.is_some(), streams.files.each_ref().map(Option::is_some))
        };
        assert_eq!(open(StandardStreams::Inherited, [None, null(), None]), (false, [false, true, false]));
        assert_eq!(open(StandardStreams::Printed, [None, null(), None]), (true, [true; 3]));
        assert_eq!(open(StandardStreams::Typed, [null(), null(), null()]), (false, [true; 3]));
    }
}
