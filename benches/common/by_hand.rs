//! What the rows are held against: the least that the same promise costs when written by hand.

use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Puts `bytes` in the place of the file at `path`: write, fsync, rename, fsync of the folder.
pub fn replace(path: &Path, bytes: &[u8]) {
    let temporary = path.with_extension("by-hand");
    let mut file = File::create(&temporary).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
    std::fs::rename(&temporary, path).unwrap();
    File::open(path.parent().unwrap()).unwrap().sync_all().unwrap();
}

/// One `stat` of the file at `path`.
pub fn stat(path: &Path) {
    std::hint::black_box(rustix::fs::stat(path).unwrap());
}
