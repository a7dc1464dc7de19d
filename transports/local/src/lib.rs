//! This machine: what it is called, and the directories where process servers leave what others look for.
//!
//! | what belongs to | is in |
//! |---|---|
//! | the machine | `/run/dbgsrv/`: what root's servers leave, and those of a user whom root gave it |
//! | a user | `$XDG_RUNTIME_DIR/dbgsrv/`; without the variable `/run/user/UID/dbgsrv/`, without that `/tmp/dbgsrv-UID/` |
//!
//! A directory belongs to one user, and only that user can write there; so whoever looks something up there finds that
//! user's servers and no other.
#![forbid(unsafe_code)]

mod directory;
mod host;

pub use directory::{Directory, DirectoryError, Folder};
pub use host::{is_own_address, is_this_machine};
