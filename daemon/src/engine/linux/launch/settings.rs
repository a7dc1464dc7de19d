//! What programs are started with.

use super::StandardStreams;
use crate::engine::error::{Error, Result};
use nix::errno::Errno;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What programs are started with.
#[derive(Clone, Debug)]
pub struct LaunchSettings {
    /// Switches address space randomization off.
    pub disable_randomization: bool,
    /// Where the program starts; `None`: in the server's directory.
    pub directory: Option<PathBuf>,
    /// Differences from the server's environment; `None`: not set.
    environment: BTreeMap<OsString, Option<OsString>>,
    /// Files of the server's machine for its standard input, output and error, from its directory; `None`: as `streams`
    /// says.
    pub files: [Option<PathBuf>; 3],
    /// Where its standard streams lead.
    pub streams: StandardStreams,
    /// Starts the program through `$SHELL`, or `/bin/sh`.
    pub shell: bool,
    /// A command that gets the program's command line as its last arguments, and executes it; empty: none.
    pub wrapper: Vec<Vec<u8>>,
}

impl Default for LaunchSettings {
    fn default() -> Self {
        Self {
            disable_randomization: true,
            directory: None,
            environment: BTreeMap::new(),
            files: [None, None, None],
            streams: StandardStreams::Inherited,
            shell: true,
            wrapper: Vec::new(),
        }
    }
}

/// Most bytes of names and values that a client may set, [`PER_VARIABLE`] for each counted in: the kernel takes less than
/// 6 MiB from execve(2) in any case.
const MAX_ENVIRONMENT: usize = 1 << 20;
/// What a variable takes beside its name and value.
const PER_VARIABLE: usize = 64;

impl LaunchSettings {
    /// As programs start that nobody debugs: without a shell in between, and with the randomization that the system has.
    pub(crate) fn undebugged(directory: Option<PathBuf>) -> Self {
        Self { disable_randomization: false, directory, shell: false, ..Self::default() }
    }

    /// Sets a variable of the program's environment to `value`, or removes it (`None`).
    ///
    /// # Errors
    /// [`Error::TooMany`] where that and what was set before is too much for any program.
    pub fn set_variable(&mut self, name: OsString, value: Option<OsString>) -> Result<()> {
        let size = |name: &OsString, value: &Option<OsString>| {
            PER_VARIABLE + name.len() + value.as_ref().map_or(0, |value| value.len())
        };
        let held: usize = self.environment.iter().map(|(name, value)| size(name, value)).sum();
        if held + size(&name, &value) > MAX_ENVIRONMENT {
            return Err(Error::TooMany("environment variables"));
        }
        self.environment.insert(name, value);
        Ok(())
    }

    /// Forgets what was set or removed.
    pub fn reset_environment(&mut self) {
        self.environment.clear();
    }

    /// The program's environment as `NAME=VALUE` strings.
    pub(super) fn environment(&self) -> Vec<CString> {
        let mut all: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        for (name, value) in &self.environment {
            match value {
                Some(value) => all.insert(name.clone(), value.clone()),
                None => all.remove(name),
            };
        }
        let join = |(name, value): (OsString, OsString)| [name.as_bytes(), b"=", value.as_bytes()].concat();
        all.into_iter().filter_map(|entry| CString::new(join(entry)).ok()).collect()
    }

    /// A program's name, with a slash if it is that of a file in the working directory.
    pub(super) fn located<'p>(&self, program: &'p [u8]) -> Cow<'p, [u8]> {
        let directory = self.directory.as_deref().unwrap_or_else(|| Path::new(""));
        if program.contains(&b'/') || !directory.join(OsStr::from_bytes(program)).is_file() {
            return Cow::Borrowed(program);
        }
        Cow::Owned([b"./", program].concat())
    }

    /// The command that is executed first, and how many execs it takes to get to the program.
    pub(super) fn command(
        &self,
        program: &[u8],
        arguments: &[Vec<u8>],
    ) -> std::result::Result<(Vec<CString>, usize), Errno> {
        let wrapper = || self.wrapper.iter().map(Vec::as_slice);
        let words = || wrapper().chain([program]).chain(arguments.iter().map(Vec::as_slice));
        let wrappers = usize::from(!self.wrapper.is_empty());
        let (words, execs) = if self.shell {
            let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
            let line = words().fold(b"exec".to_vec(), |line, word| [&line[..], b" ", &quoted(word)].concat());
            (vec![shell.into_vec(), b"-c".to_vec(), line], 2 + wrappers)
        } else {
            (words().map(<[u8]>::to_vec).collect(), 1 + wrappers)
        };
        let words = words.into_iter().map(CString::new).collect::<std::result::Result<_, _>>();
        Ok((words.map_err(|_| Errno::EINVAL)?, execs))
    }
}

/// A word that the shell takes as it is.
fn quoted(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(byte);
    if !word.is_empty() && word.iter().all(plain) {
        return word.to_vec();
    }
    let escaped: Vec<u8> =
        word.iter().flat_map(|&byte| if byte == b'\'' { b"'\\''".to_vec() } else { vec![byte] }).collect();
    [b"'", &escaped[..], b"'"].concat()
}
