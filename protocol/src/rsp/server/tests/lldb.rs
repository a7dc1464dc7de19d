//! A client that speaks LLDB's dialect.

use super::*;

/// What LLDB 14 announces.
const LLDB: &str = "qSupported:xmlRegisters=i386,arm,mips,arc;multiprocess+;fork-events+;vfork-events+";

/// A server to which LLDB has said the first thing that it says.
fn connected() -> Server {
    let mut server = Server::new(Config::default());
    assert_eq!(ask(&mut server, "QStartNoAckMode"), "+$OK#9a");
    assert!(server.features().has(Feature::Lldb));
    server
}

#[test]
fn who_does_without_acknowledgements_before_asking_what_there_is_is_lldb() {
    let mut server = connected();
    let offered = ask(&mut server, "qSupported;multiprocess+;fork-events+");
    for offer in ["native-signals+", "multiprocess+", "fork-events+", "qXfer:siginfo:read+"] {
        assert!(offered.contains(offer), "{offered}");
    }
    for offer in ["qXfer:siginfo:write", "vfork-events", "vContSupported", "binary-upload"] {
        assert!(!offered.contains(offer), "{offered}");
    }
    let mut server = Server::new(Config::default());
    ask(&mut server, "qSupported:multiprocess+");
    ask(&mut server, "QStartNoAckMode");
    assert!(!server.features().has(Feature::Lldb));
}

#[test]
fn who_then_announces_something_else_than_lldb_is_another_client() {
    for announced in ["qSupported:multiprocess+;swbreak+", "qSupported:", "qSupported:xmlRegisters=i386"] {
        let mut server = connected();
        assert!(ask(&mut server, announced).contains("binary-upload+"), "{announced}");
        assert!(!server.features().has(Feature::Lldb), "{announced}");
    }
    let mut server = connected();
    assert!(ask(&mut server, LLDB).contains("native-signals+"));
}

#[test]
fn who_sends_what_only_lldb_knows_is_lldb_unless_it_announces_what_only_gdb_has() {
    for sign in ["QThreadSuffixSupported", "QListThreadsInStopReply"] {
        let mut server = connected();
        ask(&mut server, sign);
        assert!(ask(&mut server, "qSupported:multiprocess+").contains("native-signals+"), "{sign}");
        ask(&mut server, "qSupported:xmlRegisters=i386;vContSupported+");
        assert!(!server.features().has(Feature::Lldb), "{sign}");
    }
}

#[test]
fn what_is_asked_for_by_its_bare_name_is_there() {
    let mut server = connected();
    for body in ["qMemoryRegionInfo", "qVAttachOrWaitSupported"] {
        assert_eq!(ask(&mut server, body), "$OK#9a", "{body}");
    }
}

#[test]
fn forks_are_offered_where_their_children_can_be_named() {
    let mut server = connected();
    assert!(!ask(&mut server, "qSupported;fork-events+;vfork-events+").contains("fork-events"));
}

#[test]
fn threads_are_named_without_their_processes() {
    let mut server = connected();
    ask(&mut server, LLDB);
    assert_eq!(exchange(&mut server, "qC", |it| it.reply.current_thread(THREAD)), "QC1f");
    assert_eq!(exchange(&mut server, "qfThreadInfo", |it| it.reply.threads([THREAD, OTHER])), "m1f,20");
    let exited = Event::Exited { pid: THREAD.pid, status: 0 };
    assert_eq!(exchange(&mut server, "?", |it| it.reply.event(&exited)), "W00");
}

#[test]
fn a_thread_of_no_process_is_refused() {
    let mut server = connected();
    for body in ["Hgp0.1f", "Hgp-1.1f", "Hcp0.1f"] {
        assert_eq!(ask(&mut server, body), "$Eff#11", "{body}");
    }
    for body in ["Hgp0.0", "Hgp10.1f", "Hg1f", "Hc-1", "Hgp-1.-1"] {
        assert_eq!(exchange(&mut server, body, |it| it.reply.ok()), "OK", "{body}");
    }
}

#[test]
fn registers_are_written_digit_by_digit() {
    let mut server = connected();
    assert_eq!(exchange(&mut server, "p0", |it| it.reply.registers(&[0; 8])), "0000000000000000");
}

#[test]
fn a_launch_may_have_a_space_before_its_words() {
    let mut server = connected();
    for body in ["A4,0,2f61,4,1,2d78", "A 4,0,2f61,4,1,2d78"] {
        let text = exchange(&mut server, body, |it| {
            let Request::Process(process::Request::Launch { program, arguments }) = it.request else {
                panic!("{body}")
            };
            assert_eq!(program, b"/a");
            assert!(arguments.iter().eq([b"-x"]));
            it.reply.ok();
        });
        assert_eq!(text, "OK", "{body}");
    }
}
