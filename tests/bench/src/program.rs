//! Programs that we start, and their end.
//!
//! Each runs in a process group of its own which is ended as a whole when its [`Program`] is
//! dropped. An interrupt does not end us in the middle: long waits look at [`check_interrupt`], so
//! that every guard is dropped on the way out.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// What a program gets to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// How often a program that was asked to end is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Makes Ctrl-C and a polite kill raise a flag instead of ending us.
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

/// Fails once we were asked to stop.
///
/// # Errors
/// Then.
pub fn check_interrupt() -> Result<()> {
    if INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
        bail!("interrupted");
    }
    Ok(())
}

/// A pause that an interrupt ends: between measurements, never as a stand-in for a condition.
///
/// # Errors
/// If interrupted.
pub fn pause(span: Duration) -> Result<()> {
    let until = Instant::now() + span;
    loop {
        check_interrupt()?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
}

/// A running program; dropping it ends it and all that stayed in its process group.
pub struct Program {
    child: Child,
}

impl Program {
    /// Starts a program with the given standard streams of `command`.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        Ok(Self { child })
    }

    /// Starts a program and waits for the line on its standard output that tells its address.
    ///
    /// Later output is read and dropped, so that the program never waits for us.
    ///
    /// # Errors
    /// If it does not start or does not say the line in time.
    pub fn start_until(command: &mut Command, mark: &str, within: Duration) -> Result<(Self, String)> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut program = Self::start(command)?;
        let stdout = program.child.stdout.take().context("no standard output")?;
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens any more once the line was found; reading goes on.
                send.send(line).ok();
            }
        });
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = lines.recv_timeout(left).with_context(|| {
                format!("{} did not say `{mark}`", command.get_program().to_string_lossy())
            })?;
            if let Some((_, rest)) = line.split_once(mark) {
                return Ok((program, rest.trim().to_owned()));
            }
        }
    }

    /// The id of the main process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The pipes to a program that was started with `Stdio::piped()`.
    ///
    /// # Errors
    /// If it was not.
    pub fn take_pipes(&mut self) -> Result<(ChildStdin, ChildStdout)> {
        let stdin = self.child.stdin.take().context("no pipe to write to")?;
        let stdout = self.child.stdout.take().context("no pipe to read from")?;
        Ok((stdin, stdout))
    }

    /// Asks the program to end, as a service manager does.
    pub fn ask_to_end(&self) {
        self.signal(Signal::TERM);
    }

    /// Whether it has ended.
    ///
    /// # Errors
    /// If the system does not know.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // An error means that nobody is left, which is what we want.
            kill_process_group(pid, signal).ok();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < GRACE && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(LOOK_EVERY);
        }
        self.signal(Signal::KILL);
        self.child.wait().ok();
    }
}

/// A folder for one run, removed with all that is in it.
pub struct ScratchFolder {
    /// Where it is.
    pub path: PathBuf,
}

impl ScratchFolder {
    /// Makes an empty folder under the system's folder for such.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn make(name: &str) -> Result<Self> {
        let unique = fastrand::u64(..);
        let path = std::env::temp_dir().join(format!(
            "visavis-bench-{}-{name}-{unique:016x}",
            std::process::id()
        ));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path })
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // A browser that is just ending may still write into its profile.
        for _ in 0..20 {
            if std::fs::remove_dir_all(&self.path).is_ok() || !self.path.exists() {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// The checkout's top folder.
#[must_use]
pub fn root() -> PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The user's cache folder of this project, as `cargo xtask` uses it.
///
/// # Errors
/// If no home is known.
pub fn cache() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set("VISAVIS_CACHE") {
        return Ok(folder.into());
    }
    if let Some(folder) = set("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(folder).join("visavis"));
    }
    let home = set("HOME").context("no home folder is known: set VISAVIS_CACHE")?;
    Ok(PathBuf::from(home).join(".cache/visavis"))
}
