//! The registers of x86 processors, for 64-bit and 32-bit programs (GDB manual, "i386 Features").
//!
//! Names, types and the order of features are those that GDB's own stub uses, so that register numbers are the same
//! too; some front ends have them built in.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::types::Type;
use super::{Description, Group, Shape, named, numbered};

/// What the processor has, and the system lets programs use, beyond SSE2.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct X86Features {
    /// The upper halves of the 256-bit registers.
    pub avx: bool,
    /// The upper halves of the 512-bit registers, sixteen more of them in 64-bit programs, and the masks.
    pub avx512: bool,
    /// The protection key rights.
    pub pkru: bool,
}

const INT32: Shape = Shape::new(32, "int32");
const INT64: Shape = Shape::new(64, "int64");
const CODE32: Shape = Shape::new(32, "code_ptr");
const CODE64: Shape = Shape::new(64, "code_ptr");
const DATA32: Shape = Shape::new(32, "data_ptr");
const DATA64: Shape = Shape::new(64, "data_ptr");
const EFLAGS: Shape = Shape::new(32, "i386_eflags");
const X87: Shape = Shape::new(80, "i387_ext");
const X87_CONTROL: Shape = Shape::within(32, "int", Group::Float);
const XMM: Shape = Shape::new(128, "vec128");
const MXCSR: Shape = Shape::within(32, "i386_mxcsr", Group::Vector);
const YMM_UPPER: Shape = Shape::new(128, "uint128");
const ZMM_UPPER: Shape = Shape::new(256, "v2ui128");
const MASK: Shape = Shape::new(64, "uint64");
const SYSTEM32: Shape = Shape::new(32, "int");
const SYSTEM64: Shape = Shape::new(64, "int");
const PKRU: Shape = Shape::new(32, "uint32");

const CORE: &str = "org.gnu.gdb.i386.core";
const SSE: &str = "org.gnu.gdb.i386.sse";
const LINUX: &str = "org.gnu.gdb.i386.linux";
const SEGMENTS: &str = "org.gnu.gdb.i386.segments";
const AVX: &str = "org.gnu.gdb.i386.avx";
const AVX512: &str = "org.gnu.gdb.i386.avx512";
const PKEYS: &str = "org.gnu.gdb.i386.pkeys";

impl Description {
    /// 64-bit Linux programs.
    #[must_use]
    pub fn x86_64(features: X86Features) -> Self {
        let mut description = Self::new("i386:x86-64", "GNU/Linux");
        let general = named(INT64, &["rax", "rbx", "rcx", "rdx", "rsi", "rdi"])
            .chain(named(DATA64, &["rbp", "rsp"]))
            .chain(numbered(INT64, "r", 8..16, ""))
            .chain(named(CODE64, &["rip"]));
        description.feature(CORE, vec![eflags()], general.chain(flags_segments_and_x87()));
        description.feature(SSE, sse_types(), numbered(XMM, "xmm", 0..16, "").chain(named(MXCSR, &["mxcsr"])));
        description.feature(LINUX, vec![], named(SYSTEM64, &["orig_rax"]));
        description.feature(SEGMENTS, vec![], named(SYSTEM64, &["fs_base", "gs_base"]));
        if features.avx {
            description.feature(AVX, vec![], numbered(YMM_UPPER, "ymm", 0..16, "h"));
        }
        if features.avx512 {
            let registers = numbered(XMM, "xmm", 16..32, "")
                .chain(numbered(YMM_UPPER, "ymm", 16..32, "h"))
                .chain(numbered(MASK, "k", 0..8, ""))
                .chain(numbered(ZMM_UPPER, "zmm", 0..32, "h"));
            let types = xmm_types().into_iter().chain([zmm_upper()]).collect();
            description.feature(AVX512, types, registers);
        }
        description.pkeys(features);
        description
    }

    /// 32-bit Linux programs.
    #[must_use]
    pub fn i386(features: X86Features) -> Self {
        let mut description = Self::new("i386", "GNU/Linux");
        let general = named(INT32, &["eax", "ecx", "edx", "ebx"])
            .chain(named(DATA32, &["esp", "ebp"]))
            .chain(named(INT32, &["esi", "edi"]))
            .chain(named(CODE32, &["eip"]));
        description.feature(CORE, vec![eflags()], general.chain(flags_segments_and_x87()));
        description.feature(SSE, sse_types(), numbered(XMM, "xmm", 0..8, "").chain(named(MXCSR, &["mxcsr"])));
        description.feature(LINUX, vec![], named(SYSTEM32, &["orig_eax"]));
        if features.avx {
            description.feature(AVX, vec![], numbered(YMM_UPPER, "ymm", 0..8, "h"));
        }
        if features.avx512 {
            let registers = numbered(MASK, "k", 0..8, "").chain(numbered(ZMM_UPPER, "zmm", 0..8, "h"));
            description.feature(AVX512, vec![zmm_upper()], registers);
        }
        description.pkeys(features);
        description
    }

    fn pkeys(&mut self, features: X86Features) {
        if features.pkru {
            self.feature(PKEYS, vec![], named(PKRU, &["pkru"]));
        }
    }
}

/// The part of the core feature that is the same for both kinds of program.
fn flags_segments_and_x87() -> impl Iterator<Item = (Shape, String)> {
    named(EFLAGS, &["eflags"])
        .chain(named(INT32, &["cs", "ss", "ds", "es", "fs", "gs"]))
        .chain(numbered(X87, "st", 0..8, ""))
        .chain(named(X87_CONTROL, &["fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"]))
}

/// Intel SDM volume 1, figure 3-8. Bit 1 is always set and has no name.
fn eflags() -> Type {
    let bits = &[
        ("CF", 0),
        ("", 1),
        ("PF", 2),
        ("AF", 4),
        ("ZF", 6),
        ("SF", 7),
        ("TF", 8),
        ("IF", 9),
        ("DF", 10),
        ("OF", 11),
        ("NT", 14),
        ("RF", 16),
        ("VM", 17),
        ("AC", 18),
        ("VIF", 19),
        ("VIP", 20),
        ("ID", 21),
    ];
    Type::Flags { id: "i386_eflags", bytes: 4, bits }
}

/// Intel SDM volume 1, figure 10-3.
fn mxcsr() -> Type {
    let bits = &[
        ("IE", 0),
        ("DE", 1),
        ("ZE", 2),
        ("OE", 3),
        ("UE", 4),
        ("PE", 5),
        ("DAZ", 6),
        ("IM", 7),
        ("DM", 8),
        ("ZM", 9),
        ("OM", 10),
        ("UM", 11),
        ("PM", 12),
        ("FZ", 15),
    ];
    Type::Flags { id: "i386_mxcsr", bytes: 4, bits }
}

fn xmm_types() -> Vec<Type> {
    let fields = &[
        ("v8_bfloat16", "v8bf16"),
        ("v8_half", "v8h"),
        ("v4_float", "v4f"),
        ("v2_double", "v2d"),
        ("v16_int8", "v16i8"),
        ("v8_int16", "v8i16"),
        ("v4_int32", "v4i32"),
        ("v2_int64", "v2i64"),
        ("uint128", "uint128"),
    ];
    vec![
        Type::Vector { id: "v8bf16", element: "bfloat16", count: 8 },
        Type::Vector { id: "v8h", element: "ieee_half", count: 8 },
        Type::Vector { id: "v4f", element: "ieee_single", count: 4 },
        Type::Vector { id: "v2d", element: "ieee_double", count: 2 },
        Type::Vector { id: "v16i8", element: "int8", count: 16 },
        Type::Vector { id: "v8i16", element: "int16", count: 8 },
        Type::Vector { id: "v4i32", element: "int32", count: 4 },
        Type::Vector { id: "v2i64", element: "int64", count: 2 },
        Type::Union { id: "vec128", fields },
    ]
}

fn sse_types() -> Vec<Type> {
    xmm_types().into_iter().chain([mxcsr()]).collect()
}

fn zmm_upper() -> Type {
    Type::Vector { id: "v2ui128", element: "uint128", count: 2 }
}
