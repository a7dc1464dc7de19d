//! The area that holds all registers but the general ones, in the form of `NT_X86_XSTATE`: the standard
//! (uncompacted) format of the XSAVE instruction (Intel SDM volume 1, chapter 13).

use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use std::ops::Range;

use dbgsrv_protocol::rsp::description::X86Features;

/// A part of the area that the processor treats as a unit. The number is its bit in XCR0 and `XSTATE_BV`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Component {
    X87 = 0,
    Sse = 1,
    Avx = 2,
    Opmask = 5,
    ZmmHi256 = 6,
    Hi16Zmm = 7,
    Pkru = 9,
}

/// Where the components stand, which differs between processors: Intel's leave room for MPX, AMD's don't.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    size: usize,
    enabled: u64,
    starts: [usize; COMPONENTS],
    ends: [usize; COMPONENTS],
}

/// Bytes of x87 and SSE state, which FXSAVE writes and XSAVE begins with.
const LEGACY_SIZE: usize = 512;
/// The header with `XSTATE_BV` follows the legacy part.
const HEADER_END: usize = LEGACY_SIZE + 64;
const XSTATE_BV: Range<usize> = LEGACY_SIZE..LEGACY_SIZE + 8;
const COMPONENTS: usize = Component::Pkru as usize + 1;
const OPTIONAL: [Component; 5] =
    [Component::Avx, Component::Opmask, Component::ZmmHi256, Component::Hi16Zmm, Component::Pkru];

pub(super) const MXCSR: Range<usize> = 24..28;
const MXCSR_AND_MASK: Range<usize> = 24..32;
const MXCSR_MASK: Range<usize> = 28..32;
/// MXCSR after reset: all exceptions masked.
pub(super) const MXCSR_INITIAL: u32 = 0x1f80;
/// Which bits of MXCSR exist where the area's own mask is 0 (Intel SDM volume 1, section 11.6.6).
const MXCSR_MASK_DEFAULT: u32 = 0xffbf;
/// The x87 control word after FNINIT: all exceptions masked, 64-bit precision.
pub(super) const FCW_INITIAL: u16 = 0x37f;

impl Component {
    pub(super) const fn bit(self) -> u64 {
        1 << self as u32
    }
}

/// MXCSR is loaded with either of them.
pub(super) const USES_MXCSR: u64 = Component::Sse.bit() | Component::Avx.bit();

impl Layout {
    /// This processor's, with the components that the system lets programs use.
    pub(super) fn of_this_processor() -> Self {
        let Some(enabled) = xcr0() else {
            return Self::new(LEGACY_SIZE, 0, |_| 0..0);
        };
        // Intel SDM volume 1, section 13.2: EBX of sub-leaf 0 is the size for what XCR0 enables; the sub-leaf of a
        // component has its size in EAX and its offset in EBX.
        Self::new(__cpuid_count(0xd, 0).ebx as usize, enabled, |component| {
            let leaf = __cpuid_count(0xd, component as u32);
            leaf.ebx as usize..leaf.ebx as usize + leaf.eax as usize
        })
    }

    /// A layout of `size` bytes. A component that does not fit counts as not there.
    pub(super) fn new(size: usize, enabled: u64, place: impl Fn(Component) -> Range<usize>) -> Self {
        let legacy = Component::X87.bit() | Component::Sse.bit();
        let mut layout = Self { size, enabled: legacy, starts: [0; COMPONENTS], ends: [0; COMPONENTS] };
        layout.set(Component::X87, 0..160);
        layout.set(Component::Sse, 160..416);
        for component in OPTIONAL {
            let range = place(component);
            if enabled & component.bit() != 0 && range.start >= HEADER_END && range.end <= size {
                layout.set(component, range);
            }
        }
        layout
    }

    fn set(&mut self, component: Component, range: Range<usize>) {
        self.enabled |= component.bit();
        self.starts[component as usize] = range.start;
        self.ends[component as usize] = range.end;
    }

    /// Bytes of a whole area; the kernel takes no less.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Where the component begins in the area.
    pub(super) fn start(&self, component: Component) -> usize {
        self.starts[component as usize]
    }

    /// Whether the area has a header. Processors before XSAVE only have the legacy part.
    pub(super) fn has_header(&self) -> bool {
        self.size >= HEADER_END
    }

    pub(super) fn features(&self) -> X86Features {
        let has = |components: &[Component]| components.iter().all(|component| self.enabled & component.bit() != 0);
        let avx = has(&[Component::Avx]);
        X86Features {
            avx,
            avx512: avx && has(&[Component::Opmask, Component::ZmmHi256, Component::Hi16Zmm]),
            pkru: has(&[Component::Pkru]),
        }
    }

    /// Makes the component one that holds data, initialised if it was not.
    pub(super) fn enter(&self, area: &mut [u8], component: Component) {
        let present = present(area);
        if present & component.bit() != 0 {
            return;
        }
        // The kernel checks and loads MXCSR with any of the legacy components, whichever is being entered.
        if present & USES_MXCSR == 0 {
            area[MXCSR].copy_from_slice(&MXCSR_INITIAL.to_le_bytes());
        }
        let mxcsr: [u8; 8] = area[MXCSR_AND_MASK].try_into().expect("the range has eight bytes");
        area[self.start(component)..self.ends[component as usize]].fill(0);
        if component == Component::X87 {
            area[..2].copy_from_slice(&FCW_INITIAL.to_le_bytes());
            area[MXCSR_AND_MASK].copy_from_slice(&mxcsr);
        }
        area[XSTATE_BV].copy_from_slice(&(present | component.bit()).to_le_bytes());
    }
}

/// Which components hold data (`XSTATE_BV`); the others are in their initial state, whatever their bytes say.
pub(super) fn present(area: &[u8]) -> u64 {
    area.get(XSTATE_BV)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(Component::X87.bit() | Component::Sse.bit(), u64::from_le_bytes)
}

/// Which bits of MXCSR may be set.
pub(super) fn mxcsr_mask(area: &[u8]) -> u32 {
    let mask = u32::from_le_bytes(area[MXCSR_MASK].try_into().expect("the range has four bytes"));
    if mask == 0 { MXCSR_MASK_DEFAULT } else { mask }
}

/// XCR0, where processor and system have it.
#[expect(unsafe_code, reason = "XGETBV has no safe form")]
fn xcr0() -> Option<u64> {
    const OSXSAVE: u32 = 1 << 27;
    if __cpuid(1).ecx & OSXSAVE == 0 {
        return None;
    }
    // SAFETY: with OSXSAVE the instruction exists and is enabled (Intel SDM volume 1, section 13.2).
    Some(unsafe { _xgetbv(0) })
}
