//! The built client: which file answers which path, in which encoding, with which headers.
//!
//! The whole bundle is in memory and looked up by path, so no request reaches the file system and
//! none can leave the folder. A room's link is answered with the page itself, never with a
//! redirect: a redirect would hand the fragment, which is the room's secret, to its target.

mod policy;
mod precompress;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;
use std::{fs, io};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use bytes::Bytes;
use sha2::{Digest, Sha256};

pub use policy::PagePolicy;
pub use precompress::{Precompressed, precompress};

/// What is served while there is no client in the binary and no folder was named.
const PLACEHOLDER: &str = concat!(
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Visavis</title>",
    "<p>This server was built without the client. Start it with <code>--assets DIR</code>."
);
/// The page that answers every path of the app.
const INDEX: &str = "index.html";
/// Bytes of all files together, at most: more is not a client but a mistaken folder.
const BUNDLE_BYTES: u64 = 256 * 1024 * 1024;

/// How a response's body is coded (RFC 9110, section 8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// `gzip`.
    Gzip,
    /// `br`.
    Brotli,
}

impl Encoding {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => ".gz",
            Self::Brotli => ".br",
        }
    }

    /// The name in `Content-Encoding`; the identity has none.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }
}

/// One file of the bundle.
#[derive(Debug)]
pub struct Asset {
    /// Its media type.
    pub content_type: &'static str,
    /// Whether its name changes with its contents, so that it may be kept for ever.
    pub hashed: bool,
    /// A strong validator of the contents.
    pub etag: String,
    identity: Bytes,
    gzip: Option<Bytes>,
    brotli: Option<Bytes>,
}

impl Asset {
    /// The best form that the client accepts: `br`, then `gzip`, then as it is.
    #[must_use]
    pub fn best(&self, accepted: &str) -> (Encoding, Bytes) {
        if let Some(body) = &self.brotli
            && accepts(accepted, "br")
        {
            return (Encoding::Brotli, body.clone());
        }
        if let Some(body) = &self.gzip
            && accepts(accepted, "gzip")
        {
            return (Encoding::Gzip, body.clone());
        }
        (Encoding::Identity, self.identity.clone())
    }

    /// Whether there is more than one form of it, so that caches must look at the request.
    #[must_use]
    pub const fn varies(&self) -> bool {
        self.gzip.is_some() || self.brotli.is_some()
    }
}

/// Whether an `Accept-Encoding` names a coding without refusing it (`q=0`).
fn accepts(header: &str, coding: &str) -> bool {
    header.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let refused = parts.any(|parameter| {
            parameter
                .strip_prefix("q=")
                .and_then(|weight| weight.parse::<f32>().ok())
                .is_some_and(|weight| weight <= 0.0)
        });
        named && !refused
    })
}

/// All files of a built client.
#[derive(Debug)]
pub struct Bundle {
    files: BTreeMap<String, Asset>,
    policy: PagePolicy,
}

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A file by its own name.
    File(&'a str),
    /// A place in the app, which the page itself finds its way to.
    Page,
    /// Nothing.
    Nothing,
}

impl Bundle {
    /// Reads a folder, with the `.br` and `.gz` files that stand beside others.
    ///
    /// # Errors
    /// If it cannot be read or is too large to be a client.
    pub fn from_folder(folder: &Path) -> io::Result<Self> {
        let mut raw = BTreeMap::new();
        let mut left = BUNDLE_BYTES;
        read_folder(folder, "", &mut raw, &mut left)?;
        Ok(Self::from_files(raw))
    }

    /// The client in the binary, if it was built with one.
    #[cfg(feature = "embed")]
    #[must_use]
    pub fn embedded() -> Self {
        #[derive(rust_embed::RustEmbed)]
        #[folder = "../../dist"]
        struct Dist;

        let raw = Dist::iter()
            .filter_map(|name| Some((name.to_string(), Dist::get(&name)?.data)))
            .map(|(name, contents)| {
                let contents = match contents {
                    std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                    std::borrow::Cow::Owned(bytes) => bytes.into(),
                };
                (name, contents)
            })
            .collect();
        Self::from_files(raw)
    }

    /// A page that says that there is no client in this binary.
    #[cfg(not(feature = "embed"))]
    #[must_use]
    pub fn embedded() -> Self {
        let page = Bytes::from_static(PLACEHOLDER.as_bytes());
        Self::from_files(BTreeMap::from([(INDEX.to_owned(), page)]))
    }

    /// Makes a bundle of files by their names within it.
    #[must_use]
    pub fn from_files(mut raw: BTreeMap<String, Bytes>) -> Self {
        raw.entry(INDEX.to_owned())
            .or_insert_with(|| Bytes::from_static(PLACEHOLDER.as_bytes()));
        let names: Vec<String> = raw.keys().cloned().collect();
        let mut files = BTreeMap::new();
        for name in names {
            let is_form = [Encoding::Brotli, Encoding::Gzip].iter().any(|encoding| {
                name.strip_suffix(encoding.suffix())
                    .is_some_and(|plain| raw.contains_key(plain))
            });
            let Some(identity) = raw.get(&name).cloned() else {
                continue;
            };
            if is_form {
                continue;
            }
            let form = |encoding: Encoding| raw.get(&format!("{name}{}", encoding.suffix())).cloned();
            let asset = Asset {
                content_type: content_type(&name),
                hashed: is_hashed(&name),
                etag: etag(&identity),
                gzip: form(Encoding::Gzip),
                brotli: form(Encoding::Brotli),
                identity,
            };
            files.insert(name, asset);
        }
        let page = files
            .get(INDEX)
            .map(|index| index.identity.clone())
            .unwrap_or_default();
        Self {
            policy: PagePolicy::of(&String::from_utf8_lossy(&page)),
            files,
        }
    }

    /// What a request's path (without the query) leads to.
    #[must_use]
    pub fn find<'a>(&self, path: &'a str) -> Found<'a> {
        let name = path.strip_prefix('/').unwrap_or(path);
        if self.files.contains_key(name) {
            return Found::File(name);
        }
        let last = name.rsplit('/').next().unwrap_or_default();
        // A room may be called "v1.2"; what else has a dot in its last part was meant as a file.
        if name.starts_with("room/") || !last.contains('.') {
            Found::Page
        } else {
            Found::Nothing
        }
    }

    /// A file by its name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&Asset> {
        self.files.get(name)
    }

    /// The page of the app.
    #[must_use]
    pub fn page(&self) -> Option<&Asset> {
        self.files.get(INDEX)
    }

    /// Whether this is a client, and not the page that says that there is none.
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.page()
            .is_some_and(|page| page.identity != PLACEHOLDER.as_bytes())
    }

    /// What the page may do, as its `Content-Security-Policy` says.
    #[must_use]
    pub const fn policy(&self) -> &PagePolicy {
        &self.policy
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are none. There is always a page.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

fn read_folder(
    folder: &Path,
    prefix: &str,
    raw: &mut BTreeMap<String, Bytes>,
    left: &mut u64,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // The type of the entry itself: a symbolic link, which may lead out, is neither.
        let kind = entry.file_type()?;
        let name = format!("{prefix}{name}");
        if kind.is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), raw, left)?;
        } else if kind.is_file() {
            *left = left
                .checked_sub(entry.metadata()?.len())
                .ok_or_else(|| io::Error::other("too large to be a built client"))?;
            raw.insert(name, fs::read(entry.path())?.into());
        }
    }
    Ok(())
}

fn etag(contents: &[u8]) -> String {
    let digest = Sha256::digest(contents);
    format!("\"{}\"", Base64UrlUnpadded::encode_string(&digest[..12]))
}

/// Whether a part of the file's name is a hash of its contents, as trunk writes it.
fn is_hashed(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    file.split(['-', '_', '.']).any(|part| {
        part.len() >= 8
            && part
                .bytes()
                .all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
            && part.bytes().any(|c| c.is_ascii_digit())
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "jpg" | "jpeg" => "image/jpeg",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "wav" => "audio/wav",
        "webm" => "video/webm",
        "mp4" => "video/mp4",
        "txt" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        _ => "application/octet-stream",
    }
}

/// Where the bundle comes from, and the bundle as it is now.
#[derive(Debug)]
pub struct Assets {
    folder: Option<PathBuf>,
    current: RwLock<(Option<SystemTime>, Arc<Bundle>)>,
}

impl Assets {
    /// Reads the folder, or takes what is in the binary.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn open(folder: Option<PathBuf>) -> io::Result<Self> {
        let current = match &folder {
            Some(folder) => (built_at(folder), Bundle::from_folder(folder)?),
            None => (None, Bundle::embedded()),
        };
        Ok(Self {
            folder,
            current: RwLock::new((current.0, Arc::new(current.1))),
        })
    }

    /// The bundle as it was last read.
    #[must_use]
    pub fn bundle(&self) -> Arc<Bundle> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    /// Reads a folder again that was built anew. For development: the page is asked for seldom,
    /// and a look at a file's time is cheap.
    pub fn refresh(&self) {
        let Some(folder) = &self.folder else {
            return;
        };
        let built = built_at(folder);
        if built.is_none() || built == self.current.read().unwrap_or_else(PoisonError::into_inner).0 {
            return;
        }
        match Bundle::from_folder(folder) {
            Ok(bundle) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = (built, Arc::new(bundle));
            }
            Err(error) => tracing::warn!(%error, "the folder of the client cannot be read"),
        }
    }
}

fn built_at(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder.join(INDEX)).ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(names: &[&str]) -> Bundle {
        Bundle::from_files(
            names
                .iter()
                .map(|name| ((*name).to_owned(), Bytes::from((*name).to_owned())))
                .collect(),
        )
    }

    #[test]
    fn places_of_the_app_are_the_page_and_missing_files_are_missing() {
        let bundle = bundle(&["index.html", "app-0123456789abcdef.js", "icons/sprite.svg"]);
        for path in [
            "/",
            "/room/tea",
            "/room/v1.2",
            "/contacts",
            "/room/tea%20time",
            "/join",
            "",
        ] {
            assert_eq!(bundle.find(path), Found::Page, "{path}");
        }
        assert_eq!(bundle.find("/icons/sprite.svg"), Found::File("icons/sprite.svg"));
        for path in [
            "/missing.js",
            "/icons/missing.svg",
            "/../etc/passwd.txt",
            "/%2e%2e/secret.toml",
        ] {
            assert_eq!(bundle.find(path), Found::Nothing, "{path}");
        }
    }

    #[test]
    fn a_form_of_a_file_is_no_file_of_its_own() {
        let bundle = bundle(&["index.html", "a.js", "a.js.br", "a.js.gz", "archive.gz"]);
        assert_eq!(bundle.find("/a.js.br"), Found::Nothing);
        assert_eq!(bundle.find("/archive.gz"), Found::File("archive.gz"));
        let file = bundle.file("a.js").unwrap();
        for (accepted, encoding) in [
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("gzip, deflate", Encoding::Gzip),
            ("br;q=0, gzip;q=0.5", Encoding::Gzip),
            ("", Encoding::Identity),
            ("brx, xgzip", Encoding::Identity),
        ] {
            assert_eq!(file.best(accepted).0, encoding, "{accepted}");
        }
        assert_eq!(file.best("br").1, "a.js.br");
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        for name in [
            "visavis-8f3b2c1d4e5f6a7b.js",
            "visavis-8f3b2c1d4e5f6a7b_bg.wasm",
            "css/main-0a1b2c3d.css",
        ] {
            assert!(is_hashed(name), "{name}");
        }
        for name in [
            "index.html",
            "favicon.svg",
            "facade.js",
            "deadbeef.js",
            "snippets/x-0123456789abcdef/inline.js",
        ] {
            assert!(!is_hashed(name), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        let folder = std::env::temp_dir().join(format!("visavis-assets-{}", std::process::id()));
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::write(folder.join("index.html"), "page").unwrap();
        fs::write(folder.join("sub/a.txt"), "a").unwrap();
        std::os::unix::fs::symlink("/etc/hostname", folder.join("host.txt")).unwrap();
        let bundle = Bundle::from_folder(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(bundle.find("/host.txt"), Found::Nothing);
        assert_eq!(bundle.find("/sub/a.txt"), Found::File("sub/a.txt"));
    }
}
