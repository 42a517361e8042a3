//! Answers that wait for their confirmation: one ticket each, in memory.
//!
//! Owns the one-time tokens of the confirmation pages (T15). Invariants: a ticket leads to one answer of one login, and
//! gives its code away once; there is a bound on their number, in all and for a login, and the oldest goes first; one that
//! is gone loses nothing, since the same answer can arrive again. Must not: outlive the process, or show a code.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::pending::{LONGEST_LIFE, LoginId};
use crate::secret::{Secret, TokenHash, hex};
use crate::tenant::ProviderName;

/// No login lives longer.
const LIFE: Duration = Duration::from_secs(LONGEST_LIFE.unsigned_abs());
/// Tickets in all: as many as pages may be open.
const CAP: usize = 4_096;
/// Tickets of one login: each time that its answer's page is opened.
const CAP_OF_LOGIN: usize = 8;

/// An answer that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// Whose page it arrived at.
    pub provider: ProviderName,
    /// The login that it answers.
    pub login: LoginId,
    /// Its code.
    pub code: Secret,
}

/// What a ticket was good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Redeemed {
    /// This answer, for the first and only time.
    Answer(Answer),
    /// It was used before, for this login.
    Used(LoginId),
    /// Nothing.
    Unknown,
}

#[derive(Debug)]
struct Ticket {
    provider: ProviderName,
    login: LoginId,
    /// Gone once it was given away.
    code: Option<Secret>,
    made: Instant,
}

/// The tickets of this process.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    /// By the hash of the token, so that looking one up tells nothing about another. Locked for a look or a change,
    /// never across a wait.
    tickets: Mutex<HashMap<TokenHash, Ticket>>,
}

impl Tickets {
    /// A new ticket for `answer`.
    pub fn issue(&self, answer: Answer) -> Secret {
        let token = hex(&rand::random::<[u8; 32]>());
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.retain(|_, ticket| ticket.made.elapsed() < LIFE);
        let of_login = tickets.values().filter(|ticket| ticket.login == answer.login).count();
        if of_login >= CAP_OF_LOGIN {
            forget_oldest(&mut tickets, |ticket| ticket.login == answer.login);
        } else if tickets.len() >= CAP {
            forget_oldest(&mut tickets, |_| true);
        }
        let Answer { provider, login, code } = answer;
        tickets.insert(
            TokenHash::of(&token),
            Ticket { provider, login, code: Some(code), made: Instant::now() },
        );
        Secret::new(token)
    }

    /// What `token` is good for at the page of `provider`. It is good for nothing afterwards.
    pub fn redeem(&self, provider: &ProviderName, token: &str) -> Redeemed {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let found = tickets.get_mut(&TokenHash::of(token));
        let Some(ticket) =
            found.filter(|ticket| ticket.provider == *provider && ticket.made.elapsed() < LIFE)
        else {
            return Redeemed::Unknown;
        };
        let login = ticket.login.clone();
        match ticket.code.take() {
            Some(code) => Redeemed::Answer(Answer { provider: provider.clone(), login, code }),
            None => Redeemed::Used(login),
        }
    }
}

fn forget_oldest(tickets: &mut HashMap<TokenHash, Ticket>, which: impl Fn(&Ticket) -> bool) {
    let oldest = tickets.iter().filter(|(_, ticket)| which(ticket)).min_by_key(|(_, ticket)| ticket.made);
    if let Some(oldest) = oldest.map(|(hash, _)| *hash) {
        tickets.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(login: &str, code: &str) -> Answer {
        Answer { provider: "acme".parse().unwrap(), login: login.to_owned(), code: Secret::new(code) }
    }

    /// T15
    #[test]
    fn a_ticket_is_good_once_and_at_its_own_page() {
        let tickets = Tickets::default();
        let token = tickets.issue(answer("a", "code"));
        let (acme, other) = ("acme".parse().unwrap(), "other".parse().unwrap());
        assert_eq!(tickets.redeem(&other, token.expose()), Redeemed::Unknown);
        assert_eq!(tickets.redeem(&acme, "0123"), Redeemed::Unknown);
        assert_eq!(tickets.redeem(&acme, token.expose()), Redeemed::Answer(answer("a", "code")));
        assert_eq!(tickets.redeem(&acme, token.expose()), Redeemed::Used("a".to_owned()));
    }

    #[test]
    fn their_number_is_bounded_and_the_oldest_goes_first() {
        let (tickets, acme) = (Tickets::default(), "acme".parse().unwrap());
        let first = tickets.issue(answer("a", "1"));
        let second = tickets.issue(answer("a", "2"));
        for _ in 1..CAP_OF_LOGIN {
            tickets.issue(answer("a", "3"));
        }
        assert_eq!(tickets.redeem(&acme, first.expose()), Redeemed::Unknown);
        assert_eq!(tickets.redeem(&acme, second.expose()), Redeemed::Answer(answer("a", "2")));
        for number in 0..CAP {
            tickets.issue(answer(&number.to_string(), "4"));
        }
        assert_eq!(tickets.tickets.lock().unwrap().len(), CAP);
        assert_eq!(tickets.redeem(&acme, second.expose()), Redeemed::Unknown);
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_ends_with_the_longest_life_of_a_login() {
        let (tickets, acme) = (Tickets::default(), "acme".parse().unwrap());
        let token = tickets.issue(answer("a", "code"));
        tokio::time::advance(LIFE).await;
        assert_eq!(tickets.redeem(&acme, token.expose()), Redeemed::Unknown);
        tickets.issue(answer("b", "code"));
        assert_eq!(tickets.tickets.lock().unwrap().len(), 1);
    }
}
