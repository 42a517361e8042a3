//! The replacing of another program's file.
//!
//! Owns the new file until it stands in the old one's place. Invariants: a file is replaced whole or not at all, and keeps its owner,
//! its group and its permissions; what somebody else writes meanwhile is not lost. Must not: be what decides what is written.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::{ASIDE, ForeignError, Found, Place, failed, is_temporary, temporary};

/// A new file, whole and durable under a name of its own, which goes unless it is [put](Prepared::put).
#[derive(Debug)]
pub struct Prepared<'p> {
    place: &'p Place,
    was: Option<&'p Found>,
    new: &'p [u8],
    file: File,
    name: OsString,
    /// Whether what has `name` goes with this.
    is_to_go: bool,
}

impl Place {
    /// Makes the file that is to stand in the place of `was`, which is what [`Place::read`] gave: with its owner, its group and its
    /// permissions, as far as they are within `most`. What was not there is for its maker alone.
    ///
    /// # Errors
    /// See [`ForeignError`]; then nothing has changed.
    pub fn prepare<'p>(
        &'p self,
        was: Option<&'p Found>,
        new: &'p [u8],
        most: u32,
    ) -> Result<Prepared<'p>, ForeignError> {
        let name = temporary(&self.name, &format!("{:016x}", rand::random::<u64>()));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.folder, &name, flags, Mode::from_raw_mode(0o600))
            .map_err(failed("write beside it"))?;
        let mut made = Prepared { place: self, was, new, file: file.into(), name, is_to_go: true };
        // By the lock a file under way differs from one that a killed process left. A file system without locks only keeps the latter.
        let _ = rustix::fs::flock(&made.file, FlockOperation::NonBlockingLockExclusive);
        made.file.write_all(new).map_err(failed("write beside it"))?;
        if let Some(Found { metadata: old, .. }) = was {
            let ours = made.file.metadata().map_err(failed("write beside it"))?;
            if (old.uid(), old.gid()) != (ours.uid(), ours.gid()) {
                std::os::unix::fs::fchown(&made.file, Some(old.uid()), Some(old.gid())).map_err(|error| {
                    match error.kind() {
                        std::io::ErrorKind::PermissionDenied => ForeignError::Owner,
                        _ => failed("leave it its owner")(error),
                    }
                })?;
            }
            // Only now, and not by the mode that it is made with, which the umask cuts.
            let mode = Permissions::from_mode(old.mode() & most);
            made.file.set_permissions(mode).map_err(failed("leave it its permissions"))?;
        }
        made.file.sync_all().map_err(failed("write beside it"))?;
        Ok(made)
    }

    /// What processes that were killed left of their temporary files for this one. Gives each to `is_done_with`, and removes it
    /// if that says so.
    ///
    /// # Errors
    /// See [`ForeignError`].
    pub fn sweep(&self, mut is_done_with: impl FnMut(&Found) -> bool) -> Result<(), ForeignError> {
        let entries = Dir::read_from(&self.folder).map_err(failed("look into its folder"))?;
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_bytes().to_owned()));
        let names: Vec<_> = names.filter(|name| is_temporary(name, &self.name)).collect();
        for name in names {
            let name = std::ffi::OsStr::from_bytes(&name);
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let Ok(file) = rustix::fs::openat(&self.folder, name, flags, Mode::empty()) else { continue };
            if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                continue;
            }
            if matches!(self.look(name), Ok(Some(found)) if is_done_with(&found)) {
                rustix::fs::unlinkat(&self.folder, name, AtFlags::empty())
                    .map_err(failed("tidy up beside it"))?;
            }
        }
        Ok(())
    }
}

impl Prepared<'_> {
    /// Puts the new file in the old one's place, in one step, durable.
    ///
    /// # Errors
    /// See [`ForeignError`]; then what its program wrote stands there.
    pub fn put(mut self) -> Result<(), ForeignError> {
        let folder = &self.place.folder;
        match self.was {
            None => self.make()?,
            Some(was) => {
                if self.place.read()?.is_none_or(|found| found.bytes != was.bytes) {
                    return Err(ForeignError::Changed);
                }
                moment();
                match self.exchange() {
                    Ok(()) => self.settle(was)?,
                    Err(Errno::NOENT) => return Err(ForeignError::Changed),
                    // A file system, or a kernel, that cannot exchange two files. What is written since the look above is lost there.
                    Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                        rustix::fs::renameat(folder, &self.name, folder, &self.place.name)
                            .map_err(failed("replace it"))?;
                        self.is_to_go = false;
                    }
                    Err(error) => return Err(failed("replace it")(error)),
                }
            }
        }
        folder.sync_all().map_err(failed("replace it"))
    }

    /// Gives the new file its name, if nothing has it.
    fn make(&mut self) -> Result<(), ForeignError> {
        moment();
        let (folder, name) = (&self.place.folder, &self.place.name);
        let made = match rustix::fs::renameat_with(folder, &self.name, folder, name, RenameFlags::NOREPLACE) {
            Ok(()) => {
                self.is_to_go = false;
                Ok(())
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                rustix::fs::linkat(folder, &self.name, folder, name, AtFlags::empty())
            }
            Err(error) => Err(error),
        };
        made.map_err(|error| match error {
            Errno::EXIST => ForeignError::Changed,
            error => failed("write it")(error),
        })
    }

    /// Ours for theirs. What stood there is nobody's to remove until it was looked at.
    fn exchange(&mut self) -> Result<(), Errno> {
        let (folder, name) = (&self.place.folder, &self.place.name);
        rustix::fs::renameat_with(folder, &self.name, folder, name, RenameFlags::EXCHANGE)?;
        self.is_to_go = false;
        moment();
        Ok(())
    }

    /// Looks at what stood there at the very end: it goes if it is what was read, and is put back if it is not.
    fn settle(&mut self, was: &Found) -> Result<(), ForeignError> {
        if matches!(self.place.look(&self.name), Ok(Some(found)) if found.bytes == was.bytes) {
            self.is_to_go = true;
            return Ok(());
        }
        let is_back = self.exchange().is_ok();
        if is_back && self.has_its_name() {
            self.is_to_go = true;
            return Err(ForeignError::Changed);
        }
        Err(ForeignError::ChangedTwice(self.keep_out().map_err(failed("keep what its program wrote"))?))
    }

    /// Whether it is our file, as we wrote it, that has the temporary name.
    fn has_its_name(&self) -> bool {
        let Ok(ours) = self.file.metadata() else { return false };
        let is_it = |found: &Found| (found.metadata.dev(), found.metadata.ino()) == (ours.dev(), ours.ino());
        matches!(self.place.look(&self.name), Ok(Some(found)) if is_it(&found) && found.bytes == self.new)
    }

    /// Gives what has the temporary name that of a copy, whatever it is.
    fn keep_out(&self) -> Result<PathBuf, Errno> {
        let folder = &self.place.folder;
        for name in self.place.names_aside(ASIDE) {
            match rustix::fs::renameat_with(folder, &self.name, folder, &name, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(self.place.path.with_file_name(name)),
            }
        }
        Err(Errno::EXIST)
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        if self.is_to_go {
            let _ = rustix::fs::unlinkat(&self.place.folder, &self.name, AtFlags::empty());
        }
    }
}

#[cfg(not(test))]
fn moment() {}

#[cfg(test)]
pub(crate) use moments::{at_moments, moment};

/// Where somebody else may strike: in tests, somebody does.
#[cfg(test)]
mod moments {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    type Strike = Box<dyn FnOnce()>;

    thread_local! {
        static STRIKES: RefCell<VecDeque<Strike>> = const { RefCell::new(VecDeque::new()) };
    }

    /// Lets these happen on this thread, one at each moment.
    pub(crate) fn at_moments(strikes: Vec<Strike>) {
        STRIKES.set(strikes.into());
    }

    pub(crate) fn moment() {
        if let Some(strike) = STRIKES.with_borrow_mut(VecDeque::pop_front) {
            strike();
        }
    }
}
