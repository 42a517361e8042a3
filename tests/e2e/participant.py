#!/usr/bin/env python3
"""Takes part in the lock protocol of Latchkey's auth file (docs/auth-file.md), with the standard library alone.

    participant.py AUTH_FILE NAME TIMES

Counts to TIMES in an entry of its own, a section of its own, and a field of its own in every other tenant's entry.
"""
import contextlib, fcntl, json, os, secrets, sys

def lock(path):  # closing what this gives lets go; so does the end of the process, however it ends
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), os.lstat(path)):
                os.pwrite(lock, b"%-10d\n" % os.getpid(), 0)
                return lock
        os.close(lock)  # its file was removed: a lock that others cannot find protects nothing

def replace(path, text):  # the old file or the new one, whole and durable, whatever happens on the way
    temporary, old = f"{path}.new-{secrets.token_hex(8)}", os.stat(path)
    new = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(new, "w") as file:
            if (old.st_uid, old.st_gid) != (os.fstat(new).st_uid, os.fstat(new).st_gid):
                os.fchown(new, old.st_uid, old.st_gid)
            file.write(text)
            file.flush()
            os.fsync(new)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    os.fsync(folder)
    os.close(folder)

def update(path, change):  # one locked read, change, replace; what `change` leaves alone stays
    turnstile = lock(f"{path}.locks/turnstile.lock")
    store = lock(f"{path}.lock")
    os.close(turnstile)
    with open(path) as file, open(f"{path}.locks/store_id") as store_id:
        document = json.load(file)
        if document["version"] not in (1, 2) or document["store_id"] != store_id.read().strip():
            sys.exit(f"{path} is of another version, or its lock folder belongs to another file")
    change(document)
    replace(path, json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n")
    os.close(store)

def count(document):
    mine = {"kind": "static", "provider": "tool", "access_token": "none", "turns": 0}
    mine = document["tenants"].setdefault(f"tool/{name}", mine)
    mine["turns"] += 1
    document.setdefault("x-turns", {})[name] = mine["turns"]
    for entry in document["tenants"].values():
        entry[f"x-seen-by-{name}"] = mine["turns"]

path, name, times = os.path.realpath(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for _ in range(times):
    update(path, count)
