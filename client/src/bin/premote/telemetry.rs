//! Logs, on stderr.

use std::io::{self, IsTerminal};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

/// Starts logging for `-v` given `count` times. Without it nothing is logged: what the user must know is printed.
pub(crate) fn start(count: u8) {
    let ours = match count {
        0 => return,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let filter = Targets::new().with_default(LevelFilter::INFO).with_targets([("dbgsrv", ours), ("premote", ours)]);
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(colour).with_target(false);
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
    // Fails only where a subscriber is set already, and nothing else sets one.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
