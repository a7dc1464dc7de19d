//! A question at the terminal whose answer is not shown.

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{self, Read, Write};

/// Longest answer kept, in bytes; the rest is cut off, and too long for a password anyway.
const LONGEST: usize = 1024;

/// What comes of asking.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Reply {
    /// What was typed.
    Answer(String),
    /// Ctrl-C, Ctrl-D or the terminal's end.
    Declined,
}

/// Asks at the terminal of this process, whatever standard input is. What was typed before the question does not count.
///
/// # Errors
/// Where there is no terminal.
pub(crate) fn ask(question: &str) -> io::Result<Reply> {
    let mut terminal = Quiet::new(File::options().read(true).write(true).open("/dev/tty")?)?;
    terminal.file.write_all(question.as_bytes())?;
    let reply = read_line(&mut terminal.file);
    terminal.file.write_all(b"\n")?;
    reply
}

/// A terminal that shows nothing and sends no signals, until this is dropped.
struct Quiet {
    file: File,
    before: Termios,
}

impl Quiet {
    fn new(file: File) -> io::Result<Self> {
        let before = tcgetattr(&file)?;
        let mut quiet = before.clone();
        // With Ctrl-C as a signal, this process would leave a terminal behind that shows nothing.
        quiet.local_flags.remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG);
        tcsetattr(&file, SetArg::TCSAFLUSH, &quiet)?;
        Ok(Self { file, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing any more.
        let _ = tcsetattr(&self.file, SetArg::TCSAFLUSH, &self.before);
    }
}

/// Reads a line from a terminal that leaves editing to its reader.
fn read_line(input: &mut impl Read) -> io::Result<Reply> {
    let mut line = Vec::new();
    let mut byte = [0];
    while input.read(&mut byte)? == 1 {
        match byte[0] {
            b'\r' | b'\n' => return Ok(Reply::Answer(String::from_utf8_lossy(&line).into_owned())),
            // Ctrl-C, Ctrl-D.
            0x03 | 0x04 => break,
            // Backspace, as terminals send it.
            0x08 | 0x7f => while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // Ctrl-U.
            0x15 => line.clear(),
            byte if line.len() < LONGEST => line.push(byte),
            _ => (),
        }
    }
    Ok(Reply::Declined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_as_at_other_prompts() {
        for (typed, answer) in [
            ("abc\n", Some("abc")),
            ("abc\rd", Some("abc")),
            ("\n", Some("")),
            ("abx\u{7f}c\n", Some("abc")),
            ("aé\u{8}b\n", Some("ab")),
            ("\u{7f}a\n", Some("a")),
            ("wrong\u{15}right\n", Some("right")),
            ("abc\u{3}\n", None),
            ("\u{4}", None),
            ("abc", None),
        ] {
            let expected = answer.map_or(Reply::Declined, |answer| Reply::Answer(answer.into()));
            assert_eq!(read_line(&mut typed.as_bytes()).unwrap(), expected, "{typed:?}");
        }
    }

    #[test]
    fn an_endless_answer_takes_no_endless_memory() {
        let typed = [vec![b'a'; 2 * LONGEST], vec![b'\n']].concat();
        assert_eq!(read_line(&mut typed.as_slice()).unwrap(), Reply::Answer("a".repeat(LONGEST)));
    }
}
