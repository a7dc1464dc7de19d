//! The machine: a stack of 64-bit values.

use super::opcode::{Binary, Op};
use super::{ByteOrder, Fault, Item, MAX_STACK, Program, Target};

/// Positions are masked instead of checked: `compile` has shown that they are in bounds, the compiler can't know.
const MASK: usize = {
    assert!(MAX_STACK.is_power_of_two());
    MAX_STACK - 1
};

struct Stack {
    values: [u64; MAX_STACK],
    height: usize,
}

impl Stack {
    fn push(&mut self, value: u64) {
        self.values[self.height & MASK] = value;
        self.height += 1;
    }

    fn pop(&mut self) -> u64 {
        self.height -= 1;
        self.values[self.height & MASK]
    }

    /// The value `below` the top.
    fn peek(&self, below: usize) -> u64 {
        self.values[(self.height - 1 - below) & MASK]
    }

    /// Puts in the top's place what `f` makes of it.
    fn map(&mut self, f: impl FnOnce(u64) -> u64) {
        let top = self.pop();
        self.push(f(top));
    }
}

pub(super) fn evaluate(program: &Program, target: &mut impl Target, max_steps: u32) -> Result<Option<u64>, Fault> {
    let mut stack = Stack { values: [0; MAX_STACK], height: 0 };
    let mut next = 0;
    for _ in 0..max_steps {
        // `compile` lets no path run over the end.
        let Some(&op) = program.operations.get(next) else { break };
        next += 1;
        match op {
            Op::Push(value) => stack.push(value),
            Op::Register(number) => stack.push(target.register(number).ok_or(Fault::Register(number))?),
            Op::Reference(length) => {
                let value = read(target, stack.pop(), length)?;
                stack.push(value);
            }
            Op::Binary(operator) => {
                let (right, left) = (stack.pop(), stack.pop());
                stack.push(operator.apply(left, right).ok_or(Fault::DivisionByZero)?);
            }
            Op::LogicalNot => stack.map(|value| u64::from(value == 0)),
            Op::BitNot => stack.map(|value| !value),
            Op::SignExtend(bits) => stack.map(|value| sign_extend(value, bits)),
            Op::ZeroExtend(bits) => stack.map(|value| value & u64::MAX >> (64 - bits)),
            Op::JumpIf(index) => {
                if stack.pop() != 0 {
                    next = index.into();
                }
            }
            Op::Jump(index) => next = index.into(),
            Op::Dup => stack.push(stack.peek(0)),
            Op::Pop => _ = stack.pop(),
            Op::Swap => {
                let (top, second) = (stack.pop(), stack.pop());
                stack.push(top);
                stack.push(second);
            }
            Op::Pick(below) => stack.push(stack.peek(below.into())),
            Op::Rotate => rotate(&mut stack),
            Op::Printf { arguments, format, length } => {
                let format = &program.formats[usize::from(format)..][..usize::from(length)];
                print(&mut stack, target, format, arguments)?;
            }
            Op::Variable(number) => stack.push(target.variable(number).ok_or(Fault::Variable(number))?),
            Op::SetVariable(number) => {
                target.set_variable(number, stack.peek(0)).ok_or(Fault::Variable(number))?;
            }
            Op::CollectVariable(number) => target.collect(Item::Variable(number))?,
            Op::Collect => {
                let (length, address) = (stack.pop(), stack.pop());
                target.collect(Item::Memory { address, length })?;
            }
            Op::CollectAt(length) => target.collect(Item::Memory { address: stack.peek(0), length: length.into() })?,
            Op::CollectString => {
                let (limit, address) = (stack.pop(), stack.pop());
                target.collect(Item::String { address, limit })?;
            }
            Op::End => return Ok((stack.height > 0).then(|| stack.pop())),
        }
    }
    Err(Fault::Steps)
}

fn read(target: &mut impl Target, address: u64, length: u8) -> Result<u64, Fault> {
    let mut bytes = [0; 8];
    let big = target.byte_order() == ByteOrder::Big;
    let place = if big { 8 - usize::from(length)..8 } else { 0..usize::from(length) };
    if !target.read_memory(address, &mut bytes[place]) {
        return Err(Fault::Memory { address, length });
    }
    Ok(if big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
}

fn sign_extend(value: u64, bits: u8) -> u64 {
    let unused = 64 - bits;
    ((value << unused) as i64 >> unused) as u64
}

/// `a b c => c a b`, as GDB's own agent does it.
fn rotate(stack: &mut Stack) {
    let (top, second, third) = (stack.pop(), stack.pop(), stack.pop());
    stack.push(top);
    stack.push(third);
    stack.push(second);
}

/// Takes the function and the channel, which mean nothing here, then the arguments, the first of them uppermost.
fn print(stack: &mut Stack, target: &mut impl Target, format: &[u8], count: u8) -> Result<(), Fault> {
    let _function_and_channel = (stack.pop(), stack.pop());
    let mut arguments = [0; MAX_STACK];
    let arguments = &mut arguments[..usize::from(count)];
    arguments.fill_with(|| stack.pop());
    if target.printf(format, arguments) { Ok(()) } else { Err(Fault::Printf) }
}

impl Binary {
    /// `None` for a division by zero. Results wrap; a shift by 64 or more leaves only what is shifted in.
    fn apply(self, left: u64, right: u64) -> Option<u64> {
        let (signed, divisor) = (left as i64, right as i64);
        let count = u32::try_from(right).unwrap_or(u32::MAX);
        Some(match self {
            Self::Add => left.wrapping_add(right),
            Self::Subtract => left.wrapping_sub(right),
            Self::Multiply => left.wrapping_mul(right),
            Self::DivideSigned if divisor != 0 => signed.wrapping_div(divisor) as u64,
            Self::RemainderSigned if divisor != 0 => signed.wrapping_rem(divisor) as u64,
            Self::DivideSigned | Self::RemainderSigned => return None,
            Self::DivideUnsigned => left.checked_div(right)?,
            Self::RemainderUnsigned => left.checked_rem(right)?,
            Self::ShiftLeft => left.checked_shl(count).unwrap_or(0),
            Self::ShiftRightSigned => (signed >> count.min(63)) as u64,
            Self::ShiftRightUnsigned => left.checked_shr(count).unwrap_or(0),
            Self::And => left & right,
            Self::Or => left | right,
            Self::Xor => left ^ right,
            Self::Equal => u64::from(left == right),
            Self::LessSigned => u64::from(signed < divisor),
            Self::LessUnsigned => u64::from(left < right),
        })
    }
}
