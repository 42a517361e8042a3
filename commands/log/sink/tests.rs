//! The place of audit lines: who may have it, and what becomes of lines that it does not take.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// What `open` says, with the folder left out.
fn refused(path: &Path) -> String {
    open(path).unwrap_err().to_string().replace(&*path.parent().unwrap().to_string_lossy(), "<folder>")
}

/// Z3, F2, F4: a file of ours alone, and none that somebody could have put there or can write.
#[test]
fn the_file_is_ours_alone_or_refused() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("audit.log");
    drop(open(&path).unwrap());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&path), 0o600, "whatever the umask is");

    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    assert!(open(&path).is_ok(), "a group that reads is the operator's choice");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o660)).unwrap();
    assert_eq!(
        refused(&path),
        "the audit file <folder>/audit.log can be written by others (mode 660); `chmod 600 <folder>/audit.log`"
    );
    let link = temp.path().join("link.log");
    symlink(&path, &link).unwrap();
    assert!(refused(&link).contains("it must not be a symbolic link"), "{}", refused(&link));
    let nowhere = temp.path().join("none/audit.log");
    assert!(refused(&nowhere).contains("make its folder"), "{}", refused(&nowhere));
    assert!(refused(temp.path()).contains("name a file in it"), "{}", refused(temp.path()));
    let full = refused(Path::new("/dev/full"));
    assert!(full.contains("is no regular file"), "{full}");
}

/// Takes so many bytes at most, in all.
struct Disk {
    room: usize,
    taken: Vec<u8>,
    writes: usize,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        let length = bytes.len().min(self.room);
        if length == 0 {
            return Err(io::Error::from_raw_os_error(28));
        }
        self.room -= length;
        self.taken.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Z3: a line is one write; what a full disk took half of stands alone, and the next line is whole again.
#[test]
fn after_half_a_line_the_next_is_whole() {
    let mut disk = Disk { room: 12, taken: Vec::new(), writes: 0 };
    let mut is_torn = false;
    append(&mut disk, "{\"a\":1}\n".to_owned(), &mut is_torn).unwrap();
    assert_eq!((disk.writes, is_torn), (1, false));
    assert!(append(&mut disk, "{\"b\":2}\n".to_owned(), &mut is_torn).is_err());
    assert_eq!((disk.writes, is_torn), (2, true), "the rest is not written apart");
    assert!(append(&mut disk, "{\"c\":3}\n".to_owned(), &mut is_torn).is_err());
    assert!(is_torn, "the half is there yet");
    disk.room = 100;
    append(&mut disk, "{\"d\":4}\n".to_owned(), &mut is_torn).unwrap();
    append(&mut disk, "{\"e\":5}\n".to_owned(), &mut is_torn).unwrap();
    assert_eq!(String::from_utf8(disk.taken).unwrap(), "{\"a\":1}\n{\"b\"\n{\"d\":4}\n{\"e\":5}\n");
}

/// Z3: a reader who has left, or a full disk behind standard output, ends nothing: the rest is still taken from the queue.
#[test]
fn what_nobody_reads_is_taken_all_the_same() {
    let (lines, waiting) = sync_channel(4);
    for line in ["one\n", "two\n", "three\n"] {
        lines.send(line.to_owned()).unwrap();
    }
    drop(lines);
    print(&waiting, Disk { room: 0, taken: Vec::new(), writes: 0 });
    assert!(waiting.try_recv().is_err(), "all were taken");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (lines, waiting) = sync_channel(4);
    lines.send("one\n".to_owned()).unwrap();
    drop(lines);
    print(&waiting, full);
}

/// One test, since the place is the process' own: lines go where they should, and to the new file after a rotation.
#[test]
fn a_rotated_file_is_opened_anew() {
    let temp = tempfile::tempdir().unwrap();
    let (path, old) = (temp.path().join("audit.log"), temp.path().join("audit.log.1"));
    assert!(!is_there());
    write("lost\n".to_owned());
    to_file(&path).unwrap();
    assert!(is_there());
    write("one\n".to_owned());
    std::fs::rename(&path, &old).unwrap();
    write("two\n".to_owned());
    reopen().unwrap();
    write("three\n".to_owned());
    // What cannot be opened leaves what is open.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(reopen().is_err());
    write("four\n".to_owned());
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "one\ntwo\n");
    finish();
    write("five\n".to_owned());
    assert!(!is_there());
}
