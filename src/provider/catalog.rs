//! The providers that the operator offers, by name and alias.
//!
//! Owns look-up. Invariant: a name or alias leads to one provider; iteration is by name, always in the same order.
//! Must not: change after it is built.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Provider;
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
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    by_name: Arc<BTreeMap<ProviderName, Arc<Provider>>>,
    aliases: Arc<BTreeMap<String, ProviderName>>,
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
        if clashes.is_empty() {
            Ok(Self { by_name: Arc::new(by_name), aliases: Arc::new(aliases) })
        } else {
            Err(clashes)
        }
    }

    /// The provider of a stored name. Aliases do not count.
    #[must_use]
    pub fn get(&self, name: &ProviderName) -> Option<&Arc<Provider>> {
        self.by_name.get(name)
    }

    /// The provider that somebody means by `text`: a name or alias, in any case.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<&Arc<Provider>> {
        let folded = text.trim().to_ascii_lowercase();
        if let Some(name) = self.aliases.get(&folded) {
            return self.by_name.get(name);
        }
        self.by_name.get(&folded.parse().ok()?)
    }

    /// All providers, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.by_name.values()
    }

    /// Those that somebody can sign in to today, by name.
    pub fn open(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.iter().filter(|provider| provider.is_open())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}
