//! Takes passwords out of what others can see of this process: its command line, and the environment that it passes on.
//!
//! Both lie where the kernel put them at the start, and `/proc/PID/cmdline` and `/proc/PID/environ` show what lies there
//! now. So they are overwritten in place, which needs no rights and leaves the process what it is. Until that has
//! happened, for the first millisecond, they can be seen.

use dbgsrv_protocol::options::{VariableName, split_before_password};
use std::io;
use std::ops::Range;

/// Fields 48 and 50 of `/proc/self/stat`, counted from 1: where the arguments and the environment begin; each is followed
/// by where it ends (`proc_pid_stat(5)`).
const ARGUMENTS: usize = 48;
const ENVIRONMENT: usize = 50;
/// What is written instead.
const STAR: u8 = b'*';

/// Overwrites all that stands behind a `password=` in this process's arguments.
///
/// To be called while the process has one thread.
///
/// # Errors
/// Where `/proc` does not say where they lie.
pub(crate) fn arguments() -> io::Result<()> {
    overwrite(find(ARGUMENTS)?, mask_arguments);
    Ok(())
}

/// Removes a variable from this process's environment, so that no child inherits it, and overwrites its value.
///
/// To be called while the process has one thread.
///
/// # Errors
/// As [`arguments()`]; the variable has been removed all the same.
pub(crate) fn variable(name: &VariableName) -> io::Result<()> {
    let name = name.to_string();
    remove(&name);
    overwrite(find(ENVIRONMENT)?, |block| mask_variable(block, name.as_bytes()));
    Ok(())
}

/// The addresses that a field of `/proc/self/stat` and the one after it give.
fn find(field: usize) -> io::Result<Range<usize>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    range(&stat, field).ok_or_else(|| io::Error::other("/proc/self/stat does not say where it is in memory"))
}

fn range(stat: &str, field: usize) -> Option<Range<usize>> {
    // The second field, the name in parentheses, may hold anything; the third begins behind the last of them.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split_ascii_whitespace().skip(field - 3).map(str::parse);
    let range = fields.next()?.ok()?..fields.next()?.ok()?;
    (range.start != 0 && range.start < range.end).then_some(range)
}

#[expect(unsafe_code, reason = "the strings that the kernel put on the first stack are nobody's variable")]
fn overwrite(range: Range<usize>, mask: impl FnOnce(&mut [u8])) {
    let start = std::ptr::with_exposed_provenance_mut(range.start);
    // SAFETY: the kernel has written these bytes to the stack of the main thread before it began, where they stay mapped and
    // writable for good. The standard library copies what it reads from them, so nothing refers to them here, and there is
    // no other thread that could read meanwhile.
    mask(unsafe { std::slice::from_raw_parts_mut(start, range.len()) });
}

/// Removes a variable from this process's environment, so that no child inherits it.
///
/// To be called while the process has one thread.
#[expect(unsafe_code, reason = "the environment belongs to all threads")]
pub(crate) fn remove(name: &str) {
    // SAFETY: the process has one thread, see `variable`.
    unsafe { std::env::remove_var(name) };
}

/// Overwrites the secrets in strings that end with a zero each.
fn mask_arguments(block: &mut [u8]) {
    for argument in block.split_mut(|byte| *byte == 0) {
        // An argument that is no text was no connection string.
        let text = std::str::from_utf8(argument).unwrap_or_default();
        if let Some((before, _)) = split_before_password(text) {
            let secret = before.len();
            argument[secret..].fill(STAR);
        }
    }
}

/// Overwrites the value of variable `name` in strings that end with a zero each.
fn mask_variable(block: &mut [u8], name: &[u8]) {
    for variable in block.split_mut(|byte| *byte == 0) {
        if variable.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'=')) {
            variable[name.len() + 1..].fill(STAR);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_password_is_overwritten_in_every_argument() {
        let mut block = *b"dbgsrv\0-t\0tcp:port=1,PassWord=Se,hidden\0-v\0password-file=/a\0\xff,password=x\0";
        mask_arguments(&mut block);
        assert_eq!(block, *b"dbgsrv\0-t\0tcp:port=1,PassWord=*********\0-v\0password-file=/a\0\xff,password=x\0");
    }

    #[test]
    fn only_the_variable_of_that_name_is_overwritten() {
        let mut block = *b"PASS=1\0PASSWORD=Secret1\0A=PASSWORD=Secret1\0";
        mask_variable(&mut block, b"PASSWORD");
        assert_eq!(block, *b"PASS=1\0PASSWORD=*******\0A=PASSWORD=Secret1\0");
    }

    #[test]
    fn this_process_has_arguments_and_an_environment() {
        let arguments = find(ARGUMENTS).unwrap();
        let environment = find(ENVIRONMENT).unwrap();
        assert!(arguments.end <= environment.start);
    }

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let numbers: Vec<_> = (4..=52).map(|field: u32| (field * 10).to_string()).collect();
        let stat = format!("1 (a) b) (c) R {}", numbers.join(" "));
        assert_eq!(range(&stat, ARGUMENTS), Some(480..490));
        assert_eq!(range(&stat, ENVIRONMENT), Some(500..510));
        assert_eq!(range("1 (a) R 2 3", ARGUMENTS), None);
    }
}
