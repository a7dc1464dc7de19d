//! The channels that somebody holds a handle of, and who waits for what on them.

use dbgsrv_protocol::mux::{Channel, Code};
use std::task::{Context, Waker};

/// Names a slot for as long as its handle lives; a channel's number may be another's by then.
pub(crate) type Key = usize;

/// Why a channel is no more.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    pub(crate) code: Code,
    pub(crate) text: String,
}

/// How far a channel is.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Client: the server has not answered yet.
    Asked,
    /// Server: nobody has decided yet.
    Offered,
    Open,
    Refused(Reason),
    Reset(Reason),
}

/// One channel.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) channel: Channel,
    pub(crate) phase: Phase,
    pub(crate) finished_here: bool,
    pub(crate) finished_there: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Slot {
    /// The reader, or who waits for the channel to be opened, is to be woken.
    pub(crate) fn await_read(&mut self, cx: &Context<'_>) {
        register(&mut self.reader, cx);
    }

    /// The writer is to be woken.
    pub(crate) fn await_write(&mut self, cx: &Context<'_>) {
        register(&mut self.writer, cx);
    }

    pub(crate) fn wake_reader(&mut self, woken: &mut Vec<Waker>) {
        woken.extend(self.reader.take());
    }

    pub(crate) fn wake_writer(&mut self, woken: &mut Vec<Waker>) {
        woken.extend(self.writer.take());
    }
}

fn register(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *waker = Some(cx.waker().clone()),
    }
}

/// All slots.
#[derive(Debug)]
pub(crate) struct Slots {
    slots: Vec<Option<Slot>>,
    /// Which slot a number belongs to at the moment.
    by_number: [Option<Key>; 255],
}

impl Slots {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), by_number: [None; 255] }
    }

    pub(crate) fn insert(&mut self, channel: Channel, phase: Phase) -> Key {
        let slot = Slot { channel, phase, finished_here: false, finished_there: false, reader: None, writer: None };
        let key = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        if key == self.slots.len() {
            self.slots.push(Some(slot));
        } else {
            self.slots[key] = Some(slot);
        }
        self.by_number[usize::from(channel.number())] = Some(key);
        key
    }

    /// Forgets a slot: its handle is gone.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Slot> {
        let slot = self.slots.get_mut(key)?.take()?;
        let owner = &mut self.by_number[usize::from(slot.channel.number())];
        *owner = owner.filter(|owner| *owner != key);
        Some(slot)
    }

    /// The slot of a handle.
    ///
    /// # Panics
    /// Where `key` was removed: a handle removes its own, and only at its end.
    pub(crate) fn of(&mut self, key: Key) -> &mut Slot {
        self.slots[key].as_mut().expect("a slot stays for as long as its handle")
    }

    /// The slot that a number belongs to at the moment, `None` where nobody is interested any more.
    pub(crate) fn at(&mut self, channel: Channel) -> Option<&mut Slot> {
        let key = self.by_number[usize::from(channel.number())]?;
        self.slots[key].as_mut()
    }

    pub(crate) fn wake_all(&mut self, woken: &mut Vec<Waker>) {
        for slot in self.slots.iter_mut().flatten() {
            slot.wake_reader(woken);
            slot.wake_writer(woken);
        }
    }
}
