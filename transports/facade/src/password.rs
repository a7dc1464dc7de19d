//! Fetches a password from where a connection string says that it is.

use dbgsrv_protocol::options::{FilePath, Password, PasswordSource, VariableName};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use thiserror::Error;
use tracing::warn;

/// Access bits of users that are neither the file's owner nor in its group.
const OTHERS: u32 = 0o004;

/// There is no password where a connection string says that it is. Never shows any of what is there.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The file can't be read.
    #[error("parameter `password-file`: cannot read {path}: {source}")]
    Unreadable {
        /// Which.
        path: FilePath,
        /// What the system says.
        source: io::Error,
    },
    /// The file's first line is no password: why.
    #[error("parameter `password-file`: the first line of {0} {1}; allowed: 1 to 128 bytes of text")]
    NotInFile(FilePath, &'static str),
    /// The variable's value is no password, or there is none: why.
    #[error("parameter `password-env`: the environment variable {0} {1}; allowed: 1 to 128 bytes of text")]
    NotInEnvironment(VariableName, &'static str),
}

/// The password itself: what was given, a file's first line or a variable's value. Logs a warning where every user of this
/// machine can read the file.
///
/// # Errors
/// [`PasswordError`], which names the source and never what was found there.
pub fn read_password(source: &PasswordSource) -> Result<Password, PasswordError> {
    match source {
        PasswordSource::Given(password) => Ok(password.clone()),
        PasswordSource::File(path) => from_file(path),
        PasswordSource::Environment(name) => {
            let error = |problem| PasswordError::NotInEnvironment(name.clone(), problem);
            let value = std::env::var_os(name.to_string()).ok_or_else(|| error("is not set"))?;
            password(value.as_encoded_bytes()).map_err(error)
        }
    }
}

fn from_file(path: &FilePath) -> Result<Password, PasswordError> {
    let unreadable = |source| PasswordError::Unreadable { path: path.clone(), source };
    let file = File::open(path.to_string()).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    if mode & OTHERS != 0 {
        warn!(%path, mode = format_args!("{:o}", mode & 0o7777), "every user of this machine can read the password's file");
    }
    let line = first_line(file).map_err(unreadable)?;
    password(&line).map_err(|problem| PasswordError::NotInFile(path.clone(), problem))
}

/// The first line without its end, cut off where it is longer than any password.
fn first_line(file: impl Read) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    // One byte more than fits and a line end of two, so that what is too long is still seen to be.
    file.take(Password::MAX_LENGTH as u64 + 3).read_to_end(&mut line)?;
    if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
        line.truncate(end);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(line)
}

fn password(bytes: &[u8]) -> Result<Password, &'static str> {
    match std::str::from_utf8(bytes) {
        Ok("") => Err("is empty"),
        Ok(text) => text.parse().map_err(|_| "is too long"),
        // What was cut off within a character is too long in the first place.
        Err(_) if bytes.len() > Password::MAX_LENGTH => Err("is too long"),
        Err(_) => Err("is not UTF-8 text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(content: &[u8]) -> Result<String, &'static str> {
        password(&first_line(content).unwrap()).map(|password| password.reveal().to_owned())
    }

    #[test]
    fn the_password_is_the_first_line_without_its_end() {
        for content in ["Sesame 17, \"open\"\n", "Sesame 17, \"open\"\r\nmore", "Sesame 17, \"open\""] {
            assert_eq!(line(content.as_bytes()).unwrap(), "Sesame 17, \"open\"");
        }
    }

    #[test]
    fn what_is_no_password_is_told_without_being_shown() {
        let (longest, too_long) = ("x".repeat(128), "x".repeat(129));
        assert_eq!(line(format!("{longest}\r\nmore").as_bytes()).unwrap(), longest);
        for (content, problem) in [
            ("", "is empty"),
            ("\nSecret1", "is empty"),
            (too_long.as_str(), "is too long"),
            (&"é".repeat(100), "is too long"),
        ] {
            assert_eq!(line(content.as_bytes()).unwrap_err(), problem);
        }
        assert_eq!(line(b"\xff\n").unwrap_err(), "is not UTF-8 text");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let source = PasswordSource::File("/no/such/file".parse().unwrap());
        let error = read_password(&source).unwrap_err().to_string();
        assert!(error.contains("`password-file`") && error.contains("/no/such/file"), "{error}");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let source = PasswordSource::Environment("DBGSRV_NO_SUCH_VARIABLE".parse().unwrap());
        let error = read_password(&source).unwrap_err().to_string();
        assert!(error.contains("DBGSRV_NO_SUCH_VARIABLE is not set"), "{error}");
    }
}
