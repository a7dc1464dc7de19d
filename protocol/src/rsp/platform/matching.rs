//! Which processes a client wants to see: the fields of `qfProcessInfo`.

use alloc::vec::Vec;

use super::{field, hex, put_field};
use crate::ids::Pid;

/// How a process's name has to compare to the one that is given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NameMatch {
    /// It has it somewhere inside.
    Contains,
    /// It ends with it.
    EndsWith,
    /// It is the same.
    Equals,
    /// It matches it as an extended regular expression.
    Regex,
    /// It begins with it.
    StartsWith,
}

const NAME_MATCHES: [(&[u8], NameMatch); 5] = [
    (b"contains", NameMatch::Contains),
    (b"ends_with", NameMatch::EndsWith),
    (b"equals", NameMatch::Equals),
    (b"regex", NameMatch::Regex),
    (b"starts_with", NameMatch::StartsWith),
];

/// Which processes are wanted: those that meet all of it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ProcessMatch<'a> {
    /// Those of other users too.
    pub all_users: bool,
    /// The file name of the executable.
    pub name: Option<(NameMatch, &'a [u8])>,
    /// The process itself.
    pub pid: Option<Pid>,
    /// The parent.
    pub parent: Option<u32>,
    /// The real user.
    pub user: Option<u32>,
    /// The real group.
    pub group: Option<u32>,
    /// The effective user.
    pub effective_user: Option<u32>,
    /// The effective group.
    pub effective_group: Option<u32>,
    /// The architecture, vendor and system; empty: any.
    pub triple: &'a [u8],
}

impl<'a> ProcessMatch<'a> {
    /// Reads `KEY:VALUE;…`; `None` if there is a key that is not known, or a value that does not fit its key.
    pub(super) fn parse(mut text: &'a mut [u8]) -> Option<Self> {
        // Nothing at all asks for everything.
        let mut wanted = Self { all_users: text.is_empty(), ..Self::default() };
        let mut how = NameMatch::Equals;
        while !text.is_empty() {
            let end = text.iter().position(|byte| *byte == b';').unwrap_or(text.len());
            let (item, rest) = text.split_at_mut(end);
            text = rest.get_mut(1..).unwrap_or_default();
            let (key, value) = field::split_at_mut(item, b':')?;
            match &*key {
                b"all_users" => wanted.all_users = field::switch(value)?,
                b"name_match" => how = NAME_MATCHES.iter().find(|(name, _)| *name == &*value)?.1,
                b"name" => wanted.name = Some((how, hex::decode_in_place(value)?)),
                b"pid" => wanted.pid = Some(field::decimal_as(value).and_then(Pid::new)?),
                b"parent_pid" => wanted.parent = Some(field::decimal_as(value)?),
                b"uid" => wanted.user = Some(field::decimal_as(value)?),
                b"gid" => wanted.group = Some(field::decimal_as(value)?),
                b"euid" => wanted.effective_user = Some(field::decimal_as(value)?),
                b"egid" => wanted.effective_group = Some(field::decimal_as(value)?),
                b"triple" => wanted.triple = hex::decode_in_place(value)?,
                _ => return None,
            }
        }
        // The name's kind may stand behind it.
        wanted.name = wanted.name.map(|(_, name)| (how, name));
        Some(wanted)
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        if let Some((how, name)) = self.name {
            let how = NAME_MATCHES.iter().find(|(_, kind)| *kind == how).map_or(&b"equals"[..], |(name, _)| name);
            put_field(out, "name_match", |out| out.extend_from_slice(how));
            put_field(out, "name", |out| hex::encode(out, name));
        }
        let numbers = [
            ("pid", self.pid.map(|pid| pid.raw() as u32)),
            ("parent_pid", self.parent),
            ("uid", self.user),
            ("gid", self.group),
            ("euid", self.effective_user),
            ("egid", self.effective_group),
        ];
        for (key, number) in numbers {
            if let Some(number) = number {
                put_field(out, key, |out| field::put_decimal(out, number.into()));
            }
        }
        put_field(out, "all_users", |out| field::put_switch(out, self.all_users));
        if !self.triple.is_empty() {
            put_field(out, "triple", |out| hex::encode(out, self.triple));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rsp::platform::Request;
    use crate::rsp::request::tests::{malformed, parses, round_trip};

    proptest! {
        #[test]
        fn every_match_reads_back_as_emitted(
            name: Vec<u8>, triple: Vec<u8>, pid in 0..=i32::MAX, ids: [Option<u32>; 5], all_users: bool, how in 0..5_usize,
        ) {
            let [parent, user, group, effective_user, effective_group] = ids;
            let name = (!name.is_empty()).then_some((NAME_MATCHES[how].1, &name[..]));
            round_trip(&Request::Processes(ProcessMatch {
                all_users, name, pid: Pid::new(pid), parent, user, group, effective_user, effective_group, triple: &triple,
            }).into());
        }
    }

    #[test]
    fn a_list_without_a_match_is_of_all_processes() {
        parses(b"qfProcessInfo", &Request::Processes(ProcessMatch { all_users: true, ..Default::default() }).into());
        let sh = ProcessMatch { name: Some((NameMatch::StartsWith, b"sh")), ..ProcessMatch::default() };
        parses(b"qfProcessInfo:name_match:starts_with;name:7368;all_users:0;", &Request::Processes(sh).into());
        parses(b"qfProcessInfo:name:7368;name_match:starts_with", &Request::Processes(sh).into());
    }

    #[test]
    fn unknown_keys_and_values_that_do_not_fit_are_refused() {
        for text in ["bogus:1;", "pid:0;", "pid:x;", "name:7;", "name_match:like;", "uid:4294967296;", "uid", ";"] {
            malformed(std::format!("qfProcessInfo:{text}").as_bytes());
        }
    }
}
