//! Logs, on stderr.

use std::collections::HashSet;
use std::fmt::{self, Write};
use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, SubscriberExt};

/// Most warnings that are remembered as told. Further ones are told each time.
const MAX_TOLD: usize = 64;

/// Starts logging for `-v` given `count` times. Without it the user is told what there is to be warned of, each thing once.
pub(crate) fn start(count: u8) {
    let ours = match count {
        0 => LevelFilter::WARN,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let others = if count == 0 { LevelFilter::OFF } else { LevelFilter::INFO };
    let filter = Targets::new().with_default(others).with_targets([("dbgsrv", ours), ("premote", ours)]);
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer = match count {
        0 => Warnings::default().boxed(),
        _ => tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(colour).with_target(false).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
    // Fails only where a subscriber is set already, and nothing else sets one.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Tells warnings in premote's own voice, each once.
#[derive(Debug, Default)]
struct Warnings {
    told: Mutex<HashSet<String>>,
}

impl Warnings {
    /// Whether this has not been told.
    fn is_new(&self, text: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MAX_TOLD { !told.contains(text) } else { told.insert(text.to_owned()) }
    }
}

impl<S: Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let text = text.to_string();
        if self.is_new(&text) {
            eprintln!("premote: warning: {text}");
        }
    }
}

/// An event in words: its message, and what it is about.
#[derive(Debug, Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            let separator = if self.fields.is_empty() { "" } else { ", " };
            write!(self.fields, "{separator}{}: {value:?}", field.name())
        };
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fields.as_str() {
            "" => f.write_str(&self.message),
            fields => write!(f, "{} ({fields})", self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_told_once() {
        let warnings = Warnings::default();
        assert!(warnings.is_new("the port is gone") && warnings.is_new("the file is open"));
        assert!(!warnings.is_new("the port is gone"));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let warnings = Warnings::default();
        assert!((0..10 * MAX_TOLD).all(|number| warnings.is_new(&number.to_string())));
        assert_eq!(warnings.told.lock().unwrap().len(), MAX_TOLD);
        assert!(!warnings.is_new("0"));
    }
}
