//! The program around [`visavis_server::serve`]: settings, logs, signals, exit codes.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};
use tracing::{info, warn};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use visavis_protocol::Handle;
use visavis_server::config::{Config, ConfigError, DeskLinkWanted, Task, TlsSetting, from_environment};
use visavis_server::doctor::{self, Patience};
use visavis_server::links::Signer;
use visavis_server::store::{Store, StoreError};
use visavis_server::{Handle as Server, ServeError};

/// The exit code for settings that cannot be used (sysexits.h).
const EX_USAGE: u8 = 64;

fn main() -> ExitCode {
    let (task, config) = match from_environment() {
        Ok(read) => read,
        Err(ConfigError::Flags(error)) => {
            // Help and version are no failures; clap knows which goes where.
            let _ = error.print();
            return if error.use_stderr() {
                EX_USAGE.into()
            } else {
                ExitCode::SUCCESS
            };
        }
        Err(ConfigError::Value(error)) => return complain(&error, EX_USAGE),
    };
    let Ok(filter) = config.log.parse::<Targets>() else {
        return complain(
            &format!("log: `{}` is not a filter like info", config.log),
            EX_USAGE,
        );
    };
    if task == Task::Doctor {
        return match doctor::run(&config, Patience::default(), &mut io::stdout().lock()) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => complain(&format!("cannot write to stdout: {error}"), 1),
        };
    }
    match task {
        Task::Serve | Task::Doctor => {}
        Task::FreeHandle(handle) => return free_handle(config.data_dir.as_deref(), &handle),
        Task::DeskLink(wanted) => return desk_link(&config, &wanted),
        Task::RotateKey => return rotate_key(config.data_dir.as_deref()),
        Task::Backup(file) => return backup(config.data_dir.as_deref(), &file),
    }
    let output = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()));
    tracing_subscriber::registry().with(filter).with(output).init();
    // Each connection is a file descriptor; the usual limit is a thousand.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        warn!(%error, "the limit of open files stays as it is");
    }
    let runtime = match runtime(config.threads) {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("cannot start threads: {error}"), 1),
    };
    match runtime.block_on(run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(text, code)) => complain(&text, code),
    }
}

fn runtime(threads: usize) -> io::Result<Runtime> {
    match threads {
        // One thread without a scheduler that steals: more for each core (docs/operations.md).
        1 => Builder::new_current_thread().enable_all().build(),
        threads => Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build(),
    }
}

/// Says in one line what is wrong.
fn complain(text: &str, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "visavis-server: {text}");
    code.into()
}

/// Takes a handle from whoever has it, beside a server that runs or without one.
fn free_handle(folder: Option<&Path>, handle: &Handle) -> ExitCode {
    let Some(folder) = folder else {
        let text = "free-handle: no data folder is set (--data-dir); without one a server forgets handles when it stops";
        return complain(text, EX_USAGE);
    };
    match Store::open_present(folder).and_then(|mut store| store.free(handle)) {
        Ok(true) => {
            let text = "is free. Contacts, blocks and missed calls that were kept for it are gone; a server \
                        that runs signs its pages out within seconds.";
            match writeln!(io::stdout(), "{handle} {text}") {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => complain(&format!("cannot write to stdout: {error}"), 1),
            }
        }
        Ok(false) => complain(&format!("free-handle: nobody has {handle}"), 1),
        Err(error) => complain(&format!("free-handle: {}", with_source(&error)), 1),
    }
}

/// Prints what an operator's command made.
fn print(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format!("cannot write to stdout: {error}"), 1),
    }
}

/// Makes a link to a desk, beside a server that runs or before its first start.
fn desk_link(config: &Config, wanted: &DeskLinkWanted) -> ExitCode {
    let Some(folder) = config.data_dir.as_deref() else {
        let text = "desk-link: no data folder is set (--data-dir); without one the keys of links end with the server";
        return complain(text, EX_USAGE);
    };
    let is_first = !Signer::has_keys(folder);
    let made = visavis_server::private::folder(folder)
        .map_err(|error| format!("cannot use the data folder: {error}"))
        .and_then(|()| Signer::open(Some(folder)).map_err(|error| with_source(&error)))
        .and_then(|signer| {
            signer
                .desk_link(&wanted.name, wanted.desk, wanted.lifetime)
                .map_err(|error| with_source(&error))
        });
    match made {
        Ok(link) => {
            let site = config.public_origins.first().map(ToString::to_string);
            let site = site.unwrap_or_else(|| {
                let scheme = if config.tls == TlsSetting::Off {
                    "http"
                } else {
                    "https"
                };
                format!("{scheme}://localhost:{}", config.listen.port())
            });
            if config.public_origins.is_empty() {
                let _ = writeln!(
                    io::stderr(),
                    "no --public-origin is set: put the address under which people reach the server in front"
                );
            }
            if is_first {
                // The name of a folder is easily wrong, and then the server would know nothing of this link.
                let folder = folder.display();
                let _ = writeln!(
                    io::stderr(),
                    "there were no keys in {folder} and one was made: it must be the data folder of the server"
                );
            }
            let _ = writeln!(
                io::stderr(),
                "the desk is {}: for another link to it add --desk {0}",
                link.desk
            );
            print(&[site.as_str(), &link.path].concat())
        }
        Err(error) => complain(&format!("desk-link: {error}"), 1),
    }
}

/// Signs with another key from now on.
fn rotate_key(folder: Option<&Path>) -> ExitCode {
    let Some(folder) = folder else {
        return complain("rotate-key: no data folder is set (--data-dir)", EX_USAGE);
    };
    match Signer::rotate(folder) {
        Ok(()) => print(
            "Links are signed with another key in some seconds. Those that are out stay good until their end.",
        ),
        Err(error) => complain(&format!("rotate-key: {}", with_source(&error)), 1),
    }
}

/// Copies what is kept, beside a server that runs or without one.
fn backup(folder: Option<&Path>, file: &Path) -> ExitCode {
    let Some(folder) = folder else {
        return complain("backup: no data folder is set (--data-dir)", EX_USAGE);
    };
    match visavis_server::store::backup(folder, file) {
        Ok(()) => print(&format!(
            "{} has handles, desks and appointments. The keys are files of their own: copy them once (docs/operations.md).",
            file.display()
        )),
        Err(error) => complain(&format!("backup: {}", with_source(&error)), 1),
    }
}

/// An error and what it came from, in one line.
fn with_source(error: &dyn std::error::Error) -> String {
    let source = error
        .source()
        .map_or(String::new(), |source| format!(": {source}"));
    format!("{error}{source}")
}

/// Why a server did not start or did not go on, and the exit code for it.
struct Failure(String, u8);

async fn run(config: Config) -> Result<(), Failure> {
    let mut signals =
        Signals::new().map_err(|error| Failure(format!("cannot listen for signals: {error}"), 1))?;
    let handle = visavis_server::serve(config).await.map_err(|error| {
        let code = match &error {
            ServeError::Tls(_) => EX_USAGE,
            ServeError::Listen { .. }
            | ServeError::DataDir(_)
            | ServeError::Store(_)
            | ServeError::PassKey(_)
            | ServeError::Links(_)
            | ServeError::Assets(_)
            | ServeError::Random => 1,
        };
        Failure(with_source(&error), code)
    })?;
    announce(&handle).map_err(|error| Failure(format!("cannot write to stdout: {error}"), 1))?;
    let mut broken = core::pin::pin!(handle.broken());
    let fail = |error: &StoreError| {
        let error = with_source(error);
        Failure(
            format!("ends, because something cannot be written down: {error}"),
            1,
        )
    };
    loop {
        tokio::select! {
            biased;
            error = broken.as_mut() => return Err(fail(&error)),
            signal = signals.next() => match signal {
                Signal::Reload => handle.reload(),
                Signal::Stop => break,
            },
        }
    }
    info!("stopping; once more to stop at once");
    let again = async { while signals.next().await == Signal::Reload {} };
    tokio::select! {
        biased;
        error = broken => return Err(fail(&error)),
        () = handle.shutdown() => {}
        () = again => {}
    }
    Ok(())
}

/// Prints the line that says where the server is, and with a local authority one that says how others
/// come to trust it.
fn announce(handle: &Server) -> io::Result<()> {
    let origin = handle.origin();
    let mut text = format!("Visavis is ready at {origin}\n");
    if handle.has_local_authority() {
        text += &match handle.lan() {
            Some(lan) => format!("On your network: https://{lan}; phones begin at http://{lan}/trust\n"),
            None => format!(
                "Only this machine reaches it (--listen 0.0.0.0:8080 changes that); how to trust it: {origin}/trust\n"
            ),
        };
    } else if handle.local_addr().ip().is_unspecified()
        && origin.starts_with("http:")
        && let Some(lan) = handle.lan()
    {
        info!("on the local network: http://{lan} (a camera needs HTTPS there: --tls-local)");
    }
    // At once: whoever starts us may read the first line and no more.
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Stop,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal"))]
    Reload,
}

/// The wish to stop, or to read certificates again.
#[cfg(unix)]
struct Signals {
    hangup: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
        }
    }
}

/// The wish to stop, or to read certificates again.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::Stop
    }
}
