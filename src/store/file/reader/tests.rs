//! The laws of reading: what is noticed, and what is never guessed.

use std::os::unix::fs::MetadataExt;

use rustix::fs::{Timespec, Timestamps};

use super::*;

const ONE: &str = r#"{"version": 1, "future": "a"}"#;
const TWO: &str = r#"{"version": 1, "future": "b"}"#;

struct Ground {
    temp: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let ground = Self { temp: tempfile::tempdir().unwrap() };
        std::fs::write(ground.path(), ONE).unwrap();
        ground
    }

    fn path(&self) -> std::path::PathBuf {
        self.temp.path().join("auth.json")
    }

    /// Puts another file in its place.
    fn replace(&self, text: &str) {
        let new = self.temp.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.path()).unwrap();
    }

    fn inode(&self) -> u64 {
        std::fs::metadata(self.path()).unwrap().ino()
    }
}

/// Gives the file at `path` the modification time of `like`.
fn forge_mtime(path: &Path, like: &std::fs::Metadata) {
    let time = Timespec { tv_sec: like.mtime(), tv_nsec: like.mtime_nsec() };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty()).unwrap();
}

/// F9: neither the size nor the modification time need differ.
#[test]
fn a_file_of_the_same_size_and_time_is_noticed() {
    let ground = Ground::new();
    let reader = Reader::from(Seal::default());
    let first = reader.read(&ground.path()).unwrap();
    let like = std::fs::metadata(ground.path()).unwrap();
    ground.replace(TWO);
    forge_mtime(&ground.path(), &like);
    assert!(!reader.read(&ground.path()).unwrap().has_the_text_of(&first), "replaced");
    // Written in place: even the inode is the same.
    std::fs::write(ground.path(), ONE).unwrap();
    forge_mtime(&ground.path(), &like);
    assert!(reader.read(&ground.path()).unwrap().has_the_text_of(&first), "written in place");
}

/// F9: a file system gives a free inode to the next file; the parsed one's is not free.
#[test]
fn the_inode_of_the_parsed_file_is_not_given_away() {
    let ground = Ground::new();
    let reader = Reader::from(Seal::default());
    reader.read(&ground.path()).unwrap();
    let parsed = ground.inode();
    let mut reused = 0;
    for _ in 0..100 {
        ground.replace(TWO);
        assert_ne!(ground.inode(), parsed);
        // What the file system would do, if the reader let go: this is what the law is for.
        let before = ground.inode();
        ground.replace(ONE);
        ground.replace(TWO);
        reused += u32::from(ground.inode() == before);
    }
    if reused == 0 {
        eprintln!("this file system gives no inode away twice: nothing is shown here");
    }
}

/// F9, G7: under a lock a stamp is not believed. The stamp is forged in the cache, since a file's change time cannot be.
#[test]
fn under_a_lock_the_file_is_read_whatever_its_stamp_says() {
    let ground = Ground::new();
    let reader = Reader::from(Seal::default());
    let first = reader.read(&ground.path()).unwrap();
    ground.replace(TWO);
    let lie = Stamp::of(&rustix::fs::lstat(ground.path()).unwrap());
    reader.cache.lock().unwrap().as_mut().unwrap().stamp = lie;
    assert!(Arc::ptr_eq(&reader.read(&ground.path()).unwrap(), &first), "the stamp lies");
    let anew = reader.read_anew(&ground.path()).unwrap();
    assert!(!anew.has_the_text_of(&first));
    assert!(Arc::ptr_eq(&reader.read(&ground.path()).unwrap(), &anew), "and from then on everybody knows");
    assert!(
        Arc::ptr_eq(&reader.read_anew(&ground.path()).unwrap(), &anew),
        "the same one while nothing changes"
    );
}
