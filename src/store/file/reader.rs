//! Reading the auth file without a lock, and without parsing it twice.
//!
//! Owns the cached document and the proof that it is still the file: device, inode, size, mtime and ctime of the
//! parsed file, which is kept open so that its inode cannot be reused (F9). Invariant: unreadable is an error, never an
//! empty document (F6). Must not: write, but for a copy of corrupt bytes under the store lock (`aside`).

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags, Stat};

use super::aside;
use super::ground::Places;
use super::keyring::Keyring;
use super::lock::KernelLock;
use crate::fault::{Operation, attempt};
use crate::store::StoreError;
use crate::store::document::{Document, ParseError};
use crate::store::seal::Seal;

/// The largest auth file that is read, in bytes.
pub(super) const LARGEST: u64 = 64 * 1024 * 1024;

/// What says whether a file is the one that was parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: i64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    #[expect(
        clippy::unnecessary_cast,
        clippy::cast_possible_wrap,
        reason = "the fields' types differ by platform"
    )]
    fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as i64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }
}

/// A document, with the proof of which file it was read from.
#[derive(Debug)]
pub(super) struct Parsed {
    document: Arc<Document>,
    stamp: Stamp,
    /// Keeps the inode from being given to another file.
    _file: File,
}

/// The last document that was read.
#[derive(Debug)]
pub(super) struct Reader {
    /// Held for the moment of a stat, or while one caller parses for all.
    cache: Mutex<Option<Parsed>>,
    /// What a missing file holds; the same each time, so that "unchanged" can be told.
    empty: Arc<Document>,
    keys: Keyring,
}

impl From<Seal> for Reader {
    fn from(seal: Seal) -> Self {
        Keyring::new(seal, None).into()
    }
}

impl From<Keyring> for Reader {
    fn from(keys: Keyring) -> Self {
        Self { cache: Mutex::new(None), empty: Arc::new(Document::empty_for(&keys.seal())), keys }
    }
}

impl Reader {
    /// The document as it is now.
    pub(super) fn read(&self, path: &Path) -> Result<Arc<Document>, StoreError> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match rustix::fs::lstat(path) {
            Ok(stat) => Some(Stamp::of(&stat)),
            Err(rustix::io::Errno::NOENT) => None,
            Err(e) => return Err(StoreError::io("read", path, &e.into())),
        };
        match (found, &*cache) {
            (None, _) => {
                *cache = None;
                Ok(Arc::clone(&self.empty))
            }
            (Some(found), Some(parsed)) if parsed.stamp == found => Ok(Arc::clone(&parsed.document)),
            _ => {
                let Some((file, stamp, bytes)) = open_and_read(path)? else {
                    return Ok(Arc::new(Document::empty_for(&self.keys.seal())));
                };
                let document = Arc::new(self.understood(bytes).map_err(|(e, _)| explained(path, e, ""))?);
                *cache = Some(Parsed { document: Arc::clone(&document), stamp, _file: file });
                Ok(document)
            }
        }
    }

    /// The document as it is now, whatever the cache and the file's stamp say. For the holder of a refresh lock (F9).
    pub(super) fn read_anew(&self, path: &Path) -> Result<Arc<Document>, StoreError> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((file, stamp, bytes)) = open_and_read(path)? else {
            *cache = None;
            return Ok(Arc::clone(&self.empty));
        };
        let document = Arc::new(self.understood(bytes).map_err(|(e, _)| explained(path, e, ""))?);
        if let Some(parsed) = &*cache
            && parsed.stamp == stamp
            && parsed.document.has_the_text_of(&document)
        {
            // The same one, so that "unchanged" can be told.
            return Ok(Arc::clone(&parsed.document));
        }
        *cache = Some(Parsed { document: Arc::clone(&document), stamp, _file: file });
        Ok(document)
    }

    /// The document as the holder of the store lock finds it: always read (F9). Corrupt bytes are copied aside (F6).
    pub(super) fn read_locked(&self, held: &KernelLock, places: &Places) -> Result<Document, StoreError> {
        let path = &places.file;
        let Some((_, _, bytes)) = open_and_read(path)? else {
            return Ok(Document::empty_for(&self.keys.seal()));
        };
        self.understood(bytes).map_err(|(error, bytes)| {
            let aside = match &error {
                ParseError::Newer(_) | ParseError::Sealed(_) | ParseError::Keys(_) => String::new(),
                ParseError::Corrupt(_) => aside::copy(held, places, &bytes),
            };
            explained(path, error, &aside)
        })
    }

    /// What `bytes` say; with an error, the bytes themselves.
    fn understood(&self, bytes: Vec<u8>) -> Result<Document, (ParseError, Vec<u8>)> {
        let text = String::from_utf8(bytes).map_err(|e| {
            let why = format!("it is not UTF-8 text ({})", e.utf8_error());
            (ParseError::Corrupt(why), e.into_bytes())
        })?;
        let whole = Arc::new(text);
        self.parsed(&whole).map_err(|error| (error, Arc::unwrap_or_clone(whole).into_bytes()))
    }

    fn parsed(&self, whole: &Arc<String>) -> Result<Document, ParseError> {
        let sealed = match Document::parse(whole, &self.keys.seal()) {
            Err(ParseError::Sealed(why)) => why,
            result => return result,
        };
        // Another process may have sealed it with a key that came into the file of keys after we began.
        let Some(seal) = self.keys.read_again().map_err(ParseError::Keys)? else {
            return Err(ParseError::Sealed(sealed));
        };
        let document = Document::parse(whole, &seal)?;
        self.keys.exchange(seal);
        Ok(document)
    }

    /// What seals and opens here.
    pub(super) fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// Takes over a document that this process has just written as `file`. Gives what was held before.
    pub(super) fn adopt(
        &self,
        document: Arc<Document>,
        file: File,
        path: &Path,
    ) -> Result<Option<Parsed>, StoreError> {
        let parsed = Parsed { document, stamp: stamp_of(&file, path)?, _file: file };
        Ok(self.cache.lock().unwrap_or_else(PoisonError::into_inner).replace(parsed))
    }
}

fn stamp_of(file: &File, path: &Path) -> Result<Stamp, StoreError> {
    let stat = rustix::fs::fstat(file.as_fd()).map_err(|e| StoreError::io("read", path, &e.into()))?;
    Ok(Stamp::of(&stat))
}

/// The file, its stamp from before it was read (an edit in between must not pass for what was read), and its bytes.
fn open_and_read(path: &Path) -> Result<Option<(File, Stamp, Vec<u8>)>, StoreError> {
    let failed = |e: &io::Error| StoreError::io("read", path, e);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    attempt(Operation::OpenFile).map_err(|e| failed(&e))?;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(e) => return Err(failed(&e.into())),
    };
    let stamp = stamp_of(&file, path)?;
    let size = u64::try_from(stamp.size).unwrap_or(0).min(LARGEST);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    attempt(Operation::ReadFile)
        .and_then(|()| (&file).take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|e| failed(&e))?;
    if bytes.len() as u64 > LARGEST {
        let why = format!("it is larger than {} MiB", LARGEST / 1024 / 1024);
        return Err(explained(path, ParseError::Corrupt(why), ""));
    }
    Ok(Some((file, stamp, bytes)))
}

fn explained(path: &Path, error: ParseError, aside: &str) -> StoreError {
    let path = path.display().to_string();
    match error {
        ParseError::Corrupt(why) => StoreError::Corrupt { path, why, aside: aside.to_owned() },
        ParseError::Newer(found) => StoreError::Newer { path, found },
        ParseError::Sealed(why) => StoreError::Sealed { path, why },
        ParseError::Keys(error) => error.into(),
    }
}

#[cfg(test)]
mod tests;
