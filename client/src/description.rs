//! Processes in words.

use bitflags::bitflags;
use dbgsrv_protocol::control::ProcessDescription;

bitflags! {
    /// What a description has (`DEBUG_PROC_DESC_XXX`, with dbgeng's values; those that mean something on Windows only are
    /// left out).
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub struct ProcDesc: u32 {
        /// The executable's file name without its directories.
        const NO_PATHS = 0x01;
        /// No service's name.
        const NO_SERVICES = 0x02;
        /// No command line.
        const NO_COMMAND_LINE = 0x08;
        /// No session id.
        const NO_SESSION_ID = 0x10;
        /// No user's name.
        const NO_USER_NAME = 0x20;
        /// The architecture too.
        const WITH_ARCHITECTURE = 0x80;
    }
}

/// A process in words. It always comes whole: `S_FALSE`, a text cut off to fit a buffer, has nothing like it here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Description {
    /// The executable, as it is; the kernel's name for the process in brackets where it has none that may be known.
    pub executable: String,
    /// What else is known: `Session: 1  User: ann  Command line: cat notes`. One line, in which what a terminal would
    /// obey is escaped; may be empty.
    pub text: String,
}

impl Description {
    pub(crate) fn new(process: &ProcessDescription, flags: ProcDesc) -> Self {
        let executable = match process.executable.as_str() {
            "" => format!("[{}]", process.name),
            path if flags.contains(ProcDesc::NO_PATHS) => path.rsplit('/').next().unwrap_or(path).to_owned(),
            path => path.to_owned(),
        };
        Self { executable, text: text(process, flags) }
    }
}

fn text(process: &ProcessDescription, flags: ProcDesc) -> String {
    let mut parts = Vec::new();
    let mut part = |wanted: bool, name: &str, value: String| {
        if wanted && !value.is_empty() {
            parts.push(format!("{name}: {}", printable(&value)));
        }
    };
    part(!flags.contains(ProcDesc::NO_SESSION_ID), "Session", process.session.to_string());
    part(!flags.contains(ProcDesc::NO_USER_NAME), "User", process.user.clone());
    part(!flags.contains(ProcDesc::NO_SERVICES), "Service", process.service.clone().unwrap_or_default());
    part(flags.contains(ProcDesc::WITH_ARCHITECTURE), "Architecture", process.architecture.clone());
    part(!flags.contains(ProcDesc::NO_COMMAND_LINE), "Command line", command_line(&process.command_line));
    parts.join("  ")
}

/// A command line as one text for people: arguments apart by spaces, in double quotes where they would not be told apart
/// otherwise, and with what a terminal would obey escaped (`\u{1b}`).
#[must_use]
pub fn command_line(arguments: &[String]) -> String {
    let shown: Vec<_> = arguments.iter().map(|argument| printable(&quoted(argument))).collect();
    shown.join(" ")
}

fn quoted(argument: &str) -> String {
    if !argument.is_empty() && !argument.contains(|c: char| c.is_whitespace() || c == '"') {
        return argument.to_owned();
    }
    format!("\"{}\"", argument.replace('\\', r"\\").replace('"', r#"\""#))
}

/// Escapes control characters and those that change the order of others: what a process calls itself must not deceive
/// who reads it.
fn printable(text: &str) -> String {
    let escaped = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if escaped(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process() -> ProcessDescription {
        ProcessDescription {
            pid: 7,
            name: "cat".into(),
            executable: "/usr/bin/cat".into(),
            command_line: vec!["cat".into(), "my notes".into()],
            user: "ann".into(),
            session: 3,
            service: Some("notes.service".into()),
            architecture: "x86_64".into(),
            ..ProcessDescription::default()
        }
    }

    #[test]
    fn by_default_everything_but_the_architecture_is_told() {
        let description = Description::new(&process(), ProcDesc::empty());
        assert_eq!(description.executable, "/usr/bin/cat");
        assert_eq!(description.text, r#"Session: 3  User: ann  Service: notes.service  Command line: cat "my notes""#);
    }

    #[test]
    fn each_flag_takes_its_part_away() {
        let without = |flags| Description::new(&process(), flags).text;
        for (flag, part) in [
            (ProcDesc::NO_SESSION_ID, "Session"),
            (ProcDesc::NO_USER_NAME, "User"),
            (ProcDesc::NO_SERVICES, "Service"),
            (ProcDesc::NO_COMMAND_LINE, "Command line"),
        ] {
            assert!(without(ProcDesc::empty()).contains(part));
            assert!(!without(flag).contains(part), "{part}");
            assert_eq!(
                without(ProcDesc::all() - flag - ProcDesc::WITH_ARCHITECTURE).matches(": ").count(),
                1,
                "{part}"
            );
        }
        assert_eq!(without(ProcDesc::all()), "Architecture: x86_64");
    }

    #[test]
    fn without_paths_the_file_name_remains() {
        assert_eq!(Description::new(&process(), ProcDesc::NO_PATHS).executable, "cat");
    }

    #[test]
    fn a_process_whose_executable_is_not_known_goes_by_the_kernels_name() {
        let kernel = ProcessDescription { name: "kworker/0:1".into(), ..ProcessDescription::default() };
        for flags in [ProcDesc::empty(), ProcDesc::NO_PATHS] {
            let description = Description::new(&kernel, flags);
            assert_eq!(description.executable, "[kworker/0:1]");
            assert_eq!(description.text, "Session: 0");
        }
    }

    #[test]
    fn arguments_can_be_told_apart_and_command_no_terminal() {
        for (arguments, shown) in [
            (&["a", "b c", ""][..], r#"a "b c" """#),
            (&[r#"say "hi""#, r"back\slash"], r#""say \"hi\"" back\slash"#),
            (&["\u{1b}[2J", "a\nb"], r#"\u{1b}[2J "a\nb""#),
            (&["abc\u{202e}fdp"], r"abc\u{202e}fdp"),
            (&["grüße", "नमस्ते"], "grüße नमस्ते"),
        ] {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            assert_eq!(command_line(&arguments), shown);
        }
    }
}
