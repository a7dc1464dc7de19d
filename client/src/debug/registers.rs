//! Registers by name: `g`, `G`, `p`, `P`, and the target description.

use std::ops::Range;
use std::sync::Arc;

use dbgsrv_protocol::ids::ThreadId;
use dbgsrv_protocol::rsp::client::{Registers, Reply};
use dbgsrv_protocol::rsp::registers::Request;
use tokio::io::{AsyncRead, AsyncWrite};

use super::description::{self, Item};
use super::{DebugError, DebugSession, Description, Object, Register};

/// Most documents that one description is made of; descriptions of real programs have fewer than ten.
const MAX_DOCUMENTS: usize = 64;

/// The registers of a thread at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegisterSet {
    description: Arc<Description>,
    values: Vec<u8>,
    /// Where in `values` there is nothing.
    gaps: Vec<Range<usize>>,
}

impl RegisterSet {
    fn new(description: Arc<Description>, registers: &Registers<'_>) -> Self {
        Self { description, values: registers.values().to_vec(), gaps: registers.gaps().to_vec() }
    }

    /// Which registers there are.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The bytes of a register, in target order; `None` if there is none of that name, or it is not available.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.value(self.description.register(name)?)
    }

    /// The value of a register of at most eight bytes, in the byte order of x86 and `AArch64` Linux.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        let bytes = self.get(name)?;
        let mut number = [0; 8];
        number.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(u64::from_le_bytes(number))
    }

    /// Each register that is available, and its bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&Register, &[u8])> {
        self.description.registers.iter().filter_map(|register| Some((register, self.value(register)?)))
    }

    fn value(&self, register: &Register) -> Option<&[u8]> {
        let range = register.offset..register.offset + register.bytes;
        let available = self.gaps.iter().all(|gap| gap.end <= range.start || range.end <= gap.start);
        if available { self.values.get(range) } else { None }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> DebugSession<S> {
    /// Which registers a thread has (`qXfer:features:read`; dbgeng: `IDebugRegisters::GetDescription`). It is asked for
    /// once per process.
    ///
    /// # Errors
    /// [`DebugError::Description`] if it can't be read, [`DebugError::Unsupported`] if the server has none.
    pub async fn description(&mut self, thread: ThreadId) -> Result<Arc<Description>, DebugError> {
        if let Some((pid, description)) = &self.description
            && *pid == thread.pid
        {
            return Ok(Arc::clone(description));
        }
        let mut items = vec![Item::Include("target.xml".into())];
        let mut documents = 0;
        while let Some(at) = items.iter().position(|item| matches!(item, Item::Include(_))) {
            let Item::Include(name) = items.remove(at) else { continue };
            documents += 1;
            if documents > MAX_DOCUMENTS {
                return Err(DebugError::Description(format!("it has more than {MAX_DOCUMENTS} documents")));
            }
            let document = self.read_object(Some(thread), Object::Features, &name).await?;
            items.splice(at..at, description::parse(&document)?);
        }
        let description = Arc::new(description::assemble(items)?);
        self.description = Some((thread.pid, Arc::clone(&description)));
        Ok(description)
    }

    /// All registers of a thread (`g`; dbgeng: `IDebugRegisters::GetValues`).
    ///
    /// # Errors
    /// [`DebugError::Target`] if there is no such thread; those of [`Self::description`].
    pub async fn registers(&mut self, thread: ThreadId) -> Result<RegisterSet, DebugError> {
        let description = self.description(thread).await?;
        self.look(thread, Request::ReadAll, |reply| match reply {
            Reply::Registers(registers) => Ok(RegisterSet::new(description, &registers)),
            reply => Err(DebugError::from_reply(&reply, "g")),
        })
        .await
    }

    /// One register of a thread, in target order (`p`, or `g` where the server lacks that; dbgeng:
    /// `IDebugRegisters::GetValue`).
    ///
    /// # Errors
    /// [`DebugError::NoRegister`], [`DebugError::Unavailable`]; those of [`Self::registers`].
    pub async fn register(&mut self, thread: ThreadId, name: &str) -> Result<Vec<u8>, DebugError> {
        let description = self.description(thread).await?;
        let register = description.register(name).ok_or_else(|| DebugError::NoRegister(name.into()))?;
        let unavailable = || DebugError::Unavailable(name.into());
        if self.single_registers {
            let read = |reply: Reply<'_>| match reply {
                Reply::Registers(registers) => {
                    registers.get(0..register.bytes).map(<[u8]>::to_vec).ok_or_else(unavailable)
                }
                reply => Err(DebugError::from_reply(&reply, "p")),
            };
            match self.look(thread, Request::Read { number: register.number }, read).await {
                Err(DebugError::Unsupported(_)) => self.single_registers = false,
                result => return result,
            }
        }
        self.registers(thread).await?.get(name).map(<[u8]>::to_vec).ok_or_else(unavailable)
    }

    /// Changes one register of a thread, in target order (`P`, or `G` where the server lacks that; dbgeng:
    /// `IDebugRegisters::SetValue`).
    ///
    /// # Errors
    /// [`DebugError::NoRegister`], [`DebugError::WrongSize`], [`DebugError::Target`] if the value is not possible; those of
    /// [`Self::registers`].
    pub async fn write_register(&mut self, thread: ThreadId, name: &str, value: &[u8]) -> Result<(), DebugError> {
        let description = self.description(thread).await?;
        let register = description.register(name).ok_or_else(|| DebugError::NoRegister(name.into()))?;
        if value.len() != register.bytes {
            let (expected, given) = (register.bytes, value.len());
            return Err(DebugError::WrongSize { name: name.into(), expected, given });
        }
        self.select(thread).await?;
        if self.single_registers {
            let request = Request::Write { number: register.number, value };
            match self.conversation.command(request, "P").await {
                Err(DebugError::Unsupported(_)) => self.single_registers = false,
                result => return result,
            }
        }
        let mut values = self.registers(thread).await?.values;
        let place = values.get_mut(register.offset..register.offset + register.bytes);
        place.ok_or_else(|| DebugError::Unavailable(name.into()))?.copy_from_slice(value);
        self.conversation.command(Request::WriteAll { values: &values }, "G").await
    }
}
