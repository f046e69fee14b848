//! Compresses a built client, once, before it goes into the server: `visavis-precompress DIR`.

use std::path::PathBuf;
use std::process::ExitCode;

use visavis_server::assets::precompress;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: visavis-precompress DIR");
        return ExitCode::FAILURE;
    };
    match precompress(&folder) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("visavis-precompress: {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}
