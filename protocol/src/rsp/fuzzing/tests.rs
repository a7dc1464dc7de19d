use proptest::prelude::*;

use super::super::packet::emit;
use super::*;

/// At least one for each family.
const BODIES: [&[u8]; 26] = [
    b"qSupported:multiprocess+;swbreak+;error-message+",
    b"vCont;s:p1.1;r401000,401010:p1.2;C0b:1;c",
    b"Z0,401000,1;X3,22002bX1,27;cmds:1,X2,3b27",
    b"vRun;2f62696e;;6162",
    b"X1000,3:a}\x03b",
    b"QCatchSyscalls:1;3b;1",
    b"QNonStop:1",
    b"?",
    b"vStopped",
    b"qXfer:features:read:target.xml:0,100",
    b"vFile:open:2f,0,1ff",
    b"qsThreadInfo",
    b"P10=0010400000000000",
    b"Hgp1.1",
    b"qRcmd,68656c70",
    b"k",
    b"QThreadSuffixSupported",
    b"QListThreadsInStopReply",
    b"p4;thread:1f;",
    b"A4,0,2f61,2,1,62",
    b"MultiMemRead:ranges:1000,4,2000,a0;",
    b"_M1000,rwx",
    b"qMemoryRegionInfo:7ffff7fca000",
    b"jThreadsInfo",
    b"QRestoreRegisterState:1;thread:1f;",
    b"vAttachWait;61",
];

fn framed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    emit(&mut out, |out| out.extend_from_slice(body));
    out
}

#[test]
fn a_small_corpus_passes() {
    for choice in 0..BODIES.len() {
        let mut stream = Vec::new();
        for body in &BODIES[choice..] {
            packet(body);
            packet(&framed(body));
            stream.extend_from_slice(&framed(body));
            stream.extend_from_slice(&[0xd0 + choice as u8, 0xe0 + choice as u8, 0xf0, 0xff]);
        }
        server(&stream);
    }
}

/// What servers say, and between it requests: a greeting, then some of everything.
const ANSWERS: [&[u8]; 10] = [
    b"OK",
    b"T05thread:p1.1;06:0*,;swbreak:;core:1;",
    b"W00;process:1",
    b"mp1.1,p1.2",
    b"l",
    b"F4;ab}\x03c",
    b"1*\"xxxx00",
    b"E.no such thing",
    b"b}\x03x",
    b"O6869",
];

fn greeted() -> Vec<u8> {
    [&b"PacketSize=1000;QStartNoAckMode+;binary-upload+"[..], b"OK", b"OK", b"vCont;c;s;r"].map(framed).concat()
}

#[test]
fn a_client_gets_through_answers_of_all_kinds() {
    for choice in 0xd0..=0xdf {
        let mut stream = greeted();
        for answer in ANSWERS {
            stream.extend_from_slice(&[choice, 0xff]);
            stream.extend_from_slice(&framed(answer));
        }
        client(&stream);
    }
}

#[test]
#[should_panic = "0 answers"]
fn a_request_that_is_not_answered_is_noticed() {
    let mut ledger = Ledger::new();
    ledger.received(b"$g#67");
    ledger.sent(&Frame::Ack);
    ledger.assert_balanced(false);
}

#[test]
#[should_panic = "2 answers"]
fn a_request_that_is_answered_twice_is_noticed() {
    let mut ledger = Ledger::new();
    ledger.received(b"$g#67");
    ledger.sent(&Frame::Ack);
    for _ in 0..2 {
        ledger.sent(&Frame::Packet { body: &mut { *b"E01" }, checksum: *b"a6" });
    }
    ledger.assert_balanced(false);
}

proptest! {
    #[test]
    fn no_body_breaks_the_parsers(
        start in prop::sample::select(&BODIES[..]), cut: prop::sample::Index, rest in "[-;:,.0-9a-zA-Z}+#*]*", noise: Vec<u8>,
    ) {
        let cut = cut.index(start.len() + 1);
        packet(&[&start[..cut], rest.as_bytes()].concat());
        packet(&[&start[..cut], &noise].concat());
    }

    #[test]
    fn no_conversation_breaks_the_machine(steps: Vec<(u8, prop::sample::Index, Vec<u8>)>) {
        let mut stream = Vec::new();
        for (step, body, noise) in steps {
            stream.extend_from_slice(&framed(BODIES[body.index(BODIES.len())]));
            stream.push(step);
            stream.extend_from_slice(&noise);
        }
        server(&stream);
    }

    #[test]
    fn no_server_breaks_the_client(no_ack: bool, steps: Vec<(u8, prop::sample::Index, Vec<u8>)>) {
        let mut stream = if no_ack { greeted() } else { Vec::new() };
        for (step, answer, noise) in steps {
            stream.extend_from_slice(&[0xd0 | step & 0xf, step]);
            stream.extend_from_slice(&framed(ANSWERS[answer.index(ANSWERS.len())]));
            stream.extend_from_slice(&noise);
        }
        client(&stream);
    }
}
