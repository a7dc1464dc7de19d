//! The client library's debug session over plain TCP: each scenario with this server and with a stock gdbserver.

use std::fs;
use std::future::Future;

use dbgsrv_client::debug::{
    BreakpointKind, DebugError, DebugSession, Event, FileError, Launch, Reason, Signal, Stop, flags,
};
use dbgsrv_protocol::ids::Pid;
use dbgsrv_tests::beats::Beats;
use dbgsrv_tests::server::{Kind, Server};
use dbgsrv_tests::{guarded, process, program, wait_until};
use tempfile::TempDir;
use tokio::net::TcpStream;

type Session = DebugSession<TcpStream>;

/// Runs a scenario with each server, in a session of its own.
fn with_each_server<F: Future<Output = ()>>(scenario: impl Fn(Session, Kind) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    for kind in [Kind::Dbgsrv, Kind::Gdbserver] {
        let server = Server::start_as(kind);
        runtime.block_on(async {
            let stream = TcpStream::connect(("localhost", server.port())).await.expect("the server listens");
            stream.set_nodelay(true).expect("it is a TCP socket");
            let session = DebugSession::new(stream).await.expect("both speak RSP");
            let end = guarded(scenario(session, kind)).await;
            assert!(end.is_some(), "hangs with {kind:?}; its output is:\n{}", server.log());
        });
    }
}

/// The next event that is not output.
async fn event(session: &mut Session) -> Event {
    loop {
        match session.wait_event().await.expect("something runs") {
            Event::Output(_) => {}
            event => return event,
        }
    }
}

async fn stop(session: &mut Session) -> Stop {
    match event(session).await {
        Event::Stopped(stop) => stop,
        other => panic!("no stop, but {other:?}"),
    }
}

#[test]
fn a_program_is_created_looked_at_changed_and_runs_to_its_end() {
    let square = program::symbol("basics-no-pie", "square");
    let watched = program::symbol("basics-no-pie", "watched");
    with_each_server(|mut session, kind| async move {
        let first = session.create(&Launch::new(program::path("basics-no-pie"))).await.expect("it starts");
        let thread = first.thread;
        assert_eq!(session.threads().await.expect("there is one"), [thread]);
        session.insert_breakpoint(BreakpointKind::Software, square, 1).await.expect("there is memory");
        session.resume_all().await.expect("it is stopped");
        assert!(matches!(session.threads().await, Err(DebugError::Running)), "{kind:?}");
        let stopped = stop(&mut session).await;
        assert_eq!((stopped.thread, stopped.signal), (thread, Signal::TRAP));
        assert_eq!(stopped.reason, Reason::SoftwareBreakpoint);

        let registers = session.registers(thread).await.expect("it is stopped");
        assert_eq!(registers.number("rip"), Some(square));
        assert_eq!(registers.number("rdi"), Some(6));
        let rip = session.register(thread, "rip").await.expect("there is rip");
        assert_eq!(rip, square.to_le_bytes());
        let number = registers.description().register("rip").expect("there is rip").number;
        assert_eq!(stopped.register(number), Some(&rip[..]));
        assert!(registers.get("xmm0").is_some_and(|value| value.len() == 16));
        assert!(matches!(session.register(thread, "r99").await, Err(DebugError::NoRegister(_))));

        let mut word = [0; 4];
        assert_eq!(session.read_memory(watched, &mut word).await.expect("it is mapped"), 4);
        assert_eq!(u32::from_le_bytes(word), 1);
        session.write_memory(watched, &9_u32.to_le_bytes()).await.expect("it is writable");
        session.read_memory(watched, &mut word).await.expect("it is mapped");
        assert_eq!(u32::from_le_bytes(word), 9);
        assert!(matches!(session.read_memory(8, &mut word).await, Err(DebugError::Target(_))));

        session.remove_breakpoint(BreakpointKind::Software, square, 1).await.expect("it is there");
        session.step(thread).await.expect("it is stopped");
        assert_eq!(stop(&mut session).await.thread, thread);
        let after = session.registers(thread).await.expect("it is stopped").number("rip").expect("there is rip");
        assert!((square + 1..square + 16).contains(&after), "{after:#x}");

        // The first instruction did not use it: square(5) makes main have 26, not 37, and exit with 4.
        session.write_register(thread, "rdi", &5_u64.to_le_bytes()).await.expect("it is writable");
        assert!(matches!(session.write_register(thread, "rdi", &[1]).await, Err(DebugError::WrongSize { .. })));
        session.resume_all().await.expect("it is stopped");
        let exited = Event::Exited { pid: thread.pid, status: 4 };
        assert_eq!(event(&mut session).await, exited, "{kind:?}");
        assert!(matches!(session.wait_event().await, Err(DebugError::NotRunning)));
        assert_eq!(session.status().await.expect("the server answers"), None);
    });
}

#[test]
fn arguments_environment_and_directory_reach_the_program() {
    with_each_server(|mut session, kind| async move {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let report = directory.path().join("report");
        let launch = Launch::new(program::path("surroundings"))
            .argument(&report)
            .argument("two words")
            .argument("a*b;?")
            .environment("DBGSRV_TEST_VARIABLE", "a=b;c")
            .without_environment("CARGO_MANIFEST_DIR")
            .directory(directory.path())
            .randomized(true)
            // Without a shell gdbserver fails when an argument has a space in it (seen with 13.1).
            .through_shell(kind == Kind::Gdbserver);
        // A shell's children end, and that is no reason to stop.
        session.pass_signals(&[Signal::CHLD]).await.expect("both know it");
        let pid = session.create(&launch).await.expect("it starts").thread.pid;
        session.resume_all().await.expect("it is stopped");
        assert_eq!(event(&mut session).await, Event::Exited { pid, status: 0 }, "{kind:?}");
        let expected = format!(
            "variable a=b;c\ncargo's variable (unset)\ndirectory {}\nrandomized yes\nargument two words\nargument a*b;?\n",
            directory.path().display(),
        );
        assert_eq!(fs::read_to_string(&report).expect("the program wrote it"), expected);
        let launch = Launch::new("/bin/true").argument("with\0zero");
        assert!(matches!(session.create(&launch).await, Err(DebugError::ZeroByte { what: "an argument" })));
    });
}

#[test]
fn a_running_program_is_attached_to_interrupted_and_let_go() {
    with_each_server(|mut session, _| async move {
        let target = Beats::start(3);
        let pid = Pid::new(target.pid().as_raw()).expect("it is positive");
        let stopped = session.attach(pid).await.expect("it may be traced");
        assert_eq!(stopped.thread.pid, pid);
        let threads = session.threads().await.expect("it is stopped");
        assert_eq!(threads.len(), 4);
        for thread in threads {
            let registers = session.registers(thread).await.expect("it is stopped");
            assert!(registers.number("rsp").is_some_and(|sp| sp != 0));
        }
        session.resume_all().await.expect("it is stopped");
        target.shared.assert_goes_on();
        // A future that is dropped loses nothing.
        let waited = tokio::time::timeout(std::time::Duration::from_millis(20), session.wait_event()).await;
        assert!(waited.is_err());
        session.interrupt().await.expect("it runs");
        assert_eq!(stop(&mut session).await.signal, Signal::INT);
        assert!(matches!(session.interrupt().await, Err(DebugError::NotRunning)));
        session.detach(pid).await.expect("it is debugged");
        target.assert_left_as_it_was_found();

        session.attach(pid).await.expect("it may be traced again");
        session.kill(pid).await.expect("it is debugged");
        wait_until("the program has ended", || !process::is_alive(target.pid()));
    });
}

#[test]
fn sixteen_mebibytes_are_read_and_written() {
    let (filled, block) = (program::symbol("memory-no-pie", "filled"), program::symbol("memory-no-pie", "block"));
    with_each_server(|mut session, kind| async move {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let report = directory.path().join("report");
        let launch = Launch::new(program::path("memory-no-pie")).argument(&report);
        session.create(&launch).await.expect("it starts");
        session.insert_breakpoint(BreakpointKind::Software, filled, 1).await.expect("there is memory");
        session.resume_all().await.expect("it is stopped");
        stop(&mut session).await;
        let mut bytes = vec![0; 16 << 20];
        assert_eq!(session.read_memory(block, &mut bytes).await.expect("it is mapped"), bytes.len());
        for byte in &mut bytes {
            *byte ^= 0xff;
        }
        session.write_memory(block, &bytes).await.expect("it is writable");
        session.remove_breakpoint(BreakpointKind::Software, filled, 1).await.expect("it is there");
        session.resume_all().await.expect("it is stopped");
        assert!(matches!(event(&mut session).await, Event::Exited { status: 0, .. }), "{kind:?}");
        // Compared by ==, not assert_eq!: a failure is not to print 32 MiB.
        assert!(fs::read(&report).expect("the program writes its memory") == bytes, "the program sees other bytes");
    });
}

#[test]
fn files_are_written_read_and_removed() {
    with_each_server(|mut session, kind| async move {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let path = directory.path().join("a file");
        let content: Vec<u8> = (0..3_000_001_u32).map(|index| (index.wrapping_mul(index) >> 7) as u8).collect();
        let mut file = session
            .open(&path, flags::READ_WRITE | flags::CREATE | flags::EXCLUSIVE, 0o600)
            .await
            .expect("the directory is writable");
        file.write_at(0, &content).await.expect("there is room");
        assert_eq!(file.stat().await.expect("it is open").size, content.len() as u64);
        let mut read = vec![0; content.len() + 10];
        assert_eq!(file.read_at(0, &mut read).await.expect("it is readable"), content.len(), "{kind:?}");
        assert!(read[..content.len()] == content[..], "other bytes come back");
        assert_eq!(file.read_at(3_000_000, &mut read).await.expect("it is readable"), 1);
        file.close().await.expect("it is open");
        assert!(fs::read(&path).expect("it is there") == content, "other bytes are in the file");
        drop(session.open(&path, flags::READ, 0).await.expect("it is there"));
        session.unlink(&path).await.expect("it is there");
        let Err(DebugError::File(error)) = session.unlink(&path).await else { panic!("it is gone") };
        assert_eq!(error, FileError(2));
    });
}

#[test]
fn monitor_commands_and_refusals_reach_the_caller() {
    with_each_server(|mut session, kind| async move {
        let help = session.monitor("help").await.expect("both have commands");
        assert!(help.contains("monitor commands are supported"), "{help}");
        let nobody = Pid::new(0x7fff_ffff).expect("it is positive");
        let Err(DebugError::Target(error)) = session.attach(nobody).await else { panic!("there is no such process") };
        assert_eq!(error.request, "vAttach");
        if kind == Kind::Dbgsrv {
            assert!(error.text.contains("no process"), "{error}");
            let missing = session.create(&Launch::new("/nonexistent")).await;
            assert!(matches!(missing, Err(DebugError::Target(_))), "{missing:?}");
            session.create(&Launch::new("/bin/true")).await.expect("the session goes on");
        }
        assert!(matches!(session.resume(&[]).await, Err(DebugError::Actions(0))));
    });
}
