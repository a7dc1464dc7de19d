//! What the server tells about itself and about the machine.

use dbgsrv_tests::server::Server;

#[test]
fn the_process_list_has_the_test_itself() {
    let server = Server::start();
    let transcript = server.gdb(None, &["info os processes"]);
    let own = std::process::id().to_string();
    let listed = transcript.0.lines().any(|line| line.split_whitespace().next() == Some(&own));
    assert!(listed, "no process {own} in:\n{}", transcript.0);
    server.assert_still_serves();
}

#[test]
fn the_tables_of_the_operating_system_are_shown() {
    let server = Server::start();
    let transcript = server.gdb(None, &["info os"]);
    for table in
        ["processes", "procgroups", "threads", "files", "sockets", "cpus", "modules", "shm", "semaphores", "msg"]
    {
        transcript.assert_has(&format!("\n{table} "));
    }
    let transcript = server.gdb(None, &["info os threads", "info os files", "info os sockets", "info os cpus"]);
    let own = std::process::id().to_string();
    let rows = transcript.0.lines().filter(|line| line.split_whitespace().next() == Some(&own)).count();
    // Two threads at least (this one and the test's main one), and its open files.
    assert!(rows > 4, "only {rows} rows of process {own} in:\n{}", transcript.0);
    transcript.assert_has("processor");
    transcript.assert_lacks("Can not fetch data");
    server.assert_still_serves();
}

#[test]
fn monitor_help_lists_the_monitor_commands() {
    let server = Server::start();
    let transcript = server.gdb(None, &["monitor help", "monitor no-such-command", "monitor"]);
    assert!(transcript.0.to_lowercase().contains("commands"), "no list of commands in:\n{}", transcript.0);
    assert_eq!(transcript.count("Unknown monitor command"), 2, "{}", transcript.0);
    transcript.assert_lacks("Target does not support this command");
    server.assert_still_serves();
}

#[test]
fn settings_of_gdbservers_log_are_answered_in_its_words() {
    let server = Server::start();
    let commands = ["monitor set debug 1", "monitor set remote-debug 0", "monitor set debug-format all"];
    let transcript = server.gdb(None, &commands);
    transcript.assert_has("Debug output enabled.");
    transcript.assert_has("Protocol debug output disabled.");
    transcript.assert_has("All extra debug format options enabled.");
    server.assert_still_serves();
}

#[test]
fn a_table_that_there_is_none_of_is_named_as_such() {
    let server = Server::start();
    server.gdb(None, &["info os nonsense"]).assert_has("Wrong osdata type");
    server.assert_still_serves();
}
