use super::*;
use std::os::unix::net::UnixListener;
use std::path::Path;
use tempfile::TempDir;

fn directories(root: &TempDir) -> [Directory; 2] {
    ["user", "machine"].map(|name| {
        let directory = Directory::at(&root.path().join(name), Folder::Pipes);
        directory.prepare().unwrap();
        directory
    })
}

fn listen(directory: &Directory) -> UnixListener {
    UnixListener::bind(directory.folder().join("pipe")).unwrap()
}

async fn found(directories: &[Directory]) -> io::Result<PathBuf> {
    let stream = connect_in(directories, &"pipe".parse().unwrap()).await?;
    Ok(stream.peer_addr()?.as_pathname().map(Path::to_path_buf).unwrap_or_default())
}

#[tokio::test(flavor = "current_thread")]
async fn a_users_own_pipe_comes_before_the_machines() {
    let root = tempfile::tempdir().unwrap();
    let both = directories(&root);
    let _machine = listen(&both[1]);
    assert!(found(&both).await.unwrap().starts_with(root.path().join("machine")));
    let user = listen(&both[0]);
    assert!(found(&both).await.unwrap().starts_with(root.path().join("user")));
    // A dead server hides none that lives.
    drop(user);
    assert!(found(&both).await.unwrap().starts_with(root.path().join("machine")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_pipe_that_is_not_there_is_told_from_one_whose_server_died() {
    let root = tempfile::tempdir().unwrap();
    let both = directories(&root);
    let error = found(&both).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(both.iter().all(|directory| error.to_string().contains(&directory.folder().display().to_string())));
    drop(listen(&both[0]));
    let error = found(&both).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(error.to_string().ends_with("user/pipes/pipe has ended"), "{error}");
}
