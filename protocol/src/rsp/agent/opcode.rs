//! The instructions: as bytes, and as what they are compiled to.

use super::Invalid;

/// One operation. Jump targets are byte offsets when decoded, and indices of operations once compiled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Op {
    /// `const8` to `const64`: not sign-extended.
    Push(u64),
    /// `reg`.
    Register(u16),
    /// `ref8` to `ref64`: the number of bytes.
    Reference(u8),
    /// The arithmetic with two operands.
    Binary(Binary),
    LogicalNot,
    BitNot,
    /// `ext`: from 1 to 64 bits.
    SignExtend(u8),
    /// `zero_ext`: from 1 to 64 bits.
    ZeroExtend(u8),
    /// `if_goto`: jumps unless the top is 0.
    JumpIf(u16),
    Jump(u16),
    Dup,
    Pop,
    Swap,
    /// `pick`: a copy of the value so far below the top.
    Pick(u8),
    /// `rot`: the top goes below the next two.
    Rotate,
    Printf {
        arguments: u8,
        /// Where the format begins: in the program's bytes when decoded, among its formats once compiled.
        format: u16,
        /// Without the NUL.
        length: u16,
    },
    /// `getv`: a trace state variable's value.
    Variable(u16),
    /// `setv`: the top becomes a trace state variable's value, and stays.
    SetVariable(u16),
    /// `tracev`.
    CollectVariable(u16),
    /// `trace`: so many bytes from an address on.
    Collect,
    /// `trace_quick`, `trace16`: so many bytes from the top on, which stays.
    CollectAt(u16),
    /// `tracenz`: up to so many bytes from an address on, up to a NUL.
    CollectString,
    End,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    DivideSigned,
    DivideUnsigned,
    RemainderSigned,
    RemainderUnsigned,
    ShiftLeft,
    ShiftRightSigned,
    ShiftRightUnsigned,
    And,
    Or,
    Xor,
    Equal,
    LessSigned,
    LessUnsigned,
}

impl Op {
    /// The values it needs on the stack, and how many there are in their place afterwards.
    pub(super) fn stack_effect(self) -> (usize, usize) {
        match self {
            Self::Push(_) | Self::Register(_) | Self::Variable(_) => (0, 1),
            Self::Reference(_)
            | Self::LogicalNot
            | Self::BitNot
            | Self::SignExtend(_)
            | Self::ZeroExtend(_)
            | Self::SetVariable(_)
            | Self::CollectAt(_) => (1, 1),
            Self::Binary(_) => (2, 1),
            Self::JumpIf(_) | Self::Pop => (1, 0),
            // The manual has `tracev` leave a value, GDB's own compiler and stub don't.
            Self::Jump(_) | Self::End | Self::CollectVariable(_) => (0, 0),
            Self::Dup => (1, 2),
            Self::Swap => (2, 2),
            Self::Pick(below) => (usize::from(below) + 1, usize::from(below) + 2),
            Self::Rotate => (3, 3),
            // The function and the channel are above the arguments.
            Self::Printf { arguments, .. } => (usize::from(arguments) + 2, 0),
            Self::Collect | Self::CollectString => (2, 0),
        }
    }
}

/// The instruction at `offset` and the offset of the next.
pub(super) fn decode(bytes: &[u8], offset: u16) -> Result<(Op, u16), Invalid> {
    let mut operands = Operands { bytes, position: usize::from(offset), offset };
    let opcode = operands.byte()?;
    let op = match opcode {
        0x02..=0x0b | 0x0f..=0x11 | 0x13..=0x15 => Op::Binary(binary(opcode)),
        0x0e => Op::LogicalNot,
        0x12 => Op::BitNot,
        0x16 => Op::SignExtend(operands.width()?),
        0x17 => Op::Reference(1),
        0x18 => Op::Reference(2),
        0x19 => Op::Reference(4),
        0x1a => Op::Reference(8),
        0x20 => Op::JumpIf(operands.short()?),
        0x21 => Op::Jump(operands.short()?),
        0x22 => Op::Push(operands.byte()?.into()),
        0x23 => Op::Push(operands.short()?.into()),
        0x24 => Op::Push(u32::from_be_bytes(operands.array()?).into()),
        0x25 => Op::Push(u64::from_be_bytes(operands.array()?)),
        0x26 => Op::Register(operands.short()?),
        0x27 => Op::End,
        0x28 => Op::Dup,
        0x29 => Op::Pop,
        0x2a => Op::ZeroExtend(operands.width()?),
        0x2b => Op::Swap,
        0x32 => Op::Pick(operands.byte()?),
        0x33 => Op::Rotate,
        0x34 => operands.printf()?,
        0x0c => Op::Collect,
        0x0d => Op::CollectAt(operands.byte()?.into()),
        0x2c => Op::Variable(operands.short()?),
        0x2d => Op::SetVariable(operands.short()?),
        0x2e => Op::CollectVariable(operands.short()?),
        0x2f => Op::CollectString,
        0x30 => Op::CollectAt(operands.short()?),
        0x01 | 0x1b..=0x1f => return Err(Invalid::FloatingPoint(offset)),
        _ => return Err(Invalid::UnknownOpcode { opcode, offset }),
    };
    Ok((op, operands.position as u16))
}

/// `decode` has matched the opcode.
fn binary(opcode: u8) -> Binary {
    match opcode {
        0x02 => Binary::Add,
        0x03 => Binary::Subtract,
        0x04 => Binary::Multiply,
        0x05 => Binary::DivideSigned,
        0x06 => Binary::DivideUnsigned,
        0x07 => Binary::RemainderSigned,
        0x08 => Binary::RemainderUnsigned,
        0x09 => Binary::ShiftLeft,
        0x0a => Binary::ShiftRightSigned,
        0x0b => Binary::ShiftRightUnsigned,
        0x0f => Binary::And,
        0x10 => Binary::Or,
        0x11 => Binary::Xor,
        0x13 => Binary::Equal,
        0x14 => Binary::LessSigned,
        _ => Binary::LessUnsigned,
    }
}

/// Reads what follows an opcode.
struct Operands<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The instruction's, for errors.
    offset: u16,
}

impl Operands<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Invalid> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let array = rest.first_chunk().ok_or(Invalid::Truncated(self.offset))?;
        self.position += N;
        Ok(*array)
    }

    fn byte(&mut self) -> Result<u8, Invalid> {
        Ok(self.array::<1>()?[0])
    }

    fn short(&mut self) -> Result<u16, Invalid> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    fn width(&mut self) -> Result<u8, Invalid> {
        let bits = self.byte()?;
        if (1..=64).contains(&bits) { Ok(bits) } else { Err(Invalid::Width { bits, offset: self.offset }) }
    }

    /// The number of arguments, the format's length with its NUL, the format.
    fn printf(&mut self) -> Result<Op, Invalid> {
        let arguments = self.byte()?;
        let length = usize::from(self.short()?);
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let format = rest.get(..length).ok_or(Invalid::Truncated(self.offset))?;
        let Some((0, text)) = format.split_last() else { return Err(Invalid::Format(self.offset)) };
        let op = Op::Printf { arguments, format: self.position as u16, length: text.len() as u16 };
        self.position += length;
        Ok(op)
    }
}
