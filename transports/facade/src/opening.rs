//! `IcfEnable`: the way through the firewall of this machine.

use crate::endpoint::{Endpoint, Place};
use crate::{BindError, Listener};
use dbgsrv_firewall::{Opened, open};

impl Endpoint {
    /// Opens the firewall for `listener`, bound to this, where that was asked for; `None` where it was not. Nobody closes it
    /// again. Blocks for as long as the firewall's tools take.
    ///
    /// A pipe is a file, and one of another machine comes through its ssh; what listens at loopback addresses no other
    /// machine reaches either. For those nothing is opened.
    ///
    /// # Errors
    /// [`BindError::Firewall`], with the port that stays closed.
    pub fn open_firewall(&self, listener: &Listener) -> Result<Option<Opened>, BindError> {
        let asked = match &self.place {
            Place::Tcp(tcp) => tcp.icf_enable,
            Place::Pipe(pipe) => pipe.icf_enable,
            Place::TcpReverse(_) | Place::Serial(_) | Place::Ssl(_) | Place::SslReverse(_) | Place::SecurePipe(_) => {
                false
            }
        };
        if !asked {
            return Ok(None);
        }
        let Listener::Tcp(bound) = listener else { return Ok(Some(Opened::ThisMachine)) };
        if listener.outer_addresses().is_empty() {
            return Ok(Some(Opened::ThisMachine));
        }
        let port = bound.port();
        open(port).map(Some).map_err(|source| BindError::Firewall { port, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Option<Opened> {
        let endpoint = Endpoint::new(&text.parse().unwrap()).unwrap();
        endpoint.open_firewall(&endpoint.bind().unwrap()).unwrap()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn for_what_no_other_machine_reaches_no_firewall_is_asked() {
        let pipe = format!("npipe:pipe=opening-{},IcfEnable", std::process::id());
        for text in [pipe.as_str(), "tcp:port=0,bind=127.0.0.1,IcfEnable", "tcp:port=0,bind=[::1],IcfEnable"] {
            assert_eq!(opened(text), Some(Opened::ThisMachine), "{text}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn nothing_is_opened_that_nobody_asked_for() {
        assert_eq!(opened("tcp:port=0,open"), None);
    }
}
