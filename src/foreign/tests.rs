//! A file that others write too, and may mean ill by.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A folder with a file in which `theirs` stands.
fn ground(theirs: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.json");
    std::fs::write(&path, theirs).unwrap();
    (folder, path)
}

/// Reads, and writes `new`; `strikes` happen at the moments between.
fn put(path: &Path, new: &str, strikes: Vec<Box<dyn FnOnce()>>) -> Result<(), ForeignError> {
    let place = Place::open(path)?;
    let was = place.read()?;
    at_moments(strikes);
    place.prepare(was.as_ref(), new.as_bytes(), MOST_MODE)?.put()
}

/// That `text` is written to `path` by way of another name.
fn writes(path: &Path, text: &'static str) -> Box<dyn FnOnce()> {
    let path = path.to_owned();
    Box::new(move || {
        let beside = path.with_extension("theirs");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(beside, path).unwrap();
    })
}

fn texts(folder: &Path) -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let text = |file: std::fs::DirEntry| {
        (file.file_name().into_string().unwrap(), std::fs::read_to_string(file.path()).unwrap())
    };
    let mut texts: Vec<_> = files.map(text).collect();
    texts.sort();
    texts
}

fn named(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// F6: what a program writes after the last look at the file, or where none was, is there afterwards.
#[test]
fn what_is_written_at_the_last_moment_is_put_back() {
    let (folder, path) = ground("theirs");
    let outcome = put(&path, "ours", vec![writes(&path, "later")]);
    assert!(matches!(outcome, Err(ForeignError::Changed)), "{outcome:?}");
    assert_eq!(texts(folder.path()), named(&[("file.json", "later")]));
    put(&path, "ours", Vec::new()).unwrap();
    assert_eq!(texts(folder.path()), named(&[("file.json", "ours")]));
    std::fs::remove_file(&path).unwrap();
    let outcome = put(&path, "ours", vec![writes(&path, "new")]);
    assert!(matches!(outcome, Err(ForeignError::Changed)), "{outcome:?}");
    assert_eq!(texts(folder.path()), named(&[("file.json", "new")]));
}

/// F6: a program that writes into the very file, as codex does, is no worse off.
#[test]
fn what_is_written_into_the_file_itself_is_put_back() {
    let (folder, path) = ground("theirs");
    let into = path.clone();
    let outcome = put(&path, "ours", vec![Box::new(move || std::fs::write(into, "lat").unwrap())]);
    assert!(matches!(outcome, Err(ForeignError::Changed)), "{outcome:?}");
    assert_eq!(texts(folder.path()), named(&[("file.json", "lat")]));
}

/// F6: nor is any of it lost where the program writes again, or removes its file, while that is put back.
#[test]
fn what_is_written_twice_is_there_twice() {
    let (folder, path) = ground("theirs");
    let outcome = put(&path, "ours", vec![writes(&path, "later"), writes(&path, "last")]);
    let said = outcome.unwrap_err().to_string();
    assert!(said.contains("file.json.replaced"), "{said}");
    assert_eq!(texts(folder.path()), named(&[("file.json", "later"), ("file.json.replaced", "last")]));

    let (folder, path) = ground("theirs");
    let gone = path.clone();
    let removes: Box<dyn FnOnce()> = Box::new(move || std::fs::remove_file(gone).unwrap());
    let outcome = put(&path, "ours", vec![writes(&path, "later"), removes]);
    assert!(matches!(outcome, Err(ForeignError::ChangedTwice(_))), "{outcome:?}");
    assert_eq!(texts(folder.path()), named(&[("file.json.replaced", "later")]));
}

/// F6: a writer that strikes as soon as our temporary file appears, whatever we do then, finds what it wrote.
#[test]
fn who_strikes_when_the_temporary_appears_loses_nothing() {
    for _ in 0..100 {
        let (folder, path) = ground("theirs");
        let (within, writer) = (folder.path().to_owned(), writes(&path, "later"));
        let is_made = move || {
            let mut files = std::fs::read_dir(&within).unwrap();
            files.any(|file| file.unwrap().file_name().as_bytes().starts_with(b".latchkey-"))
        };
        // Either comes of it, as long as it is theirs that is there at the end.
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let path = path.clone();
            scope.spawn(move || {
                drop(put(&path, "ours", Vec::new()));
                drop(done);
            });
            let is_over = || is_done.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected);
            while !is_made() && !is_over() {}
            writer();
        });
        let texts = texts(folder.path());
        assert!(texts.iter().any(|(_, text)| text == "later"), "{texts:?}");
    }
}

/// F4: the group keeps its right to write, whatever the umask, and other users lose theirs.
#[test]
fn permissions_do_not_pass_through_the_umask() {
    for (before, after) in [(0o660, 0o660), (0o666, 0o660), (0o400, 0o400)] {
        let (_folder, path) = ground("theirs");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(before)).unwrap();
        put(&path, "ours", Vec::new()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, after, "{before:o}");
    }
}

/// F15: who owns a folder on the way leads us nowhere by a link, nor does who may write the file's own.
#[test]
fn no_folder_on_the_way_is_a_link_or_everybodys() {
    let (folder, path) = ground("theirs");
    let root = folder.path();
    std::fs::create_dir(root.join("home")).unwrap();
    symlink(root, root.join("home/alias")).unwrap();
    for way in ["home/alias/file.json", "home/alias/home/file.json"] {
        let said = Place::open(&root.join(way)).unwrap_err().to_string();
        assert!(said.contains("home/alias is a symbolic link"), "{said}");
    }
    assert!(Place::open(&root.join("home/../file.json")).unwrap().read().unwrap().is_some());
    assert!(Place::of_caller(&root.join("home/alias/file.json")).unwrap().read().unwrap().is_some());
    std::fs::set_permissions(root, PermissionsExt::from_mode(0o1777)).unwrap();
    assert!(matches!(Place::open(&path), Err(ForeignError::OpenFolder)));
}

/// F15: a folder that is exchanged for a link once it was opened leads us nowhere either.
#[test]
fn what_the_folder_becomes_later_leads_nowhere() {
    let (folder, _) = ground("theirs");
    let (mine, other) = (folder.path().join("mine"), folder.path().join("other"));
    for folder in [&mine, &other] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("file.json"), "before").unwrap();
    }
    let place = Place::open(&mine.join("file.json")).unwrap();
    std::fs::rename(&mine, folder.path().join("moved")).unwrap();
    symlink(&other, &mine).unwrap();
    let was = place.read().unwrap();
    place.prepare(was.as_ref(), b"ours", MOST_MODE).unwrap().put().unwrap();
    place.keep_aside(b"copy", ASIDE).unwrap();
    assert_eq!(texts(&other), named(&[("file.json", "before")]));
    assert_eq!(
        texts(&folder.path().join("moved")),
        named(&[("file.json", "ours"), ("file.json.replaced", "copy")])
    );
}

/// F6: a copy replaces no other, and the same bytes are kept once.
#[test]
fn the_same_bytes_are_kept_aside_once() {
    let (folder, path) = ground("theirs");
    let place = Place::open(&path).unwrap();
    let kept = ["a", "b", "a", "b"].map(|text| place.keep_aside(text.as_bytes(), ASIDE).unwrap());
    assert_eq!(kept.map(|aside| aside.is_new), [true, true, false, false]);
    let all = [("file.json", "theirs"), ("file.json.replaced", "a"), ("file.json.replaced-2", "b")];
    assert_eq!(texts(folder.path()), named(&all));
}
