//! The machine and its programs, as LLDB's platforms ask for them.

mod info;
mod listing;
mod module;
mod paths;
mod shell;

pub(crate) use self::info::host_info;
pub(crate) use self::listing::{ProcessList, process_info};
pub(crate) use self::module::module;
pub(crate) use self::paths::{change_mode, complete, make_directory};
pub(crate) use self::shell::shell;

use super::refusal::machine_name;

/// What programs of a machine (`e_machine` of elf(5)) are made for, in LLVM's words.
fn triple(machine: u16) -> Option<&'static str> {
    Some(match machine_name(machine)? {
        "aarch64" => "aarch64-unknown-linux-gnu",
        "arm" => "arm-unknown-linux-gnueabi",
        "i386" => "i386-pc-linux-gnu",
        "loongarch" => "loongarch64-unknown-linux-gnu",
        "riscv" => "riscv64-unknown-linux-gnu",
        "s390x" => "s390x-unknown-linux-gnu",
        "x86_64" => "x86_64-pc-linux-gnu",
        _ => return None,
    })
}

/// Whether a program that is made for `triple` is one of those `wanted`: the processor counts, vendor and system are
/// written in many ways.
fn fits(triple: &str, wanted: &[u8]) -> bool {
    let processor = |triple: &[u8]| triple.split(|&byte| byte == b'-').next().unwrap_or_default().to_vec();
    // All of them run one another's programs.
    let family =
        |name: Vec<u8>| if matches!(name[..], [b'i', b'3'..=b'6', b'8', b'6']) { b"i386".to_vec() } else { name };
    let wanted = family(processor(wanted));
    matches!(&wanted[..], b"" | b"unknown") || family(processor(triple.as_bytes())) == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_apart_by_their_processor() {
        for wanted in ["", "unknown-unknown-unknown", "x86_64", "x86_64--linux", "x86_64-pc-linux-gnu"] {
            assert!(fits("x86_64-pc-linux-gnu", wanted.as_bytes()), "{wanted}");
        }
        for wanted in ["i386-pc-linux-gnu", "x86", "armv7--linux", "-"] {
            assert_eq!(fits("x86_64-pc-linux-gnu", wanted.as_bytes()), wanted == "-", "{wanted}");
        }
        assert!(fits("i386-pc-linux-gnu", b"i686-pc-linux-gnu"));
    }

    #[test]
    fn our_own_machine_has_a_triple() {
        const EM_X86_64: u16 = 62;
        assert_eq!(triple(EM_X86_64), Some("x86_64-pc-linux-gnu"));
        assert_eq!(triple(0), None);
    }
}
