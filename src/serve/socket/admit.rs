//! Who may have what over the token socket.
//!
//! Owns the judgement of a peer. Invariants: the kernel says who it is, by `SO_PEERCRED`, and nothing that it sends does; the
//! bot's own user has everything, whoever else what the entries of `allow` give together, root included. Must not: say no
//! for want of a bearer token before one could be shown.

use std::collections::BTreeSet;
use std::sync::Once;

use tokio::net::UnixStream;

use super::bearer::{Bearer, BearerError};
use crate::config::{Admitted, AllowRule, TokensConfig};
use crate::secret::Secret;
use crate::tenant::{ProviderName, TenantKey, TenantPattern};

/// Who takes tokens, for the audit trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Consumer {
    /// Processes of this user.
    User(u32),
    /// Whoever has the bearer token.
    Bearer,
}

impl std::fmt::Display for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(uid) => write!(f, "uid:{uid}"),
            Self::Bearer => f.write_str("bearer"),
        }
    }
}

/// The process at the other end, as it was when it connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    /// Its effective user.
    pub uid: u32,
    /// Its effective group and its supplementary ones.
    pub groups: BTreeSet<u32>,
}

/// What a caller may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Grant {
    /// By its user and groups: what each entry gives.
    by_peer: Vec<TenantPattern>,
    /// By the bearer token.
    by_bearer: Vec<TenantPattern>,
    /// Whether it is the bot's own user.
    is_ours: bool,
}

impl Grant {
    /// Whether it gives nothing at all.
    pub fn is_nothing(&self) -> bool {
        !self.is_ours && self.by_peer.is_empty() && self.by_bearer.is_empty()
    }

    /// Whether it gives everything.
    pub fn is_everything(&self) -> bool {
        self.is_ours || self.by_peer.iter().chain(&self.by_bearer).any(TenantPattern::is_all)
    }

    /// Whether it gives `tenant`.
    pub fn admits(&self, tenant: &TenantKey) -> bool {
        self.is_ours || self.by_peer.iter().chain(&self.by_bearer).any(|pattern| pattern.matches(tenant))
    }

    /// Whether it gives any tenant of `provider`, there or not.
    pub fn admits_some_of(&self, provider: &ProviderName) -> bool {
        self.is_ours
            || self.by_peer.iter().chain(&self.by_bearer).any(|pattern| pattern.has_some_of(provider))
    }

    /// Whether it gives `tenant` by the bearer token alone.
    pub fn is_by_bearer(&self, tenant: &TenantKey) -> bool {
        !self.is_ours && !self.by_peer.iter().any(|pattern| pattern.matches(tenant))
    }
}

/// By what a caller has what it has: judged anew when `allow` changes.
#[derive(Clone)]
pub(super) struct Claim {
    /// Who it is. Supplementary groups are known where an entry named a group when it connected.
    pub peer: Peer,
    /// The bearer token that it showed, if that was the one.
    pub bearer: Option<Secret>,
}

/// Who is admitted to what.
pub struct Admission {
    own: u32,
    rules: Vec<AllowRule>,
    bearer: Option<Bearer>,
    unseen_said: Once,
}

impl Admission {
    /// As `config` says.
    ///
    /// # Errors
    /// When the bearer token cannot be used.
    pub fn new(config: &TokensConfig) -> Result<Self, BearerError> {
        Ok(Self {
            own: rustix::process::geteuid().as_raw(),
            rules: config.allow.clone(),
            bearer: config.bearer_file.as_deref().map(Bearer::open).transpose()?,
            unseen_said: Once::new(),
        })
    }

    pub(super) fn own_user(&self) -> u32 {
        self.own
    }

    /// Whether anybody can be admitted by the bearer token.
    pub(super) fn takes_bearers(&self) -> bool {
        self.bearer.is_some()
    }

    /// Who is at the other end, as the kernel says.
    pub(super) fn peer(&self, stream: &UnixStream) -> Option<Peer> {
        let credentials = stream.peer_cred().ok()?;
        let (uid, gid) = (credentials.uid(), credentials.gid());
        let mut groups = BTreeSet::from([gid]);
        let by_group = self.rules.iter().any(|rule| matches!(rule.who, Admitted::Group(_)));
        // A process in another PID namespace has no id here; then its effective group alone counts.
        if by_group && let Some(pid) = credentials.pid().filter(|pid| *pid > 0) {
            match std::fs::read_to_string(format!("/proc/{pid}/status")) {
                Ok(status) => groups.extend(supplementary(&status, uid, gid)),
                Err(error) => self.unseen(pid, &error),
            }
        }
        Some(Peer { uid, groups })
    }

    /// Says once that the groups of callers cannot be seen; `pid` is such a caller, if it has not left.
    fn unseen(&self, pid: i32, error: &std::io::Error) {
        let tried = rustix::process::Pid::from_raw(pid).map(rustix::process::test_kill_process);
        if matches!(tried, Some(Ok(()) | Err(rustix::io::Errno::PERM))) {
            self.unseen_said.call_once(|| {
                tracing::warn!(
                    %error,
                    "the supplementary groups of callers cannot be seen (is /proc mounted with hidepid?): in allow, of a caller \
                     only its effective group counts; name users by uid, or give the bot the group that hidepid exempts (gid=)"
                );
            });
        }
    }

    /// What `peer` may have without a bearer token.
    pub(super) fn grant(&self, peer: &Peer) -> Grant {
        let is_meant = |who: Admitted| match who {
            Admitted::User(uid) => uid == peer.uid,
            Admitted::Group(gid) => peer.groups.contains(&gid),
            Admitted::Bearer => false,
        };
        Grant { by_peer: self.given(is_meant), by_bearer: Vec::new(), is_ours: peer.uid == self.own }
    }

    /// `grant` with what the bearer token adds, if `shown` is the one.
    pub(super) fn shown(&self, grant: &Grant, shown: &Secret) -> Option<Grant> {
        self.bearer.as_ref().filter(|bearer| bearer.is(shown))?;
        Some(Grant { by_bearer: self.given(|who| who == Admitted::Bearer), ..grant.clone() })
    }

    /// What `claim` gives.
    pub(super) fn claimed(&self, claim: &Claim) -> Grant {
        let grant = self.grant(&claim.peer);
        let shown = claim.bearer.as_ref().and_then(|bearer| self.shown(&grant, bearer));
        shown.unwrap_or(grant)
    }

    fn given(&self, is_meant: impl Fn(Admitted) -> bool) -> Vec<TenantPattern> {
        let rules = self.rules.iter().filter(|rule| is_meant(rule.who));
        rules.flat_map(|rule| rule.tenants.iter().cloned()).collect()
    }
}

/// The supplementary groups in `status`, a text of the form of `/proc/<pid>/status`, if it is of a process that is `uid` and
/// `gid` in every way. The kernel would say them with the peer's ids (`SO_PEERGROUPS`), but no safe call asks for that. A
/// process id may have been given anew since; what another process of that very user and group may do is the same user's to do.
fn supplementary(status: &str, uid: u32, gid: u32) -> Vec<u32> {
    let numbers = |name: &str| -> Vec<u32> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect()
    };
    if numbers("Uid:") != [uid; 4] || numbers("Gid:") != [gid; 4] {
        return Vec::new();
    }
    numbers("Groups:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key;

    fn admission(rules: &[(Admitted, &[&str])]) -> Admission {
        let rules = rules.iter().map(|(who, tenants)| AllowRule {
            who: *who,
            tenants: tenants.iter().map(|tenant| tenant.parse().unwrap()).collect(),
        });
        Admission { own: 500, rules: rules.collect(), bearer: None, unseen_said: Once::new() }
    }

    fn peer(uid: u32, groups: &[u32]) -> Peer {
        Peer { uid, groups: groups.iter().copied().collect() }
    }

    /// Z2: nobody is admitted who is not named; entries add up; root is nobody in particular.
    #[test]
    fn a_caller_has_what_the_entries_for_it_give_together() {
        let admission = admission(&[
            (Admitted::User(1000), &["codex"]),
            (Admitted::User(1000), &["acme@*"]),
            (Admitted::Group(50), &["acme"]),
            (Admitted::Bearer, &["*"]),
        ]);
        let tenants = ["codex", "acme", "acme@42"];
        for (who, given) in [
            (peer(500, &[500]), "codex acme acme@42"),
            (peer(1000, &[1000]), "codex acme@42"),
            (peer(1000, &[1000, 50]), "codex acme acme@42"),
            (peer(1001, &[1001, 50]), "acme"),
            (peer(0, &[0]), ""),
            (peer(50, &[1000]), ""),
        ] {
            let grant = admission.grant(&who);
            let found: Vec<_> = tenants.into_iter().filter(|name| grant.admits(&key(name))).collect();
            assert_eq!(found.join(" "), given, "{who:?}");
            assert_eq!((grant.is_nothing(), grant.is_everything()), (given.is_empty(), who.uid == 500));
        }
    }

    /// Z2
    #[test]
    fn groups_count_of_that_very_user_only() {
        let status =
            "Name:\tsh\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nFDSize:\t64\nGroups:\t8 50 60 \nNStgid:\t9\n";
        assert_eq!(supplementary(status, 7, 8), [8, 50, 60]);
        assert!(supplementary(status, 9, 8).is_empty());
        assert!(supplementary(status, 7, 9).is_empty());
        // A program that runs with another's rights.
        assert!(supplementary(&status.replace("7\t7\t7\t7", "6\t7\t7\t7"), 7, 8).is_empty());
        assert!(supplementary("", 7, 8).is_empty());
    }
}
