//! What is announced by which name, in both directions: `qSupported`, `vCont?`.

use alloc::vec::Vec;

use super::{Capabilities, Capability, Feature, Features, Set};
use crate::limits::{MAX_PACKET, MIN_CLIENT_PACKET};
use crate::rsp::field;
use crate::rsp::packet::FRAMING;
/// The features that a client announces by name.
const ANNOUNCED: [(&[u8], Feature); 8] = [
    (b"error-message+", Feature::ErrorMessage),
    (b"exec-events+", Feature::ExecEvents),
    (b"fork-events+", Feature::ForkEvents),
    (b"hwbreak+", Feature::HardwareBreak),
    (b"multiprocess+", Feature::Multiprocess),
    (b"no-resumed+", Feature::NoResumed),
    (b"swbreak+", Feature::SoftwareBreak),
    (b"vfork-events+", Feature::VforkEvents),
];

/// What announces [`Capability::Tracepoints`]: conditions, variables, the user's own words, tracepoints that are added or switched
/// while tracing goes on, the size of the buffer, strings, and what a frame holds.
const TRACEPOINTS: &str = "ConditionalTracepoints+;TraceStateVariables+;TracepointSource+;InstallInTrace+;\
                           EnableDisableTracepoints+;QTBuffer:size+;tracenz+;qXfer:traceframe-info:read+";

/// Whom a capability is offered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Audience {
    /// Everybody.
    All,
    /// All but clients that speak LLDB's dialect: to these it means nothing, or something else.
    AllButLldb,
    /// LLDB 20 and later, which announce `swbreak+`: LLDB 14's tests of its servers want to hear of nothing that it did not
    /// know yet.
    LaterLldb,
    /// Clients that have the feature.
    With(Feature),
}

impl Audience {
    fn includes(self, features: Features) -> bool {
        match self {
            Self::All => true,
            Self::AllButLldb => !features.has(Feature::Lldb),
            Self::LaterLldb => features.has(Feature::Lldb) && features.has(Feature::SoftwareBreak),
            Self::With(feature) => features.has(feature),
        }
    }
}

/// What announces a capability, and to whom.
const OFFERS: [(Capability, &str, Audience); 34] = [
    (Capability::ThreadActions, "vContSupported+", Audience::AllButLldb),
    (Capability::NoAck, "QStartNoAckMode+", Audience::All),
    (Capability::Multiprocess, "multiprocess+", Audience::With(Feature::Multiprocess)),
    (Capability::ErrorMessage, "error-message+", Audience::With(Feature::ErrorMessage)),
    (Capability::SoftwareBreak, "swbreak+", Audience::With(Feature::SoftwareBreak)),
    (Capability::HardwareBreak, "hwbreak+", Audience::With(Feature::HardwareBreak)),
    (Capability::ForkEvents, "fork-events+", Audience::With(Feature::ForkEvents)),
    (Capability::VforkEvents, "vfork-events+", Audience::With(Feature::VforkEvents)),
    (Capability::ExecEvents, "exec-events+", Audience::With(Feature::ExecEvents)),
    (Capability::NoResumed, "no-resumed+", Audience::With(Feature::NoResumed)),
    (Capability::BinaryUpload, "binary-upload+", Audience::AllButLldb),
    (Capability::Auxv, "qXfer:auxv:read+", Audience::All),
    (Capability::ExecFile, "qXfer:exec-file:read+", Audience::AllButLldb),
    (Capability::TargetDescription, "qXfer:features:read+", Audience::All),
    (Capability::LibrariesSvr4, "qXfer:libraries-svr4:read+;augmented-libraries-svr4-read+", Audience::All),
    (Capability::OsData, "qXfer:osdata:read+", Audience::AllButLldb),
    (Capability::SignalInfo, "qXfer:siginfo:read+", Audience::All),
    (Capability::SignalInfo, "qXfer:siginfo:write+", Audience::AllButLldb),
    (Capability::Threads, "qXfer:threads:read+", Audience::AllButLldb),
    (Capability::PassSignals, "QPassSignals+", Audience::All),
    (Capability::ProgramSignals, "QProgramSignals+", Audience::AllButLldb),
    (Capability::CatchSyscalls, "QCatchSyscalls+", Audience::AllButLldb),
    (Capability::ThreadEvents, "QThreadEvents+", Audience::AllButLldb),
    (Capability::NonStop, "QNonStop+", Audience::AllButLldb),
    (Capability::ConditionalBreakpoints, "ConditionalBreakpoints+", Audience::AllButLldb),
    (Capability::BreakpointCommands, "BreakpointCommands+", Audience::AllButLldb),
    (Capability::DisableRandomization, "QDisableRandomization+", Audience::AllButLldb),
    (Capability::StartupWithShell, "QStartupWithShell+", Audience::AllButLldb),
    (Capability::Environment, "QEnvironmentHexEncoded+;QEnvironmentReset+;QEnvironmentUnset+", Audience::AllButLldb),
    (Capability::WorkingDirectory, "QSetWorkingDir+", Audience::AllButLldb),
    (Capability::Tracepoints, TRACEPOINTS, Audience::AllButLldb),
    (Capability::DisconnectedTracing, "DisconnectedTracing+", Audience::AllButLldb),
    (Capability::Lldb, "MultiMemRead+", Audience::LaterLldb),
    (
        Capability::Lldb,
        "QThreadSuffixSupported+;QListThreadsInStopReply+;qEcho+;native-signals+",
        Audience::With(Feature::Lldb),
    ),
];

/// What the client switches on with packets of their own, and keeps when it sends `qSupported` again.
const SWITCHED: [Feature; 4] = [Feature::ErrorStrings, Feature::Gdb, Feature::Lldb, Feature::ThreadsInStops];

/// How LLDB's `qSupported` names the descriptions that it knows: this way since 2015, the list has only grown.
const LLDB_REGISTERS: &[u8] = b"xmlRegisters=i386,arm,mips";

/// What no LLDB announces. Every GDB that knows `xmlRegisters` knows some of these; `swbreak+` and `hwbreak+` are LLDB's
/// since its version 20, too.
const NEVER_LLDB: [&[u8]; 4] = [b"exec-events+", b"no-resumed+", b"qRelocInsn+", b"vContSupported+"];

/// The features in what follows `qSupported`, as far as the server can make use of them, and those of `before` that it does
/// not touch.
pub(crate) fn read(text: &[u8], capabilities: Capabilities, before: Features) -> Features {
    let announced = || text.split(|byte| matches!(byte, b':' | b';'));
    let known = announced().filter_map(|name| ANNOUNCED.iter().find(|(known, _)| *known == name));
    let offered = known.filter(|(_, feature)| {
        let offers = |audience| audience == Audience::With(*feature);
        OFFERS.iter().any(|(capability, _, audience)| offers(*audience) && capabilities.has(*capability))
    });
    let kept = SWITCHED.into_iter().filter(|feature| before.has(*feature));
    let may_be_lldb = !announced().any(|name| NEVER_LLDB.contains(&name));
    let lldb =
        capabilities.has(Capability::Lldb) && may_be_lldb && announced().any(|name| name.starts_with(LLDB_REGISTERS));
    let all = offered.map(|(_, feature)| *feature).chain(kept).chain(lldb.then_some(Feature::Lldb));
    let features = all.fold(Features::NONE, Set::with);
    if !may_be_lldb {
        return features.without(Feature::Lldb);
    }
    if features.has(Feature::Lldb) && !features.has(Feature::Multiprocess) {
        // Nothing that LLDB sends could name the child.
        return features.without(Feature::ForkEvents).without(Feature::VforkEvents);
    }
    features
}

/// Appends the answer to `qSupported`.
pub(crate) fn write(out: &mut Vec<u8>, packet_size: usize, capabilities: Capabilities, features: Features) {
    out.extend_from_slice(b"PacketSize=");
    field::put_number(out, packet_size as u64);
    for (capability, text, audience) in OFFERS {
        if capabilities.has(capability) && audience.includes(features) {
            out.push(b';');
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// What a client learns from the answer to `qSupported`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Offer {
    /// Largest packet body that the server accepts, in bytes.
    pub(crate) packet_size: usize,
    /// What it can do.
    pub(crate) capabilities: Capabilities,
}

impl Offer {
    /// What holds for a server that says nothing: packets of 400 bytes, which is what GDB takes every stub to accept.
    pub(crate) const NONE: Self = Self { packet_size: MIN_CLIENT_PACKET, capabilities: Capabilities::NONE };

    /// Reads the answer. What is not known is passed over, and the size taken as the nearest one that is possible.
    pub(crate) fn read(answer: &[u8]) -> Self {
        answer.split(|byte| *byte == b';').fold(Self::NONE, |offer, item| {
            if let Some(size) = item.strip_prefix(b"PacketSize=").and_then(field::whole_as::<usize>) {
                // The protocol counts the framing in.
                let packet_size = size.saturating_sub(FRAMING).clamp(MIN_CLIENT_PACKET, MAX_PACKET);
                return Self { packet_size, ..offer };
            }
            let first = |text: &'static str| text.split(';').next().map(str::as_bytes);
            match OFFERS.iter().find(|(_, text, _)| first(text) == Some(item)) {
                Some((capability, ..)) => Self { capabilities: offer.capabilities.with(*capability), ..offer },
                None => offer,
            }
        })
    }
}

/// Appends a client's `qSupported`.
///
/// `xmlRegisters` is what GDB's own stub wants to see before it describes the registers of an x86 program.
pub(crate) fn announce(out: &mut Vec<u8>, features: Features) {
    out.extend_from_slice(b"qSupported:xmlRegisters=i386;vContSupported+");
    for (name, _) in ANNOUNCED.iter().filter(|(_, feature)| features.has(*feature)) {
        out.push(b';');
        out.extend_from_slice(name);
    }
}

/// The capabilities that the answer to `vCont?` tells of.
pub(crate) fn read_actions(answer: &[u8], capabilities: Capabilities) -> Capabilities {
    if answer.split(|byte| *byte == b';').any(|action| action == b"r") {
        capabilities.with(Capability::RangeStep)
    } else {
        capabilities
    }
}

/// Appends the answer to `vCont?`.
pub(crate) fn write_actions(out: &mut Vec<u8>, capabilities: Capabilities) {
    out.extend_from_slice(b"vCont;c;C;s;S;t");
    if capabilities.has(Capability::RangeStep) {
        out.extend_from_slice(b";r");
    }
}

#[cfg(test)]
mod tests {
    use std::string::String;

    use super::*;

    fn answer(announced: &[u8], capabilities: Capabilities) -> String {
        let mut out = Vec::new();
        write(&mut out, 0x4000, capabilities, read(announced, capabilities, Features::NONE));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_client_that_announces_nothing_is_offered_only_what_it_can_take() {
        let text = answer(b"", Capabilities::ALL);
        assert!(text.starts_with("PacketSize=4000;vContSupported+;QStartNoAckMode+;binary-upload+;"), "{text}");
        assert!(!text.contains("multiprocess") && !text.contains("swbreak") && !text.contains("fork-events"));
    }

    #[test]
    fn features_take_effect_only_if_the_server_offers_them() {
        let announced = b":multiprocess+;swbreak+;fork-events+;xmlRegisters=i386;unheard-of+;no-resumed-";
        let capabilities = Capabilities::ALL.without(Capability::ForkEvents);
        let features = read(announced, capabilities, Features::NONE);
        assert_eq!(features, Features::NONE.with(Feature::Multiprocess).with(Feature::SoftwareBreak));
        let text = answer(announced, capabilities);
        assert!(text.contains(";multiprocess+;swbreak+;") && !text.contains("fork-events"), "{text}");
    }

    #[test]
    fn a_client_reads_what_a_server_writes() {
        let mut announced = Vec::new();
        announce(&mut announced, Features::ALL.without(Feature::ForkEvents));
        let features = read(announced.strip_prefix(b"qSupported").unwrap(), Capabilities::ALL, Features::NONE);
        assert!(features.has(Feature::Multiprocess) && features.has(Feature::ErrorMessage));
        assert!(!features.has(Feature::ForkEvents));
        let offer = Offer::read(answer(&announced, Capabilities::ALL).as_bytes());
        assert_eq!(offer.packet_size, 0x4000 - FRAMING);
        assert!(offer.capabilities.has(Capability::BinaryUpload) && offer.capabilities.has(Capability::LibrariesSvr4));
        assert!(!offer.capabilities.has(Capability::ForkEvents));
        let mut actions = Vec::new();
        write_actions(&mut actions, Capabilities::ALL);
        assert!(read_actions(&actions, Capabilities::NONE).has(Capability::RangeStep));
        assert!(!read_actions(b"vCont;c;C;s;S;t", Capabilities::NONE).has(Capability::RangeStep));
    }

    #[test]
    fn lldb_is_known_by_what_it_announces_and_offered_what_it_knows() {
        const LLDB: &[u8] = b":xmlRegisters=i386,arm,mips,arc;multiprocess+;fork-events+;vfork-events+";
        let text = answer(LLDB, Capabilities::ALL);
        assert!(text.contains(";native-signals+") && text.contains(";QThreadSuffixSupported+;"), "{text}");
        assert!(text.contains(";qXfer:auxv:read+") && text.contains(";multiprocess+;fork-events+"), "{text}");
        for unknown in ["vContSupported", "binary-upload", "qXfer:threads", "QNonStop", "swbreak", "MultiMemRead"] {
            assert!(!text.contains(unknown), "{text}");
        }
        let has = |announced, before| read(announced, Capabilities::ALL, before).has(Feature::Lldb);
        let since_version_20 = [LLDB, b";swbreak+;hwbreak+"].concat();
        assert!(has(&since_version_20, Features::NONE));
        assert!(answer(&since_version_20, Capabilities::ALL).contains(";MultiMemRead+;"));
        assert!(!has(b":xmlRegisters=i386;swbreak+;qRelocInsn+;vContSupported+", Features::NONE));
        assert!(!has(b":xmlRegisters=i386,arm,mips;qRelocInsn+", Features::NONE) && !has(b"", Features::NONE));
        assert!(!has(b":xmlRegisters=i386", Features::NONE), "any client of this processor may say so");
        assert!(has(b"", Features::NONE.with(Feature::Lldb)), "it stays what it was");
        assert!(!read(LLDB, Capabilities::ALL.without(Capability::Lldb), Features::NONE).has(Feature::Lldb));
    }

    #[test]
    fn a_packet_size_that_is_absurd_is_taken_as_the_nearest_possible() {
        for (answer, size) in [
            (&b"PacketSize=1"[..], MIN_CLIENT_PACKET),
            (b"PacketSize=ffffffffffffffff", MAX_PACKET),
            (b"PacketSize=zz;swbreak-;;=", MIN_CLIENT_PACKET),
            (b"", MIN_CLIENT_PACKET),
        ] {
            assert_eq!(Offer::read(answer), Offer { packet_size: size, ..Offer::NONE });
        }
    }

    #[test]
    fn what_is_switched_off_is_not_announced() {
        assert_eq!(answer(b":multiprocess+", Capabilities::NONE), "PacketSize=4000");
        let mut out = Vec::new();
        write_actions(&mut out, Capabilities::NONE);
        assert_eq!(out, b"vCont;c;C;s;S;t");
    }
}
