//! The bytes of objects on disk, named by the version of their content and nothing a caller chooses.
//!
//! A file is written under `incoming/`, made durable, and moved to its place before the row that names it is committed; it
//! is removed after the row that named it is gone. So a crash leaves at worst a file no row names, never a row without file.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

/// No upload takes this long.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The directory of all objects.
#[derive(Clone)]
pub struct Files {
    root: PathBuf,
}

/// A file being received. Dropped before [`Incoming::finish`], it is removed.
pub struct Incoming {
    file: File,
    path: Unfinished,
    digest: Sha256,
    size: u64,
}

/// Content that is complete and durable, but has no place yet. Dropped before [`Received::place`], it is removed.
pub struct Received {
    pub size: u64,
    /// Quoted, as HTTP wants it.
    pub etag: String,
    path: Unfinished,
}

/// Removes what was not kept.
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // A leftover is swept at the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Files {
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Removes what uploads of an earlier run left unfinished. Another server may be using the directory: young files stay.
    pub fn sweep(&self) -> io::Result<()> {
        let entries = match std::fs::read_dir(self.root.join("incoming")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age > ABANDONED_AFTER {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Begins to receive a file.
    pub async fn receive(&self) -> io::Result<Incoming> {
        let directory = self.root.join("incoming");
        fs::create_dir_all(&directory).await?;
        let path = directory.join(Uuid::new_v4().simple().to_string());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .await?;
        Ok(Incoming {
            file,
            path: Unfinished(Some(path)),
            digest: Sha256::new(),
            size: 0,
        })
    }

    /// A second name for the content of `version`.
    pub async fn duplicate(&self, version: &str, size: u64, etag: String) -> io::Result<Received> {
        let directory = self.root.join("incoming");
        fs::create_dir_all(&directory).await?;
        let path = directory.join(Uuid::new_v4().simple().to_string());
        fs::hard_link(self.place_of(version)?, &path).await?;
        Ok(Received {
            size,
            etag,
            path: Unfinished(Some(path)),
        })
    }

    /// Opens the content of `version`.
    pub async fn open(&self, version: &str) -> io::Result<File> {
        File::open(self.place_of(version)?).await
    }

    /// Removes the content of `version`, whose row is gone. A failure is no reason to fail the caller.
    pub async fn remove(&self, version: &str) {
        let removed = match self.place_of(version) {
            Ok(place) => fs::remove_file(place).await,
            Err(error) => Err(error),
        };
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(version, "the file of a removed object stays behind: {error}");
        }
    }

    /// Versions are uuids made here; whatever else a row says must not become a path.
    fn place_of(&self, version: &str) -> io::Result<PathBuf> {
        let version = Uuid::parse_str(version).map_err(|_| {
            io::Error::new(io::ErrorKind::NotFound, "the row names no version of this server")
        })?;
        let name = version.simple().to_string();
        Ok(self.root.join("objects").join(&name[..2]).join(name))
    }
}

impl Incoming {
    /// Bytes received so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub async fn write(&mut self, chunk: &Bytes) -> io::Result<()> {
        self.digest.update(chunk);
        self.size += chunk.len() as u64;
        self.file.write_all(chunk).await
    }

    /// Makes the content durable.
    pub async fn finish(mut self) -> io::Result<Received> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let digest = hex::encode(&self.digest.finalize()[..16]);
        Ok(Received {
            size: self.size,
            etag: format!("\"{digest}\""),
            path: self.path,
        })
    }
}

impl Received {
    /// Moves the content to the place of `version`, durably.
    pub async fn place(mut self, files: &Files, version: &str) -> io::Result<()> {
        let place = files.place_of(version)?;
        let shard = place.parent().unwrap_or(&files.root).to_owned();
        let is_new_shard = !fs::try_exists(&shard).await?;
        fs::create_dir_all(&shard).await?;
        if let Some(path) = &self.path.0 {
            fs::rename(path, &place).await?;
        }
        self.path.0 = None;
        sync_directory(&shard).await?;
        if is_new_shard && let Some(parent) = shard.parent() {
            sync_directory(parent).await?;
        }
        Ok(())
    }
}

/// A rename is durable only when its directory is.
async fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path).await?.sync_all().await
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    fn files() -> (Files, PathBuf) {
        let root = std::env::temp_dir().join(format!("supabase-embedded-files-{}", Uuid::new_v4()));
        (Files::new(&root), root)
    }

    fn count(directory: &Path) -> usize {
        std::fs::read_dir(directory).map_or(0, Iterator::count)
    }

    #[tokio::test]
    async fn content_is_found_again_by_its_version_and_copies_stand_alone() {
        let (files, root) = files();
        let mut incoming = files.receive().await.unwrap();
        incoming.write(&Bytes::from_static(b"one ")).await.unwrap();
        incoming.write(&Bytes::from_static(b"two")).await.unwrap();
        let received = incoming.finish().await.unwrap();
        assert_eq!((received.size, received.etag.len()), (7, 34));
        let (first, second) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
        let etag = received.etag.clone();
        received.place(&files, &first).await.unwrap();
        files
            .duplicate(&first, 7, etag)
            .await
            .unwrap()
            .place(&files, &second)
            .await
            .unwrap();
        files.remove(&first).await;
        assert!(files.open(&first).await.is_err());
        let mut text = String::new();
        files
            .open(&second)
            .await
            .unwrap()
            .read_to_string(&mut text)
            .await
            .unwrap();
        assert_eq!(text, "one two");
        std::fs::remove_dir_all(root).unwrap();
    }

    #[tokio::test]
    async fn what_is_not_finished_or_not_placed_is_removed() {
        let (files, root) = files();
        let mut incoming = files.receive().await.unwrap();
        incoming.write(&Bytes::from_static(b"x")).await.unwrap();
        assert_eq!(count(&root.join("incoming")), 1);
        drop(incoming);
        assert_eq!(count(&root.join("incoming")), 0);
        let received = files.receive().await.unwrap().finish().await.unwrap();
        assert_eq!(count(&root.join("incoming")), 1);
        drop(received);
        assert_eq!(count(&root.join("incoming")), 0);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[tokio::test]
    async fn a_version_that_is_no_uuid_names_no_file() {
        let (files, _) = files();
        for version in ["../../etc/passwd", "", "/etc/passwd", "a"] {
            assert_eq!(
                files.open(version).await.unwrap_err().kind(),
                io::ErrorKind::NotFound
            );
        }
    }
}
