//! The providers that the operator offers, by name and alias.
//!
//! Owns look-up, and [`Offer`], the catalog in force. Invariants: a name or alias leads to one provider; iteration is by name,
//! always in the same order; a catalog never changes, so that who decides by one decides by one configuration, however often
//! it is looked into.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::Instant;

use super::Provider;
use crate::pending::LONGEST_LIFE;
use crate::tenant::ProviderName;

/// Two providers that would answer to one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{first} and {second} both answer to {name:?}: remove that alias from one of them")]
pub struct Clash {
    /// The name in question.
    pub name: String,
    /// The provider that has it.
    pub first: ProviderName,
    /// The provider that wants it too.
    pub second: ProviderName,
}

/// All providers on offer. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog(Arc<Index>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Index {
    by_name: BTreeMap<ProviderName, Arc<Provider>>,
    aliases: BTreeMap<String, ProviderName>,
}

impl Catalog {
    /// Collects `providers`.
    ///
    /// # Errors
    /// Every name or alias that two of them share.
    pub fn new(providers: impl IntoIterator<Item = Provider>) -> Result<Self, Vec<Clash>> {
        let mut clashes = Vec::new();
        let mut by_name = BTreeMap::new();
        for provider in providers {
            let name = provider.name.clone();
            if by_name.insert(name.clone(), Arc::new(provider)).is_some() {
                clashes.push(Clash { name: name.to_string(), first: name.clone(), second: name });
            }
        }
        let mut aliases: BTreeMap<String, ProviderName> = BTreeMap::new();
        for provider in by_name.values() {
            for alias in &provider.aliases {
                let owner = by_name.keys().find(|name| name.as_str() == alias).or_else(|| aliases.get(alias));
                match owner {
                    Some(owner) if *owner != provider.name => clashes.push(Clash {
                        name: alias.clone(),
                        first: owner.clone(),
                        second: provider.name.clone(),
                    }),
                    Some(_) => {}
                    None => {
                        aliases.insert(alias.clone(), provider.name.clone());
                    }
                }
            }
        }
        if clashes.is_empty() { Ok(Self(Arc::new(Index { by_name, aliases }))) } else { Err(clashes) }
    }

    /// The provider of a stored name. Aliases do not count.
    #[must_use]
    pub fn get(&self, name: &ProviderName) -> Option<&Arc<Provider>> {
        self.0.by_name.get(name)
    }

    /// The provider that somebody means by `text`: a name or alias, in any case.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<&Arc<Provider>> {
        let folded = text.trim().to_ascii_lowercase();
        if let Some(name) = self.0.aliases.get(&folded) {
            return self.0.by_name.get(name);
        }
        self.0.by_name.get(&folded.parse().ok()?)
    }

    /// All providers, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.0.by_name.values()
    }

    /// Those that somebody can sign in to today, by name.
    pub fn open(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.iter().filter(|provider| provider.is_open())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.by_name.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.by_name.is_empty()
    }
}

/// The catalog in force, which a reload of the configuration replaces for every clone at once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Offer(Arc<ArcSwap<Standing>>);

#[derive(Debug)]
struct Standing {
    catalog: Catalog,
    /// What is offered so no more, with since when: logins that began by it go on by it (C10). The latest last.
    former: Vec<(Instant, Arc<Provider>)>,
}

impl From<Catalog> for Offer {
    fn from(catalog: Catalog) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Standing { catalog, former: Vec::new() })))
    }
}

impl Offer {
    /// What is on offer now.
    #[must_use]
    pub fn now(&self) -> Catalog {
        self.0.load().catalog.clone()
    }

    /// Offers `catalog` from here on.
    pub(crate) fn replace(&self, catalog: &Catalog) {
        let now = Instant::now();
        // No login is older than that.
        let life = Duration::from_secs(LONGEST_LIFE.unsigned_abs());
        self.0.rcu(|standing| {
            let mut former = standing.former.clone();
            former.retain(|(since, _)| now.duration_since(*since) <= life);
            let replaced = standing.catalog.iter().filter(|was| catalog.get(&was.name) != Some(was));
            former.extend(replaced.map(|was| (now, Arc::clone(was))));
            Standing { catalog: catalog.clone(), former }
        });
    }

    /// The provider `name` as a login knows it that began with the client `client`: as configured now, unless that is another
    /// client, or none, and it was that client's before (C10).
    pub(crate) fn of_login(&self, name: &ProviderName, client: Option<&str>) -> Option<Arc<Provider>> {
        let standing = self.0.load();
        let is_theirs = |provider: &Arc<Provider>| {
            let theirs = provider.client_id.as_deref();
            provider.name == *name && (client.is_none() || theirs.is_none() || theirs == client)
        };
        let current = standing.catalog.get(name);
        let former = || standing.former.iter().rev().map(|(_, was)| was).find(|was| is_theirs(was));
        current.filter(|current| is_theirs(current)).or_else(former).or(current).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn catalog(tables: &str) -> Catalog {
        let text = tables.replace("{}", "issuer = \"https://id.example\"\nflows = [\"paste\"]\nredirect_uri = \"http://127.0.0.1:8765/cb\"\n");
        Config::parse(&text, std::path::Path::new("latchkey.toml"), &|_| None)
            .expect("a configuration")
            .providers
    }

    /// C10: a login goes on with the client it began with, as long as one can be open; all else is as configured now.
    #[tokio::test(start_paused = true)]
    async fn a_login_keeps_its_client_and_nobody_else_does() {
        let acme = |client: &str| catalog(&format!("[providers.acme]\nclient_id = \"{client}\"\n{{}}"));
        let name: ProviderName = "acme".parse().unwrap();
        let offer = Offer::from(acme("old"));
        let seen = offer.clone();
        let of = |client: Option<&str>| {
            seen.of_login(&name, client).map(|found| found.client_id.clone().unwrap_or_default())
        };
        let texts = |found: [Option<String>; 3]| found.map(Option::unwrap_or_default).join(" ");
        offer.replace(&acme("new"));
        assert_eq!(seen.now(), acme("new"));
        assert_eq!(texts([of(Some("old")), of(Some("new")), of(None)]), "old new new");
        // Told again, nothing has changed; gone, both go on.
        offer.replace(&acme("new"));
        offer.replace(&Catalog::default());
        assert!(seen.now().is_empty());
        assert_eq!(texts([of(Some("old")), of(Some("new")), of(None)]), "old new new");
        assert_eq!(offer.0.load().former.len(), 2);
        tokio::time::advance(Duration::from_secs(LONGEST_LIFE.unsigned_abs() + 1)).await;
        offer.replace(&Catalog::default());
        assert_eq!(texts([of(Some("old")), of(Some("new")), of(None)]), "  ", "nobody is kept for ever");
    }
}
