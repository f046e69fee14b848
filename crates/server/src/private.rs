//! Folders and files that nobody but the server's user looks into, whatever the umask says.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a folder, with those above it, that nobody else looks into. One that is there stays as it is: it
/// may be shared on purpose.
///
/// # Errors
/// If it is not there and cannot be made.
pub fn folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes an empty file that nobody else reads; whether there was none. It is not opened where it is there:
/// closing it again would end the locks that this process has on it.
pub(crate) fn file(file: &Path) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes a file that is there from everybody but its owner.
#[cfg(unix)]
pub(crate) fn tighten(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = match fs::metadata(file) {
        Ok(about) => about.permissions(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mode = permissions.mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    permissions.set_mode(mode & !0o077);
    fs::set_permissions(file, permissions)
}

/// Takes a file that is there from everybody but its owner, where files have such rights.
#[cfg(not(unix))]
pub(crate) fn tighten(_: &Path) -> io::Result<()> {
    Ok(())
}
