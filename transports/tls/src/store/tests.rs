use super::*;
use crate::SelfSigned;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

const DAY: i64 = 24 * 3600;

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(CertificateStore::User, folder.path().join("certificates"));
    (folder, store)
}

fn save(store: &Store, name: &str, file: &str) -> Certificate {
    let made = SelfSigned::new(name, vec!["localhost".into()], 30).unwrap();
    made.save(store, file).unwrap();
    made.certificate().clone()
}

fn id(text: &str) -> CertificateId {
    match text.parse() {
        Ok(thumbprint) => CertificateId::Thumbprint(thumbprint),
        Err(_) => CertificateId::Name(text.parse().unwrap()),
    }
}

fn found(store: &Store, wanted: &str) -> Result<Certificate, String> {
    found_at(store, wanted, now())
}

fn found_at(store: &Store, wanted: &str, now: i64) -> Result<Certificate, String> {
    let found = store.find_at(&id(wanted), Role::Server, now);
    found.map(|identity| identity.certificate).map_err(|error| error.to_string())
}

#[track_caller]
fn assert_refused(store: &Store, wanted: &str, parts: &[&str]) {
    let error = found(store, wanted).unwrap_err();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn a_certificate_is_found_by_its_subject_and_by_either_thumbprint() {
    let (_folder, store) = store();
    let certificate = save(&store, "app", "a");
    save(&store, "other", "b");
    let spaced: Vec<String> = certificate.sha1.bytes().iter().map(|byte| format!("{byte:02X}")).collect();
    for wanted in
        ["app", "APP", "CN=app", &certificate.sha1.to_string(), &certificate.sha256.to_string(), &spaced.join(" ")]
    {
        assert_eq!(found(&store, wanted).as_ref(), Ok(&certificate), "{wanted}");
    }
}

#[test]
fn what_is_not_there_is_told_with_the_store_and_what_is_there() {
    let (_folder, store) = store();
    assert_refused(&store, "app", &["`certuser`: cannot read the user's store", "certificates)"]);
    save(&store, "other", "b");
    assert_refused(&store, "app", &["no certificate in the user's store", "for the subject `app`", "allowed: `other`"]);
    let thumbprint = "ab".repeat(20);
    assert_refused(&store, &thumbprint, &[&format!("with the thumbprint {thumbprint}")]);
}

#[test]
fn a_name_that_several_have_is_refused_with_the_thumbprints_to_choose_from() {
    let (_folder, store) = store();
    let both = [save(&store, "app", "a"), save(&store, "app", "b")];
    assert_refused(&store, "app", &[&both[0].sha1.to_string(), &both[1].sha1.to_string(), "allowed: one thumbprint"]);
    assert_eq!(found(&store, &both[1].sha1.to_string()).as_ref(), Ok(&both[1]));
}

#[test]
fn one_that_can_be_used_is_taken_before_one_that_cannot() {
    let (_folder, store) = store();
    let made = SelfSigned::new("app", Vec::new(), 1).unwrap();
    made.save(&store, "a").unwrap();
    let later = save(&store, "app", "b");
    assert_eq!(found_at(&store, "app", now() + 2 * DAY).as_ref(), Ok(&later));
}

#[test]
fn the_same_certificate_in_two_files_is_one() {
    let (_folder, store) = store();
    let made = SelfSigned::new("app", Vec::new(), 1).unwrap();
    for file in ["a", "b"] {
        made.save(&store, file).unwrap();
    }
    assert_eq!(found(&store, "app").as_ref(), Ok(made.certificate()));
}

#[test]
fn one_that_is_not_valid_today_is_refused_with_the_day() {
    let (_folder, store) = store();
    let certificate = save(&store, "app", "a");
    let error = found_at(&store, "app", certificate.not_after + 1).unwrap_err();
    assert!(error.contains("it expired on 2") && error.contains("a.pem"), "{error}");
    let error = found_at(&store, "app", certificate.not_before - 1).unwrap_err();
    assert!(error.contains("it is valid from 2"), "{error}");
}

/// Splits what was saved into a certificate and a key in files of their own.
fn split(store: &Store, name: &str, key_of: &str) {
    let content = |file: &str| fs::read_to_string(store.folder().join(format!("{file}.pem"))).unwrap();
    let (certificate, key) = (content(name), content(key_of));
    let at = |text: &str| text.find("-----BEGIN PRIVATE").unwrap();
    fs::write(store.folder().join("split.crt"), &certificate[..at(&certificate)]).unwrap();
    let path = store.folder().join("split.key");
    fs::write(&path, &key[at(&key)..]).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_key_may_be_in_a_file_of_its_own_and_has_to_be_the_certificates() {
    let (_folder, store) = store();
    let certificate = save(&store, "app", "a");
    save(&store, "other", "b");
    split(&store, "a", "b");
    fs::remove_file(store.folder().join("a.pem")).unwrap();
    assert_refused(&store, "app", &["split.crt", "split.key is another certificate's"]);
    fs::remove_file(store.folder().join("split.key")).unwrap();
    assert_refused(&store, "app", &["split.crt", "cannot read the private key"]);
    let (_other_folder, other) = self::store();
    let made = save(&other, "app", "a");
    split(&other, "a", "a");
    fs::remove_file(other.folder().join("a.pem")).unwrap();
    assert_eq!(found(&other, "app").as_ref(), Ok(&made));
    assert_ne!(made, certificate);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let (_folder, store) = store();
    save(&store, "app", "a");
    let path = store.folder().join("a.pem");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert_refused(&store, "app", &["every user of this machine", "(mode 0644)", "allowed: chmod 600"]);
}

#[test]
fn a_file_without_a_key_or_with_an_encrypted_one_is_refused() {
    let (_folder, store) = store();
    save(&store, "app", "a");
    let path = store.folder().join("a.pem");
    let content = fs::read_to_string(&path).unwrap();
    let (certificate, key) = content.split_at(content.find("-----BEGIN PRIVATE").unwrap());
    fs::write(&path, certificate).unwrap();
    assert_refused(&store, "app", &["no private key"]);
    fs::write(&path, certificate.to_owned() + &key.replace("PRIVATE", "ENCRYPTED PRIVATE")).unwrap();
    assert_refused(&store, "app", &["is encrypted"]);
}

#[test]
fn files_that_are_no_certificates_are_passed_over() {
    let (_folder, store) = store();
    let certificate = save(&store, "app", "b");
    fs::write(store.folder().join("a.pem"), "nonsense").unwrap();
    fs::write(store.folder().join("c.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    fs::write(store.folder().join("notes.txt"), "app").unwrap();
    assert_eq!(found(&store, "app").as_ref(), Ok(&certificate));
    assert_eq!(store.entries().unwrap().len(), 1);
}

#[test]
fn a_file_that_is_there_is_not_written_over() {
    let (_folder, store) = store();
    let made = SelfSigned::new("app", Vec::new(), 1).unwrap();
    made.save(&store, "a").unwrap();
    let error = made.save(&store, "a").unwrap_err().to_string();
    assert!(error.contains("a.pem is there already"), "{error}");
    for name in ["", ".", "..", "a/b", ".hidden"] {
        assert!(made.save(&store, name).unwrap_err().to_string().contains("name of a file"), "{name}");
    }
}
