//! A test's stage: a server and browsers that are gone when the test is.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use futures_util::FutureExt;

use crate::browser::{Browser, Devices, Kind};
use crate::place::Place;
use crate::process;
use crate::server::{self, Server};
use crate::wait::{Look, until};

/// How many times its goal something takes that is broken and not slow: see [`Stage::in_time`]. What was
/// waited for before has a limit of its own, which may be shorter.
const BROKEN: f64 = 10.0;

/// Everything that one test runs.
pub struct Stage {
    /// The test's name, and the name of the folder with the evidence if it fails.
    name: String,
    folder: PathBuf,
    mark: String,
    /// The server of this test.
    server: RefCell<Option<Server>>,
    origin: RefCell<String>,
    /// Where the server runs, and the options that it was started with.
    serving: RefCell<(Place, Vec<String>)>,
    browsers: RefCell<Vec<Rc<Browser>>>,
    count: Cell<usize>,
    /// What browsers and server stand on: it goes last.
    ground: RefCell<Vec<Box<dyn Any>>>,
}

/// Runs a test on a stage of its own; ends everything afterwards, keeps the evidence of a failure.
///
/// # Panics
/// If the test fails: that is how a test says so.
pub fn run(name: &str, test: impl AsyncFnOnce(&Stage) -> Result<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime needs nothing that a test machine lacks");
    runtime.block_on(async {
        let stage = Stage::new(name).expect("a temporary folder can be made");
        let outcome = AssertUnwindSafe(test(&stage)).catch_unwind().await;
        if !matches!(outcome, Ok(Ok(()))) {
            stage.keep_evidence().await;
        }
        stage.end();
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("{name}: {error:#}"),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
}

impl Stage {
    fn new(name: &str) -> Result<Self> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let mark = format!("{}-{nanos}", std::process::id());
        let folder = std::env::temp_dir().join(format!("visavis-{mark}"));
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            name: name.replace("::", "-"),
            folder,
            mark,
            server: RefCell::new(None),
            origin: RefCell::new(String::new()),
            serving: RefCell::default(),
            browsers: RefCell::new(Vec::new()),
            count: Cell::new(0),
            ground: RefCell::default(),
        })
    }

    /// Starts the server; tests that need none leave it out.
    ///
    /// # Errors
    /// See [`Server::start`].
    pub async fn serve(&self) -> Result<()> {
        self.serve_with(&[]).await
    }

    /// Starts the server with more options.
    ///
    /// # Errors
    /// See [`Server::start`].
    pub async fn serve_with(&self, options: &[&str]) -> Result<()> {
        let server = Server::start(&self.folder, &self.mark, options).await?;
        self.origin.replace(server.origin.clone());
        self.server.replace(Some(server));
        self.serving.replace((Place::default(), owned(options)));
        Ok(())
    }

    /// Starts the server on some host, at an address of that host.
    ///
    /// # Errors
    /// See [`Server::start`].
    pub async fn serve_at(&self, place: &Place, address: &str, options: &[&str]) -> Result<()> {
        let server = Server::start_at(address, place, &self.folder, &self.mark, options).await?;
        self.origin.replace(format!("http://{address}"));
        self.server.replace(Some(server));
        self.serving.replace((place.clone(), owned(options)));
        Ok(())
    }

    /// Starts the server for the local network, with an authority of its own; its origin there is the
    /// stage's from then on. The authority's certificate, for [`Place::authority`].
    ///
    /// # Errors
    /// If it does not come up, or knows of no network.
    pub async fn serve_securely(&self) -> Result<PathBuf> {
        let options = ["--tls-local"];
        let place = Place::default();
        let mut server = Server::start_at("0.0.0.0:0", &place, &self.folder, &self.mark, &options).await?;
        let told = server.printed("On your network: ").await?;
        let (origin, _) = told.split_once(';').context("no address")?;
        self.origin.replace(origin.to_owned());
        self.server.replace(Some(server));
        self.serving.replace((place, owned(&options)));
        Ok(self.folder.join("server-data/tls/authority.crt"))
    }

    /// Runs an operator's command beside the server; what it says.
    ///
    /// # Errors
    /// See [`server::operate`].
    pub fn operate(&self, arguments: &[&str]) -> Result<String> {
        server::operate(&self.folder, arguments)
    }

    /// Takes what browsers and server stand on. It goes after them, so that a failure leaves its
    /// evidence first.
    pub fn stand_on(&self, ground: impl Any) {
        self.ground.borrow_mut().push(Box::new(ground));
    }

    /// Names everything that this test starts: see [`process::Program::start`].
    #[must_use]
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// `http://ADDR:PORT` of the site.
    #[must_use]
    pub fn origin(&self) -> String {
        self.origin.borrow().clone()
    }

    /// The WebSocket of the site.
    #[must_use]
    pub fn socket_url(&self) -> String {
        format!("{}/ws", self.origin().replacen("http", "ws", 1))
    }

    /// The test's own temporary folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A browser with everything plugged in and allowed.
    ///
    /// # Errors
    /// See [`Browser::start`].
    pub async fn browser(&self, kind: Kind) -> Result<Rc<Browser>> {
        self.browser_with(kind, Devices::default()).await
    }

    /// A browser with these devices.
    ///
    /// # Errors
    /// See [`Browser::start`].
    pub async fn browser_with(&self, kind: Kind, devices: Devices) -> Result<Rc<Browser>> {
        self.browser_at(kind, devices, &Place::default()).await
    }

    /// A browser with these devices, on some host.
    ///
    /// # Errors
    /// See [`Browser::start`].
    pub async fn browser_at(&self, kind: Kind, devices: Devices, place: &Place) -> Result<Rc<Browser>> {
        let number = self.count.get() + 1;
        self.count.set(number);
        let label = format!("{number}-{kind:?}").to_lowercase();
        let browser = Rc::new(Browser::start(kind, devices, label, place, &self.folder, &self.mark).await?);
        self.browsers.borrow_mut().push(Rc::clone(&browser));
        Ok(browser)
    }

    /// Pictures, consoles and logs, for whoever reads about the failure.
    async fn keep_evidence(&self) {
        let folder = results().join(&self.name);
        std::fs::remove_dir_all(&folder).ok();
        if std::fs::create_dir_all(&folder).is_err() {
            return;
        }
        let browsers = self.browsers.borrow().clone();
        for browser in browsers {
            browser.keep_evidence(&folder).await;
            let log = self.folder.join(&browser.label).join("driver.log");
            std::fs::copy(log, folder.join(format!("{}.driver.log", browser.label))).ok();
        }
        // The server's, and those of what a test started besides.
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let log = entry.path();
            if log.extension().is_some_and(|end| end == "log") {
                std::fs::copy(&log, folder.join(entry.file_name())).ok();
            }
        }
        eprintln!("evidence is in {}", folder.display());
    }

    fn end(self) {
        let browsers = std::mem::take(&mut *self.browsers.borrow_mut());
        for browser in &browsers {
            browser.abandon();
        }
        // Drivers first, then the server, then whatever they left behind.
        drop(browsers);
        drop(self);
    }

    /// Marks a test as one that had nothing to judge: the suite counts it as skipped.
    pub fn skip(&self, reason: &str) {
        eprintln!("skipped {}: {reason}", self.name);
        self.append("VISAVIS_SKIPPED", reason);
    }

    /// Tells a measured figure; the suite prints all of them at its end.
    pub fn figure(&self, text: &str) {
        eprintln!("{}: {text}", self.name);
        self.append("VISAVIS_FIGURES", text);
    }

    /// Tells how long something took beside how long it may take, in milliseconds. It fails where that is
    /// ten times as long: on two cores that four browsers share, each waits for its turn, and what
    /// takes a little longer there says nothing of the app. What a goal is measured for is a quiet machine.
    ///
    /// # Errors
    /// If it took so long that something must be broken.
    pub fn in_time(&self, what: &str, took_ms: f64, goal_ms: f64) -> Result<()> {
        self.figure(&format!("{what}: {took_ms:.0} ms (goal: {goal_ms:.0})"));
        ensure!(took_ms < BROKEN * goal_ms, "{what}: {took_ms} ms");
        Ok(())
    }

    /// Adds a line to the file that a variable names, if it does.
    fn append(&self, variable: &str, text: &str) {
        use std::io::Write;
        let file = std::env::var_os(variable)
            .map(|path| std::fs::OpenOptions::new().create(true).append(true).open(path));
        if let Some(Ok(mut file)) = file {
            writeln!(file, "{}: {text}", self.name).ok();
        }
    }

    /// Starts a server that was killed again, at the same address and with nothing in its memory.
    ///
    /// # Errors
    /// If it does not come up.
    pub async fn revive_server(&self) -> Result<()> {
        let origin = self.origin();
        let address = origin.trim_start_matches("http://").to_owned();
        let (place, options) = self.serving.borrow().clone();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        // The former one is gone, but its port may not be free at once.
        let server = until(
            "the server on its former port",
            Duration::from_secs(10),
            async || match Server::start_at(&address, &place, &self.folder, &self.mark, &options).await {
                Ok(server) => Ok(Look::There(server)),
                Err(error) => Ok(Look::NotYet(format!("{error:#}"))),
            },
        )
        .await?;
        self.server.replace(Some(server));
        Ok(())
    }

    /// Ends the server as a crash would.
    ///
    /// # Errors
    /// If there is none.
    pub fn kill_server(&self) -> Result<()> {
        self.server
            .borrow_mut()
            .as_mut()
            .context("no server was started")?
            .kill();
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.browsers.borrow_mut().clear();
        self.server.replace(None);
        process::sweep(&self.mark, &self.folder);
        self.ground.borrow_mut().clear();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn owned(options: &[&str]) -> Vec<String> {
    options.iter().map(|&option| option.to_owned()).collect()
}

/// Where the evidence of failures is kept.
fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-results")
}
