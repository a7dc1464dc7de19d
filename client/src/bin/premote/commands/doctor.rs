//! `premote doctor`: what decides whether debugging works on the server's machine.

use super::arguments::{json, pid};
use crate::exit::{ExitError, FAILURE};
use crate::output::{print, print_json};
use crate::table::{Align, Table, printable};
use clap::{ArgMatches, Command};
use console::style;
use dbgsrv_client::{Check, RemoteServer, Verdict};

pub(super) const NAME: &str = "doctor";

/// The width of the first column.
const BELOW_CHECK: &str = "         ";

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 doctor          can anything be debugged there?
  premote tcp:server=box17,port=5005 doctor 1234     can this process be attached to?

The exit status is 1 where a check is bad.";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Check what decides whether debugging works there, and say what to change")
        .after_help(EXAMPLES)
        .arg(pid())
        .arg(json())
}

/// What is checked, and how it is shown.
#[derive(Debug)]
pub(crate) struct Doctor {
    pid: Option<u32>,
    json: bool,
}

impl Doctor {
    pub(super) fn parse(matches: &ArgMatches) -> Self {
        Self { pid: matches.get_one("pid").copied(), json: matches.get_flag("json") }
    }

    pub(super) async fn run(self, server: &RemoteServer) -> Result<u8, ExitError> {
        let checks = server.doctor(self.pid).await?;
        if self.json {
            print_json(&checks)?;
        } else {
            print(&report(&checks))?;
        }
        Ok(status(&checks))
    }
}

/// A line for each check, and what to do about it below.
fn report(checks: &[Check]) -> String {
    let mut table = Table::new([("VERDICT", Align::Left), ("CHECK", Align::Left), ("FINDING", Align::Left)]);
    for check in checks {
        table.push([mark(check.verdict).into(), check.name.clone(), check.finding.clone()]);
    }
    let text = table.render(None);
    let mut lines = text.lines();
    let mut report: String = lines.next().into_iter().flat_map(|heading| [heading, "\n"]).collect();
    for (check, line) in checks.iter().zip(lines) {
        let (mark, rest) = line.split_at(mark(check.verdict).len());
        report.extend([&coloured(check.verdict, mark), rest, "\n"]);
        if let Some(remedy) = &check.remedy {
            report.extend([BELOW_CHECK, "to change it: ", &printable(remedy), "\n"]);
        }
    }
    report
}

const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "good",
        Verdict::Warning => "warning",
        Verdict::Bad => "bad",
    }
}

/// In colour on a terminal that is to have colours.
fn coloured(verdict: Verdict, mark: &str) -> String {
    let mark = style(mark);
    match verdict {
        Verdict::Good => mark.green(),
        Verdict::Warning => mark.yellow(),
        Verdict::Bad => mark.red().bold(),
    }
    .to_string()
}

fn status(checks: &[Check]) -> u8 {
    if checks.iter().any(|check| check.verdict == Verdict::Bad) { FAILURE } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, verdict: Verdict, remedy: Option<&str>) -> Check {
        Check { name: name.into(), verdict, finding: "as found".into(), remedy: remedy.map(Into::into) }
    }

    #[test]
    fn a_remedy_stands_below_its_check() {
        console::set_colors_enabled(false);
        let checks = [check("ptrace", Verdict::Good, None), check("yama", Verdict::Warning, Some("sysctl\u{7}"))];
        let expected = "\
VERDICT  CHECK   FINDING
good     ptrace  as found
warning  yama    as found
         to change it: sysctl\\u{7}
";
        assert_eq!(report(&checks), expected);
    }

    #[test]
    fn only_what_is_bad_fails() {
        assert_eq!(status(&[check("a", Verdict::Good, None), check("b", Verdict::Warning, None)]), 0);
        assert_eq!(status(&[check("a", Verdict::Good, None), check("b", Verdict::Bad, None)]), 1);
    }
}
