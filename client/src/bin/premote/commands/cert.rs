//! `premote cert`: certificates for `ssl` and `spipe`. It needs no server.

use super::arguments::{json, number, path};
use crate::cli::usage;
use crate::exit::ExitError;
use crate::output::{print_fields, print_json, print_table};
use crate::table::{Align, Table};
use crate::time::local;
use clap::{Arg, ArgAction, ArgMatches, Command};
use dbgsrv_client::ClientOptions;
use dbgsrv_protocol::options::{
    CertificateId, CertificateName, CertificateSelector, CertificateStore, Host, ListenPort, Port, PortRange,
    ServerOptions, TlsProtocol, Trust, client, server,
};
use dbgsrv_transports::tls::{Certificate, SelfSigned, Store};
use nix::unistd::gethostname;
use serde_json::json;
use std::ffi::OsString;
use std::path::{self as paths, PathBuf};

pub(super) const NAME: &str = "cert";

const EXAMPLES: &str = "\
Examples:
  premote cert new                             a certificate for this machine, in your own store
  sudo premote cert new --machine              in the machine's store, for a server that runs as root
  premote cert new --name app --host box17.example --days 90
  premote cert list

A new certificate is signed by its own key: clients pin its thumbprint.
The stores are ~/.config/dbgsrv/certificates ($XDG_CONFIG_HOME is respected) and /etc/dbgsrv/certificates.";

/// How long a new certificate is valid, in days.
const DAYS: &str = "365";
/// The port in the examples that are printed.
const PORT: u16 = 5005;

pub(super) fn command() -> Command {
    let machine =
        || Arg::new("machine").long("machine").help("The machine's store, not your own").action(ArgAction::SetTrue);
    let new = Command::new("new")
        .about("Make a self-signed certificate, and print what to pin")
        .arg(Arg::new("name").long("name").value_name("NAME").help("Its subject; this machine's name where left out"))
        .arg(
            Arg::new("host")
                .long("host")
                .value_name("HOST")
                .help("A name or address that clients reach the server by, beside localhost and this machine's name; may be repeated")
                .action(ArgAction::Append),
        )
        .arg(
            Arg::new("days")
                .long("days")
                .value_name("DAYS")
                .help("How long it is valid")
                .default_value(DAYS)
                .value_parser(number::<u32>),
        )
        .arg(machine().conflicts_with("out"))
        .arg(path("out", "DIR").long("out").help("Another folder than that of a store"));
    let list = Command::new("list").about("List the certificates of a store").arg(machine()).arg(json());
    Command::new(NAME)
        .about("Make and list certificates for ssl and spipe")
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([new, list])
}

/// What is to be done about certificates.
#[derive(Debug)]
pub(crate) enum Cert {
    List { store: Store, json: bool },
    New(New),
}

/// A certificate to be made.
#[derive(Debug)]
pub(crate) struct New {
    name: String,
    hosts: Vec<String>,
    days: u32,
    store: Store,
    /// Whether servers look there.
    is_store: bool,
}

impl Cert {
    /// Reads what stands behind the command.
    ///
    /// # Errors
    /// [`ExitError::Usage`].
    pub(super) fn parse(matches: &ArgMatches) -> Result<Self, ExitError> {
        let (name, matches) = matches.subcommand().unwrap_or(("list", matches));
        let kind = if matches.get_flag("machine") { CertificateStore::Machine } else { CertificateStore::User };
        if name == "list" {
            return Ok(Self::List { store: Store::of(kind), json: matches.get_flag("json") });
        }
        let out = matches.get_one::<OsString>("out").map(PathBuf::from);
        let machine = machine_name();
        let name = matches.get_one::<String>("name").unwrap_or(&machine);
        name.parse::<CertificateName>().map_err(|error| usage(format_args!("--name: {error}")))?;
        let given = matches.get_many::<String>("host").unwrap_or_default();
        let mut hosts: Vec<_> = ["localhost", "127.0.0.1", "::1", &machine].map(str::to_owned).into();
        for host in given {
            let host: Host = host.parse().map_err(|error| usage(format_args!("--host: {error}")))?;
            hosts.push(host.to_string().trim_matches(['[', ']']).to_owned());
        }
        hosts.dedup();
        let days = matches.get_one("days").copied().unwrap_or_default();
        let is_store = out.is_none();
        let store = out.map_or_else(|| Store::of(kind), |folder| Store::at(kind, folder));
        Ok(Self::New(New { name: name.clone(), hosts, days, store, is_store }))
    }

    /// Does it.
    ///
    /// # Errors
    /// [`ExitError`].
    pub(super) fn run(self) -> Result<(), ExitError> {
        match self {
            Self::List { store, json } => list(&store, json),
            Self::New(new) => new.run(),
        }
    }
}

impl New {
    fn run(self) -> Result<(), ExitError> {
        let failure = |error| ExitError::Failure(format!("{error}"));
        let made = SelfSigned::new(&self.name, self.hosts.clone(), self.days).map_err(failure)?;
        let path = made.save(&self.store, &self.name).map_err(failure)?;
        let certificate = made.certificate();
        let path = paths::absolute(&path).unwrap_or(path).display().to_string();
        let copy_to = if self.is_store { String::new() } else { Store::of(CertificateStore::User).to_string() };
        print_fields(&[
            ("certificate", path),
            ("subject", certificate.subject.clone()),
            ("hosts", self.hosts.join(", ")),
            ("valid until", local(certificate.not_after.unsigned_abs())),
            ("SHA-1", certificate.sha1.to_string()),
            ("SHA-256", certificate.sha256.to_string()),
            ("copy it to", copy_to),
            ("server", format!("dbgsrv -t {}", quoted(&self.server().to_string()))),
            ("client", format!("premote {} ps", quoted(&pinned(certificate).to_string()))),
        ])
    }

    /// How a server shows it.
    fn server(&self) -> ServerOptions {
        let name = self.name.parse().expect("the name was checked before");
        let certificate = CertificateSelector { store: self.store.kind(), certificate: CertificateId::Name(name) };
        let tls = server::Tls { protocol: TlsProtocol::Best, certificate, client_ca: None };
        let session = server::Session { password: None, linger: None, shell: false, streams: None };
        let port = ListenPort::Range(PortRange::from(port()));
        ServerOptions::Ssl(server::Ssl { tls, port, bind: None, hidden: false, open: false, session })
    }
}

/// How a client pins it.
fn pinned(certificate: &Certificate) -> ClientOptions {
    let trust = Some(Trust::Certificate(certificate.sha256));
    let tls = client::Tls { protocol: TlsProtocol::Best, certificate: None, trust };
    let server = machine_name().parse().unwrap_or_else(|_| "localhost".parse().expect("it is a host's name"));
    ClientOptions::Ssl(client::Ssl { tls, server, port: port(), password: None })
}

fn port() -> Port {
    Port::new(PORT).expect("it is not 0")
}

/// What this machine calls itself.
fn machine_name() -> String {
    gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A word of a shell's command line.
fn quoted(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || ":=,._-%[]/".contains(char);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn list(store: &Store, json: bool) -> Result<(), ExitError> {
    let entries = match store.entries() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        entries => entries.map_err(|error| ExitError::Failure(format!("cannot read {store}: {error}")))?,
    };
    if json {
        let entries: Vec<_> = entries.iter().map(|entry| describe(&entry.path, &entry.certificate)).collect();
        return print_json(&entries);
    }
    let mut table = Table::new([
        ("SUBJECT", Align::Left),
        ("VALID UNTIL", Align::Left),
        ("SHA-1", Align::Left),
        ("FILE", Align::Left),
    ]);
    for entry in &entries {
        let certificate = &entry.certificate;
        let until = local(certificate.not_after.unsigned_abs());
        let file = entry.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        table.push([certificate.name().to_owned(), until, certificate.sha1.to_string(), file]);
    }
    print_table(&table, &format!("there are no certificates in {store}"))
}

fn describe(path: &paths::Path, certificate: &Certificate) -> serde_json::Value {
    json!({
        "path": path.display().to_string(),
        "subject": certificate.subject,
        "self-signed": certificate.is_self_signed,
        "for-servers": certificate.is_for_servers,
        "valid-from": certificate.not_before,
        "valid-until": certificate.not_after,
        "sha1": certificate.sha1.to_string(),
        "sha256": certificate.sha256.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("ssl:proto=tls1,certuser=app"), "ssl:proto=tls1,certuser=app");
        assert_eq!(quoted("ssl:certuser=it's mine"), r"'ssl:certuser=it'\''s mine'");
    }
}
