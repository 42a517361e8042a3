//! Room set aside for a rotated credential, so that a disk that fills up during the request loses nothing (G21).
//!
//! Owns the rescue file of a tenant: preallocated in the lock folder before the request, written only when the save
//! fails, read first by the next holder of the refresh lock. Invariant: only the holder of the tenant's refresh lock
//! touches it. Layout: a line `<length> <sha256>`, then that many bytes of JSON; anything else is unused room.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fs4::FileExt;
use rustix::fs::{Mode, OFlags};
use serde_json::value::RawValue;

use super::ground::Places;
use super::keyring::Keyring;
use crate::credential::Credential;
use crate::fault::{Operation, attempt};
use crate::secret::TokenHash;
use crate::store::seal::{Seal, Spot, in_clear, keys_in};
use crate::store::wire::Record;
use crate::store::{Rescue, StoreError};
use crate::tenant::TenantKey;

/// The room, in bytes: four replies of the largest size allowed.
pub(super) const ROOM: u64 = 256 * 1024;

/// The wire form: what it replaces, and the tenant's entry as it will stand in the auth file.
#[derive(serde::Serialize, serde::Deserialize)]
struct Saved {
    credential_id: String,
    generation: u64,
    entry: Box<RawValue>,
}

fn path(places: &Places, tenant: &TenantKey) -> PathBuf {
    places.locks.join(format!("{}.rescue", tenant.lock_name()))
}

fn open(path: &Path, create: bool) -> io::Result<File> {
    let mut flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    flags.set(OFlags::CREATE, create);
    Ok(File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(0o600))?))
}

/// Sets the room aside. What a holder before left in it stays.
pub(super) fn set_aside(places: &Places, tenant: &TenantKey) -> Result<(), StoreError> {
    let path = path(places, tenant);
    let set = attempt(Operation::SetRoomAside).and_then(|()| open(&path, true)).and_then(|file| {
        // Nobody else gets these blocks from here on. They need not outlive a loss of power: what would be written into
        // them does not either, until `write` makes both durable.
        match FileExt::allocate(&file, ROOM) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => fill(&file),
            result => result,
        }
    });
    set.map_err(|e| StoreError::io("set room aside at", &path, &e))
}

/// Where a file system cannot set blocks aside, zeros behind what is there take them, once they are on the disk.
fn fill(mut file: &File) -> io::Result<()> {
    let there = file.seek(SeekFrom::End(0))?;
    io::copy(&mut io::repeat(0).take(ROOM.saturating_sub(there)), &mut file)?;
    file.sync_all()
}

/// Writes what could not be saved.
pub(super) fn write(
    places: &Places,
    seal: &Seal,
    tenant: &TenantKey,
    saved: &Rescue,
) -> Result<(), StoreError> {
    let path = path(places, tenant);
    let failed = |e: &io::Error| StoreError::io("write the rescue file", &path, e);
    let text = print(saved, seal, tenant).map_err(|e| failed(&e.into()))?;
    let mut file =
        attempt(Operation::WriteRescue).and_then(|()| open(&path, true)).map_err(|e| failed(&e))?;
    // Over the bytes that were set aside, and no truncation: that would give the room away.
    file.seek(SeekFrom::Start(0)).map_err(|e| failed(&e))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| File::open(&places.locks)?.sync_all())
        .map_err(|e| failed(&e))
}

/// The bytes of a rescue file.
pub(in crate::store) fn print(saved: &Rescue, seal: &Seal, tenant: &TenantKey) -> serde_json::Result<String> {
    let (credential_id, generation) = saved.replaces.clone();
    let open = in_clear(saved.credential.write(None));
    let name = tenant.to_string();
    let entry = match seal.sealed(&Credential::SECRETS, spot(&name), &open) {
        Some(sealed) => RawValue::from_string(sealed)?,
        None => RawValue::from_string(open.to_string())?,
    };
    let saved = Saved { credential_id, generation, entry };
    let body = serde_json::to_string(&saved)?;
    Ok(format!("{} {}\n{body}", body.len(), TokenHash::of(&body)))
}

/// Where the entry will stand: it is sealed for there.
fn spot(tenant: &str) -> Spot<'_> {
    Spot { section: "tenants", entry: tenant }
}

/// What a holder before left, if its writing was completed. What was and does not open is an error: it may be all there is
/// of a sign-in.
pub(super) fn read(
    places: &Places,
    keys: &Keyring,
    tenant: &TenantKey,
) -> Result<Option<Rescue>, StoreError> {
    let path = path(places, tenant);
    let Some(bytes) = bytes(&path)? else { return Ok(None) };
    let why = match understand(&bytes, &keys.seal(), tenant) {
        Ok(rescue) => return Ok(rescue),
        Err(why) => why,
    };
    // Whoever left it may have had a key that came into the file of keys after we began.
    let understood = match keys.read_again()? {
        Some(seal) => understand(&bytes, &seal, tenant).inspect(|_| keys.exchange(seal)),
        None => Err(why),
    };
    understood.map_err(|why| StoreError::Io {
        action: "open the rescue file",
        path: path.display().to_string(),
        why,
        remedy: "its key must be among those that are configured",
    })
}

fn bytes(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let mut bytes = Vec::new();
    match open(path, false).and_then(|file| file.take(ROOM * 4).read_to_end(&mut bytes)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(StoreError::io("read the rescue file", path, &e)),
        Ok(_) => Ok(Some(bytes)),
    }
}

/// Every file in which a holder left something, whosever it is, with the ids of the keys that have sealed it. For a look without
/// the refresh locks: nothing is opened.
pub(super) fn all_in_use(places: &Places) -> Result<Vec<(PathBuf, BTreeSet<String>)>, StoreError> {
    let failed = |e: io::Error| StoreError::io("look through", &places.locks, &e);
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(&places.locks) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|end| end != "rescue") {
            continue;
        }
        if let Some(saved) = bytes(&path)?.as_deref().and_then(whole) {
            found.push((path, keys_in(&Credential::SECRETS, saved.entry.get())));
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a holder before left something in it, as far as its first line tells: for a look without the refresh lock, which
/// wants to know of no token.
pub(super) fn is_in_use(places: &Places, tenant: &TenantKey) -> bool {
    let mut line = [0; 100];
    let read = open(&path(places, tenant), false).and_then(|mut file| file.read(&mut line));
    let line = read.ok().and_then(|length| line.get(..length)).unwrap_or_default();
    let end = line.iter().position(|b| *b == b'\n');
    let head = end.and_then(|end| std::str::from_utf8(&line[..end]).ok()?.split_once(' '));
    head.is_some_and(|(length, hash)| length.parse::<usize>().is_ok() && !hash.is_empty())
}

/// Half a rescue file is no rescue file: its holder was killed while writing, and the outcome is unknown (G20).
pub(in crate::store) fn understand(
    bytes: &[u8],
    seal: &Seal,
    tenant: &TenantKey,
) -> Result<Option<Rescue>, String> {
    let Some(saved) = whole(bytes) else { return Ok(None) };
    let name = tenant.to_string();
    let entry = seal.opened(&Credential::SECRETS, spot(&name), saved.entry.get())?;
    let credential = Credential::read(&entry).ok();
    Ok(credential.map(|credential| Rescue { replaces: (saved.credential_id, saved.generation), credential }))
}

fn whole(bytes: &[u8]) -> Option<Saved> {
    let end = bytes.iter().take(100).position(|b| *b == b'\n')?;
    let (length, hash) = std::str::from_utf8(&bytes[..end]).ok()?.split_once(' ')?;
    let length: usize = length.parse().ok()?;
    let body = std::str::from_utf8(bytes.get(end + 1..)?.get(..length)?).ok()?;
    if TokenHash::of(body).to_string() != hash {
        return None;
    }
    serde_json::from_str(body).ok()
}

/// Gives the room back.
pub(super) fn clear(places: &Places, tenant: &TenantKey) -> Result<(), StoreError> {
    let path = path(places, tenant);
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", &path, &e)),
        _ => Ok(()),
    }
}
