//! The engine for Linux, on ptrace (ptrace(2)).

pub(crate) mod arch;
pub(crate) mod files;
pub(crate) mod objects;
pub(crate) mod process_info;
pub(crate) mod refusal;
#[cfg(test)]
pub(crate) mod test_program;
