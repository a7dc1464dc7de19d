//! Tracepoints: gdb's `trace`, `collect`, `tstart`, `tfind`.

use dbgsrv_tests::gdb::{self, Transcript};
use dbgsrv_tests::program;
use dbgsrv_tests::server::Server;

/// Traces the calls of `add` in `traced`, which `actions` and `settings` say more about, up to `done`, and looks at what was
/// collected with `looks`.
fn trace(settings: &[&str], looks: &[&str]) -> Transcript {
    let server = Server::start();
    let program = program::path("traced");
    let mut commands = vec![
        format!("file {}", program.display()),
        "set sysroot".into(),
        format!("target extended-remote localhost:{}", server.port()),
        format!("set remote exec-file {}", program.display()),
        "break main".into(),
        "run".into(),
        "break done".into(),
    ];
    commands.extend(settings.iter().map(ToString::to_string));
    commands.extend(["tstart".into(), "continue".into(), "tstop".into()]);
    commands.extend(looks.iter().map(ToString::to_string));
    commands.extend(["tfind none".into(), "continue".into()]);
    let transcript = gdb::batch(&commands);
    transcript.assert_has("exited normally");
    server.assert_still_serves();
    transcript
}

/// gdb reads a tracepoint's actions from the lines after it, which batch mode has none of: a file has.
fn script(name: &str, lines: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join(name);
    std::fs::write(&path, lines).expect("a file can be written");
    let source = format!("source {}", path.display());
    (folder, source)
}

#[test]
fn what_was_collected_is_seen_hit_by_hit() {
    let (_folder, source) = script("actions", "trace add\nactions\ncollect $regs, $args, $locals, total, place\nend\n");
    let transcript = trace(
        &[&source],
        &[
            "tstatus",
            "tfind start",
            "printf \"first: %d %d %d %d\\n\", turn, total, place.x, place.y",
            "backtrace 1",
            "tfind",
            "tfind",
            "printf \"third: %d %d %d\\n\", turn, total, place.x",
            "info registers rip",
            "tfind 9",
            "printf \"last: %d %d\\n\", turn, total",
            "tfind",
            "tfind start",
            "print greeting",
            "info tracepoints",
        ],
    );
    transcript.assert_has("Trace stopped by a tstop command");
    transcript.assert_has("Collected 10 trace frames");
    transcript.assert_has("first: 1 0 3 4");
    transcript.assert_has("third: 3 6 2");
    transcript.assert_has("last: 10 90");
    transcript.assert_has("#0  add (turn=1");
    transcript.assert_has("<add+");
    transcript.assert_has("No trace frame found");
    transcript.assert_has("hit 10 times");
}

#[test]
fn a_condition_a_variable_and_a_pass_count_choose_what_is_collected() {
    let (_folder, source) = script(
        "actions",
        "tvariable $even = 40\ntrace add if turn % 2 == 0\nactions\ncollect $even = $even + 1, $even, turn\nend\npasscount 3\n",
    );
    let transcript = trace(
        &[&source],
        &[
            "tstatus",
            "tfind start",
            "printf \"first: %d %d\\n\", turn, $even",
            "tfind 2",
            "printf \"last: %d %d\\n\", turn, $even",
        ],
    );
    transcript.assert_has("Trace stopped by tracepoint 3.");
    transcript.assert_has("Collected 3 trace frames");
    transcript.assert_has("first: 2 41");
    transcript.assert_has("last: 6 43");
}

#[test]
fn steps_after_a_hit_and_strings_are_collected() {
    let (_folder, source) = script(
        "actions",
        "trace add if turn == 4\nactions\ncollect/s20 name\nwhile-stepping 5\ncollect $regs, total\nend\nend\n",
    );
    let transcript = trace(
        &[&source],
        &[
            "tstatus",
            "tfind start",
            "printf \"name: %s\\n\", name",
            "print total",
            "tfind",
            "printf \"step: %d\\n\", total",
            "tfind",
            "tfind",
            "tfind",
            "tfind",
            "print $pc > (long) &add",
        ],
    );
    transcript.assert_has("Collected 6 trace frames");
    transcript.assert_has("name: good day");
    transcript.assert_has("step: 12");
    transcript.assert_has(" = 1");
}

#[test]
fn an_error_in_a_condition_stops_tracing_and_not_the_program() {
    let transcript = trace(&["trace add if 10 / (turn - 3) > 0"], &["tstatus"]);
    transcript.assert_has("Trace stopped by an error (division by zero, tracepoint 3).");
    transcript.assert_has("Collected 0 trace frames");
}

#[test]
fn a_small_circular_buffer_keeps_the_last_frames() {
    let (_folder, source) = script("actions", "trace add\nactions\ncollect turn\nend\n");
    let settings = ["set trace-buffer-size 10000", "set circular-trace-buffer on", &source];
    let transcript = trace(&settings, &["tstatus", "tfind start", "print turn"]);
    transcript.assert_has("of 10 created total");
    let first: u32 = transcript.after("$1 = ").trim().parse().expect("a number");
    assert!(first > 1, "{first}\n{}", transcript.0);
}

#[test]
fn a_saved_trace_is_read_without_the_program() {
    let (folder, source) = script("actions", "trace add\nactions\ncollect turn, total\nend\n");
    let file = folder.path().join("saved.trace");
    trace(&[&source], &[&format!("tsave {}", file.display())]);
    let commands = [
        format!("file {}", program::path("traced").display()),
        format!("target tfile {}", file.display()),
        "tfind 6".into(),
        "tstatus".into(),
    ];
    let transcript = gdb::batch(&commands);
    transcript.assert_has("Collected 10 trace frames");
    transcript.assert_has("Found trace frame 6, tracepoint");
}

#[test]
fn a_tracepoint_and_a_breakpoint_share_an_address() {
    let (_folder, source) = script("actions", "trace add\nactions\ncollect turn\nend\nbreak add if turn == 5\n");
    let transcript = trace(&[&source], &["print turn", "tstart", "continue", "tstop", "tstatus"]);
    transcript.assert_has("$1 = 5");
    transcript.assert_has("Collected 5 trace frames");
}
