//! Resuming and interrupting: `vCont`, `c`, `C`, `s`, `S`, `Ctrl-C`, `vCtrlC`.

use alloc::vec::Vec;

use super::features::{Feature, Features};
use super::field;
use super::request::Malformed;
use super::signal::{Numbering, Signal};
use super::thread::{Selector, ThreadSelector};
use crate::limits::MAX_RESUME_ACTIONS;

/// How a thread goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// `c`, or `C` with a signal to deliver.
    Continue(Option<Signal>),
    /// `r START,END`: step while `start <= pc < end`.
    RangeStep {
        /// First address of the range.
        start: u64,
        /// First address past it.
        end: u64,
    },
    /// `s`, or `S` with a signal to deliver.
    Step(Option<Signal>),
    /// `t`: stop (non-stop mode).
    Stop,
}

/// The actions of one `vCont`: for each thread the first that admits it counts.
///
/// Already checked: iterating cannot fail. The one without a thread-id comes last wherever it stood, for it means all
/// threads that no other one admits. `c`, `s`, `C` and `S` come as one action on the thread chosen with `Hc`; where
/// none is chosen, a step or a signal concerns the thread chosen with `Hg`, and a second action continues all others.
/// From LLDB, `c` and `C` continue the others of the chosen thread's process as well, as lldb-server does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Actions<'a> {
    form: Form<'a>,
    /// How the packet numbers signals.
    numbering: Numbering,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form<'a> {
    /// What follows `vCont;`.
    List(&'a [u8]),
    /// One of the old packets.
    Old {
        action: Action,
        /// The thread chosen with `Hc`.
        chosen: ThreadSelector,
        /// The thread chosen with `Hg`.
        current: ThreadSelector,
        /// Whether a chosen thread that is continued takes the others along.
        together: bool,
    },
}

impl<'a> Actions<'a> {
    /// The list after `vCont;`; `None` if it is empty, too long, or has something that is no action.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let mut count = 0;
        for item in items(text) {
            ThreadAction::parse(item)?;
            count += 1;
        }
        (count <= MAX_RESUME_ACTIONS).then_some(Self::new(Form::List(text)))
    }

    const fn new(form: Form<'a>) -> Self {
        Self { form, numbering: Numbering::Gdb }
    }

    /// Says which threads the old packets mean, given those chosen with `Hc` and `Hg`, and how the client numbers signals.
    #[must_use]
    pub(crate) fn bind(self, chosen: ThreadSelector, current: ThreadSelector, features: Features) -> Self {
        let form = match self.form {
            Form::List(_) => self.form,
            Form::Old { action, .. } => Form::Old { action, chosen, current, together: features.has(Feature::Lldb) },
        };
        Self { form, numbering: features.numbering() }
    }

    /// Each action, in the order in which they count.
    pub fn iter(&self) -> impl Iterator<Item = ThreadAction> + Clone + use<'a> {
        let numbering = self.numbering;
        let (list, old) = match self.form {
            Form::List(text) => (text, [None; 2]),
            Form::Old { action, chosen, current, together } => {
                (&b""[..], old_actions(action, chosen, current, together))
            }
        };
        let named = items(list).filter(|item| item.contains(&b':'));
        let default = items(list).filter(|item| !item.contains(&b':'));
        let all = named.chain(default).filter_map(ThreadAction::parse).chain(old.into_iter().flatten());
        all.map(move |each| ThreadAction { action: each.action.numbered(numbering), ..each })
    }
}

fn items(list: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    list.split(|byte| *byte == b';')
}

/// What an old packet does to whom.
fn old_actions(
    action: Action,
    chosen: ThreadSelector,
    current: ThreadSelector,
    together: bool,
) -> [Option<ThreadAction>; 2] {
    let all = ThreadAction { action: Action::Continue(None), thread: ThreadSelector::ALL };
    if let Selector::One(_) = chosen.thread {
        let along = together && matches!(action, Action::Continue(_));
        let others = ThreadAction { thread: ThreadSelector { thread: Selector::All, ..chosen }, ..all };
        [Some(ThreadAction { action, thread: chosen }), along.then_some(others)]
    } else if action == all.action {
        [Some(all), None]
    } else {
        [Some(ThreadAction { action, thread: current }), Some(all)]
    }
}

/// An action and whom it concerns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ThreadAction {
    /// What to do.
    pub action: Action,
    /// To whom; `ALL` where the packet names no thread.
    pub thread: ThreadSelector,
}

/// Appends what [`Actions::parse`] reads: `actions` in the order in which they count.
pub fn put_list(out: &mut Vec<u8>, actions: &[ThreadAction]) {
    for (index, ThreadAction { action, thread }) in actions.iter().enumerate() {
        if index > 0 {
            out.push(b';');
        }
        action.emit(out);
        if *thread != ThreadSelector::ALL {
            out.push(b':');
            thread.emit(out);
        }
    }
}

/// A resume request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// The byte 0x03, or `vCtrlC`. 0x03 has no reply of its own: its effect is a stop. `vCtrlC` is answered with OK.
    Interrupt,
    /// Everything else. `address`, from the old packets, is where the thread is to go on.
    Resume {
        /// What each thread does.
        actions: Actions<'a>,
        /// `c ADDR`, `s ADDR`.
        address: Option<u64>,
    },
}

impl ThreadAction {
    /// `ACTION[:THREAD]`.
    fn parse(item: &[u8]) -> Option<Self> {
        let (action, rest) = Action::parse(item)?;
        let thread = match rest {
            [] => ThreadSelector::ALL,
            [b':', id @ ..] => ThreadSelector::whole(id)?,
            _ => return None,
        };
        Some(Self { action, thread })
    }
}

impl Action {
    /// The action that `text` starts with, and what follows it.
    fn parse(text: &[u8]) -> Option<(Self, &[u8])> {
        let (letter, rest) = text.split_first()?;
        Some(match letter {
            b'c' => (Self::Continue(None), rest),
            b's' => (Self::Step(None), rest),
            b't' => (Self::Stop, rest),
            b'C' => {
                let (signal, rest) = signal(rest)?;
                (Self::Continue(signal), rest)
            }
            b'S' => {
                let (signal, rest) = signal(rest)?;
                (Self::Step(signal), rest)
            }
            b'r' => {
                let (start, rest) = field::number(rest)?;
                let (end, rest) = field::number(rest.strip_prefix(b",")?)?;
                (Self::RangeStep { start, end }, rest)
            }
            _ => return None,
        })
    }

    /// The action as it is meant where the packet's signals have these numbers; parsing takes them for GDB's.
    fn numbered(self, numbering: Numbering) -> Self {
        let signal = |signal: Option<Signal>| signal.map(|signal| numbering.read(signal.0));
        match self {
            Self::Continue(number) => Self::Continue(signal(number)),
            Self::Step(number) => Self::Step(signal(number)),
            Self::RangeStep { .. } | Self::Stop => self,
        }
    }

    fn emit(self, out: &mut Vec<u8>) {
        match self {
            Self::Continue(None) => out.push(b'c'),
            Self::Continue(Some(signal)) => put_signal(out, b'C', signal),
            Self::RangeStep { start, end } => {
                out.push(b'r');
                field::put_number(out, start);
                out.push(b',');
                field::put_number(out, end);
            }
            Self::Step(None) => out.push(b's'),
            Self::Step(Some(signal)) => put_signal(out, b'S', signal),
            Self::Stop => out.push(b't'),
        }
    }
}

/// A signal's number, and what follows it. 0 is no signal at all.
fn signal(text: &[u8]) -> Option<(Option<Signal>, &[u8])> {
    let (number, rest) = field::number(text)?;
    let number = u8::try_from(number).ok()?;
    Some(((number != 0).then_some(Signal(number)), rest))
}

fn put_signal(out: &mut Vec<u8>, letter: u8, signal: Signal) {
    out.push(letter);
    field::put_byte(out, signal.0);
}

const LIST: &[u8] = b"vCont;";
const INTERRUPT: &[u8] = b"vCtrlC";

impl<'a> Request<'a> {
    /// The request in `body`, or `None` if it belongs to another family. The byte 0x03 is no packet.
    ///
    /// # Errors
    /// [`Malformed`] if an action, a signal, a thread-id or an address is missing or is none.
    pub fn parse(body: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let request = match body {
            INTERRUPT => Some(Self::Interrupt),
            [b'c' | b's', address @ ..] => old(&body[..1], address),
            [b'C' | b'S', ..] => match field::split_at(body, b';') {
                Some((action, address)) => old(action, address),
                None => old(body, b""),
            },
            _ => match body.strip_prefix(LIST) {
                Some(list) => Actions::parse(list).map(|actions| Self::Resume { actions, address: None }),
                None => return Ok(None),
            },
        };
        request.ok_or(Malformed("resume")).map(Some)
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Interrupt => out.extend_from_slice(INTERRUPT),
            Self::Resume { actions: Actions { form: Form::List(text), .. }, .. } => {
                out.extend_from_slice(LIST);
                out.extend_from_slice(text);
            }
            Self::Resume { actions: Actions { form: Form::Old { action, .. }, .. }, address } => {
                action.emit(out);
                if let Some(address) = address {
                    if let Action::Continue(Some(_)) | Action::Step(Some(_)) = action {
                        out.push(b';');
                    }
                    field::put_number(out, address);
                }
            }
        }
    }
}

/// One of the old packets: the action, and where the thread is to go on if that is said.
fn old<'a>(action: &[u8], address: &[u8]) -> Option<Request<'a>> {
    let (action, rest) = Action::parse(action)?;
    let address = if address.is_empty() { None } else { Some(field::whole(address)?) };
    let form = Form::Old { action, chosen: ThreadSelector::ANY, current: ThreadSelector::ANY, together: false };
    rest.is_empty().then_some(Request::Resume { actions: Actions::new(form), address })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::request::tests::{malformed, round_trip, unknown};
    use crate::rsp::thread::tests::selectors;

    fn actions() -> impl Strategy<Value = Action> {
        let signal = || (0u8..).prop_map(|number| (number != 0).then_some(Signal(number)));
        prop_oneof![
            signal().prop_map(Action::Continue),
            signal().prop_map(Action::Step),
            any::<(u64, u64)>().prop_map(|(start, end)| Action::RangeStep { start, end }),
            Just(Action::Stop),
        ]
    }

    proptest! {
        #[test]
        fn every_list_of_actions_reads_back(list in prop::collection::vec((actions(), selectors()), 1..6)) {
            let mut text = Vec::new();
            for (action, thread) in &list {
                if !text.is_empty() {
                    text.push(b';');
                }
                action.emit(&mut text);
                text.push(b':');
                thread.emit(&mut text);
            }
            let parsed = Actions::parse(&text).unwrap();
            let read: Vec<_> = parsed.iter().map(|item| (item.action, item.thread)).collect();
            prop_assert_eq!(read, list);
            round_trip(&Request::Resume { actions: parsed, address: None }.into());
            round_trip(&Request::Interrupt.into());
        }

        #[test]
        fn the_old_packets_read_back(signal: u8, address: u64) {
            for body in [
                std::format!("c{address:x}"), std::format!("s{address:x}"), "c".into(), "s".into(),
                std::format!("C{signal:02x};{address:x}"), std::format!("S{signal:x}"),
            ] {
                let request = Request::parse(body.as_bytes()).unwrap().unwrap();
                round_trip(&request.into());
            }
        }
    }

    fn lldb() -> Features {
        Features::NONE.with(Feature::Lldb)
    }

    fn threads(body: &[u8], chosen: &[u8]) -> Vec<(Action, ThreadSelector)> {
        bound(body, chosen, Features::NONE)
    }

    fn bound(body: &[u8], chosen: &[u8], features: Features) -> Vec<(Action, ThreadSelector)> {
        let Ok(Some(Request::Resume { actions, .. })) = Request::parse(body) else { panic!("{body:?}") };
        let current = ThreadSelector::whole(b"p1.2").unwrap();
        let actions = actions.bind(ThreadSelector::whole(chosen).unwrap(), current, features);
        actions.iter().map(|item| (item.action, item.thread)).collect()
    }

    #[test]
    fn signals_come_in_the_clients_numbering() {
        for body in [&b"vCont;C0a:1;S13:2"[..], b"C0a"] {
            let Ok(Some(Request::Resume { actions, .. })) = Request::parse(body) else { panic!("{body:?}") };
            let first = |features| actions.bind(ThreadSelector::ANY, ThreadSelector::ANY, features).iter().next();
            assert_eq!(first(lldb()).unwrap().action, Action::Continue(Some(Signal::USR1)));
            assert_eq!(first(Features::NONE).unwrap().action, Action::Continue(Some(Signal::BUS)));
        }
    }

    #[test]
    fn the_old_packets_mean_the_chosen_thread_or_all() {
        let id = |text| ThreadSelector::whole(text).unwrap();
        let go = Action::Continue(None);
        let hit = Action::Continue(Some(Signal(11)));
        assert_eq!(threads(b"c", b"0"), [(go, ThreadSelector::ALL)]);
        assert_eq!(threads(b"c", b"p1.5"), [(go, id(b"p1.5"))]);
        assert_eq!(threads(b"s", b"p1.5"), [(Action::Step(None), id(b"p1.5"))]);
        assert_eq!(threads(b"s", b"-1"), [(Action::Step(None), id(b"p1.2")), (go, ThreadSelector::ALL)]);
        assert_eq!(threads(b"C0b", b"0"), [(hit, id(b"p1.2")), (go, ThreadSelector::ALL)]);
    }

    #[test]
    fn lldb_continues_the_others_along_with_the_chosen_thread_and_steps_it_alone() {
        let id = |text| ThreadSelector::whole(text).unwrap();
        let go = Action::Continue(None);
        let hit = Action::Continue(Some(Signal::USR1));
        let others = (go, ThreadSelector { thread: Selector::All, ..id(b"p1.5") });
        assert_eq!(bound(b"C0a", b"p1.5", lldb()), [(hit, id(b"p1.5")), others]);
        assert_eq!(bound(b"c", b"p1.5", lldb()), [(go, id(b"p1.5")), others]);
        assert_eq!(bound(b"s", b"p1.5", lldb()), [(Action::Step(None), id(b"p1.5"))]);
    }

    #[test]
    fn the_default_action_counts_last() {
        let id = |text| ThreadSelector::whole(text).unwrap();
        let expected = [(Action::Step(None), id(b"p1.2")), (Action::Continue(None), ThreadSelector::ALL)];
        assert_eq!(threads(b"vCont;s:p1.2;c", b"0"), expected);
        assert_eq!(threads(b"vCont;c;s:p1.2", b"0"), expected);
    }

    #[test]
    fn actions_that_are_none_are_refused() {
        for body in [
            "vCont;",
            "vCont;x",
            "vCont;c;",
            "vCont;C",
            "vCont;C100",
            "vCont;s:",
            "vCont;s:p1.2x",
            "vCont;r1",
            "vCont;r1,",
            "vCont;cc",
            "cx",
            "c1;",
            "C",
            "C05;x",
            "S5x",
            "s-1",
        ] {
            malformed(body.as_bytes());
        }
        let many = [b"vCont;".to_vec(), b"s:1;".repeat(MAX_RESUME_ACTIONS), b"c".to_vec()].concat();
        malformed(&many);
        unknown(b"vCont");
        unknown(b"vCtrlCx");
    }
}
