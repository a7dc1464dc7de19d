//! Where the content of each register is kept, and how it gets from there to the client and back.

use std::mem::offset_of;
use std::ops::Range;

use dbgsrv_protocol::rsp::description::Register;
use libc::user_regs_struct as Words;

use super::super::{Touched, WriteError};
use super::x87;
use super::xsave::{self, Component, Layout};

/// Where one register's content is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// A word of the general registers, or the low bytes of one.
    General { offset: usize, rule: Rule },
    /// Bytes of a component, all zero in its initial state.
    Extended { component: Component, offset: usize },
    /// 16 bits of the x87 environment, shown as 32.
    Environment { offset: usize, mask: u16, initial: u16 },
    /// The x87 tag word, which the area keeps in another form.
    Tags,
    /// MXCSR, which belongs to two components.
    Mxcsr,
    /// Which bits MXCSR has, which is the processor's own and no part of a component's state.
    MxcsrMask,
    /// Bytes within a word of the general registers.
    Part { offset: usize },
    /// The two halves of a 256-bit register, which are in two components.
    Joined { low: usize, high: usize },
}

/// What the kernel wants of a general register's new value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rule {
    /// Anything.
    Any,
    /// Anything; a 32-bit program's value is sign-extended, so that error numbers and -1 stay negative in the kernel's
    /// eyes when it considers restarting a system call.
    Signed,
    /// A segment selector of user privilege, or none.
    Selector,
    /// A segment selector of user privilege.
    NeededSelector,
    /// An address in the user's half.
    Base,
}

/// The register sets that contents are read from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) general: &'a [u8],
    pub(super) extended: &'a [u8],
    /// Which components of `extended` hold data.
    pub(super) present: u64,
}

/// The register sets that contents are written to.
pub(super) struct Target<'a> {
    pub(super) layout: &'a Layout,
    pub(super) general: &'a mut [u8],
    pub(super) extended: &'a mut [u8],
}

const WORD: usize = size_of::<u64>();

impl Place {
    /// The place of the register that the description calls `name`.
    pub(super) fn of(name: &str, layout: &Layout) -> Option<Self> {
        let extended = |component, offset| Self::Extended { component, offset: layout.start(component) + offset };
        let environment = |offset| Self::Environment { offset, mask: u16::MAX, initial: 0 };
        if let Some(place) = general(name) {
            return Some(place);
        }
        Some(match name {
            "fctrl" => Self::Environment { offset: 0, mask: u16::MAX, initial: xsave::FCW_INITIAL },
            "fstat" => environment(2),
            "ftag" => Self::Tags,
            "fop" => Self::Environment { offset: 6, mask: 0x7ff, initial: 0 },
            "fioff" | "fip" => extended(Component::X87, 8),
            "fiseg" => environment(12),
            "fooff" | "fdp" => extended(Component::X87, 16),
            "foseg" => environment(20),
            "mxcsr" => Self::Mxcsr,
            "pkru" => extended(Component::Pkru, 0),
            "mxcsrmask" => Self::MxcsrMask,
            _ => {
                let (component, offset) = numbered(name)?;
                if component == Component::Avx && !name.ends_with('h') {
                    let low = layout.start(Component::Sse) + offset;
                    return Some(Self::Joined { low, high: layout.start(component) + offset });
                }
                extended(component, offset)
            }
        })
    }

    /// Whether the general registers are all it takes.
    pub(super) fn is_general(self) -> bool {
        matches!(self, Self::General { .. } | Self::Part { .. })
    }

    /// The place of what begins `before` bytes into a register that is at this place.
    pub(super) fn part(self, before: usize) -> Self {
        match self {
            Self::General { offset, .. } => Self::Part { offset: offset + before },
            Self::Extended { component, offset } => Self::Extended { component, offset: offset + before },
            other => other,
        }
    }

    /// Whether `next` goes on where `len` bytes of this place end, so that both can be copied in one go.
    pub(super) fn continues(self, len: usize, next: Self) -> bool {
        match (self, next) {
            (Self::General { offset, .. }, Self::General { offset: following, .. }) => offset + len == following,
            (Self::Extended { component, offset }, Self::Extended { component: same, offset: following }) => {
                component == same && offset + len == following
            }
            _ => false,
        }
    }

    /// Copies the content to `out`, which is as long as the register.
    pub(super) fn read(self, source: Source<'_>, out: &mut [u8]) {
        let Source { extended, present, .. } = source;
        let has = |components: u64| present & components != 0;
        match self {
            Self::General { offset, .. } | Self::Part { offset } => {
                out.copy_from_slice(&source.general[offset..offset + out.len()]);
            }
            Self::Joined { low, high } => {
                let (lower, upper) = out.split_at_mut(out.len() / 2);
                for (half, component, offset) in [(lower, Component::Sse, low), (upper, Component::Avx, high)] {
                    if has(component.bit()) {
                        half.copy_from_slice(&extended[offset..offset + half.len()]);
                    } else {
                        half.fill(0);
                    }
                }
            }
            Self::Extended { component, offset } if has(component.bit()) => {
                out.copy_from_slice(&extended[offset..offset + out.len()]);
            }
            Self::Extended { .. } => out.fill(0),
            Self::Environment { offset, mask, .. } if has(Component::X87.bit()) => {
                put(out, u16::from_le_bytes([extended[offset], extended[offset + 1]]) & mask);
            }
            Self::Environment { initial, .. } => put(out, initial),
            Self::Tags if has(Component::X87.bit()) => put(out, x87::full_tags(extended)),
            Self::Tags => put(out, x87::TAGS_INITIAL),
            Self::Mxcsr if has(xsave::USES_MXCSR) => out.copy_from_slice(&extended[xsave::MXCSR]),
            Self::Mxcsr => out.copy_from_slice(&xsave::MXCSR_INITIAL.to_le_bytes()),
            Self::MxcsrMask => out.copy_from_slice(&xsave::mxcsr_mask(extended).to_le_bytes()),
        }
    }

    /// Whether the content is `value` already.
    pub(super) fn holds(self, value: &[u8], source: Source<'_>) -> bool {
        let mut content = [0; Register::MAX_BYTES];
        let content = &mut content[..value.len()];
        self.read(source, content);
        content == value
    }

    /// Finds out whether the kernel would take `value`, since it says so only when all registers are written.
    pub(super) fn check(self, value: &[u8], extended: &[u8]) -> Result<(), WriteError> {
        // Linux x86-64 with five-level page tables; the kernel answers for processors with less.
        const USER_END: u64 = 1 << 56;
        let word = zero_extended(value);
        let is_none = word as u16 == 0;
        let is_user = word & 3 == 3;
        let refusal = match self {
            Self::General { rule: Rule::Selector, .. } if !is_user && !is_none => {
                "a segment selector's privilege level is 3 here"
            }
            Self::General { rule: Rule::NeededSelector, .. } if !is_user => {
                "this segment selector's privilege level is 3, and it cannot be 0"
            }
            Self::General { rule: Rule::Base, .. } if word >= USER_END => "the base is outside user space",
            Self::MxcsrMask => "it is the processor's",
            Self::Mxcsr if word & !u64::from(xsave::mxcsr_mask(extended)) != 0 => "reserved bits are set",
            _ => return Ok(()),
        };
        Err(WriteError::Refused(refusal))
    }

    /// Makes `value` the content.
    pub(super) fn write(self, value: &[u8], target: &mut Target<'_>) {
        let Target { layout, general, extended } = target;
        let mut write_x87 = |range: Range<usize>, bytes: &[u8]| {
            layout.enter(extended, Component::X87);
            extended[range].copy_from_slice(bytes);
        };
        match self {
            Self::General { offset, rule } => {
                let word = if rule == Rule::Signed { sign_extended(value) } else { zero_extended(value) };
                general[offset..offset + WORD].copy_from_slice(&word.to_le_bytes());
            }
            Self::Extended { component, offset } => {
                layout.enter(extended, component);
                extended[offset..offset + value.len()].copy_from_slice(value);
            }
            Self::Environment { offset, mask, .. } => {
                let word = zero_extended(value) as u16 & mask;
                write_x87(offset..offset + 2, &word.to_le_bytes());
            }
            Self::Tags => {
                let tags = x87::abridged_tags(zero_extended(value) as u16);
                write_x87(x87::ABRIDGED_TAGS..x87::ABRIDGED_TAGS + 1, &[tags]);
            }
            Self::Mxcsr => {
                layout.enter(extended, Component::Sse);
                extended[xsave::MXCSR].copy_from_slice(value);
            }
            // Refused before.
            Self::MxcsrMask => {}
            Self::Part { offset } => general[offset..offset + value.len()].copy_from_slice(value),
            Self::Joined { low, high } => {
                let (lower, upper) = value.split_at(value.len() / 2);
                for (half, component, offset) in [(lower, Component::Sse, low), (upper, Component::Avx, high)] {
                    layout.enter(extended, component);
                    extended[offset..offset + half.len()].copy_from_slice(half);
                }
            }
        }
    }

    /// What a write touches.
    pub(super) fn touched(self) -> Touched {
        if self.is_general() { Touched::GENERAL } else { Touched::EXTENDED }
    }
}

fn general(name: &str) -> Option<Place> {
    use Rule::{Any, Base, NeededSelector, Selector, Signed};
    let (offset, rule) = match name {
        "rax" | "eax" => (offset_of!(Words, rax), Signed),
        "rbx" | "ebx" => (offset_of!(Words, rbx), Any),
        "rcx" | "ecx" => (offset_of!(Words, rcx), Any),
        "rdx" | "edx" => (offset_of!(Words, rdx), Any),
        "rsi" | "esi" => (offset_of!(Words, rsi), Any),
        "rdi" | "edi" => (offset_of!(Words, rdi), Any),
        "rbp" | "ebp" => (offset_of!(Words, rbp), Any),
        "rsp" | "esp" => (offset_of!(Words, rsp), Any),
        "r8" => (offset_of!(Words, r8), Any),
        "r9" => (offset_of!(Words, r9), Any),
        "r10" => (offset_of!(Words, r10), Any),
        "r11" => (offset_of!(Words, r11), Any),
        "r12" => (offset_of!(Words, r12), Any),
        "r13" => (offset_of!(Words, r13), Any),
        "r14" => (offset_of!(Words, r14), Any),
        "r15" => (offset_of!(Words, r15), Any),
        "rip" | "eip" => (offset_of!(Words, rip), Any),
        "eflags" | "rflags" => (offset_of!(Words, eflags), Any),
        "cs" => (offset_of!(Words, cs), NeededSelector),
        "ss" => (offset_of!(Words, ss), NeededSelector),
        "ds" => (offset_of!(Words, ds), Selector),
        "es" => (offset_of!(Words, es), Selector),
        "fs" => (offset_of!(Words, fs), Selector),
        "gs" => (offset_of!(Words, gs), Selector),
        "orig_rax" | "orig_eax" => (offset_of!(Words, orig_rax), Signed),
        "fs_base" => (offset_of!(Words, fs_base), Base),
        "gs_base" => (offset_of!(Words, gs_base), Base),
        _ => return None,
    };
    Some(Place::General { offset, rule })
}

/// The component of a register with a number in its name, and its offset there (Intel SDM volume 1, sections 13.4.1
/// and 13.5).
fn numbered(name: &str) -> Option<(Component, usize)> {
    let digits = name.find(|c: char| c.is_ascii_digit())?;
    let (prefix, number) = name.split_at(digits);
    let n: usize = number.trim_end_matches('h').parse().ok()?;
    Some(match (prefix, n) {
        ("st", _) => (Component::X87, 32 + 16 * n),
        ("xmm", ..16) => (Component::Sse, 16 * n),
        ("ymm", ..16) => (Component::Avx, 16 * n),
        ("zmm", ..16) => (Component::ZmmHi256, 32 * n),
        ("xmm", _) => (Component::Hi16Zmm, 64 * (n - 16)),
        ("ymm", _) => (Component::Hi16Zmm, 64 * (n - 16) + 16),
        ("zmm", _) => (Component::Hi16Zmm, 64 * (n - 16) + 32),
        ("k", _) => (Component::Opmask, 8 * n),
        _ => return None,
    })
}

/// Puts a 16-bit value into a register of 16 or 32 bits.
fn put(out: &mut [u8], value: u16) {
    let length = out.len();
    out.copy_from_slice(&u32::from(value).to_le_bytes()[..length]);
}

fn zero_extended(value: &[u8]) -> u64 {
    value.iter().take(WORD).rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

fn sign_extended(value: &[u8]) -> u64 {
    let unused = 8 * WORD.saturating_sub(value.len());
    ((zero_extended(value) << unused) as i64 >> unused) as u64
}
