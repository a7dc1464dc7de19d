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
    let transcript = server.gdb(None, &["monitor help", "monitor no-such-command"]);
    assert!(transcript.0.to_lowercase().contains("commands"), "no list of commands in:\n{}", transcript.0);
    transcript.assert_lacks("Target does not support this command");
    server.assert_still_serves();
}
