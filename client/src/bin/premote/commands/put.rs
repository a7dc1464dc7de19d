//! `premote put`: a file to the server's machine.

use super::arguments::{copying, path, texts};
use crate::exit::ExitError;
use crate::transfer::{CHUNK, PERMISSIONS, Transfer, open_session, remote_error, until_interrupted};
use clap::{ArgMatches, Command};
use dbgsrv_client::RemoteServer;
use dbgsrv_client::debug::{DebugError, DebugSession, RemoteFile, flags};
use dbgsrv_session::Channel;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(super) const NAME: &str = "put";

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 put app /srv/app
  premote tcp:server=box17,port=5005 put --force app /srv/
  premote tcp:server=box17,port=5005 put --continue disk.img /srv/disk.img

A copy that was interrupted is incomplete, and has its name already. The complete one has the digest of the file here.";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Copy a file to the server's machine")
        .after_help(EXAMPLES)
        .arg(path("local", "LOCAL").help("The file here").required(true))
        .arg(
            path("remote", "REMOTE")
                .help("The file there; with a slash at its end, the directory for it")
                .required(true),
        )
        .args(copying())
}

/// What is copied where.
#[derive(Debug)]
pub(crate) struct Put {
    local: PathBuf,
    remote: String,
    force: bool,
    resume: bool,
}

impl Put {
    pub(super) fn parse(matches: &ArgMatches) -> Result<Self, ExitError> {
        Ok(Self {
            local: matches.get_one::<OsString>("local").map(PathBuf::from).unwrap_or_default(),
            remote: texts(matches, "remote")?.concat(),
            force: matches.get_flag("force"),
            resume: matches.get_flag("continue"),
        })
    }

    pub(super) async fn run(self, server: &RemoteServer) -> Result<(), ExitError> {
        until_interrupted(self.copy(server)).await
    }

    async fn copy(&self, server: &RemoteServer) -> Result<(), ExitError> {
        let read = |error| cannot_read(&self.local, &error);
        let mut local = File::open(&self.local).map_err(read)?;
        let metadata = local.metadata().map_err(read)?;
        if !metadata.is_file() {
            return Err(ExitError::Failure(format!("{} is no file", self.local.display())));
        }
        let path = destination(&self.remote, &self.local)?;
        let failed = remote_error(&path);
        let mut session = open_session(server, NAME).await?;
        let mut transfer = Transfer::new(&path, metadata.len());
        let flags = if self.resume && self.continues(&mut session, &path, &mut local, &mut transfer, server).await? {
            flags::WRITE
        } else {
            self.make_way(&mut session, &path).await?;
            flags::WRITE | flags::CREATE | flags::EXCLUSIVE
        };
        let mode = metadata.permissions().mode() & PERMISSIONS;
        let mut remote = session.open(&path, flags, mode).await.map_err(|error| match error {
            error if is(&error, io::ErrorKind::AlreadyExists) => exists(&path),
            error => failed(error),
        })?;
        self.send(&mut local, &mut remote, &path, &mut transfer).await?;
        let size = remote.stat().await.map_err(failed)?.size;
        remote.close().await.map_err(failed)?;
        if size != transfer.position() || !transfer.agrees_with(server, &path).await? {
            return Err(ExitError::Failure(format!("{path} there is not what was sent: something else writes to it")));
        }
        Ok(())
    }

    /// Sends what the local file has from here on.
    async fn send(
        &self,
        local: &mut File,
        remote: &mut RemoteFile<'_, Channel>,
        path: &str,
        transfer: &mut Transfer,
    ) -> Result<(), ExitError> {
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = local.read(&mut buffer).map_err(|error| cannot_read(&self.local, &error))?;
            if count == 0 {
                return Ok(());
            }
            remote.write_at(transfer.position(), &buffer[..count]).await.map_err(remote_error(path))?;
            transfer.advance(&buffer[..count]);
        }
    }

    /// Whether what an earlier copy has left there is the beginning of the local file. The transfer is behind it then.
    async fn continues(
        &self,
        session: &mut DebugSession<Channel>,
        path: &str,
        local: &mut File,
        transfer: &mut Transfer,
        server: &RemoteServer,
    ) -> Result<bool, ExitError> {
        let read = |error| cannot_read(&self.local, &error);
        let length = match session.open(path, flags::WRITE, 0).await {
            Ok(mut file) => file.stat().await.map_err(remote_error(path))?.size,
            Err(error) if is(&error, io::ErrorKind::NotFound) => return Ok(false),
            Err(error) => return Err(remote_error(path)(error)),
        };
        if length <= local.metadata().map_err(read)?.len() {
            transfer.advance_over(local, length).map_err(read)?;
            if transfer.agrees_with(server, path).await? {
                return Ok(true);
            }
            transfer.restart();
            local.rewind().map_err(read)?;
        }
        if self.force {
            return Ok(false);
        }
        let local = self.local.display();
        Err(ExitError::Failure(format!("{path} there is not the beginning of {local}; allowed: --force")))
    }

    /// Removes what is to be replaced. A program that runs from it goes on with the old file.
    async fn make_way(&self, session: &mut DebugSession<Channel>, path: &str) -> Result<(), ExitError> {
        if !self.force {
            return Ok(());
        }
        match session.unlink(path).await {
            Err(error) if !is(&error, io::ErrorKind::NotFound) => Err(remote_error(path)(error)),
            _ => Ok(()),
        }
    }
}

/// Whether a file operation failed in this way.
fn is(error: &DebugError, kind: io::ErrorKind) -> bool {
    matches!(error, DebugError::File(error) if error.kind() == kind)
}

fn exists(path: &str) -> ExitError {
    let allowed = format!("another name, {path}/ where it is a directory, --force, or --continue");
    ExitError::Failure(format!("{path} exists there; allowed: {allowed}"))
}

/// Where the file goes: `remote` itself, or its own name in the directory `remote/`.
fn destination(remote: &str, local: &Path) -> Result<String, ExitError> {
    if !remote.ends_with('/') {
        return Ok(remote.to_owned());
    }
    match local.file_name().and_then(|name| name.to_str()) {
        Some(name) => Ok(format!("{remote}{name}")),
        None => Err(ExitError::Failure(format!("{} has no name that could be used there", local.display()))),
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> ExitError {
    ExitError::Failure(format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_name_in_a_directory() {
        assert_eq!(destination("/srv/app", Path::new("a/b")).unwrap(), "/srv/app");
        assert_eq!(destination("/srv/", Path::new("a/b")).unwrap(), "/srv/b");
        assert!(destination("/srv/", Path::new("..")).is_err());
    }
}
