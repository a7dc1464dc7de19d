use super::*;
use crate::control::processes::{Describer, ids};
use nix::sys::signal::{Signal, kill};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn program(arguments: &[&str]) -> Program {
    Program { arguments: arguments.iter().map(ToString::to_string).collect(), ..Program::default() }
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn is_there(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// A file that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("dbgsrv-create-{name}-{}", std::process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("text")
    }

    /// What is in it once it ends with a dot.
    fn text(&self) -> String {
        let read = || fs::read_to_string(&self.0).unwrap_or_default();
        wait_until("the program has written", || read().ends_with('.'));
        read()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_program_gets_its_arguments_environment_and_directory_and_nothing_to_read() {
    let output = Scratch::new("output");
    let script = r#"exec > "$0"; read line; printf '%s|%s|%s|%s|%s.' "$line" "$1" "$NEW" "${PATH:+path}" "$PWD""#;
    let mut program = program(&["sh", "-c", script, output.path(), "a  b"]);
    program.environment = vec!["NEW=x=y".to_owned()];
    program.directory = Some("/".to_owned());
    create(&program).expect("sh is there");
    assert_eq!(output.text(), "|a  b|x=y|path|/.");
}

#[test]
fn a_program_is_in_a_session_of_its_own_and_holds_none_of_our_descriptors() {
    // One that is inheritable, as those handed to a worker are for a moment.
    let leak = fs::File::open("/dev/null").expect("a file");
    let leak = nix::unistd::dup(&leak).expect("a second descriptor");
    let pid = create(&program(&["sleep", "1000"])).expect("sleep is there");
    let described = Describer::new().expect("/proc").describe(pid).expect("it runs");
    assert_eq!((described.session, described.parent), (pid, std::process::id()));
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).expect("a list").count();
    assert_eq!(descriptors, 3);
    drop(leak);
    kill(nix::unistd::Pid::from_raw(pid as i32), Signal::SIGKILL).expect("it runs");
}

#[test]
fn the_end_of_a_program_leaves_no_zombie() {
    let pid = create(&program(&["true"])).expect("true is there");
    wait_until("its end is noticed", || !is_there(pid));
}

#[test]
fn a_suspended_program_stands_at_its_first_instruction_until_it_is_continued() {
    let output = Scratch::new("suspended");
    let mut program = program(&["sh", "-c", "printf done. > \"$0\"", output.path()]);
    program.suspended = true;
    let pid = create(&program).expect("sh is there");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it is there");
    assert!(status.contains("State:\tT (stopped)") && status.contains("TracerPid:\t0"), "{status}");
    assert_eq!(
        fs::read(format!("/proc/{pid}/cmdline")).expect("arguments").split(|&byte| byte == 0).next(),
        Some(&b"sh"[..])
    );
    kill(nix::unistd::Pid::from_raw(pid as i32), Signal::SIGCONT).expect("it is there");
    assert_eq!(output.text(), "done.");
    wait_until("its end is noticed", || !is_there(pid));
}

#[test]
fn a_suspended_program_that_is_killed_is_taken_note_of() {
    let pid = create(&Program { suspended: true, ..program(&["true"]) }).expect("true is there");
    kill(nix::unistd::Pid::from_raw(pid as i32), Signal::SIGKILL).expect("it is there");
    wait_until("its end is noticed", || !is_there(pid));
}

#[test]
fn what_cannot_be_started_is_told_in_a_sentence() {
    let text = Scratch::new("text");
    fs::write(&text.0, "hello").expect("a file");
    let not_executable = format!("{} is not executable; run `chmod +x` on it", text.path());
    let mut cases = vec![
        (
            program(&["no-such-program"]),
            FailureKind::NotFound,
            "there is no program no-such-program on the server's machine",
        ),
        (program(&["/no/such"]), FailureKind::NotFound, "there is no program /no/such on the server's machine"),
        (program(&["/"]), FailureKind::System, "/ is a directory, not a program"),
        (program(&[text.path()]), FailureKind::NotPermitted, &not_executable),
        (program(&[]), FailureKind::BadRequest, "no program was named"),
        (program(&[""]), FailureKind::BadRequest, "no program was named"),
        (program(&["a\0b"]), FailureKind::BadRequest, "\"a\\0b\" holds a NUL"),
    ];
    let mut elsewhere = program(&["true"]);
    elsewhere.directory = Some("/no/such".to_owned());
    cases.push((
        elsewhere,
        FailureKind::NotFound,
        "the working directory /no/such does not exist on the server's machine",
    ));
    for (variable, sentence) in [("PATH", "`PATH` is not NAME=VALUE"), ("=x", "`=x` is not NAME=VALUE")] {
        let mut odd = program(&["true"]);
        odd.environment = vec![variable.to_owned()];
        cases.push((odd, FailureKind::BadRequest, sentence));
    }
    for (program, kind, text) in cases {
        for suspended in [false, true] {
            let failure = create(&Program { suspended, ..program.clone() }).expect_err("nothing to start");
            assert_eq!((failure.kind, failure.text.as_str()), (kind, text));
        }
    }
}

#[test]
fn a_program_that_the_system_refuses_leaves_no_zombie() {
    // Longer than any argument may be (`MAX_ARG_STRLEN`), which only the system finds out.
    let long = "x".repeat(200_000);
    for suspended in [false, true] {
        let failure = create(&Program { suspended, ..program(&["true", &long]) }).expect_err("too long");
        assert!(failure.text.ends_with("cannot be started: Argument list too long"), "{}", failure.text);
    }
    // Until it runs the program, the child is named after the thread that started it.
    let is_left = |pid| {
        let described = Describer::new().expect("/proc").describe(pid);
        described.is_some_and(|process| process.name == "created" && process.parent == std::process::id())
    };
    wait_until("no child is left", || !ids().expect("/proc").into_iter().any(is_left));
}
