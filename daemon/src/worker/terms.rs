//! What a session may do, and what is known of its client, beside its stream.

use super::session::SessionError;
use dbgsrv_protocol::options::StandardStreams;
use dbgsrv_protocol::options::server::Session as Options;
use std::fmt;
use std::str::FromStr;

/// The terms of one session, as a line of its worker's arguments.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Terms {
    /// It runs over a channel: its client is behind `premote`, or a library.
    pub channel: bool,
    /// Clients may run shell commands.
    pub shell: bool,
    /// What programs that it starts write to and read from; `None`: it depends on the client.
    pub streams: Option<StandardStreams>,
}

impl Terms {
    /// What a connection string says.
    pub(crate) fn of(options: &Options) -> Self {
        Self { channel: false, shell: options.shell, streams: options.streams }
    }

    /// The same for a session over a channel.
    pub(crate) fn over_channel(self) -> Self {
        Self { channel: true, ..self }
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.channel { "channel," } else { "" }, if self.shell { "shell," } else { "" })?;
        self.streams.map_or(Ok(()), |streams| write!(f, "stdio={streams},"))
    }
}

impl FromStr for Terms {
    type Err = SessionError;

    fn from_str(text: &str) -> Result<Self, SessionError> {
        let items = text.split(',').filter(|item| !item.is_empty());
        items.into_iter().try_fold(Self::default(), |terms, item| match item {
            "channel" => Ok(Self { channel: true, ..terms }),
            "shell" => Ok(Self { shell: true, ..terms }),
            _ => {
                let streams = item.strip_prefix("stdio=").and_then(|streams| streams.parse().ok());
                streams.map(|streams| Self { streams: Some(streams), ..terms }).ok_or(SessionError::Argument("terms="))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_read_back_as_written() {
        for channel in [false, true] {
            for shell in [false, true] {
                for streams in [None, Some(StandardStreams::Client), Some(StandardStreams::Server)] {
                    let terms = Terms { channel, shell, streams };
                    assert_eq!(terms.to_string().parse::<Terms>().unwrap(), terms, "{terms}");
                }
            }
        }
        assert!("shell,root".parse::<Terms>().is_err() && "stdio=".parse::<Terms>().is_err());
    }
}
