//! Who may open a pipe: the owner, the group and the mode of its file. To connect takes the right to write (`unix(7)`).

use crate::BindError;
use dbgsrv_protocol::options::GroupName;
use dbgsrv_protocol::options::server::PipeAccess;
use nix::unistd::Group;
use std::fs::{Permissions, set_permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

/// What a pipe's file gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    mode: u32,
    /// Its group, where that is not the server's own.
    group: Option<u32>,
}

impl Access {
    /// What the options say, their group looked up.
    ///
    /// # Errors
    /// [`BindError::NoSuchGroup`].
    pub(crate) fn new(options: &PipeAccess) -> Result<Self, BindError> {
        let group = options.group.as_ref().map(group_id).transpose()?;
        Ok(Self { mode: options.effective_mode().bits().into(), group })
    }

    /// Gives it to the file at `path`.
    pub(crate) fn apply(&self, path: &Path) -> io::Result<()> {
        // The group first: until the mode is set, nobody gains by it.
        if self.group.is_some() {
            chown(path, None, self.group)?;
        }
        set_permissions(path, Permissions::from_mode(self.mode))
    }
}

/// A name counts before a number, as for chown(1).
fn group_id(name: &GroupName) -> Result<u32, BindError> {
    let text = name.as_str();
    let found = Group::from_name(text).ok().flatten().map(|group| group.gid.as_raw());
    // The largest number stands for no group at all (chown(2)).
    let number = || text.parse().ok().filter(|number| *number != u32::MAX);
    found.or_else(number).ok_or_else(|| BindError::NoSuchGroup(name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_its_name_and_by_its_number() {
        let id = |text: &str| group_id(&text.parse().unwrap());
        assert_eq!(id("root").unwrap(), 0);
        assert_eq!(id("12345").unwrap(), 12345);
        for unknown in ["no such group", "-1", "4294967295", "4294967296"] {
            let error = id(unknown).unwrap_err().to_string();
            assert!(error.contains(&format!("there is no group `{unknown}`")), "{error}");
        }
    }
}
