//! Compresses the built client once, so that serving it costs nothing and every byte was fought
//! for: brotli 11 takes seconds, which no request could wait for.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Below this a response fits one packet anyway.
const WORTHWHILE_BYTES: u64 = 256;

/// What [`precompress`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Precompressed {
    /// Files that are worth compressing.
    pub files: usize,
    /// Files among them that had to be compressed now.
    pub compressed: usize,
    /// Bytes of those files as they are.
    pub identity_bytes: u64,
    /// Bytes of their brotli forms.
    pub brotli_bytes: u64,
    /// Bytes of their gzip forms.
    pub gzip_bytes: u64,
}

/// Puts a `.br` and a `.gz` beside every file in a folder that compresses, and leaves alone those
/// that are newer than the file they were made of.
///
/// # Errors
/// If a file cannot be read or written.
pub fn precompress(folder: &Path) -> io::Result<Precompressed> {
    let mut report = Precompressed::default();
    visit(folder, &mut report)?;
    Ok(report)
}

fn visit(folder: &Path, report: &mut Precompressed) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            visit(&path, report)?;
        } else if kind.is_file() && compresses(&path) {
            let metadata = entry.metadata()?;
            if metadata.len() >= WORTHWHILE_BYTES {
                one(&path, &metadata, report)?;
            }
        }
    }
    Ok(())
}

/// Whether files of this kind are not compressed in themselves.
fn compresses(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    matches!(
        extension,
        "html"
            | "js"
            | "mjs"
            | "css"
            | "wasm"
            | "json"
            | "map"
            | "webmanifest"
            | "svg"
            | "txt"
            | "xml"
            | "ico"
    )
}

fn one(path: &Path, metadata: &fs::Metadata, report: &mut Precompressed) -> io::Result<()> {
    let with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        name
    };
    let (brotli, gzip) = (with(".br"), with(".gz"));
    let is_fresh = |form: &std::ffi::OsStr| -> io::Result<bool> {
        match fs::metadata(form) {
            Ok(form) => Ok(form.modified()? >= metadata.modified()?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    };
    report.files += 1;
    report.identity_bytes += metadata.len();
    if !is_fresh(&brotli)? || !is_fresh(&gzip)? {
        let contents = fs::read(path)?;
        write_brotli(&contents, brotli.as_ref())?;
        write_gzip(&contents, gzip.as_ref())?;
        report.compressed += 1;
    }
    report.brotli_bytes += fs::metadata(&brotli)?.len();
    report.gzip_bytes += fs::metadata(&gzip)?.len();
    Ok(())
}

fn write_brotli(contents: &[u8], to: &Path) -> io::Result<()> {
    let parameters = BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: contents.len(),
        ..BrotliEncoderParams::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &contents[..], &mut compressed, &parameters)?;
    File::create(to)?.write_all(&compressed)
}

fn write_gzip(contents: &[u8], to: &Path) -> io::Result<()> {
    let mut encoder = GzEncoder::new(File::create(to)?, Compression::best());
    encoder.write_all(contents)?;
    encoder.finish()?.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn forms_are_made_once_and_say_the_same() {
        let folder = std::env::temp_dir().join(format!("visavis-precompress-{}", std::process::id()));
        fs::create_dir_all(folder.join("sub")).unwrap();
        let text = "fn main() {}\n".repeat(500);
        fs::write(folder.join("sub/a.js"), &text).unwrap();
        fs::write(folder.join("small.js"), "x").unwrap();
        fs::write(folder.join("photo.png"), &text).unwrap();
        let first = precompress(&folder).unwrap();
        assert_eq!((first.files, first.compressed), (1, 1));
        assert!(first.brotli_bytes < first.gzip_bytes);
        assert_eq!(precompress(&folder).unwrap().compressed, 0);
        let mut plain = String::new();
        brotli::Decompressor::new(File::open(folder.join("sub/a.js.br")).unwrap(), 4096)
            .read_to_string(&mut plain)
            .unwrap();
        assert_eq!(plain, text);
        plain.clear();
        flate2::read::GzDecoder::new(File::open(folder.join("sub/a.js.gz")).unwrap())
            .read_to_string(&mut plain)
            .unwrap();
        assert_eq!(plain, text);
        fs::remove_dir_all(&folder).unwrap();
    }
}
