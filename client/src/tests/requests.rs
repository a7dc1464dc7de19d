//! What is asked and what comes of it.

use super::{answering, pair};
use crate::{Error, FailureKind, GetProc, ProcDesc, ProcessDescription, ProcessMatch, Program, RemoteServer};
use dbgsrv_protocol::control::{ExecutableMatch, Failure, Matches, Request, Response};
use dbgsrv_protocol::session::CloseCode;

fn process(pid: u32) -> ProcessDescription {
    ProcessDescription { pid, name: format!("p{pid}"), ..ProcessDescription::default() }
}

/// A server with the processes 1 to 10, of which it tells four at a time.
async fn with_ten_processes() -> RemoteServer {
    let page = |after: u32| ((after + 1)..=10.min(after + 4), after + 4 < 10);
    answering(move |request| match request {
        Request::ProcessIds { after } => {
            let (pids, more) = page(after);
            Ok(Response::ProcessIds { pids: pids.collect(), more })
        }
        Request::Processes { after } => {
            let (pids, more) = page(after);
            Ok(Response::Processes { processes: pids.map(process).collect(), more })
        }
        Request::Describe { pids } => {
            let there = pids.into_iter().filter(|pid| (1..=10).contains(pid));
            Ok(Response::Processes { processes: there.map(process).collect(), more: false })
        }
        Request::ProcessIdByExecutable { executable, by } => {
            let pids = match (executable.as_str(), by) {
                ("/bin/cat", ExecutableMatch::FullPath) => vec![7],
                ("cat", ExecutableMatch::FileName) => vec![7, 9],
                _ => vec![],
            };
            Ok(Response::Matches(Matches { total: pids.len() as u32, pids }))
        }
        other => panic!("{other:?}"),
    })
    .await
}

#[tokio::test]
async fn lists_come_whole_whatever_the_size_of_their_pages() {
    let server = with_ten_processes().await;
    let all: Vec<u32> = (1..=10).collect();
    assert_eq!(server.running_process_system_ids().await.unwrap(), all);
    let described = server.processes().await.unwrap();
    assert_eq!(described.iter().map(|process| process.pid).collect::<Vec<_>>(), all);
}

#[tokio::test]
async fn a_process_is_found_by_file_name_or_path() {
    let server = with_ten_processes().await;
    let find = |name, flags| server.running_process_system_id_by_executable_name(name, flags);
    assert_eq!(find("cat", GetProc::empty()).await.unwrap(), ProcessMatch::Found(7));
    assert_eq!(find("cat", GetProc::ONLY_MATCH).await.unwrap(), ProcessMatch::Several(vec![7, 9]));
    assert_eq!(find("/bin/cat", GetProc::all()).await.unwrap(), ProcessMatch::Found(7));
    assert_eq!(find("cat", GetProc::FULL_MATCH).await.unwrap(), ProcessMatch::NotFound);
}

#[tokio::test]
async fn a_process_is_described_and_one_that_is_gone_is_not_found() {
    let server = with_ten_processes().await;
    assert_eq!(server.describe(3).await.unwrap(), process(3));
    let description = server.running_process_description(3, ProcDesc::NO_SESSION_ID).await.unwrap();
    assert_eq!((description.executable.as_str(), description.text.as_str()), ("[p3]", ""));
    let error = server.describe(11).await.unwrap_err();
    assert_eq!(error.failure_kind(), Some(FailureKind::NotFound));
    assert_eq!(error.to_string(), "there is no process 11");
}

#[tokio::test]
async fn the_description_of_another_process_is_refused() {
    let server = answering(|_| Ok(Response::Processes { processes: vec![process(4)], more: false })).await;
    let error = server.describe(3).await.unwrap_err();
    assert!(matches!(error, Error::Protocol(_)), "{error}");
}

#[tokio::test]
async fn a_program_is_started() {
    let server = answering(|request| match request {
        Request::Create(program) if program.arguments == ["true"] => Ok(Response::Created { pid: 42 }),
        _ => Err(Failure { kind: FailureKind::NotFound, text: "no such program".into() }),
    })
    .await;
    let program = |name: &str| Program { arguments: vec![name.into()], ..Program::default() };
    assert_eq!(server.create_process(program("true")).await.unwrap(), 42);
    let error = server.create_process(program("nonsense")).await.unwrap_err();
    assert_eq!(error.to_string(), "no such program");
}

#[tokio::test]
async fn small_requests_are_carried_with_their_arguments() {
    let server = answering(|request| match request {
        Request::Sessions => Ok(Response::Sessions(vec![])),
        Request::EndSession { session: 5 } | Request::EndServer => Ok(Response::Done),
        Request::Doctor { pid: Some(6) } => Ok(Response::Checks(vec![])),
        Request::Digest { path, length: Some(7) } if path == "/a" => {
            Ok(Response::Digest { sha256: "00".into(), length: 7 })
        }
        other => panic!("{other:?}"),
    })
    .await;
    assert_eq!(server.sessions().await.unwrap(), []);
    server.end_session(5).await.unwrap();
    assert_eq!(server.doctor(Some(6)).await.unwrap(), []);
    assert_eq!(server.digest("/a", Some(7)).await.unwrap(), ("00".into(), 7));
    server.end_process_server().await.unwrap();
}

#[tokio::test]
async fn an_answer_to_another_question_is_refused_everywhere() {
    let server = answering(|request| match request {
        Request::Sessions => Ok(Response::Done),
        _ => Ok(Response::Sessions(vec![])),
    })
    .await;
    let results = [
        server.server_info().await.err(),
        server.running_process_system_ids().await.err(),
        server.running_process_system_id_by_executable_name("a", GetProc::empty()).await.err(),
        server.processes().await.err(),
        server.describe(1).await.err(),
        server.create_process(Program::default()).await.err(),
        server.sessions().await.err(),
        server.end_session(1).await.err(),
        server.doctor(None).await.err(),
        server.digest("/a", None).await.err(),
        server.end_process_server().await.err(),
    ];
    for result in results {
        assert!(matches!(result, Some(Error::Protocol(_))), "{result:?}");
    }
}

#[tokio::test]
async fn a_server_whose_end_overtakes_the_answer_has_ended() {
    let (client, mut server) = pair().await;
    tokio::spawn(async move {
        server.answer(|_| None).await;
        server.link.close(CloseCode::ServerEnds, "the server ends");
        server.link.closed().await;
    });
    client.end_process_server().await.unwrap();
    let error = client.sessions().await.unwrap_err();
    assert!(matches!(&error, Error::Closed(closed) if closed.code == CloseCode::ServerEnds), "{error}");
}
