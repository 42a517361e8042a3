//! Whose connection it is that arrives on loopback.
//!
//! Owns the reading of the kernel's table of connections (`/proc/net/tcp`, `/proc/net/tcp6`), and who may bring an answer. Invariant:
//! somebody is taken for nobody but the owner of a socket that is still open: the rows of closed ones name uid 0 whoever had them.
//! Must not: be asked for connections from elsewhere than this host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::serve::listen::Ends;

/// The tables. A socket of either kind may reach an address of the older one.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];
/// How often they are read: a row that stands all the while may be passed over where others come and go.
const READS: usize = 3;

/// Whether this system tells whose a connection is. Only Linux does.
pub(super) fn is_told() -> bool {
    std::fs::File::open(TABLES[0]).is_ok()
}

/// The uid at the other end of a connection of this host; none where its owner has closed it, or it is not told.
pub(super) fn owner(ends: Ends) -> Option<u32> {
    (0..READS).find_map(|_| {
        TABLES.iter().find_map(|table| owner_in(&std::fs::read_to_string(table).unwrap_or_default(), ends))
    })
}

/// Whether somebody with this `uid` may bring the answer to a sign-in of `own`: the same user, or root, who can be anybody.
pub(super) fn may_answer(uid: Option<u32>, own: u32) -> bool {
    uid.is_some_and(|uid| uid == own || uid == 0)
}

fn owner_in(table: &str, ends: Ends) -> Option<u32> {
    let wanted = [ends.peer, ends.own].map(plain);
    table.lines().skip(1).find_map(|row| {
        let columns: Vec<_> = row.split_ascii_whitespace().collect();
        let &[_, local, remote, _, _, _, _, uid, _, inode, ..] = columns.as_slice() else { return None };
        let is_open = inode != "0";
        (is_open && [address(local)?, address(remote)?] == wanted).then(|| uid.parse().ok())?
    })
}

/// An IPv4 address that is written as an IPv6 one is the same.
fn plain(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip().to_canonical(), address.port())
}

/// As the table writes one: words of 32 bits in this machine's order, in hexadecimal, and the port.
fn address(text: &str) -> Option<(IpAddr, u16)> {
    let (words, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(words.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip: IpAddr = match words.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let mut bytes = [0; 16];
            for (to, at) in bytes.chunks_exact_mut(4).zip([0, 8, 16, 24]) {
                to.copy_from_slice(&word(at)?);
            }
            Ipv6Addr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some((ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C11: the row of the other end counts, not that of our own; a closed socket is nobody's, though its row says uid 0.
    #[cfg(target_endian = "little")]
    #[test]
    fn a_connection_is_its_open_sockets_owners() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:223D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     7        0 11 1 0 100 0 0 10 0\n\
            1: 0100007F:223D 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     7        0 12 1 0 20 4 30 10 -1\n\
            2: 0100007F:9C40 0100007F:223D 01 00000000:00000000 00:00000000 00000000  1000        0 13 1 0 20 4 30 10 -1\n\
            3: 0100007F:9C41 0100007F:223D 04 00000000:00000000 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1\n";
        let newer = "  sl  local_address                         remote_address                        st\n\
            0: 0000000000000000FFFF00000100007F:9C42 0000000000000000FFFF00000100007F:223D 01 00000000:00000000 00:00000000 \
            00000000  1001        0 14 1 0 20 4 30 10 -1\n\
            1: 00000000000000000000000001000000:9C43 00000000000000000000000001000000:223D 01 00000000:00000000 00:00000000 \
            00000000  1002        0 15 1 0 20 4 30 10 -1\n";
        let ends = |peer: &str, own: &str| Ends { peer: peer.parse().unwrap(), own: own.parse().unwrap() };
        for (table, peer, own, expected) in [
            (table, "127.0.0.1:40000", "127.0.0.1:8765", Some(1000)),
            (table, "127.0.0.1:40001", "127.0.0.1:8765", None),
            (table, "127.0.0.1:40000", "127.0.0.1:8766", None),
            (table, "127.0.0.2:40000", "127.0.0.1:8765", None),
            (newer, "127.0.0.1:40002", "127.0.0.1:8765", Some(1001)),
            (newer, "[::1]:40003", "[::1]:8765", Some(1002)),
            ("", "127.0.0.1:40000", "127.0.0.1:8765", None),
            ("head\nx y z\n: : : : : : : : : :\n", "127.0.0.1:40000", "127.0.0.1:8765", None),
        ] {
            assert_eq!(owner_in(table, ends(peer, own)), expected, "{peer} to {own}");
        }
    }

    /// C11: our own user and root, and nobody who is not known.
    #[test]
    fn nobody_else_answers() {
        for (uid, own, expected) in [
            (Some(1000), 1000, true),
            (Some(0), 1000, true),
            (Some(1001), 1000, false),
            (Some(1001), 0, false),
            (None, 0, false),
        ] {
            assert_eq!(may_answer(uid, own), expected, "{uid:?} to {own}");
        }
    }
}
