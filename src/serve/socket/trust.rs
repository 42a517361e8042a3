//! Whom a program believes at a socket.
//!
//! Owns the judgement of the one who serves it. Invariant: the kernel says who that is (`SO_PEERCRED`), before anything is sent
//! or read: with the bot down, whoever may write the folder can bind its path. Must not: connect.

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The user that listened at the other end of `stream`.
///
/// The async library's call is used since it is safe: that of rustix takes the process id for one that is never 0, which it is
/// where the bot lives in another PID namespace.
pub(super) fn server_of(stream: &UnixStream) -> std::io::Result<u32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    let copy = stream.try_clone()?;
    copy.set_nonblocking(true)?;
    let server = tokio::net::UnixStream::from_std(copy)?.peer_cred()?.uid();
    // The copy shares this with the original.
    stream.set_nonblocking(false)?;
    Ok(server)
}

/// Whether the user `server`, who serves `socket`, can be the bot: root, we ourselves, or the owner of the auth file `store`; where
/// there is no such file, the owner of the socket's folder, if nobody else can write there. If not, why, with what to do.
pub(super) fn judge(socket: &Path, store: Option<&Path>, server: u32) -> Result<(), String> {
    if server == 0 || server == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    if let Some((store, found)) = store.and_then(|store| Some((store, std::fs::metadata(store).ok()?))) {
        let owner = found.uid();
        return if owner == server {
            Ok(())
        } else {
            let store = store.display();
            Err(format!("the auth file {store} belongs to user {owner}: run the bot as that user"))
        };
    }
    let folder = socket.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = folder.display();
    let found = std::fs::metadata(folder).map_err(|error| format!("cannot look at {shown}: {error}"))?;
    let remedy = "put the socket into a folder of the bot's own, such as /run/latchkey with mode 755";
    let (owner, mode) = (found.uid(), found.mode() & 0o7777);
    if mode & 0o022 != 0 {
        return Err(format!(
            "its folder {shown} can be written by others (mode {mode:o}), who may serve anything there: {remedy}"
        ));
    }
    if owner != server {
        return Err(format!("its folder {shown} belongs to user {owner}: {remedy}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown};

    use super::*;

    /// Root, we ourselves, and the owner of the store, or of a folder that is nobody else's, are believed, and nobody else.
    #[test]
    fn nobody_but_the_bots_user_is_believed() {
        let me = rustix::process::geteuid().as_raw();
        let temp = tempfile::tempdir().unwrap();
        let (socket, store) = (temp.path().join("t.sock"), temp.path().join("auth.json"));
        let other = me + 4_711;
        let refused = |store: Option<&Path>, words: &str| {
            let why = judge(&socket, store, other).unwrap_err();
            assert!(why.contains(words), "{why}");
        };
        for server in [0, me] {
            assert_eq!(judge(&socket, None, server), Ok(()));
        }
        refused(None, &format!("belongs to user {me}: put the socket into a folder"));
        // Not written yet: the folder counts.
        refused(Some(&store), "put the socket into a folder of the bot's own");
        std::fs::write(&store, "{}").unwrap();
        refused(Some(&store), &format!("auth.json belongs to user {me}: run the bot as that user"));
        for mode in [0o1777, 0o777, 0o775] {
            std::fs::set_permissions(temp.path(), PermissionsExt::from_mode(mode)).unwrap();
            refused(None, &format!("can be written by others (mode {mode:o})"));
        }
        if me != 0 {
            return println!("the rest was not tried: only root can give a folder away");
        }
        chown(temp.path(), Some(other), None).unwrap();
        refused(None, "can be written by others");
        std::fs::set_permissions(temp.path(), PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(judge(&socket, None, other), Ok(()));
        refused(Some(&store), "run the bot as that user");
        chown(&store, Some(other), None).unwrap();
        assert_eq!(judge(&socket, Some(&store), other), Ok(()));
    }
}
