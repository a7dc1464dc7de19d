//! Which certificate a connection string means, and what keeps it from being used: `certuser`, `machuser`, `proto`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use dbgsrv_tests::certificates::Certificates;
use dbgsrv_tests::premote;
use dbgsrv_tests::process::Owned;
use dbgsrv_tests::server::dbgsrv;
use nix::unistd::geteuid;

/// The exit status for what is wrong with a command line.
const USAGE: i32 = 2;

#[track_caller]
fn assert_refused(certificates: &Certificates, transport: &str, parts: &[&str]) {
    let (status, error) = certificates.refused(transport);
    assert_eq!(status, Some(USAGE), "{error}");
    assert!(error.contains("-t: ") && parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn table_2_4_proto_names_what_is_spoken_and_dead_protocols_are_refused_with_the_reason() {
    let certificates = Certificates::new();
    for (proto, reason) in [
        ("ssl2", "RFC 6176"),
        ("ssl3", "RFC 7568"),
        ("pct1", "no system supports any more"),
        ("tls1.1", "RFC 8996"),
        ("tls9", "is not a protocol"),
    ] {
        for rest in ["certuser=app,port=0", "certuser=app,port=1,clicon=localhost"] {
            assert_refused(&certificates, &format!("ssl:proto={proto},{rest}"), &["`proto`", reason, "allowed: tls1"]);
        }
        assert_refused(&certificates, &format!("spipe:proto={proto},certuser=app,pipe=app"), &["`proto`", reason]);
        let client = format!("ssl:proto={proto},server=localhost,port=1");
        let error = certificates.run(&[&client, "info"]);
        assert!(error.status == USAGE && error.stderr.contains(reason), "{error:#?}");
    }
}

#[test]
fn table_2_4_certuser_finds_a_name_or_a_thumbprint_in_the_users_store() {
    let certificates = Certificates::new();
    certificates.sign("app", "serverAuth", 30);
    let pin = certificates.thumbprint("app");
    for id in ["app", "CN=app", &pin.replace(':', ""), &pin.replace(':', " ")] {
        // Quoted for the shell that starts it.
        let server = certificates.serve(&format!("'ssl:proto=tls1,certuser={id},port=0'"));
        server.assert_logs("listening on ssl port");
    }
}

#[test]
fn table_2_4_machuser_finds_it_in_the_machines_store() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can have another /etc");
        return;
    }
    let certificates = Certificates::new();
    certificates.sign("app", "serverAuth", 30);
    let machine = certificates.path("etc/dbgsrv");
    fs::create_dir_all(&machine).expect("there is room for folders");
    fs::rename(certificates.store(), machine.join("certificates")).expect("it is one file system");
    assert_refused(&certificates, "ssl:proto=tls1,machuser=app,port=0", &["`machuser`", "(/etc/dbgsrv/certificates)"]);
    // A mount namespace of its own, in which /etc has the store and nothing else.
    let script = "mount --bind \"$0\" /etc && exec \"$1\" -t ssl:proto=tls1,machuser=app,port=0";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(certificates.path("etc")).arg(dbgsrv());
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    let _server = Owned::spawn(command.stdout(writer));
    drop(command);
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(reader), &mut line).expect("it writes text");
    assert!(line.contains("listening on ssl port"), "{line}");
}

#[test]
fn a_certificate_that_is_not_there_is_told_with_the_store_and_what_is_there() {
    let certificates = Certificates::new();
    certificates.sign("other", "serverAuth", 30);
    let store = format!("the user's store ({})", certificates.store().display());
    assert_refused(
        &certificates,
        "ssl:proto=tls1,certuser=app,port=0",
        &["`certuser`", &store, "`app`", "allowed: `other`"],
    );
    let thumbprint = "ab".repeat(20);
    assert_refused(&certificates, &format!("spipe:proto=tls1,certuser={thumbprint},pipe=a"), &[&store, &thumbprint]);
    let client = format!("ssl:proto=tls1,certuser=app,server=localhost,port=1,thumbprint={thumbprint}");
    let outcome = certificates.run(&[&client, "info"]);
    assert!(outcome.status == USAGE && outcome.stderr.contains(&store), "{outcome:#?}");
}

#[test]
fn a_certificate_that_expired_or_is_not_for_servers_or_whose_key_is_another_is_refused() {
    let certificates = Certificates::new();
    certificates.sign("old", "serverAuth", -1);
    certificates.sign("client", "clientAuth", 30);
    certificates.sign("app", "serverAuth", 30);
    certificates.sign("swapped", "serverAuth", 30);
    let file = |name: &str| certificates.store().join(name);
    fs::copy(file("app.key"), file("swapped.key")).expect("there is room");
    for (name, reason) in [
        ("old", "it expired on 2"),
        ("client", "it is not for servers; allowed: one whose extended key usage has serverAuth"),
        ("swapped", "is another certificate's"),
    ] {
        assert_refused(&certificates, &format!("ssl:proto=tls1,certuser={name},port=0"), &["`certuser`", reason]);
    }
}

#[test]
fn a_name_that_two_certificates_have_is_refused_with_both_thumbprints() {
    let certificates = Certificates::new();
    certificates.sign("app", "serverAuth", 30);
    let first = certificates.thumbprint("app");
    for extension in ["crt", "key"] {
        let file = |name: &str| certificates.store().join(format!("{name}.{extension}"));
        fs::rename(file("app"), file("first")).expect("it is there");
    }
    certificates.sign("app", "serverAuth", 30);
    assert_refused(&certificates, "ssl:proto=tls1,certuser=app,port=0", &["several", "allowed: one thumbprint, of "]);
    certificates.serve(&format!("ssl:proto=tls1,certuser={first},port=0")).assert_logs("listening on ssl");
}

#[test]
fn a_key_that_every_user_can_read_is_refused_with_what_to_do() {
    let certificates = Certificates::new();
    certificates.sign("app", "serverAuth", 30);
    let key = certificates.store().join("app.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("it is ours");
    let advice = format!("allowed: chmod 600 {}", key.display());
    assert_refused(&certificates, "ssl:proto=tls1,certuser=app,port=0", &[&advice, "(mode 0644)"]);
}

#[test]
fn cert_new_makes_what_servers_show_and_clients_pin() {
    let certificates = Certificates::new();
    let made = certificates.run(&["cert", "new", "--name", "app", "--host", "box17", "--days", "7"]).success();
    let field = |name: &str| {
        let line = made.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{made}"));
        line.trim().to_owned()
    };
    let path = certificates.store().join("app.pem");
    assert_eq!(field("certificate:"), path.display().to_string());
    assert!(field("hosts:").contains("localhost") && field("hosts:").contains("box17"), "{made}");
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    let server = certificates.serve("ssl:proto=tls1,certuser=app,port=0");
    let client = field("client:");
    let connection = client.split(' ').nth(1).expect("it names the server");
    let (before, after) = connection.split_once("port=5005").expect("an example");
    let (_, host) = before.split_once("server=").expect("it names the server");
    let before = before.replace(host, "localhost,");
    assert!(certificates.run(&[&format!("{before}port={}{after}", server.port()), "info"]).success().contains("TLS"));
    let list = certificates.run(&["cert", "list"]).success();
    assert!(list.contains("app.pem") && list.contains(&field("SHA-1:")), "{list}");
    let json = certificates.run(&["cert", "list", "--json"]).success();
    assert!(json.contains(&format!("\"sha256\": \"{}\"", field("SHA-256:"))), "{json}");
}

#[test]
fn cert_new_writes_nothing_over_and_refuses_what_it_cannot_make() {
    let certificates = Certificates::new();
    let out = certificates.path("out");
    let folder = out.to_str().expect("the folder for temporary files has a plain name");
    let made = certificates.run(&["cert", "new", "--name", "app", "--out", folder]).success();
    assert!(made.contains("copy it to:") && out.join("app.pem").exists(), "{made}");
    let again = certificates.run(&["cert", "new", "--name", "app", "--out", folder]).failure(1);
    assert!(again.contains("is there already; allowed: another name"), "{again}");
    for (arguments, part) in [
        (&["--name", "a/b"][..], "cannot be the name of a file"),
        (&["--name", "app", "--days", "99999999"], "allowed: an end before the year 10000"),
    ] {
        let error = certificates.run(&[&["cert", "new"], arguments].concat()).failure(1);
        assert!(error.contains(part), "{error}");
    }
    for arguments in
        [&["--host", "a b"][..], &["--name", &"ab".repeat(20)], &["--machine", "--out", folder], &["--days", "x"]]
    {
        let outcome = premote::run(&[&["cert", "new"], arguments].concat());
        assert_eq!(outcome.status, USAGE, "{outcome:#?}");
    }
}
