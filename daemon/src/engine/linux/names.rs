//! Names of users, groups and commands, looked up once for a table or a list.

use std::collections::HashMap;

use nix::unistd::{Gid, Group, Uid, User};

use super::process_info::{ProcDirectory, STAT_LEN_MAX, Stat};

/// What stands for a command whose process is gone.
const UNKNOWN: &[u8] = b"?";

/// User and group names that are known already: a look-up may ask a directory service on the network.
#[derive(Debug, Default)]
pub(crate) struct Names {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

impl Names {
    /// The name of user `id`, or the number where it has none.
    pub(crate) fn user(&mut self, id: u32) -> &[u8] {
        let look_up =
            || User::from_uid(Uid::from_raw(id)).ok().flatten().map_or_else(|| id.to_string(), |user| user.name);
        self.users.entry(id).or_insert_with(look_up).as_bytes()
    }

    /// The name of group `id`, or the number where it has none.
    pub(crate) fn group(&mut self, id: u32) -> &[u8] {
        let look_up =
            || Group::from_gid(Gid::from_raw(id)).ok().flatten().map_or_else(|| id.to_string(), |group| group.name);
        self.groups.entry(id).or_insert_with(look_up).as_bytes()
    }
}

/// The name that process `pid` gave itself, or a question mark.
pub(crate) fn command(proc: &ProcDirectory, pid: i32) -> Vec<u8> {
    let mut buffer = [0; STAT_LEN_MAX];
    let text = proc.read(&format!("{pid}/stat"), &mut buffer).ok();
    text.and_then(Stat::parse).map_or(UNKNOWN, |stat| stat.name).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_a_name_and_strangers_have_numbers() {
        let mut names = Names::default();
        assert_eq!(names.user(0), b"root");
        assert_eq!(names.group(0), b"root");
        assert_eq!(names.user(4_000_000_001), b"4000000001");
        assert_eq!(names.group(4_000_000_001), b"4000000001");
    }

    #[test]
    fn the_command_of_nobody_is_unknown() {
        let proc = ProcDirectory::root().expect("/proc");
        assert_eq!(command(&proc, i32::MAX), b"?");
        assert_ne!(command(&proc, nix::unistd::getpid().as_raw()), b"?");
    }
}
