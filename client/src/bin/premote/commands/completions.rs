//! `premote completions`: what makes a shell complete premote's command lines.

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

pub(crate) const NAME: &str = "completions";

const EXAMPLES: &str = "\
Examples:
  premote completions bash > ~/.local/share/bash-completion/completions/premote
  premote completions zsh > ~/.zfunc/_premote        where ~/.zfunc is in $fpath
  premote completions fish > ~/.config/fish/completions/premote.fish";

pub(super) fn command() -> Command {
    let shells = value_parser!(Shell);
    Command::new(NAME)
        .about("Print a script that completes premote's command lines; it needs no CONNECTION")
        .after_help(EXAMPLES)
        .arg(Arg::new("shell").value_name("SHELL").help("Which shell").required(true).value_parser(shells))
}

/// The script for the shell of `matches`, for the command line `premote`.
pub(crate) fn script(matches: &ArgMatches, premote: &mut Command) -> String {
    let shell = matches.get_one("shell").copied().unwrap_or(Shell::Bash);
    let mut script = Vec::new();
    clap_complete::generate(shell, premote, "premote", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
