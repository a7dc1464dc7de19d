//! Programs and libraries: what a client asks about them, and what it is told.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::super::request::Malformed;
use super::{field, hex, put_field};
use crate::limits::MAX_MODULES;

/// A program or library that a client wants to identify.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ModuleQuery<'a> {
    /// Its file.
    pub path: &'a [u8],
    /// What it is made for, such as `x86_64-pc-linux-gnu`; empty: whatever it is.
    pub triple: &'a [u8],
}

/// One of several, as `jModulesInfo` names them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct ModuleName {
    /// Its file.
    pub file: String,
    /// What it is made for; empty: whatever it is.
    #[serde(default)]
    pub triple: String,
}

impl ModuleName {
    /// Reads the JSON of `jModulesInfo`.
    ///
    /// # Errors
    /// [`Malformed`] if it is not an array of what it has to be, or of more than [`MAX_MODULES`].
    pub fn list(json: &[u8]) -> Result<Vec<Self>, Malformed> {
        let names: Option<Vec<Self>> = serde_json::from_slice(json).ok();
        names.filter(|names| names.len() <= MAX_MODULES).ok_or(Malformed("jModulesInfo"))
    }
}

/// What tells one build of a program from any other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Identity {
    /// The build id that the linker wrote into it.
    BuildId(Vec<u8>),
    /// The MD5 of the whole file.
    Md5([u8; 16]),
}

/// A program or library as it is on the server's machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Module {
    /// Which build it is.
    pub identity: Identity,
    /// What it is made for.
    pub triple: &'static str,
    /// Its file, an absolute path.
    pub path: Vec<u8>,
    /// The file's size in bytes.
    pub size: u64,
}

/// A module in the JSON of an answer.
#[derive(Serialize)]
struct Entry<'a> {
    file_offset: u64,
    file_path: &'a str,
    file_size: u64,
    triple: &'a str,
    uuid: String,
}

impl Module {
    /// Appends the answer to `qModuleInfo`. The build id is text within the hex.
    pub(crate) fn emit(&self, out: &mut Vec<u8>) {
        match &self.identity {
            Identity::BuildId(id) => put_field(out, "uuid", |out| hex::encode(out, upper_case(id).as_bytes())),
            Identity::Md5(sum) => put_field(out, "md5", |out| hex::encode(out, lower_case(sum).as_bytes())),
        }
        put_field(out, "triple", |out| hex::encode(out, self.triple.as_bytes()));
        put_field(out, "file_path", |out| hex::encode(out, &self.path));
        // Of an archive's member it would be where that begins; here a file is one module.
        put_field(out, "file_offset", |out| field::put_number(out, 0));
        put_field(out, "file_size", |out| field::put_number(out, self.size));
    }

    /// The answer to `jModulesInfo`. It has no place for modules without a build id, nor for names that are no text.
    pub(crate) fn list(modules: &[Self]) -> Vec<u8> {
        let entry = |module: &'_ Self| match &module.identity {
            Identity::BuildId(id) => Some(upper_case(id)),
            Identity::Md5(_) => None,
        };
        let entries: Vec<_> = modules
            .iter()
            .filter_map(|module| {
                Some(Entry {
                    file_offset: 0,
                    file_path: core::str::from_utf8(&module.path).ok()?,
                    file_size: module.size,
                    triple: module.triple,
                    uuid: entry(module)?,
                })
            })
            .collect();
        serde_json::to_vec(&entries).expect("numbers and strings can be written")
    }
}

fn upper_case(bytes: &[u8]) -> String {
    lower_case(bytes).to_ascii_uppercase()
}

fn lower_case(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(2 * bytes.len());
    hex::encode(&mut text, bytes);
    String::from_utf8(text).expect("hex is ASCII")
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    fn module(identity: Identity) -> Module {
        Module { identity, triple: "x86_64-pc-linux-gnu", path: b"/a".to_vec(), size: 0x10 }
    }

    #[test]
    fn a_module_is_told_by_its_build_id_or_its_digest() {
        let mut out = Vec::new();
        module(Identity::BuildId([0xab, 1].into())).emit(&mut out);
        // AB01, x86_64-pc-linux-gnu, /a.
        let expected =
            "uuid:41423031;triple:7838365f36342d70632d6c696e75782d676e75;file_path:2f61;file_offset:0;file_size:10;";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = Vec::new();
        module(Identity::Md5([0x1f; 16])).emit(&mut out);
        assert!(out.starts_with(std::format!("md5:{};", "3166".repeat(16)).as_bytes()), "{}", out.escape_ascii());
    }

    #[test]
    fn a_list_of_modules_is_json_of_those_with_build_ids() {
        let modules = [module(Identity::Md5([0; 16])), module(Identity::BuildId([0xab, 1].into()))];
        let expected =
            r#"[{"file_offset":0,"file_path":"/a","file_size":16,"triple":"x86_64-pc-linux-gnu","uuid":"AB01"}]"#;
        assert_eq!(Module::list(&modules), expected.as_bytes());
        assert_eq!(Module::list(&[]), b"[]");
    }

    #[test]
    fn a_list_of_names_is_read_and_what_is_none_is_refused() {
        let names = ModuleName::list(br#"[{"file":"/a","triple":"x"},{"file":"/b","more":[1]}]"#).unwrap();
        assert_eq!(names[0], ModuleName { file: "/a".into(), triple: "x".into() });
        assert_eq!(names[1], ModuleName { file: "/b".into(), triple: String::new() });
        let many = std::format!("[{}]", vec![r#"{"file":""}"#; MAX_MODULES + 1].join(","));
        for json in ["", "x", "{}", "[1]", "[{}]", r#"[{"file":1}]"#, &many, &"[".repeat(100_000)] {
            assert!(ModuleName::list(json.as_bytes()).is_err());
        }
    }
}
