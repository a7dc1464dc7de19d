//! Connection strings: what stands after `dbgsrv -t` and after `premote`.
//!
//! ```text
//! string    = transport ":" parameter *( "," parameter )
//! parameter = name [ "=" value ]
//! value     = plain / quoted
//! plain     = *( any character but "," )       ; does not start with a double quote
//! quoted    = <"> *( any character but <"> / <"><"> ) <">
//! ```
//!
//! Names of transports and parameters are case-insensitive, values are not. The order of parameters is free. A value
//! that holds a comma or starts with a double quote is quoted, and a quote within is doubled. Both ends share the
//! grammar and most parameters, but not all: a server has [`ServerOptions`], a client [`ClientOptions`]. The structs in
//! [`server`] and [`client`] are the table of what each transport admits: a field names its parameters, and its type
//! says what they hold and whether they may be left out.
//!
//! Nothing is looked up here: names are not resolved, files not read, certificates not found.
//!
//! ```
//! use dbgsrv_protocol::options::{ServerOptions, Transport};
//!
//! let options: ServerOptions = "TCP:Port=51:60,password=Secret1".parse()?;
//! assert_eq!(options.transport(), Transport::Tcp);
//! assert_eq!(options.to_string(), "tcp:port=51:60,password=Secret1");
//! assert_eq!(options.redacted().to_string(), "tcp:port=51:60,password=***");
//!
//! let error = "tcp:port=70000".parse::<ServerOptions>().unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "parameter `port` of tcp: `70000` is not a port; \
//!      allowed: 1 to 65535, a range LOW:HIGH, or 0 for any free port",
//! );
//! # Ok::<(), dbgsrv_protocol::options::OptionsError>(())
//! ```

#[macro_use]
mod form;
#[macro_use]
mod name;
#[macro_use]
mod value;

mod access;
mod address;
mod certificate;
pub mod client;
mod display;
mod error;
mod grammar;
mod host;
mod linger;
pub mod listing;
mod parameter;
mod password;
mod pipe_name;
mod port;
mod serial;
pub mod server;
mod streams;
mod suggest;
mod tls;
mod transport;

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[cfg(test)]
mod tests;

pub use access::{FileMode, GroupName};
pub use address::{Address, IpVersion, ListenOn, Zone};
pub use certificate::{CertificateId, CertificateName, CertificateSelector, CertificateStore, Thumbprint, Trust};
pub use client::ClientOptions;
pub use display::Redacted;
pub use error::{FormName, OptionsError};
pub use grammar::{SyntaxError, SyntaxProblem};
pub use host::{Host, HostName, PipeHost, UserName};
pub use linger::Linger;
pub use listing::ListedServer;
pub use parameter::Parameter;
pub use password::{Password, PasswordSource, VariableName, split_before_password};
pub use pipe_name::{PipeName, PipeTemplate};
pub use port::{ListenPort, Port, PortRange};
pub use serial::{Baud, Channel, ComNumber, DevicePath, SerialPort};
pub use server::ServerOptions;
pub use streams::StandardStreams;
pub use tls::TlsProtocol;
pub use transport::Transport;
pub use value::{FilePath, ValueError};

/// Longest connection string accepted, in bytes.
///
/// What parses is at most a few copies of this in memory. Every value has its own, smaller limit, so that whatever
/// options print is within this one.
pub const MAX_LENGTH: usize = 8192;
