//! Fetches a password from where a connection string says that it is.

use dbgsrv_protocol::options::{Password, PasswordSource, ValueError};
use std::env;
use std::fs::File;
use std::io::{self, Read};
use thiserror::Error;

/// There is no password where a connection string says that it is. Never shows any of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The file can't be read.
    #[error("cannot read the password from file `{path}`: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The environment variable is not set, or its value is not UTF-8.
    #[error("cannot read the password from environment variable `{name}`: {source}")]
    Environment {
        /// Which.
        name: String,
        /// Why.
        source: env::VarError,
    },
    /// What is there is no password.
    #[error("the password in {place}: {source}")]
    Value {
        /// Where.
        place: String,
        /// What is wrong with it.
        source: ValueError,
    },
}

/// The password itself: what was given, the value of an environment variable, or the first line of a file.
///
/// # Errors
/// [`PasswordError`] with the file or the variable.
pub fn read_password(source: &PasswordSource) -> Result<Password, PasswordError> {
    let (place, text) = match source {
        PasswordSource::Given(password) => return Ok(password.clone()),
        PasswordSource::File(path) => {
            let path = path.to_string();
            let text = first_line(&path).map_err(|source| PasswordError::File { path: path.clone(), source })?;
            (format!("file `{path}`"), text)
        }
        PasswordSource::Environment(name) => {
            let name = name.to_string();
            // The system's error shows a value that is not UTF-8.
            let text = env::var(&name).map_err(|error| PasswordError::Environment {
                name: name.clone(),
                source: match error {
                    env::VarError::NotPresent => error,
                    env::VarError::NotUnicode(_) => env::VarError::NotUnicode("***".into()),
                },
            })?;
            (format!("environment variable `{name}`"), text)
        }
    };
    text.parse().map_err(|source| PasswordError::Value { place, source })
}

/// A file's first line without its end, one byte more than a password may have at most.
fn first_line(path: &str) -> io::Result<String> {
    let mut bytes = Vec::new();
    // A line's end of two bytes may follow the longest password.
    let limit = Password::MAX_LENGTH as u64 + 2;
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
        bytes.truncate(end);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    // The usual error would hold the bytes.
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn in_file(bytes: &[u8]) -> Result<Password, PasswordError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        read_password(&PasswordSource::File(file.path().to_str().unwrap().parse().unwrap()))
    }

    #[test]
    fn a_file_gives_its_first_line() {
        for bytes in [&b"Secret 1"[..], b"Secret 1\n", b"Secret 1\r\n", b"Secret 1\nmore\n"] {
            assert_eq!(in_file(bytes).unwrap().reveal(), "Secret 1");
        }
    }

    #[test]
    fn the_longest_password_comes_whole_out_of_a_file_and_a_longer_one_not_at_all() {
        let mut text = vec![b'x'; Password::MAX_LENGTH];
        text.extend(b"\r\n");
        assert_eq!(in_file(&text).unwrap().reveal().len(), Password::MAX_LENGTH);
        text.insert(0, b'x');
        assert!(matches!(in_file(&text), Err(PasswordError::Value { .. })));
    }

    #[test]
    fn what_is_no_password_is_refused_without_showing_it() {
        let error = in_file(b"\xffSecret").unwrap_err().to_string();
        assert!(error.ends_with("it is not UTF-8") && !error.contains("Secret"), "{error}");
        let error = in_file(&[b'x'; 500]).unwrap_err().to_string();
        assert!(error.starts_with("the password in file") && !error.contains("xxxx"), "{error}");
        assert!(matches!(in_file(b"\n"), Err(PasswordError::Value { .. })));
    }

    #[test]
    fn a_file_or_a_variable_that_does_not_exist_is_named() {
        let error = read_password(&PasswordSource::File("/no/such/file".parse().unwrap())).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the password from file `/no/such/file`: "), "{error}");
        let source = PasswordSource::Environment("DBGSRV_NO_SUCH_VARIABLE".parse().unwrap());
        let error = read_password(&source).unwrap_err().to_string();
        assert!(error.contains("environment variable `DBGSRV_NO_SUCH_VARIABLE`"), "{error}");
    }
}
