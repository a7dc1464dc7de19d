//! Arguments that several commands take.

use crate::cli::usage;
use crate::exit::ExitError;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use std::ffi::{OsStr, OsString};
use std::str::FromStr;

/// `--json`.
pub(super) fn json() -> Arg {
    Arg::new("json").long("json").help("Print JSON, for programs").action(ArgAction::SetTrue)
}

/// `PID`.
pub(super) fn pid() -> Arg {
    Arg::new("pid").value_name("PID").help("The process's id on the server's machine").value_parser(number::<u32>)
}

/// Reads the number of a process or a session.
///
/// # Errors
/// What is wrong, in words that say more than a type's own.
pub(super) fn number<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "not a number that there could be")
}

/// The texts of an argument that may be given often.
///
/// # Errors
/// [`ExitError::Usage`] for one that is not UTF-8, which the control protocol can't carry.
pub(super) fn texts(matches: &ArgMatches, name: &str) -> Result<Vec<String>, ExitError> {
    let values = matches.get_many::<OsString>(name).unwrap_or_default();
    values.map(|value| value.to_str().map(str::to_owned).ok_or_else(|| not_a_text(value))).collect()
}

fn not_a_text(value: &OsStr) -> ExitError {
    usage(format_args!("`{}` is not UTF-8", value.display()))
}

/// A path, or whatever else need not be UTF-8.
pub(super) fn path(id: &'static str, value_name: &'static str) -> Arg {
    Arg::new(id).value_name(value_name).value_parser(value_parser!(OsString))
}

/// The options of what copies a file.
pub(super) fn copying() -> [Arg; 2] {
    [
        Arg::new("force")
            .short('f')
            .long("force")
            .help("Replace a file that is there already")
            .action(ArgAction::SetTrue),
        Arg::new("continue")
            .short('c')
            .long("continue")
            .help("Go on with a copy that was interrupted, after checking what there is of it")
            .action(ArgAction::SetTrue),
    ]
}
