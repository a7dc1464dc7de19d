//! Certificates for the tests of TLS, made by openssl, in a store of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::premote::{self, Outcome};
use crate::server::{Server, dbgsrv};

/// Keys that every TLS takes and that are made at once.
const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/// A home for one server and its clients, with an authority.
#[derive(Debug)]
pub struct Certificates(TempDir);

impl Certificates {
    /// An empty store, and an authority in `ca.crt` beside it.
    ///
    /// # Panics
    /// When openssl does not make it.
    #[must_use]
    pub fn new() -> Self {
        let made = Self(tempfile::tempdir().expect("there is room for files"));
        fs::create_dir_all(made.store()).expect("there is room for folders");
        let (key, certificate) = (made.path("ca.key"), made.path("ca.crt"));
        let mut command = openssl(&["req", "-x509", "-subj", "/CN=Test authority", "-days", "30"]);
        finish(command.args(KEY).arg("-keyout").arg(key).arg("-out").arg(certificate));
        made
    }

    /// A file beside the store.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The store's folder.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.path("dbgsrv/certificates")
    }

    /// Has the authority sign `NAME.crt` for `localhost`, with its key beside it in the store, valid for so many days from now.
    pub fn sign(&self, name: &str, uses: &str, days: i32) {
        self.sign_in(&self.store(), name, uses, days);
    }

    /// As [`Self::sign`], in any folder.
    ///
    /// # Panics
    /// When openssl does not.
    pub fn sign_in(&self, folder: &Path, name: &str, uses: &str, days: i32) {
        let file = |extension: &str| folder.join(format!("{name}.{extension}"));
        let (request, extensions) = (self.path("request"), self.path("extensions"));
        fs::write(&extensions, format!("subjectAltName=DNS:localhost\nextendedKeyUsage={uses}\n"))
            .expect("there is room");
        let mut command = openssl(&["req", "-new", "-subj", &format!("/CN={name}")]);
        finish(command.args(KEY).arg("-keyout").arg(file("key")).arg("-out").arg(&request));
        let mut command = openssl(&["x509", "-req", "-CAcreateserial", "-days", &days.to_string()]);
        command.arg("-in").arg(request).arg("-CA").arg(self.path("ca.crt")).arg("-CAkey").arg(self.path("ca.key"));
        finish(command.arg("-extfile").arg(extensions).arg("-out").arg(file("crt")));
    }

    /// The SHA-256 thumbprint that openssl finds.
    ///
    /// # Panics
    /// When there is no such certificate.
    #[must_use]
    pub fn thumbprint(&self, name: &str) -> String {
        let mut command = openssl(&["x509", "-noout", "-fingerprint", "-sha256", "-in"]);
        let output = command.arg(self.store().join(format!("{name}.crt"))).output().expect("openssl is there");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split_once('=').expect("it prints one").1.trim().to_owned()
    }

    /// Starts `dbgsrv` with this store on a transport, and a port for those that have none.
    #[must_use]
    pub fn serve(&self, transport: &str) -> Server {
        let home = self.0.path().display();
        let first = format!("export XDG_CONFIG_HOME={home} XDG_RUNTIME_DIR={home}");
        Server::start_after_with(&first, transport)
    }

    /// A command line of `premote` with this store.
    #[must_use]
    pub fn premote(&self, arguments: &[&str]) -> Command {
        let mut command = premote::command(arguments);
        command.env("XDG_CONFIG_HOME", self.0.path()).env("XDG_RUNTIME_DIR", self.0.path());
        command
    }

    /// Runs `premote` with this store.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        premote::finish(self.premote(arguments))
    }

    /// The exit status and the errors of a server that is not to start.
    ///
    /// # Panics
    /// When it can't be executed.
    #[must_use]
    pub fn refused(&self, transport: &str) -> (Option<i32>, String) {
        let mut command = Command::new(dbgsrv());
        command.args(["-t", transport]).env("XDG_CONFIG_HOME", self.0.path()).stdin(Stdio::null());
        let output = command.output().expect("the server starts and ends");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

/// A command line of openssl's.
#[must_use]
pub fn openssl(arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::null());
    command
}

fn finish(command: &mut Command) {
    let output = command.output().expect("openssl is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
