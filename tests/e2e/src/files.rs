//! Files that people send each other: made, offered by the panel, saved and compared.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::json;
use thirtyfour::By;

use crate::browser::{Browser, Kind};
pub use crate::page::SOON;
use crate::stage::Stage;
use crate::wait::{Look, until};

/// Bytes written at once.
const PIECE: usize = 1 << 20;

/// A file to be sent.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Where it lies.
    pub path: PathBuf,
    /// How long it is.
    pub bytes: u64,
}

impl Sample {
    /// A file in which no two blocks are alike.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn noise(stage: &Stage, name: &str, bytes: u64) -> Result<Self> {
        let path = stage.folder().join(name);
        let mut file = std::fs::File::create(&path)?;
        let (mut left, mut state) = (bytes, bytes ^ 0x9e37_79b9_7f4a_7c15);
        let mut piece = vec![0; PIECE];
        while left > 0 {
            for word in piece.chunks_exact_mut(8) {
                // xorshift64: fast also where nothing is optimised.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                word.copy_from_slice(&state.to_le_bytes());
            }
            let now = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            file.write_all(&piece[..now])?;
            left -= now as u64;
        }
        Ok(Self { path, bytes })
    }

    /// A file of nothing that takes no room on this disk.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn sparse(stage: &Stage, name: &str, bytes: u64) -> Result<Self> {
        let path = stage.folder().join(name);
        std::fs::File::create(&path)?.set_len(bytes)?;
        Ok(Self { path, bytes })
    }

    /// Its name without the folder.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
    }
}

/// SHA-256 of a file, by the system's own program.
///
/// # Errors
/// If there is no such file.
pub fn sha256(path: &Path) -> Result<String> {
    let done = Command::new("sha256sum").arg(path).output()?;
    ensure!(done.status.success(), "no SHA-256 of {}", path.display());
    let text = String::from_utf8(done.stdout)?;
    let sum = text.trim_start_matches('\\').split(' ').next();
    Ok(sum.context("sha256sum says nothing")?.to_owned())
}

/// One line of the list.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Line {
    /// `data-state`.
    pub state: String,
    /// How much is through, in percent; `None` without a bar.
    pub percent: Option<f64>,
    /// All that is written.
    pub words: String,
}

const LINE: &str = r#"
    const list = document.querySelector('[role=list][aria-label="Transfers"], ul[aria-label="Transfers"]');
    const item = [...(list?.querySelectorAll("[data-state]") ?? [])]
        .find((item) => (item.getAttribute("aria-label") ?? item.textContent).includes(arguments[0]));
    if (!item) return null;
    const bar = item.querySelector("[role=progressbar], progress");
    const now = bar?.getAttribute("aria-valuenow") ?? bar?.value;
    return { state: item.dataset.state, percent: now == null ? null : Number(now), words: item.innerText };
"#;

/// What lies in a folder, with its bytes.
fn listed(folder: &Path) -> String {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return "no folder of downloads".into();
    };
    let files = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let bytes = entry.metadata().ok()?.len();
        Some(format!("{}: {bytes} bytes", entry.file_name().to_string_lossy()))
    });
    files.collect::<Vec<_>>().join(", ")
}

impl Browser {
    /// Opens the panel of files, if it is not open.
    ///
    /// # Errors
    /// If it does not open.
    pub async fn open_files(&self) -> Result<()> {
        if self.find("button", "Send files").await?.is_none() {
            self.press("button", "Files").await?;
        }
        self.see("button", "Send files").await.map(drop)
    }

    /// Offers a file by the panel, to whoever is chosen there.
    ///
    /// # Errors
    /// If the panel has no field for it.
    pub async fn offer(&self, sample: &Sample) -> Result<()> {
        self.open_files().await?;
        self.give_file("Files to send", &sample.path).await
    }

    /// Puts a file into a field, as the system's dialog would.
    ///
    /// # Errors
    /// If there is no such field.
    pub async fn give_file(&self, field: &str, path: &Path) -> Result<()> {
        let css = format!("input[type=file][aria-label=\"{field}\"]");
        let path = path.to_str().context("a path that is no text")?;
        until(&format!("{}: the field {field}", self.label), SOON, async || {
            let Some(input) = self.driver().find_all(By::Css(css.as_str())).await?.pop() else {
                return Ok(Look::NotYet("not there".into()));
            };
            input.send_keys(path).await?;
            Ok(Look::There(()))
        })
        .await
    }

    /// The line of a file, if there is one.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn line(&self, name: &str) -> Result<Option<Line>> {
        let found = self.script(LINE, vec![json!(name)]).await?;
        Ok(serde_json::from_value(found)?)
    }

    /// Waits until a file's line satisfies a condition.
    ///
    /// # Errors
    /// If it does not, or the transfer stopped meanwhile.
    pub async fn see_line(
        &self,
        name: &str,
        what: &str,
        limit: Duration,
        holds: impl Fn(&Line) -> bool,
    ) -> Result<Line> {
        until(
            &format!("{}: {name} {what}", self.label),
            limit,
            async || match self.line(name).await? {
                Some(line) if holds(&line) => Ok(Look::There(line)),
                Some(line) if line.state == "stopped" => bail!("{}: {line:?}", self.label),
                Some(line) => Ok(Look::NotYet(format!("{line:?}"))),
                None => Ok(Look::NotYet(self.words().await?)),
            },
        )
        .await
    }

    /// Waits until a file's line is in a state.
    ///
    /// # Errors
    /// As [`Browser::see_line`].
    pub async fn see_state(&self, name: &str, state: &str, limit: Duration) -> Result<Line> {
        self.see_line(name, state, limit, |line| line.state == state)
            .await
    }

    /// Has downloads go to a folder of this browser's own, and no picker ask for another.
    ///
    /// # Errors
    /// If the browser refuses it.
    pub async fn downloads(&self, stage: &Stage) -> Result<PathBuf> {
        let folder = stage.folder().join(&self.label).join("Downloads");
        if self.kind == Kind::Chromium {
            self.cdp(
                "Browser.setDownloadBehavior",
                json!({ "behavior": "allow", "downloadPath": folder }),
            )
            .await?;
            let none = "delete window.showSaveFilePicker; delete Window.prototype.showSaveFilePicker;
                return 'showSaveFilePicker' in window;";
            ensure!(self.script(none, Vec::new()).await? == false, "the picker stays");
        }
        Ok(folder)
    }

    /// Saves a file that has come and waits until it is on the disk; where.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn save(&self, stage: &Stage, sample: &Sample, limit: Duration) -> Result<PathBuf> {
        let folder = self.downloads(stage).await?;
        let path = folder.join(sample.name());
        self.press("button", "Save").await?;
        until(
            &format!("{}: {} saved", self.label, sample.name()),
            limit,
            async || {
                if std::fs::metadata(&path).is_ok_and(|file| file.len() == sample.bytes) {
                    return Ok(Look::There(()));
                }
                // A browser may write under another name until all is there.
                let line = self.line(sample.name()).await?;
                Ok(Look::NotYet(format!("{}; {line:?}", listed(&folder))))
            },
        )
        .await?;
        Ok(path)
    }

    /// Bytes of binary messages that this tab's pages have received so far.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn received_bytes(&self) -> Result<u64> {
        let bytes = self
            .script("return __probe.binary().received;", Vec::new())
            .await?;
        bytes.as_u64().context("no count of bytes")
    }
}
