//! Secrets that are gone with the process. For tests.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use cs_model::Secret;

use crate::{SecretError, SecretStore};

/// Secrets that are gone with the process.
#[derive(Debug, Default)]
pub struct Memory {
    items: Mutex<HashMap<String, Secret>>,
}

impl Memory {
    /// What its secrets are called, in order.
    pub fn names(&self) -> Vec<String> {
        let items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = items.keys().cloned().collect();
        names.sort_unstable();
        names
    }
}

#[async_trait]
impl SecretStore for Memory {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        let items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items
            .get(name)
            .map(Secret::duplicate)
            .ok_or_else(|| SecretError::Missing { place: "memory", name: name.to_owned() })
    }

    async fn put(&self, name: &str, secret: &Secret) -> Result<(), SecretError> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.insert(name.to_owned(), secret.duplicate());
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }
}
