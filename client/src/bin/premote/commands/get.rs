//! `premote get`: a file from the server's machine.

use super::arguments::{copying, path, texts};
use crate::exit::ExitError;
use crate::transfer::{CHUNK, PERMISSIONS, Transfer, open_session, remote_error, until_interrupted};
use clap::{ArgMatches, Command};
use dbgsrv_client::RemoteServer;
use dbgsrv_client::debug::flags;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(super) const NAME: &str = "get";

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 get /var/log/app.log
  premote tcp:server=box17,port=5005 get /var/crash/core.1234 cores/
  premote tcp:server=box17,port=5005 get --continue /var/crash/core.1234 cores/

What has been copied is in LOCAL.part until all of it is there and has the digest that the server tells.";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Copy a file from the server's machine")
        .after_help(EXAMPLES)
        .arg(path("remote", "REMOTE").help("The file there").required(true))
        .arg(path("local", "LOCAL").help("The file here, or a directory for it; here by its own name where left out"))
        .args(copying())
}

/// What is copied where.
#[derive(Debug)]
pub(crate) struct Get {
    remote: String,
    local: PathBuf,
    force: bool,
    resume: bool,
}

impl Get {
    pub(super) fn parse(matches: &ArgMatches) -> Result<Self, ExitError> {
        Ok(Self {
            remote: texts(matches, "remote")?.concat(),
            local: matches.get_one::<OsString>("local").map(PathBuf::from).unwrap_or_default(),
            force: matches.get_flag("force"),
            resume: matches.get_flag("continue"),
        })
    }

    pub(super) async fn run(self, server: &RemoteServer) -> Result<(), ExitError> {
        until_interrupted(self.copy(server)).await
    }

    async fn copy(&self, server: &RemoteServer) -> Result<(), ExitError> {
        let local = destination(&self.local, &self.remote);
        if !self.force && local.symlink_metadata().is_ok() {
            return Err(exists(&local));
        }
        let failed = remote_error(&self.remote);
        let mut session = open_session(server, NAME).await?;
        let mut remote = session.open(&self.remote, flags::READ, 0).await.map_err(failed)?;
        let facts = remote.stat().await.map_err(failed)?;
        let part = part_of(&local);
        let mut transfer = Transfer::new(&self.remote, facts.size);
        let mut file = self.open_part(&part, &mut transfer, server).await?;
        // Writes of this size go to the page cache; what else this thread does can wait for that.
        let written = |error| cannot_write(&part, &error);
        let mut buffer = vec![0; CHUNK];
        while let count @ 1.. = remote.read_at(transfer.position(), &mut buffer).await.map_err(failed)? {
            file.write_all(&buffer[..count]).map_err(written)?;
            transfer.advance(&buffer[..count]);
        }
        if !transfer.agrees_with(server, &self.remote).await? {
            return Err(ExitError::Failure(format!("{} has changed while it was copied", self.remote)));
        }
        file.set_permissions(Permissions::from_mode(facts.mode & PERMISSIONS)).map_err(written)?;
        file.sync_all().map_err(written)?;
        drop(file);
        self.finish(&part, &local)
    }

    /// Opens what an earlier copy has left, behind what of it agrees with the remote file, or an empty file.
    async fn open_part(&self, part: &Path, transfer: &mut Transfer, server: &RemoteServer) -> Result<File, ExitError> {
        let written = |error| cannot_write(part, &error);
        let mut options = File::options();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(part).map_err(written)?;
        let length = if self.resume { file.metadata().map_err(written)?.len() } else { 0 };
        transfer.advance_over(&mut file, length).map_err(written)?;
        if length > 0 && !transfer.agrees_with(server, &self.remote).await? {
            eprintln!("premote: {} is not the beginning of {}; it is copied anew", part.display(), self.remote);
            transfer.restart();
            file = options.truncate(true).open(part).map_err(written)?;
        }
        file.set_len(transfer.position()).map_err(written)?;
        Ok(file)
    }

    /// Gives the complete file its name.
    fn finish(&self, part: &Path, local: &Path) -> Result<(), ExitError> {
        let written = |error| cannot_write(local, &error);
        if self.force {
            return fs::rename(part, local).map_err(written);
        }
        // Unlike renaming, this takes no other file's name, whenever that came.
        match fs::hard_link(part, local) {
            Ok(()) => fs::remove_file(part).map_err(written),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(local)),
            // Not every file system has links.
            Err(_) => fs::rename(part, local).map_err(written),
        }
    }
}

/// Where the file goes: `local` itself, or its own name in the directory `local`.
fn destination(local: &Path, remote: &str) -> PathBuf {
    if local.as_os_str().is_empty() || local.as_os_str().as_encoded_bytes().ends_with(b"/") || local.is_dir() {
        return local.join(remote.rsplit('/').next().unwrap_or(remote));
    }
    local.to_owned()
}

/// Where the file is while it is incomplete.
fn part_of(local: &Path) -> PathBuf {
    let mut part = local.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

fn exists(local: &Path) -> ExitError {
    ExitError::Failure(format!("{} exists; allowed: another name, or --force", local.display()))
}

fn cannot_write(path: &Path, error: &io::Error) -> ExitError {
    ExitError::Failure(format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_name_where_none_or_a_directory_is_given() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(destination(Path::new(""), "/var/log/app.log"), Path::new("app.log"));
        assert_eq!(destination(directory.path(), "app.log"), directory.path().join("app.log"));
        assert_eq!(destination(Path::new("a/b"), "/var/log/app.log"), Path::new("a/b"));
        assert_eq!(destination(Path::new("missing/"), "/var/log/app.log"), Path::new("missing/app.log"));
        assert_eq!(part_of(Path::new("a/b")), Path::new("a/b.part"));
    }

    #[test]
    fn a_name_that_is_taken_meanwhile_is_left_to_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let (part, local) = (directory.path().join("a.part"), directory.path().join("a"));
        let get = |force| Get { remote: "a".into(), local: local.clone(), force, resume: false };
        fs::write(&part, "new").unwrap();
        fs::write(&local, "old").unwrap();
        assert!(get(false).finish(&part, &local).unwrap_err().to_string().contains("--force"));
        assert_eq!(fs::read_to_string(&local).unwrap(), "old");
        get(true).finish(&part, &local).unwrap();
        assert_eq!(fs::read_to_string(&local).unwrap(), "new");
        assert!(!part.exists());
    }
}
