//! Who may open a pipe.

use core::fmt;
use core::str::FromStr;

use super::ValueError;
use super::value::{PlainValue, check_text};

/// Access bits of a pipe's socket, as `chmod` has them: 0 to 0777.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileMode(u16);

impl FileMode {
    /// 0600.
    pub const OWNER: Self = Self(0o600);
    /// 0660.
    pub const OWNER_AND_GROUP: Self = Self(0o660);

    /// The mode, or `None` where there are other bits than the nine of owner, group and others.
    #[must_use]
    pub const fn new(bits: u16) -> Option<Self> {
        if bits <= 0o777 { Some(Self(bits)) } else { None }
    }

    /// The nine bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }
}

impl PlainValue for FileMode {
    const ALLOWED: &'static str = "an octal mode from 0 to 0777, such as 0660";
}

impl FromStr for FileMode {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let octal = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let mode = if octal { u16::from_str_radix(text, 8).ok().and_then(Self::new) } else { None };
        mode.ok_or_else(|| ValueError::new(text, "is not a file mode", Self::ALLOWED))
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

text_value! {
    /// A group of users, by name or decimal id: 1 to 256 bytes.
    pub struct GroupName;
    allowed: "the name or number of a group of users";
    check: |text| check_text(text, 256);
}

#[cfg(test)]
mod tests {
    use crate::options::server::PipeAccess;

    #[test]
    fn others_are_let_in_by_a_group_or_by_a_mode_that_lets_them_write() {
        for (mode, group, bits, others) in [
            (None, None, 0o600, false),
            (None, Some("debuggers"), 0o660, true),
            (Some("0600"), Some("debuggers"), 0o600, false),
            (Some("0644"), None, 0o644, false),
            (Some("0620"), None, 0o620, true),
            (Some("0602"), None, 0o602, true),
        ] {
            let access = PipeAccess {
                mode: mode.map(|mode| mode.parse().unwrap()),
                group: group.map(|group| group.parse().unwrap()),
            };
            assert_eq!((access.effective_mode().bits(), access.admits_others()), (bits, others), "{access:?}");
        }
    }
}
