//! The demo's folder: private, and removed whatever happens.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Nobody but its owner.
const PRIVATE: u32 = 0o700;

/// Enough to be free, and few enough for lines that people paste.
const NAME_DIGITS: usize = 8;

/// A folder that is removed with all that is in it when this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes a folder where the system keeps what is temporary. One that is there already is not taken.
    pub(super) fn new() -> io::Result<Self> {
        let name: String = Uuid::new_v4().simple().to_string().chars().take(NAME_DIGITS).collect();
        let path = std::env::temp_dir().join(format!("sekisho-demo-{name}"));
        DirBuilder::new().mode(PRIVATE).create(&path)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it now, and says when that fails.
    pub(super) fn remove(self) -> io::Result<()> {
        std::fs::remove_dir_all(&self.path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Removed already, as a rule. What cannot be removed here could not be before, and that was said.
        let _unremoved = std::fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_is_private_and_goes_with_its_owner() {
        let folder = Folder::new().unwrap();
        let path = folder.path().to_owned();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::create_dir(path.join("inside")).unwrap();
        std::fs::write(path.join("inside/file"), "x").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_can_be_removed_by_hand() {
        let folder = Folder::new().unwrap();
        let path = folder.path().to_owned();
        folder.remove().unwrap();
        assert!(!path.exists());
    }
}
