//! Logs: one line per event on stderr, as text for people or as JSON for machines.
//!
//! The front and the session workers write to the same stderr in the same form. Every line about a client carries the
//! span it belongs to: `connection` with the peer, `session` with its id.

use std::fmt::{self, Write};
use std::io::{self, IsTerminal};
use std::str::FromStr;
use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

/// What a log line looks like.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For reading; coloured on a terminal unless `NO_COLOR` is set.
    #[default]
    Text,
}

impl LogFormat {
    /// The name in `--log-format`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }

    /// The format called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Json, Self::Text].into_iter().find(|format| format.name() == name)
    }
}

/// What is logged, and how. Its text form, `FORMAT:FILTER`, tells a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct LogOptions {
    /// What a line looks like.
    pub format: LogFormat,
    /// The lowest level to log, for each module.
    pub filter: Targets,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { format: LogFormat::default(), filter: Targets::new().with_default(LevelFilter::INFO) }
    }
}

impl fmt::Display for LogOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.format.name(), self.filter)
    }
}

impl FromStr for LogOptions {
    type Err = LogOptionsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, filter) = text.split_once(':').ok_or(LogOptionsError::Format)?;
        let format = LogFormat::from_name(format).ok_or(LogOptionsError::Format)?;
        Ok(Self { format, filter: filter.parse()? })
    }
}

/// A text is not the text form of [`LogOptions`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogOptionsError {
    /// What follows the format is not a filter.
    #[error("not a log filter: {0}")]
    Filter(#[from] ParseError),
    /// No format comes first.
    #[error("not a log format and a filter: expected text:FILTER or json:FILTER")]
    Format,
}

/// The filter for `-v` given `count` times: debug for our own modules, then trace.
#[must_use]
pub fn verbose_filter(count: u8) -> Targets {
    let ours = match count {
        0 => LevelFilter::INFO,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    Targets::new().with_default(LevelFilter::INFO).with_target("dbgsrv", ours)
}

/// Starts logging for this process. Only the first call has an effect.
pub fn start(options: &LogOptions) {
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match options.format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
        LogFormat::Text => {
            let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            lines.with_ansi(colour).with_target(false).fmt_fields(debug_fn(write_field).delimited(" ")).boxed()
        }
    };
    let subscriber = Registry::default().with(lines.with_filter(options.filter.clone()));
    // Fails only where a subscriber is set already, by a host program or an earlier call: then that one stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Writes one field of a text line. Clients have a say in some: their text must neither begin a line that looks like one of
/// ours, nor tell the terminal anything.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    if field.name() != "message" {
        write!(writer, "{field}=")?;
    }
    write!(Printable(writer), "{value:?}")
}

/// Passes text on with the control characters escaped.
struct Printable<'a, W>(&'a mut W);

impl<W: Write> Write for Printable<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| {
            if c.is_control() { write!(self.0, "{}", c.escape_debug()) } else { self.0.write_char(c) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn options_survive_the_way_to_a_worker() {
        for format in [LogFormat::Json, LogFormat::Text] {
            for count in 0..3 {
                let options = LogOptions { format, filter: verbose_filter(count) };
                assert_eq!(options.to_string().parse::<LogOptions>().unwrap(), options);
            }
        }
    }

    #[test]
    fn a_filter_from_the_environment_survives_the_way_to_a_worker() {
        let filter = "warn,dbgsrv::engine=trace,tokio=off".parse().unwrap();
        let options = LogOptions { format: LogFormat::Text, filter };
        assert_eq!(options.to_string().parse::<LogOptions>().unwrap(), options);
    }

    #[test]
    fn each_verbose_switch_shows_one_level_more_of_ours_and_nothing_more_of_others() {
        for (count, level) in [(0, Level::INFO), (1, Level::DEBUG), (2, Level::TRACE), (9, Level::TRACE)] {
            let filter = verbose_filter(count);
            assert!(filter.would_enable("dbgsrv::worker", &level));
            assert!(filter.would_enable("dbgsrv_protocol::rsp", &level));
            assert_eq!(filter.would_enable("tokio", &level), level == Level::INFO);
        }
    }

    #[test]
    fn a_text_in_a_line_stays_in_that_line_and_leaves_the_terminal_alone() {
        let mut line = String::new();
        write!(Printable(&mut line), "no /a\nINFO b\u{1b}[31m\u{9b}0m é").unwrap();
        assert_eq!(line, "no /a\\nINFO b\\u{1b}[31m\\u{9b}0m é");
    }

    #[test]
    fn a_text_without_a_known_format_is_refused() {
        for text in ["", "info", "xml:info", "Text:info"] {
            assert!(matches!(text.parse::<LogOptions>(), Err(LogOptionsError::Format)), "{text}");
        }
    }
}
