//! Processes: `vAttach`, `vRun`, `D`, `vKill`, `?`.

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;

use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::rsp::client::{Event as ClientEvent, Reply};
use dbgsrv_protocol::rsp::process::{Arguments, Request};
use dbgsrv_protocol::rsp::settings;
use tokio::io::{AsyncRead, AsyncWrite};

use super::conversation::done;
use super::{DebugError, DebugSession, Stop};

/// A program to be started on the server's machine.
///
/// Without more it has no arguments, the server's environment and directory, an address space that is not laid out at
/// random, and is started without a shell.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Launch {
    program: Vec<u8>,
    arguments: Vec<Vec<u8>>,
    environment: Vec<Variable>,
    /// Empty: the server's own.
    directory: Vec<u8>,
    randomized: bool,
    through_shell: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Variable {
    /// `NAME=VALUE`.
    Set(Vec<u8>),
    /// `NAME`.
    Removed(Vec<u8>),
}

/// A packet before `vRun`.
#[derive(Clone, Copy)]
struct Setting<'a> {
    name: &'static str,
    request: settings::Request<'a>,
    /// It says something else than that all is as usual: a server that does not know it can't start the program.
    needed: bool,
}

impl Launch {
    /// The program at this path on the server's machine.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self { program: program.as_ref().as_bytes().to_vec(), ..Self::default() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().as_bytes().to_vec());
        self
    }

    /// Sets a variable of its environment (`QEnvironmentHexEncoded`).
    #[must_use]
    pub fn environment(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let text = [name.as_ref().as_bytes(), b"=", value.as_ref().as_bytes()].concat();
        self.environment.push(Variable::Set(text));
        self
    }

    /// Removes a variable from its environment (`QEnvironmentUnset`).
    #[must_use]
    pub fn without_environment(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.push(Variable::Removed(name.as_ref().as_bytes().to_vec()));
        self
    }

    /// The directory that it starts in (`QSetWorkingDir`).
    #[must_use]
    pub fn directory(mut self, path: impl AsRef<OsStr>) -> Self {
        self.directory = path.as_ref().as_bytes().to_vec();
        self
    }

    /// Whether its address space is laid out at random (`QDisableRandomization`).
    #[must_use]
    pub fn randomized(mut self, randomized: bool) -> Self {
        self.randomized = randomized;
        self
    }

    /// Whether a shell starts it (`QStartupWithShell`). Its arguments reach it as they are either way; gdbserver 13 needs the
    /// shell for arguments with spaces.
    #[must_use]
    pub fn through_shell(mut self, through_shell: bool) -> Self {
        self.through_shell = through_shell;
        self
    }

    /// The settings that come before `vRun`: all of them, since those of an earlier launch would last.
    fn settings(&self) -> impl Iterator<Item = Setting<'_>> {
        use settings::Request;
        let setting = |name, needed, request| Setting { name, request, needed };
        let environment = self.environment.iter().map(move |variable| match variable {
            Variable::Set(text) => setting("QEnvironmentHexEncoded", true, Request::EnvironmentSet(text)),
            Variable::Removed(name) => setting("QEnvironmentUnset", true, Request::EnvironmentUnset(name)),
        });
        let Self { directory, randomized, through_shell, .. } = self;
        [setting("QEnvironmentReset", false, Request::EnvironmentReset)].into_iter().chain(environment).chain([
            setting("QSetWorkingDir", !directory.is_empty(), Request::WorkingDirectory(directory)),
            setting("QDisableRandomization", *randomized, Request::DisableRandomization(!randomized)),
            setting("QStartupWithShell", *through_shell, Request::StartupWithShell(*through_shell)),
        ])
    }

    /// Whether all of it can become C strings.
    fn check(&self) -> Result<(), DebugError> {
        let arguments = self.arguments.iter().map(|text| ("an argument", text));
        let environment = self.environment.iter().map(|variable| match variable {
            Variable::Set(text) | Variable::Removed(text) => ("the environment", text),
        });
        let mut parts = [("the program's path", &self.program), ("the directory", &self.directory)]
            .into_iter()
            .chain(arguments)
            .chain(environment);
        match parts.find(|(_, text)| text.contains(&0)) {
            Some((what, _)) => Err(DebugError::ZeroByte { what }),
            None => Ok(()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> DebugSession<S> {
    /// Attaches to a running process, which stops (`vAttach`; dbgeng: `IDebugClient::AttachProcess`).
    ///
    /// # Errors
    /// [`DebugError::Target`] with the reason if the server can't.
    pub async fn attach(&mut self, pid: Pid) -> Result<Stop, DebugError> {
        self.arrive(Request::Attach(pid), "vAttach").await
    }

    /// Starts a program, which stops at its first instruction (`vRun`; dbgeng: `IDebugClient5::CreateProcess2`).
    ///
    /// # Errors
    /// [`DebugError::Target`] with the reason if the server can't, [`DebugError::Unsupported`] if it lacks one of the
    /// settings, [`DebugError::ZeroByte`], or [`DebugError::Ended`].
    pub async fn create(&mut self, launch: &Launch) -> Result<Stop, DebugError> {
        launch.check()?;
        let mut settings = launch.settings();
        let next = || settings.next().map(|setting| (setting, setting.request.into()));
        let take = |setting: Setting<'_>, reply: Reply<'_>| match reply {
            Reply::Unsupported if !setting.needed => Ok(ControlFlow::Continue(())),
            reply => done(&reply, setting.name).map(ControlFlow::Continue),
        };
        self.conversation.pipeline(next, take).await?;
        let joined = launch.arguments.join(&0);
        let arguments = Arguments::from_joined((!launch.arguments.is_empty()).then_some(&joined[..]));
        self.arrive(Request::Run { program: &launch.program, arguments }, "vRun").await
    }

    /// The thread that stopped last, if there is a process (`?`; dbgeng: `IDebugControl::GetLastEventInformation`). A
    /// server that was started with a program has one from the beginning.
    ///
    /// # Errors
    /// As for all of a session's methods.
    pub async fn status(&mut self) -> Result<Option<Stop>, DebugError> {
        self.conversation
            .ask(Request::Status, |reply| match reply {
                Reply::Event(ClientEvent::Stopped(stop)) => Ok(Some(stop)),
                Reply::Event(_) => Ok(None),
                reply => Err(DebugError::from_reply(&reply, "?")),
            })
            .await
    }

    /// Lets a process go on without being debugged (`D`; dbgeng: `IDebugClient4::DetachCurrentProcess`).
    ///
    /// # Errors
    /// [`DebugError::Target`] if the session does not debug it.
    pub async fn detach(&mut self, pid: Pid) -> Result<(), DebugError> {
        self.forget();
        self.conversation.command(Request::Detach(Some(pid)), "D").await
    }

    /// Ends a process (`vKill`; dbgeng: `IDebugClient4::TerminateCurrentProcess`).
    ///
    /// # Errors
    /// [`DebugError::Target`] if the session does not debug it.
    pub async fn kill(&mut self, pid: Pid) -> Result<(), DebugError> {
        self.forget();
        self.conversation.command(Request::Kill(pid), "vKill").await
    }

    /// Gets a process under control.
    async fn arrive(&mut self, request: Request<'_>, name: &'static str) -> Result<Stop, DebugError> {
        self.forget();
        self.conversation
            .ask(request, |reply| match reply {
                Reply::Event(ClientEvent::Stopped(stop)) => Ok(stop),
                Reply::Event(event) => Err(DebugError::Ended(event.into())),
                reply => Err(DebugError::from_reply(&reply, name)),
            })
            .await
    }

    /// Forgets what may no longer be so when processes come and go.
    pub(super) fn forget(&mut self) {
        self.selected = None;
        self.description = None;
    }
}
