//! Breakpoints and watchpoints: `Z0`–`Z4`, `z0`–`z4`.

/// What `Z` and `z` number 0 to 4.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// `Z0`.
    Software,
    /// `Z1`.
    Hardware,
    /// `Z2`: stop when the bytes are written.
    WriteWatch,
    /// `Z3`: stop when they are read.
    ReadWatch,
    /// `Z4`: both.
    AccessWatch,
}

/// The list of agent expressions after `;X` (conditions) or `;cmds:` (commands), checked but not compiled.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Expressions<'a> {
    // Hex text of the list; `iter()` yields each expression's decoded bytes. The implementer chooses the form.
    pub(crate) text: &'a [u8],
}

/// A breakpoint request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `Z TYPE,ADDR,SIZE[;X…][;cmds:PERSIST,X…]`. Replaces the conditions of one that is there.
    Insert {
        /// Which kind.
        kind: Kind,
        /// Where.
        address: u64,
        /// Length of the watched range in bytes, or the breakpoint's kind (1 on x86).
        size: u64,
        /// Stop only if one of these is true; none: always stop.
        conditions: Expressions<'a>,
        /// Run on the target when the breakpoint is hit (`dprintf`).
        commands: Expressions<'a>,
        /// The commands go on after the client has gone.
        persist: bool,
    },
    /// `z TYPE,ADDR,SIZE`. One that is not there is no error.
    Remove {
        /// Which kind.
        kind: Kind,
        /// Where.
        address: u64,
        /// As in `Insert`.
        size: u64,
    },
}
