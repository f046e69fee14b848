//! The key that passes into rooms are made with: a file in the data folder, made at the first start.
//!
//! Where there is no data folder, it is drawn at each start, and passes end with the process.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::hub::PassKey;

/// The file's name in the data folder.
const FILE: &str = "pass.key";

/// The key of this server.
///
/// # Errors
/// If the file cannot be read or made, or is not a key: a server that made another one would send everybody
/// back into the waiting room without a word.
pub(crate) fn load(folder: Option<&Path>) -> io::Result<PassKey> {
    let Some(folder) = folder else {
        return draw();
    };
    let path = folder.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => match bytes.try_into() {
            Ok(bytes) => Ok(PassKey(bytes)),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{FILE} is not 32 bytes long"),
            )),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path),
        Err(error) => Err(error),
    }
}

fn draw() -> io::Result<PassKey> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(PassKey(bytes))
}

/// Makes the file at once or not at all: half a key would stop the next start.
fn make(path: &Path) -> io::Result<PassKey> {
    let key = draw()?;
    let new = path.with_extension("key.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(&key.0)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_is_nobody_else_s() {
        let folder = std::env::temp_dir().join(format!("visavis-pass-key-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let first = load(Some(&folder)).unwrap();
        assert_eq!(load(Some(&folder)).unwrap().0, first.0);
        assert_ne!(load(None).unwrap().0, load(None).unwrap().0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(folder.join(FILE), b"short").unwrap();
        assert_eq!(
            load(Some(&folder)).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
