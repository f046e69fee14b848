//! One real browser behind its own driver, with a profile of its own and fake devices.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use thirtyfour::extensions::addons::firefox::FirefoxTools;
use thirtyfour::{Capabilities, WebDriver};

use crate::acted;
use crate::place::Place;
use crate::process::Program;

/// Which browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Debian's Chromium, driven by chromedriver.
    Chromium,
    /// Firefox ESR, driven by geckodriver.
    Firefox,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }
}

/// What a person answers when the page asks for camera and microphone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Permission {
    /// Yes, at once.
    #[default]
    Granted,
    /// No, at once, and for good.
    Refused,
}

/// What is plugged in, and what the page may have of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Devices {
    /// Whether there is a camera.
    pub camera: bool,
    /// Whether there is a microphone.
    pub microphone: bool,
    /// The person's answer.
    pub permission: Permission,
    /// Frames a second of the camera: as few as the client takes, for many browsers share few cores.
    pub frames_per_second: u32,
    /// How many cameras there are. Firefox has one fake camera.
    pub cameras: u32,
    /// Whether somebody talks all the time: Chromium's fake microphone only beeps, Firefox's hums.
    pub voice: bool,
    /// Who sits before the camera, by a number: Chromium's shows a clock else, Firefox's a colour.
    pub face: Option<u8>,
}

impl Default for Devices {
    fn default() -> Self {
        Self {
            camera: true,
            microphone: true,
            permission: Permission::Granted,
            frames_per_second: 10,
            cameras: 1,
            voice: false,
            face: None,
        }
    }
}

const PROBE: &str = include_str!("probe.js");
const DEVICES: &str = include_str!("devices.js");

/// A port for a Chromedriver. Left to choose it takes one that is free for IPv6 and ends if that is
/// not free for IPv4 as well, by somebody's outgoing connection for example: below the ports that
/// systems give to those, what is free now stays so.
fn driver_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const PORTS: u32 = 12_000;
    // Tests are processes of their own, with neighbouring numbers.
    let begin = std::process::id().wrapping_mul(16);
    for _ in 0..200 {
        let number = begin.wrapping_add(u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % PORTS;
        let port = FIRST + u16::try_from(number)?;
        let free = [
            IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ]
        .map(|address| {
            let refused = std::net::TcpListener::bind((address, port)).err();
            refused.is_none_or(|error| error.kind() != std::io::ErrorKind::AddrInUse)
        });
        if free == [true, true] {
            return Ok(port);
        }
    }
    anyhow::bail!("no port is free")
}

/// A running browser. [`crate::Stage`] ends it.
pub struct Browser {
    /// Which it is.
    pub kind: Kind,
    /// Names it among those of its test, and its files.
    pub label: String,
    driver: WebDriver,
    home: PathBuf,
    _program: Program,
}

impl Browser {
    /// Starts a driver and a browser in `folder`.
    ///
    /// # Errors
    /// If one is not installed or does not start.
    pub async fn start(
        kind: Kind,
        devices: Devices,
        label: String,
        place: &Place,
        folder: &Path,
        mark: &str,
    ) -> Result<Self> {
        let home = folder.join(&label);
        std::fs::create_dir_all(home.join("profile"))?;
        if let Some(authority) = &place.authority {
            trust(authority, &home)?;
        }
        let (mut command, listening) = match kind {
            Kind::Chromium => {
                let mut command = place.command("chromedriver");
                command.arg(format!("--port={}", driver_port()?));
                (command, "started successfully on port ")
            }
            Kind::Firefox => {
                let mut command = place.command("geckodriver");
                // Its other port has a fixed default: two drivers would fight for it.
                command
                    .args(["--port", "0", "--websocket-port", "0", "--profile-root"])
                    .arg(home.join("profile"));
                (command, "Listening on 127.0.0.1:")
            }
        };
        command
            .env("TMPDIR", &home)
            .env("HOME", &home)
            .env_remove("DISPLAY");
        let mut program = Program::start(&mut command, mark, home.join("driver.log"))
            .with_context(|| format!("{} cannot be driven; `cargo xtask setup` helps", kind.name()))?;
        let port = program.printed(listening).await?;
        let port = place.port(port.trim_end_matches('.').parse()?)?;
        let url = format!("http://127.0.0.1:{port}");
        let trusted = place.trusted_origin.as_deref();
        let capabilities = capabilities(kind, devices, trusted, &home.join("profile"))?;
        let driver = WebDriver::builder(url, capabilities)
            .request_timeout(Duration::from_secs(45))
            .connect()
            .await
            .with_context(|| format!("{} does not start; see {}", kind.name(), program.log.display()))?;
        let browser = Self {
            kind,
            label,
            driver,
            home: home.clone(),
            _program: program,
        };
        browser.inject(&script(kind, devices), &home).await?;
        Ok(browser)
    }

    /// Makes every page run `script` before its own.
    async fn inject(&self, script: &str, home: &Path) -> Result<()> {
        match self.kind {
            Kind::Chromium => {
                self.cdp(
                    "Page.addScriptToEvaluateOnNewDocument",
                    json!({ "source": script }),
                )
                .await?;
            }
            Kind::Firefox => {
                let folder = extension(script, home)?;
                FirefoxTools::new(self.driver.handle().clone())
                    .install_addon(&folder.to_string_lossy(), Some(true))
                    .await?;
            }
        }
        Ok(())
    }

    /// A command of the DevTools protocol; Chromium only.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn cdp(&self, method: &str, parameters: Value) -> Result<Value> {
        Ok(self.driver.cdp().send_raw(method, parameters).await?)
    }

    /// The folder that it takes for its person's home.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The session itself, for what has no better word here.
    #[must_use]
    pub const fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Runs a function body in the page; what it returns.
    ///
    /// # Errors
    /// If it throws.
    pub async fn script(&self, body: &str, arguments: Vec<Value>) -> Result<Value> {
        let returned = self.driver.execute(body, arguments).await;
        Ok(returned
            .with_context(|| format!("{}: {body}", self.label))?
            .json()
            .clone())
    }

    /// Runs the body of an async function in the page; what it resolves to.
    ///
    /// # Errors
    /// If it throws or rejects.
    pub async fn async_script(&self, body: &str, arguments: Vec<Value>) -> Result<Value> {
        let whole = format!(
            "const done = arguments[arguments.length - 1];
             (async (...arguments) => {{ {body} }})(...arguments)
               .then((value) => done({{ value }}), (error) => done({{ error: String(error) }}));"
        );
        let returned = self.driver.execute_async(whole.as_str(), arguments).await;
        let answer = returned
            .with_context(|| format!("{}: {body}", self.label))?
            .json()
            .clone();
        match answer.get("error") {
            Some(error) => anyhow::bail!("{}: {error} in {body}", self.label),
            None => Ok(answer.get("value").cloned().unwrap_or(Value::Null)),
        }
    }

    /// Saves what a person would want to see after a failure.
    pub async fn keep_evidence(&self, folder: &Path) {
        let path = |end: &str| folder.join(format!("{}{end}", self.label));
        if let Ok(picture) = self.driver.screenshot_as_png().await {
            std::fs::write(path(".png"), picture).ok();
        }
        if let Ok(source) = self.driver.source().await {
            std::fs::write(path(".html"), source).ok();
        }
        let state = "const probe = window.__probe; if (!probe) return 'no probe in this page';
             return JSON.stringify({ url: location.href, active: navigator.userActivation?.hasBeenActive, open: probe.open(), wire: probe.wire(), log: probe.log, peers: await probe.peers() }, null, 1);";
        let text = match self.async_script(state, Vec::new()).await {
            Ok(state) => state.as_str().unwrap_or_default().to_owned(),
            Err(error) => format!("{error:#}"),
        };
        std::fs::write(path(".page.json"), text).ok();
        if self.kind == Kind::Chromium
            && let Ok(lines) = self.driver.browser_log().await
        {
            std::fs::write(path(".console.txt"), format!("{lines:#?}")).ok();
        }
    }

    /// Makes every camera and microphone fail with an error of this name in pages opened from now on, or
    /// `"no mediaDevices"`, as on a page that came over plain HTTP. Of an origin that is open.
    ///
    /// # Errors
    /// If the page has no storage.
    pub async fn fail_captures(&self, name: &str) -> Result<()> {
        self.script(
            "sessionStorage.setItem('test.fails', arguments[0]);",
            vec![json!(name)],
        )
        .await?;
        Ok(())
    }

    /// Gives the session up without a word: a browser that is asked to quit takes seconds over it,
    /// and the stage ends all processes at once anyway.
    pub fn abandon(&self) {
        self.driver.clone().leak().ok();
    }
}

/// Puts an authority among those that Chromium takes from the person of this home.
fn trust(authority: &Path, home: &Path) -> Result<()> {
    let folder = home.join(".pki/nssdb");
    std::fs::create_dir_all(&folder)?;
    let folder = format!("sql:{}", folder.display());
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new("certutil");
        command.args(["-d", &folder]).args(arguments);
        let done = command
            .output()
            .context("certutil is not there (package libnss3-tools)")?;
        let complaint = String::from_utf8_lossy(&done.stderr);
        anyhow::ensure!(done.status.success(), "certutil {arguments:?}: {complaint}");
        Ok(())
    };
    run(&["-N", "--empty-password"])?;
    let file = authority.to_string_lossy();
    run(&["-A", "-a", "-n", "visavis", "-t", "C,,", "-i", &file])
}

/// The probe, behind what pretends of devices that which the browser cannot be told.
fn script(kind: Kind, devices: Devices) -> String {
    let pretend = match kind {
        // A flag takes the camera away; there is none for the microphone.
        Kind::Chromium => json!({ "camera": true, "microphone": devices.microphone }),
        Kind::Firefox => json!({ "camera": devices.camera, "microphone": devices.microphone }),
    };
    format!("({DEVICES})({pretend});\n{PROBE}")
}

fn capabilities(kind: Kind, devices: Devices, trusted: Option<&str>, profile: &Path) -> Result<Capabilities> {
    let value = match kind {
        Kind::Chromium => chromium(devices, trusted, profile)?,
        Kind::Firefox => firefox(devices, trusted),
    };
    Ok(serde_json::from_value(value)?)
}

fn chromium(devices: Devices, trusted: Option<&str>, profile: &Path) -> Result<Value> {
    let mut flags: Vec<String> = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-extensions",
        "--disable-default-apps",
        "--mute-audio",
        "--window-size=1280,800",
        "--enable-precise-memory-info",
        "--autoplay-policy=document-user-activation-required",
    ]
    .map(str::to_owned)
    .to_vec();
    if let Some(origin) = trusted {
        flags.push(format!("--unsafely-treat-insecure-origin-as-secure={origin}"));
    }
    flags.push(format!("--user-data-dir={}", profile.display()));
    if devices.voice {
        let file = profile.with_file_name("voice.wav");
        std::fs::write(&file, acted::voice())?;
        flags.push(format!("--use-file-for-fake-audio-capture={}", file.display()));
    }
    if let Some(number) = devices.face {
        let file = profile.with_file_name("face.y4m");
        std::fs::write(&file, acted::face(number, devices.frames_per_second))?;
        flags.push(format!("--use-file-for-fake-video-capture={}", file.display()));
    }
    let camera = if devices.camera {
        format!(
            "device-count={},fps={}",
            devices.cameras, devices.frames_per_second
        )
    } else {
        "device-count=0".to_owned()
    };
    flags.push(format!("--use-fake-device-for-media-stream={camera}"));
    let mut settings = json!({});
    match devices.permission {
        Permission::Granted => flags.push("--use-fake-ui-for-media-stream".into()),
        // The real way to say no: the fake one would also switch off what hides addresses.
        Permission::Refused => {
            settings = json!({
                "profile.default_content_setting_values.media_stream_camera": 2,
                "profile.default_content_setting_values.media_stream_mic": 2,
            });
        }
    }
    Ok(json!({
        "browserName": "chrome",
        "unhandledPromptBehavior": "accept",
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": {
            "binary": installed(&["/usr/bin/chromium", "/usr/bin/chromium-browser"]),
            "args": flags,
            "prefs": settings,
        },
    }))
}

fn firefox(devices: Devices, trusted: Option<&str>) -> Value {
    let is_insecure = trusted.is_some();
    // What Chromium takes as an origin is a host here, without a port.
    let host = trusted
        .and_then(|origin| origin.split("://").nth(1))
        .and_then(|rest| rest.rsplit_once(':').map(|(host, _)| host))
        .unwrap_or_default();
    let answer = match devices.permission {
        Permission::Granted => 1,
        Permission::Refused => 2,
    };
    json!({
        "browserName": "firefox",
        "unhandledPromptBehavior": "accept",
        "moz:firefoxOptions": {
            "binary": installed(&["/usr/bin/firefox-esr", "/usr/bin/firefox"]),
            "args": ["-headless", "--width=1280", "--height=800"],
            "prefs": {
                "media.navigator.streams.fake": true,
                "media.navigator.video.default_fps": devices.frames_per_second,
                "media.navigator.permission.disabled": devices.permission == Permission::Granted,
                "permissions.default.camera": answer,
                "permissions.default.microphone": answer,
                "dom.securecontext.allowlist": host,
                "media.devices.insecure.enabled": is_insecure,
                "media.getusermedia.insecure.enabled": is_insecure,
                "media.volume_scale": "0.0",
                // Nothing of this has anything to ask of the outside.
                "network.captive-portal-service.enabled": false,
                "network.connectivity-service.enabled": false,
                "browser.safebrowsing.malware.enabled": false,
                "browser.safebrowsing.phishing.enabled": false,
                "services.settings.server": "data:,#visavis",
                "app.normandy.enabled": false,
                "media.gmp-manager.updateEnabled": false,
                "extensions.getAddons.cache.enabled": false,
            },
        },
    })
}

fn installed(programs: &[&str]) -> PathBuf {
    let found = programs
        .iter()
        .map(PathBuf::from)
        .find(|program| program.exists());
    found.unwrap_or_else(|| PathBuf::from(programs.first().copied().unwrap_or_default()))
}

/// Writes a temporary WebExtension that runs `script` in every page's own world.
fn extension(script: &str, home: &Path) -> Result<PathBuf> {
    let folder = home.join("probe");
    std::fs::create_dir_all(&folder)?;
    let manifest = json!({
        "manifest_version": 3,
        "name": "probe",
        "version": "1.0",
        "browser_specific_settings": { "gecko": { "id": "probe@visavis.test" } },
        "host_permissions": ["<all_urls>"],
        "content_scripts": [{
            "matches": ["<all_urls>"],
            "js": ["probe.js"],
            "run_at": "document_start",
            "world": "MAIN",
            "all_frames": true,
        }],
    });
    std::fs::write(folder.join("manifest.json"), manifest.to_string())?;
    std::fs::write(folder.join("probe.js"), script)?;
    Ok(folder)
}
