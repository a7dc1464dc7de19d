//! Both sides against each other, in memory.

use crate::identity::{Identity, Role};
use crate::store::now;
use crate::{Acceptor, Certificate, Connector, SelfSigned, Store, TlsStream};
use dbgsrv_protocol::options::client::ClientOptions;
use dbgsrv_protocol::options::{CertificateStore, ServerOptions};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// A folder with certificates.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn store(&self) -> Store {
        Store::at(CertificateStore::User, self.0.path().to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A self-signed pair for localhost, in `NAME.pem`.
    fn self_signed(&self, name: &str) -> Certificate {
        let made = SelfSigned::new(name, vec!["localhost".into(), "127.0.0.1".into()], 30).unwrap();
        made.save(&self.store(), name).unwrap();
        made.certificate().clone()
    }

    /// An authority, in `ca.ca`, that has signed `NAME.pem` for these uses.
    fn signed(&self, name: &str, uses: &[ExtendedKeyUsagePurpose], host: &str) {
        let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "authority");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(self.path("ca.ca"), ca.self_signed(&ca_key).unwrap().pem()).unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = uses.to_vec();
        let signed = params.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
        let mut options = fs::OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(0o600).open(self.path(&format!("{name}.pem"))).unwrap();
        io::Write::write_all(&mut file, (signed.pem() + &key.serialize_pem()).as_bytes()).unwrap();
    }

    fn identity(&self, name: &str, role: Role) -> Identity {
        let entries = self.store().entries().unwrap();
        let entry = entries.iter().find(|entry| entry.path == self.path(&format!("{name}.pem"))).unwrap();
        Identity::new(entry, role, now()).unwrap()
    }

    fn acceptor(&self, name: &str, more: &str) -> Acceptor {
        let ServerOptions::Ssl(options) = format!("ssl:certuser={name},port=1,{more}").parse().unwrap() else {
            panic!("ssl")
        };
        // Whether it is for servers is for the client to see here.
        Acceptor::with_identity(&options.tls, self.identity(name, Role::Client)).unwrap()
    }

    fn connector(&self, shown: Option<&str>, more: &str) -> Connector {
        let ClientOptions::Ssl(options) = format!("ssl:port=1,{more}").parse().unwrap() else { panic!("ssl") };
        let identity = shown.map(|name| self.identity(name, Role::Client));
        Connector::with_identity(&options.tls, identity, &options.server).unwrap()
    }
}

/// What the two sides come to.
type Outcome = (io::Result<TlsStream<DuplexStream>>, io::Result<TlsStream<DuplexStream>>);

async fn shake(acceptor: &Acceptor, connector: &Connector) -> Outcome {
    let (near, far) = duplex(1 << 20);
    tokio::join!(connector.connect(near), acceptor.accept(far))
}

/// Both sides talk, and each learns of the other's refusal.
async fn talk(acceptor: &Acceptor, connector: &Connector) -> Result<(), [String; 2]> {
    let (near, far) = duplex(1 << 20);
    let client = async { say(connector.connect(near).await?).await };
    let server = async { say(acceptor.accept(far).await?).await };
    match tokio::join!(client, server) {
        (Ok(()), Ok(())) => Ok(()),
        (client, server) => {
            Err([client, server].map(|outcome| outcome.err().map_or_else(String::new, |error| error.to_string())))
        }
    }
}

async fn say(mut stream: TlsStream<DuplexStream>) -> io::Result<()> {
    stream.write_all(b"$qC#b4").await?;
    stream.flush().await?;
    let mut heard = [0; 6];
    stream.read_exact(&mut heard).await?;
    assert_eq!(heard, *b"$qC#b4");
    Ok(())
}

/// What the client's user and the server's log read.
#[track_caller]
fn assert_refused(outcome: Result<(), [String; 2]>, client: &str, server: &str) {
    let [at_client, at_server] = outcome.unwrap_err();
    assert!(at_client.contains(client) && at_server.contains(server), "{at_client:?} {at_server:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn both_versions_carry_bytes_and_bind_both_sides_to_one_connection() {
    let folder = Folder::new();
    let thumbprint = folder.self_signed("app").sha256;
    for (proto, version) in [("tls1.2", "TLS 1.2"), ("tls1.3", "TLS 1.3"), ("tls1", "TLS 1.3")] {
        let acceptor = folder.acceptor("app", &format!("proto={proto}"));
        let connector = folder.connector(None, &format!("proto={proto},server=localhost,thumbprint={thumbprint}"));
        let mut bindings = Vec::new();
        for _ in 0..2 {
            let (client, server) = shake(&acceptor, &connector).await;
            let (client, server) = (client.unwrap(), server.unwrap());
            assert_eq!((client.version(), server.version()), (version, version));
            assert_eq!(client.channel_binding(), server.channel_binding());
            bindings.push(client.channel_binding());
        }
        assert_ne!(bindings[0], bindings[1], "another connection, another binding");
        talk(&acceptor, &connector).await.unwrap();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn versions_that_do_not_meet_are_told_on_both_sides() {
    let folder = Folder::new();
    let thumbprint = folder.self_signed("app").sha1;
    for (server, client) in [("tls1.2", "tls1.3"), ("tls1.3", "tls1.2")] {
        let acceptor = folder.acceptor("app", &format!("proto={server}"));
        let connector = folder.connector(None, &format!("proto={client},server=localhost,thumbprint={thumbprint}"));
        assert_refused(talk(&acceptor, &connector).await, "no version of TLS is spoken by both", "in common");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_pinned_server_may_have_any_name_and_no_other_certificate() {
    let folder = Folder::new();
    let (pinned, other) = (folder.self_signed("app"), folder.self_signed("other"));
    let acceptor = folder.acceptor("app", "proto=tls1");
    for thumbprint in [pinned.sha1, pinned.sha256] {
        let connector = folder.connector(None, &format!("proto=tls1,server=box17,thumbprint={thumbprint}"));
        talk(&acceptor, &connector).await.unwrap();
    }
    let connector = folder.connector(None, &format!("proto=tls1,server=localhost,thumbprint={}", other.sha1));
    let found = format!("it has the thumbprint {}, and `thumbprint` asks for {}", pinned.sha1, other.sha1);
    assert_refused(talk(&acceptor, &connector).await, &found, "does not take this side's certificate");
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_is_known_by_its_authority_its_name_and_its_use() {
    let folder = Folder::new();
    folder.signed("app", &[ExtendedKeyUsagePurpose::ServerAuth], "localhost");
    let acceptor = folder.acceptor("app", "proto=tls1");
    let at = |server: &str, ca: &Path| format!("proto=tls1,server={server},cafile={}", ca.display());
    talk(&acceptor, &folder.connector(None, &at("localhost", &folder.path("ca.ca")))).await.unwrap();
    let wrong_name = folder.connector(None, &at("box17", &folder.path("ca.ca")));
    assert_refused(talk(&acceptor, &wrong_name).await, "not valid for name", "does not take");
    let other = Folder::new();
    other.signed("app", &[ExtendedKeyUsagePurpose::ClientAuth], "localhost");
    let wrong_authority = folder.connector(None, &at("localhost", &other.path("ca.ca")));
    assert_refused(talk(&acceptor, &wrong_authority).await, "allowed: cafile=PATH", "does not take");
    let wrong_use = other.connector(None, &at("localhost", &other.path("ca.ca")));
    let acceptor = other.acceptor("app", "proto=tls1");
    assert_refused(talk(&acceptor, &wrong_use).await, "for something else", "does not take");
}

#[tokio::test(flavor = "current_thread")]
async fn a_self_signed_certificate_is_its_own_authority() {
    let folder = Folder::new();
    folder.self_signed("app");
    let acceptor = folder.acceptor("app", "proto=tls1");
    for server in ["localhost", "127.0.0.1"] {
        let more = format!("proto=tls1,server={server},cafile={}", folder.path("app.pem").display());
        talk(&acceptor, &folder.connector(None, &more)).await.unwrap();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_asks_for_a_certificate_takes_its_authoritys_only() {
    let folder = Folder::new();
    let thumbprint = folder.self_signed("app").sha1;
    folder.signed("ann", &[ExtendedKeyUsagePurpose::ClientAuth], "ann");
    for proto in ["tls1.2", "tls1.3"] {
        let more = format!("proto={proto},clientca={}", folder.path("ca.ca").display());
        let acceptor = folder.acceptor("app", &more);
        let server = format!("proto={proto},server=localhost,thumbprint={thumbprint}");
        let (_client, stream) = shake(&acceptor, &folder.connector(Some("ann"), &server)).await;
        assert_eq!(stream.unwrap().peer_certificate().unwrap().common_name, "ann");
        let none = talk(&acceptor, &folder.connector(None, &server)).await;
        assert_refused(none, "certificate", "shows no certificate; `clientca` asks for one");
        let stranger = talk(&acceptor, &folder.connector(Some("app"), &server)).await;
        assert_refused(stranger, "it does not take this side's certificate", "the client's certificate is refused");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_certificate_that_nobody_asks_for_is_not_shown() {
    let folder = Folder::new();
    let thumbprint = folder.self_signed("app").sha1;
    let acceptor = folder.acceptor("app", "proto=tls1");
    let connector = folder.connector(Some("app"), &format!("proto=tls1,server=localhost,thumbprint={thumbprint}"));
    talk(&acceptor, &connector).await.unwrap();
    assert!(shake(&acceptor, &connector).await.1.unwrap().peer_certificate().is_none());
}

#[tokio::test(flavor = "current_thread")]
async fn who_does_not_speak_tls_is_told_apart() {
    let folder = Folder::new();
    folder.self_signed("app");
    let (mut client, stream) = duplex(4096);
    client.write_all(b"+$qSupported#37").await.unwrap();
    let error = folder.acceptor("app", "proto=tls1").accept(stream).await.unwrap_err();
    assert!(error.to_string().contains("the client does not speak TLS"), "{error}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_client_that_says_nothing_or_half_of_it_is_not_waited_for_for_ever() {
    let folder = Folder::new();
    folder.self_signed("app");
    for said in [&b""[..], b"\x16\x03\x01\x02\x00"] {
        let (mut client, stream) = duplex(4096);
        client.write_all(said).await.unwrap();
        let error = folder.acceptor("app", "proto=tls1").accept(stream).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}

#[test]
fn authorities_that_cannot_be_had_are_refused_by_the_parameters_name() {
    let folder = Folder::new();
    folder.self_signed("app");
    let empty = folder.path("empty.ca");
    fs::write(&empty, "").unwrap();
    for (file, reason) in [(empty, "there is no certificate in"), (folder.path("missing"), "cannot read")] {
        let server = format!("ssl:proto=tls1,certuser=app,port=1,clientca={}", file.display());
        let client = format!("ssl:proto=tls1,server=a,port=1,cafile={}", file.display());
        let ServerOptions::Ssl(server) = server.parse().unwrap() else { panic!("ssl") };
        let ClientOptions::Ssl(client) = client.parse().unwrap() else { panic!("ssl") };
        let identity = folder.identity("app", Role::Server);
        let error = Acceptor::with_identity(&server.tls, identity).unwrap_err().to_string();
        assert!(error.contains("`clientca`") && error.contains(reason), "{error}");
        let error = Connector::new(&client.tls, &client.server).unwrap_err().to_string();
        assert!(error.contains("`cafile`") && error.contains(reason), "{error}");
    }
}
