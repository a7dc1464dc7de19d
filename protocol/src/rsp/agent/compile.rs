//! From bytes to operations whose evaluation needs no more checks.

use alloc::vec;
use alloc::vec::Vec;

use super::opcode::{Op, decode};
use super::{Invalid, MAX_LENGTH, MAX_STACK, Program};

/// A decoded instruction and its place in the bytes.
struct Placed {
    op: Op,
    offset: u16,
}

pub(super) fn compile(bytes: &[u8]) -> Result<Program, Invalid> {
    if bytes.len() > MAX_LENGTH {
        return Err(Invalid::TooLong(bytes.len()));
    }
    let mut instructions = decode_all(bytes)?;
    resolve_jumps(&mut instructions)?;
    check_stack(&instructions)?;
    let formats = collect_formats(bytes, &mut instructions);
    let operations = instructions.into_iter().map(|placed| placed.op).collect();
    Ok(Program { operations, formats: formats.into() })
}

fn decode_all(bytes: &[u8]) -> Result<Vec<Placed>, Invalid> {
    let mut instructions = Vec::new();
    let mut offset = 0;
    while usize::from(offset) < bytes.len() {
        let (op, next) = decode(bytes, offset)?;
        instructions.push(Placed { op, offset });
        offset = next;
    }
    Ok(instructions)
}

fn resolve_jumps(instructions: &mut [Placed]) -> Result<(), Invalid> {
    for at in 0..instructions.len() {
        let (Op::Jump(target) | Op::JumpIf(target)) = instructions[at].op else { continue };
        let found = instructions.binary_search_by_key(&target, |placed| placed.offset);
        let index = found.map_err(|_| Invalid::Jump { offset: instructions[at].offset, target })? as u16;
        let jump = &mut instructions[at].op;
        *jump = if matches!(jump, Op::Jump(_)) { Op::Jump(index) } else { Op::JumpIf(index) };
    }
    Ok(())
}

/// Follows every path. An instruction is entered with one stack height only, as GDB's compiler guarantees, so each is
/// looked at once.
fn check_stack(instructions: &[Placed]) -> Result<(), Invalid> {
    let mut heights = vec![None; instructions.len()];
    let mut paths = vec![(0, 0)];
    while let Some((index, height)) = paths.pop() {
        let placed = instructions.get(index).ok_or(Invalid::NoEnd)?;
        match heights[index] {
            None => heights[index] = Some(height),
            Some(known) if known == height => continue,
            Some(_) => return Err(Invalid::StackHeight(placed.offset)),
        }
        let (taken, put) = placed.op.stack_effect();
        let left = usize::checked_sub(height, taken).ok_or(Invalid::StackUnderflow(placed.offset))?;
        let height = left + put;
        if height > MAX_STACK {
            return Err(Invalid::StackOverflow(placed.offset));
        }
        match placed.op {
            Op::End => {}
            Op::Jump(target) => paths.push((target.into(), height)),
            Op::JumpIf(target) => paths.extend([(index + 1, height), (target.into(), height)]),
            _ => paths.push((index + 1, height)),
        }
    }
    Ok(())
}

fn collect_formats(bytes: &[u8], instructions: &mut [Placed]) -> Vec<u8> {
    let mut formats = Vec::new();
    for placed in instructions {
        if let Op::Printf { format, length, .. } = &mut placed.op {
            let text = &bytes[usize::from(*format)..][..usize::from(*length)];
            *format = formats.len() as u16;
            formats.extend_from_slice(text);
        }
    }
    formats
}
