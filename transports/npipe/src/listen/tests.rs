use super::*;
use nix::unistd::{Gid, Uid, getegid, geteuid, setfsgid, setfsuid};
use std::fs::{read_to_string, remove_file, write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener as Socket, UnixStream as Client};
use std::path::PathBuf;
use tempfile::TempDir;

const OWNER_ONLY: PipeAccess = PipeAccess { mode: None, group: None };

/// A user and a group that are nobody's.
const STRANGER: u32 = 12_345;
const GROUP: u32 = 23_456;

struct Place {
    root: TempDir,
    directory: Directory,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::at(&root.path().join("dbgsrv"), Folder::Pipes);
        Self { root, directory }
    }

    fn listen(&self, name: &str, access: &PipeAccess) -> Result<Listener, BindError> {
        Listener::bind_in(&self.directory, &name.parse().unwrap(), access)
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.root.path().join("dbgsrv/pipes").join(name)
    }
}

/// The nine bits of the mode, and the group.
fn access_of(listener: &Listener) -> (u32, u32) {
    let found = listener.path().metadata().unwrap();
    (found.mode() & 0o777, found.gid())
}

/// Connects as another user, in another group, with none of root's rights. Both are the calling thread's alone.
fn connect_as(uid: u32, gid: u32, path: &Path) -> io::Result<()> {
    std::thread::scope(|scope| {
        let connect = || {
            setfsgid(Gid::from_raw(gid));
            setfsuid(Uid::from_raw(uid));
            Client::connect(path).map(drop)
        };
        scope.spawn(connect).join().unwrap()
    })
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_is_known_by_its_user_and_its_process() {
    let place = Place::new();
    let mut listener = place.listen("pipe", &OWNER_ONLY).unwrap();
    assert_eq!((listener.name().to_string().as_str(), listener.path()), ("pipe", place.socket("pipe").as_path()));
    let _client = Client::connect(listener.path()).unwrap();
    let (stream, peer) = listener.accept().await.unwrap();
    let here = Peer { uid: geteuid().as_raw(), pid: Some(std::process::id() as i32) };
    assert_eq!(peer, here);
    assert_eq!(peer.to_string(), format!("pid={},uid={}", std::process::id(), geteuid()));
    drop(stream);
}

#[test]
fn the_codes_of_a_name_stand_for_this_process_and_this_thread() {
    let name = expand(&"p%d-%x".parse().unwrap());
    assert_eq!(name.as_str(), format!("p{}-{:x}", std::process::id(), gettid().as_raw()));
}

#[tokio::test(flavor = "current_thread")]
async fn a_name_in_use_is_refused_and_its_server_goes_on() {
    let place = Place::new();
    let mut first = place.listen("pipe", &OWNER_ONLY).unwrap();
    let error = place.listen("pipe", &OWNER_ONLY).unwrap_err();
    assert!(matches!(error, BindError::InUse { .. }), "{error}");
    assert!(error.to_string().starts_with("the pipe `pipe` is in use by another server (/"), "{error}");
    // That the name was tried is seen there, as a client that left.
    first.accept().await.unwrap();
    let _client = Client::connect(first.path()).unwrap();
    first.accept().await.unwrap();
    place.listen("other", &OWNER_ONLY).unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn a_name_is_in_use_even_where_the_queue_of_clients_is_full() {
    let place = Place::new();
    let listener = place.listen("pipe", &OWNER_ONLY).unwrap();
    let connect = || {
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM.nonblocking(), None).unwrap();
        socket.connect(&socket2::SockAddr::unix(listener.path()).unwrap()).map(|()| socket)
    };
    let waiting: Vec<_> = std::iter::from_fn(|| connect().ok()).collect();
    assert!(waiting.len() > 100);
    assert!(matches!(place.listen("pipe", &OWNER_ONLY), Err(BindError::InUse { .. })));
}

#[tokio::test(flavor = "current_thread")]
async fn what_a_dead_server_left_is_replaced_and_what_is_no_socket_is_not() {
    let place = Place::new();
    place.directory.prepare().unwrap();
    let path = place.socket("pipe");
    // A socket of std's does not remove its file.
    drop(Socket::bind(&path).unwrap());
    let mut listener = place.listen("pipe", &OWNER_ONLY).unwrap();
    let _client = Client::connect(&path).unwrap();
    listener.accept().await.unwrap();
    write(place.socket("file"), "a file").unwrap();
    let error = place.listen("file", &OWNER_ONLY).unwrap_err();
    assert!(matches!(error, BindError::Occupied(_)), "{error}");
    assert_eq!(read_to_string(place.socket("file")).unwrap(), "a file");
}

#[tokio::test(flavor = "current_thread")]
async fn of_many_servers_that_find_a_dead_one_a_single_one_gets_its_name() {
    let place = Place::new();
    place.directory.prepare().unwrap();
    drop(Socket::bind(place.socket("pipe")).unwrap());
    let runtime = tokio::runtime::Handle::current();
    let listen = || {
        let _runtime = runtime.enter();
        place.listen("pipe", &OWNER_ONLY)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(listen)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (listening, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(listening.len(), 1);
    assert!(refused.iter().all(|result| matches!(result, Err(BindError::InUse { .. }))), "{refused:?}");
    Client::connect(place.socket("pipe")).unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn a_socket_goes_with_its_listener_and_a_later_one_stays() {
    let place = Place::new();
    let listener = place.listen("pipe", &OWNER_ONLY).unwrap();
    drop(listener);
    assert!(!place.socket("pipe").exists());
    let listener = place.listen("pipe", &OWNER_ONLY).unwrap();
    remove_file(place.socket("pipe")).unwrap();
    let later = place.listen("pipe", &OWNER_ONLY).unwrap();
    drop(listener);
    Client::connect(later.path()).unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn a_pipe_is_its_users_alone_unless_a_mode_or_a_group_widens_it() {
    let place = Place::new();
    let group = getegid().as_raw();
    let cases = [
        (PipeAccess { mode: None, group: None }, 0o600),
        (PipeAccess { mode: None, group: Some(group.to_string().parse().unwrap()) }, 0o660),
        (PipeAccess { mode: Some("0666".parse().unwrap()), group: None }, 0o666),
        (PipeAccess { mode: Some("0620".parse().unwrap()), group: Some(group.to_string().parse().unwrap()) }, 0o620),
    ];
    for (access, mode) in cases {
        let listener = place.listen("pipe", &access).unwrap();
        assert_eq!(access_of(&listener), (mode, group), "{access:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_kernel_keeps_out_whom_the_mode_does_not_let_in() {
    if !geteuid().is_root() {
        return eprintln!("skipped: only root can be somebody else");
    }
    let place = Place::new();
    std::fs::set_permissions(place.root.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let group = || Some(GROUP.to_string().parse().unwrap());
    let cases = [
        (PipeAccess { mode: None, group: None }, false, false),
        (PipeAccess { mode: None, group: group() }, false, true),
        (PipeAccess { mode: Some("0600".parse().unwrap()), group: group() }, false, false),
        (PipeAccess { mode: Some("0666".parse().unwrap()), group: None }, true, true),
    ];
    for (access, stranger, member) in cases {
        let listener = place.listen("pipe", &access).unwrap();
        assert_eq!(connect_as(STRANGER, STRANGER, listener.path()).is_ok(), stranger, "{access:?}");
        assert_eq!(connect_as(STRANGER, GROUP, listener.path()).is_ok(), member, "{access:?}");
        assert_eq!(access.admits_others(), stranger || member, "{access:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_group_that_does_not_exist_leaves_nothing_behind() {
    let place = Place::new();
    let access = PipeAccess { mode: None, group: Some("no-such-group".parse().unwrap()) };
    assert!(matches!(place.listen("pipe", &access), Err(BindError::NoSuchGroup(_))));
    assert!(!place.socket("pipe").exists());
}
