//! Failures of TLS in words for who has to do something about them.

use rustls::{AlertDescription, CertificateError, Error};
use std::io;

/// Which side speaks of the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    /// What this side calls the other.
    const fn other(self) -> &'static str {
        match self {
            Self::Client => "the server",
            Self::Server => "the client",
        }
    }
}

/// The same error in words of its own, where it is one of TLS.
pub(crate) fn explain(side: Side, error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(inner) => io::Error::new(error.kind(), words(side, inner)),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), format!("{} closed the connection in the middle of TLS", side.other()))
        }
        None => error,
    }
}

fn words(side: Side, error: &Error) -> String {
    let other = side.other();
    match error {
        Error::InvalidMessage(_) => format!("{other} does not speak TLS, or breaks it: {error}"),
        Error::PeerIncompatible(_) => {
            format!("{other} has no version or ciphers of TLS in common with this side: {error}")
        }
        Error::NoCertificatesPresented => format!("{other} shows no certificate; `clientca` asks for one"),
        Error::InvalidCertificate(problem) => format!("{other}'s certificate is refused: {}", refusal(problem)),
        Error::AlertReceived(alert) => format!("{other} gave up: {}", complaint(side, *alert)),
        _ => error.to_string(),
    }
}

fn refusal(problem: &CertificateError) -> String {
    match problem {
        // An authority of the same name with another key counts as unknown.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "no authority that is trusted here has signed it; allowed: cafile=PATH \
             with its authority, or thumbprint=DIGITS for it alone"
                .into()
        }
        CertificateError::Other(reason) => reason.0.to_string(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its extended key usage is for something else".into()
        }
        problem => problem.to_string(),
    }
}

/// What the other side complains about (RFC 8446, section 6.2).
fn complaint(side: Side, alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    match alert {
        Alert::ProtocolVersion => "no version of TLS is spoken by both sides; allowed: the same `proto` on both".into(),
        Alert::HandshakeFailure => {
            "the two sides have no ciphers in common, or it wants a certificate that this side has not shown".into()
        }
        Alert::CertificateRequired if side == Side::Client => {
            "it wants a certificate; allowed: certuser=NAME or machuser=NAME".into()
        }
        Alert::UnknownCA
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateExpired
        | Alert::CertificateRevoked
        | Alert::CertificateUnknown
        | Alert::DecryptError
        | Alert::AccessDenied => format!("it does not take this side's certificate ({alert:?})"),
        alert => format!("{alert:?}"),
    }
}
