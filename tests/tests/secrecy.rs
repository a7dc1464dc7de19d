//! What somebody sees who listens on the network.

use dbgsrv_tests::listening::{Listening, connection};
use dbgsrv_tests::program;
use dbgsrv_tests::relay::Relay;
use dbgsrv_tests::rsp::{Client, hex};
use dbgsrv_tests::server::Server;

/// Has a program started with `TEXT` among its arguments read from its memory; what passed on the wire, and whether the
/// debugger got the text.
fn conversation(server: &Server, password: &str) -> Vec<u8> {
    let relay = Relay::to(server.port());
    let premote = Listening::on(&connection(relay.port(), password));
    let mut client = Client::greeted(premote.port());
    let program = program::path("basics");
    client.run(&[program.to_str().expect("the target directory has a plain name"), TEXT]);
    // The arguments are at the top of the stack.
    let registers = client.request("g");
    let stack = &registers[7 * 16..8 * 16];
    let stack = (0..8).rev().fold(String::new(), |text, byte| text + &stack[2 * byte..2 * byte + 2]);
    let stack = u64::from_str_radix(&stack, 16).expect("the stack pointer is eight bytes");
    let seen =
        (0..16).any(|page| client.request(&format!("m{:x},400", stack + page * 0x400)).contains(&hex(TEXT.as_bytes())));
    assert!(seen, "the debugger reads the program's arguments");
    drop(client);
    relay.captured()
}

const TEXT: &str = "content-of-the-programs-memory";
const PASSWORD: &str = "correct horse battery staple";

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_session_with_a_password_shows_neither_that_nor_memory() {
    let server = Server::start_with(&["-t", &format!("tcp:port=0,password={PASSWORD}")]);
    let captured = conversation(&server, &format!(",password={PASSWORD}"));
    assert!(captured.len() > 1000, "the session went past here");
    for secret in [PASSWORD, TEXT, &hex(TEXT.as_bytes()), &hex(PASSWORD.as_bytes()), "qSupported", "PacketSize"] {
        assert!(!contains(&captured, secret), "{secret} is seen on the wire");
    }
    server.assert_logs("session started");
    assert!(!server.log().contains(PASSWORD), "{}", server.log());
}

#[test]
fn a_session_on_the_own_machine_without_a_password_is_not_sealed() {
    // What the test above looks for can be found.
    let server = Server::start_with(&["-t", "tcp:port=0"]);
    let captured = conversation(&server, "");
    assert!(contains(&captured, &hex(TEXT.as_bytes())));
}
