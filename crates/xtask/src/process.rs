//! Starting programs and ending them, whatever happens.
//!
//! Every program gets a process group of its own, which is ended as a whole: on its limit of time,
//! on Ctrl-C, and after its main process ended while others stayed. Nothing that we start outlives
//! us by more than a moment.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::tally::Tally;

/// How often a running program is looked at. Short beside the programs, long beside the looking.
const LOOK_EVERY: Duration = Duration::from_millis(40);
/// What a program gets to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(5);

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Makes Ctrl-C and a polite kill end what we started, and then us.
///
/// # Errors
/// If the handlers cannot be set.
pub fn watch_interrupts() -> Result<()> {
    let flag = Arc::clone(INTERRUPTED.get_or_init(Arc::default));
    for signal in [
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ] {
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(())
}

/// Whether we were asked to stop.
pub fn is_interrupted() -> bool {
    INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// A program with all its descendants that stayed in its process group; dropping it ends them.
pub struct Group {
    child: Child,
    ended: bool,
}

impl Group {
    /// Starts a program in a group of its own, without a terminal to read from.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        Ok(Self { child, ended: false })
    }

    /// The status, once the main process has ended.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for the main process; an interrupt or the limit ends the group instead.
    fn wait(&mut self, limit: Option<Duration>) -> Result<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            if is_interrupted() {
                bail!("interrupted");
            }
            if limit.is_some_and(|limit| started.elapsed() > limit) {
                bail!("took longer than {} s and was ended", started.elapsed().as_secs());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // An error means that nobody is left, which is what we want.
            kill_process_group(pid, signal).ok();
        }
    }

    /// Ends every process of the group: politely first, then not.
    pub fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
            let asked = Instant::now();
            while asked.elapsed() < GRACE && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(LOOK_EVERY);
            }
        }
        self.signal(Signal::KILL);
        self.child.wait().ok();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a program with our own output and insists that it succeeds.
///
/// # Errors
/// If it does not start, fails, or we are interrupted.
pub fn run(command: &mut Command) -> Result<()> {
    let status = Group::start(command)?.wait(None)?;
    succeed(command, status)
}

/// Runs a program with its output in a file, for work whose output matters only if it fails.
///
/// # Errors
/// As [`run`]; the message ends with the last lines of the file.
pub fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    let status = Group::start(command)?.wait(None)?;
    succeed(command, status).map_err(|error| {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(15)..].join("\n    ");
        anyhow!("{error:#}; the end of {}:\n    {tail}", log.display())
    })
}

/// What a finished run told.
pub struct Report {
    /// How it ended.
    pub status: ExitStatus,
    /// The sum of all summary lines; `None` if there was none.
    pub tally: Option<Tally>,
}

/// Runs a program, passes its output on, and adds up the summaries that it prints.
///
/// # Errors
/// If it does not start, exceeds the limit, or we are interrupted.
pub fn run_tallied(command: &mut Command, limit: Duration) -> Result<Report> {
    let (reader, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut group = Group::start(command)?;
    // The command keeps its copies of the writing end; without this the end of output never comes.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (send, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
            if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    let started = Instant::now();
    let mut status = None;
    let mut ended_at = None;
    let mut tally: Option<Tally> = None;
    loop {
        match lines.recv_timeout(LOOK_EVERY) {
            Ok(line) => {
                println!("{line}");
                if let Some(found) = Tally::of_line(&line) {
                    *tally.get_or_insert_default() += found;
                }
                continue;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK_EVERY),
        }
        if status.is_none() {
            status = group.try_wait()?;
        }
        if let Some(status) = status {
            // A descendant may hold the pipe open for ever; what was printed is here by now.
            let ended_at = *ended_at.get_or_insert_with(Instant::now);
            if Instant::now().duration_since(ended_at) >= LOOK_EVERY {
                return Ok(Report { status, tally });
            }
        }
        if is_interrupted() {
            bail!("interrupted");
        }
        if started.elapsed() > limit {
            bail!("took longer than {} s and was ended", limit.as_secs());
        }
    }
}

/// What a program prints on standard output, without the white space at its ends.
///
/// # Errors
/// If it does not start or fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    succeed(command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn succeed(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    bail!("`{}` ended with {status}", line_of(command))
}

/// A command as one would type it.
pub fn line_of(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Lets the server take this process's place; comes back only with an error.
pub fn become_program(program: &Path, arguments: &[OsString]) -> anyhow::Error {
    let error = Command::new(program).args(arguments).exec();
    anyhow!(error).context(format!("cannot start {}", program.display()))
}

/// Whether a program is found in the path.
pub fn is_in_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Ends every process that carries `NAME=value` in its environment; for those that a killed test
/// left behind outside its group.
pub fn end_by_environment(name: &str, value: &str) {
    let wanted = format!("{name}={value}");
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return;
    };
    for entry in entries.flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok());
        let Some(pid) = pid.filter(|pid| u32::try_from(*pid) != Ok(std::process::id())) else {
            continue;
        };
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let carries = environment
            .split(|byte| *byte == 0)
            .any(|pair| pair == wanted.as_bytes());
        if let (true, Some(pid)) = (carries, Pid::from_raw(pid)) {
            rustix::process::kill_process(pid, Signal::KILL).ok();
        }
    }
}

/// A span of time for people: `7.3 s`, `4 min 05 s`.
pub fn spoken(span: Duration) -> String {
    let seconds = span.as_secs();
    if seconds < 60 {
        format!("{:.1} s", span.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}
