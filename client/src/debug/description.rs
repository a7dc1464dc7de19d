//! Target descriptions: which registers there are (GDB manual, appendix "Target Descriptions").

use roxmltree::{Document, Node, ParsingOptions};

use super::DebugError;

/// Most elements of one document. The description of an x86 program with AVX-512 has about 300.
const MAX_NODES: u32 = 0x1_0000;

/// Widest register, in bits: the vectors of `AArch64`'s SVE have 2048.
const MAX_BITS: u32 = 0x1_0000;

/// One register.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Register {
    /// What users call it: `rip`.
    pub name: String,
    /// Its number in `p`, `P` and stop replies.
    pub number: u32,
    /// Its width in bytes.
    pub bytes: usize,
    /// Where its bytes begin in what `g` is answered with.
    pub offset: usize,
    /// The name of its type, one of GDB's own or of the description's; empty: a plain number.
    pub type_name: String,
}

/// The registers of a kind of program.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Description {
    /// The processor, as BFD calls it: `i386:x86-64`; empty where the server does not say.
    pub architecture: String,
    /// The registers in the order of their numbers.
    pub registers: Vec<Register>,
}

impl Description {
    /// The register of that name.
    #[must_use]
    pub fn register(&self, name: &str) -> Option<&Register> {
        self.registers.iter().find(|register| register.name == name)
    }
}

/// A document in pieces: what it says of registers, and where others come in.
#[derive(Debug)]
pub(super) enum Item {
    Architecture(String),
    /// `xi:include`: the document of this name stands here.
    Include(String),
    Register {
        name: String,
        /// `None`: one more than the register before.
        number: Option<u32>,
        bytes: usize,
        type_name: String,
    },
}

/// Reads one document.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Item>, DebugError> {
    let text = std::str::from_utf8(text).map_err(|error| DebugError::Description(error.to_string()))?;
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document =
        Document::parse_with_options(text, options).map_err(|error| DebugError::Description(error.to_string()))?;
    document.descendants().filter(Node::is_element).filter_map(|node| item(node).transpose()).collect()
}

fn item(node: Node<'_, '_>) -> Result<Option<Item>, DebugError> {
    Ok(match node.tag_name().name() {
        "architecture" => Some(Item::Architecture(node.text().unwrap_or_default().trim().to_owned())),
        "include" => Some(Item::Include(attribute(node, "href")?.to_owned())),
        "reg" => Some(register(node)?),
        _ => None,
    })
}

fn register(node: Node<'_, '_>) -> Result<Item, DebugError> {
    let name = attribute(node, "name")?.to_owned();
    let bits = number(attribute(node, "bitsize")?)?;
    if bits == 0 || bits > MAX_BITS {
        return Err(DebugError::Description(format!("register {name} has {bits} bits")));
    }
    let number = node.attribute("regnum").map(number).transpose()?;
    let type_name = node.attribute("type").unwrap_or_default().to_owned();
    Ok(Item::Register { name, number, bytes: bits.div_ceil(8) as usize, type_name })
}

fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str, DebugError> {
    let missing = || DebugError::Description(format!("<{}> has no {name}", node.tag_name().name()));
    node.attribute(name).ok_or_else(missing)
}

fn number(text: &str) -> Result<u32, DebugError> {
    text.trim().parse().map_err(|_| DebugError::Description(format!("{text:?} is no number")))
}

/// Puts the pieces together.
pub(super) fn assemble(items: Vec<Item>) -> Result<Description, DebugError> {
    let mut description = Description::default();
    let mut next = 0;
    for item in items {
        match item {
            Item::Architecture(name) => description.architecture = name,
            // All have been replaced.
            Item::Include(_) => {}
            Item::Register { name, number, bytes, type_name } => {
                let number = number.unwrap_or(next);
                next = number.saturating_add(1);
                description.registers.push(Register { name, number, bytes, offset: 0, type_name });
            }
        }
    }
    description.registers.sort_by_key(|register| register.number);
    let numbers = description.registers.windows(2);
    if let Some([_, second]) = numbers.map(|pair| [&pair[0], &pair[1]]).find(|[a, b]| a.number == b.number) {
        return Err(DebugError::Description(format!("two registers have the number {}", second.number)));
    }
    let mut offset = 0;
    for register in &mut description.registers {
        register.offset = offset;
        offset += register.bytes;
    }
    Ok(description)
}
