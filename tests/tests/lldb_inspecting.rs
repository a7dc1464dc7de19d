//! LLDB looks at programs and changes them: memory, registers, watchpoints, expressions, libraries, cores.

use dbgsrv_tests::lldb::Lldb;
use dbgsrv_tests::program;
use dbgsrv_tests::server::{Server, stand_in_lacks};
use dbgsrv_tests::trial::Trial;
use tempfile::TempDir;

#[test]
fn memory_is_read_written_searched_and_described() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let directory = TempDir::new().expect("a temporary directory can be made");
    let mut lldb = Lldb::connected(server.port(), Some(&program::path("memory")));
    lldb.run("breakpoint set --name filled");
    lldb.run_to_stop(&format!("process launch -- {}", directory.path().join("report").display()));
    let read = lldb.run("memory read --format x --size 1 --count 4 -- &block");
    assert!(read.contains("0x3c 0x5e"), "{read}");
    lldb.run("memory write --size 4 -- &block 0x24232a7d");
    let read = lldb.run("memory read --format x --size 4 --count 1 -- &block");
    assert!(read.contains("0x24232a7d"), "{read}");
    let found = lldb.run("memory find --string '}*#$' -- &block 'block + 0x1000'");
    assert!(found.contains("data found at location"), "{found}");
    let code = lldb.run("memory region filled");
    assert!(code.contains("r-x") && code.contains("/memory"), "{code}");
    assert!(lldb.run("memory region 0").contains(") ---"), "nothing is mapped at 0");
    assert!(lldb.run("memory region $rsp").contains("rw- [stack]"));
    let saved_at = directory.path().join("core");
    let saved = lldb.run(&format!("process save-core --style=stack --plugin-name=minidump {}", saved_at.display()));
    assert!(!saved.contains("error:") && saved_at.metadata().is_ok_and(|file| file.len() > 0x1000), "{saved}");
    let mut lldb = Lldb::start(None);
    lldb.run(&format!("target create {} --core {}", program::path("memory").display(), saved_at.display()));
    let backtrace = lldb.run("thread backtrace");
    assert!(backtrace.contains("`filled") && backtrace.contains("`main"), "{backtrace}");
}

#[test]
fn registers_and_their_parts_are_read_and_written() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let directory = TempDir::new().expect("a temporary directory can be made");
    let report = directory.path().join("report");
    let mut lldb = Lldb::connected(server.port(), Some(&program::path("registers")));
    for label in ["general_loaded", "xmm_loaded"] {
        let address = program::symbol("registers", label);
        lldb.run(&format!("breakpoint set --shlib registers --address {address:#x}"));
    }
    lldb.run_to_stop(&format!("process launch -- general {}", report.display()));
    let read = lldb.run("register read rbx ebx bl bh");
    for value in ["rbx = 0x0807060504030201", "ebx = 0x04030201", "bl = 0x01", "bh = 0x02"] {
        assert!(read.contains(value), "{read}");
    }
    lldb.run("register write rbx 0x1122334455667788");
    lldb.run("register write r12d 0xdeadbeef");
    let sets = lldb.run("register read --all");
    assert!(!sets.contains("mxcsrmask = 0x00000000"), "the processor's mask is no register that may be unused: {sets}");
    for text in
        ["General Purpose Registers", "Floating Point Registers", "rflags = ", "fs_base = ", "mxcsr = 0x00001f80"]
    {
        assert!(sets.contains(text), "{text} is not in {sets}");
    }
    lldb.run_to_stop("process continue");
    let told = std::fs::read(&report).expect("the program writes its report");
    assert_eq!(told[..12], [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xef, 0xbe, 0xad, 0xde]);

    lldb.connect(server.port());
    lldb.run_to_stop(&format!("process launch -- xmm {}", report.display()));
    let read = lldb.run("register read xmm1");
    assert!(read.contains("xmm1 = {0x01 0x02 0x03 0x04"), "{read}");
    lldb.run("register write xmm1 '{0xff 0xee 0xdd 0xcc 0 0 0 0 0 0 0 0 0 0 0 0x11}'");
    lldb.run_to_stop("process continue");
    let told = std::fs::read(&report).expect("the program writes its report");
    assert_eq!((&told[..5], told[15]), (&[0xff, 0xee, 0xdd, 0xcc, 0][..], 0x11));
}

#[test]
fn watchpoints_tell_who_touches_a_variable() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let mut lldb = Lldb::connected(server.port(), Some(&program::path("basics")));
    lldb.run("breakpoint set --name main");
    lldb.run_to_stop("process launch");
    // One that nothing touches, so that the others have other debug registers.
    lldb.run("watchpoint set expression --size 1 -- (char *)&watched + 8");
    let set = lldb.run("watchpoint set variable watched");
    assert!(set.contains("Watchpoint created"), "{set}");
    for value in ["new value: 1", "new value: 37"] {
        let stop = lldb.run_to_stop("process continue");
        assert!(stop.contains("stop reason = watchpoint 2"), "{stop}");
        let list = lldb.run("watchpoint list --verbose 2");
        assert!(list.contains(value) && list.contains("hw_index = 1"), "{list}");
    }
    lldb.run("watchpoint delete 2");
    lldb.run("watchpoint set variable --watch read watched");
    let stop = lldb.run_to_stop("process continue");
    assert!(stop.contains("stop reason = watchpoint 3"), "{stop}");
    let limits = lldb.run("watchpoint list");
    assert!(limits.contains("supported hardware watchpoints: 4"), "{limits}");
    lldb.run("watchpoint delete");
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("exited with status = 3"), "{end}");
}

#[test]
fn memory_is_allocated_in_programs_of_32_bits_too() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let Some(program) = program::i386() else { return };
    let server = Server::start();
    let mut lldb = Lldb::connected(server.port(), Some(&program));
    lldb.run("breakpoint set --name square");
    lldb.run_to_stop("process launch");
    lldb.run("breakpoint disable 1");
    let called = lldb.run("expression square(x) + 1");
    assert!(called.contains("= 37"), "{called}");
    let too_much = lldb.run("process plugin packet send _M100001000,rw");
    assert!(too_much.contains("response: E0c"), "{too_much}");
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("exited with status = 3"), "the program is as it was: {end}");
    let allocated = lldb.packets().into_iter().find(|packet| packet.request.starts_with("_M")).expect("it is needed");
    assert!(u32::from_str_radix(&allocated.reply, 16).is_ok_and(|address| address > 0), "{allocated:?}");
}

#[test]
fn expressions_call_functions_and_load_libraries() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let mut lldb = Lldb::connected(server.port(), Some(&program::path("basics")));
    lldb.run("breakpoint set --name square");
    lldb.run_to_stop("process launch");
    lldb.run("breakpoint disable 1");
    assert!(lldb.run("expression square(x) + 1").contains("= 37"));
    assert!(lldb.run("expression watched = 5").contains("= 5"));
    assert!(lldb.run("expression (const char *)\"of lldb's own\"").contains("\"of lldb's own\""));
    let length = lldb.run("expression (unsigned long)strlen(\"seven ch\")");
    assert!(length.contains("= 8"), "{length}");
    let loaded = lldb.run("process load /lib/x86_64-linux-gnu/libm.so.6");
    assert!(loaded.contains("Image 0 loaded") || loaded.contains("ok"), "{loaded}");
    let list = lldb.run("image list");
    assert!(list.contains("libm.so.6") && list.contains("libc.so.6"), "{list}");
    let frame = lldb.run("frame variable");
    assert!(frame.contains("(int) x = 6"), "the frame is as it was: {frame}");
    let end = lldb.run_to_stop("process continue");
    assert!(end.contains("exited with status = 3"), "{end}");
    let used = |name| lldb.packets().iter().any(|packet| packet.request.starts_with(name) && !packet.reply.is_empty());
    assert!(used("_M") && used("QSaveRegisterState") && used("QRestoreRegisterState:"));
}

/// Later LLDBs read several ranges at once.
#[test]
fn several_ranges_are_read_in_one_packet() {
    if stand_in_lacks("LLDB's dialect") {
        return;
    }
    let server = Server::start();
    let target = Trial::start("beats", 1);
    let mut client = server.rsp();
    let announced = client.request("qSupported:xmlRegisters=i386,arm,mips,arc;multiprocess+;swbreak+;hwbreak+");
    assert!(announced.contains(";MultiMemRead+") && announced.contains(";native-signals+"), "{announced}");
    client.attach(target.pid());
    // Where the program begins: an ELF header.
    assert_eq!(client.request("MultiMemRead:ranges:400000,4,0,4,400001,3;"), "4,0,3;\x7fELFELF");
    for malformed in ["400000,4", "400000;", "400000,4,400000;", "x,4;", ";"] {
        let reply = client.request(&format!("MultiMemRead:ranges:{malformed}"));
        assert!(reply.starts_with('E'), "{malformed}: {reply}");
    }
}
