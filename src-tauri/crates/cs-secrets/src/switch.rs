//! A store in whose place another one can be put while it is in use.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cs_model::Secret;
use tokio::sync::{RwLock, RwLockWriteGuard};

use crate::{SecretError, SecretStore};

/// A store in whose place another one can be put while it is in use. Whoever needs a secret
/// meanwhile waits until that is done.
#[derive(Debug)]
pub struct Switch {
    now: Mutex<Arc<dyn SecretStore>>,
    gate: RwLock<()>,
}

/// Holds everybody else off a [`Switch`].
#[derive(Debug)]
pub struct Alone<'s> {
    switch: &'s Switch,
    _held: RwLockWriteGuard<'s, ()>,
}

impl Switch {
    /// One that is this store so far.
    pub fn new(store: Arc<dyn SecretStore>) -> Self {
        Self { now: Mutex::new(store), gate: RwLock::default() }
    }

    /// Waits until nobody uses the store, and holds everybody off it.
    pub async fn alone(&self) -> Alone<'_> {
        Alone { switch: self, _held: self.gate.write().await }
    }

    fn now(&self) -> Arc<dyn SecretStore> {
        Arc::clone(&self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Alone<'_> {
    /// The store as it is.
    pub fn store(&self) -> Arc<dyn SecretStore> {
        self.switch.now()
    }

    /// Puts another store in its place.
    pub fn replace(&self, store: Arc<dyn SecretStore>) {
        *self.switch.now.lock().unwrap_or_else(PoisonError::into_inner) = store;
    }
}

#[async_trait]
impl SecretStore for Switch {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        let _passed = self.gate.read().await;
        self.now().get(name).await
    }

    async fn put(&self, name: &str, secret: &Secret) -> Result<(), SecretError> {
        let _passed = self.gate.read().await;
        self.now().put(name, secret).await
    }

    async fn reseal(
        &self,
        name: &str,
        secret: &Secret,
        before: &Secret,
        after: &Secret,
    ) -> Result<(), SecretError> {
        let _passed = self.gate.read().await;
        self.now().reseal(name, secret, before, after).await
    }

    async fn delete(&self, name: &str) -> Result<(), SecretError> {
        let _passed = self.gate.read().await;
        self.now().delete(name).await
    }

    fn is_sealed(&self) -> bool {
        self.now().is_sealed()
    }

    async fn unseal(&self, passphrase: &Secret) -> Result<(), SecretError> {
        let _passed = self.gate.read().await;
        self.now().unseal(passphrase).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Memory;

    #[tokio::test]
    async fn whoever_needs_a_secret_waits_for_the_store_that_comes() {
        let (old, new) = (Arc::new(Memory::default()), Arc::new(Memory::default()));
        let switch = Arc::new(Switch::new(Arc::clone(&old) as Arc<dyn SecretStore>));
        switch.put("a", &Secret::new(vec![1])).await.unwrap();

        let alone = switch.alone().await;
        let other = Arc::clone(&switch);
        let mut written =
            tokio::spawn(async move { other.put("b", &Secret::new(vec![2])).await.unwrap() });
        let early = tokio::time::timeout(Duration::from_millis(50), &mut written).await;
        assert!(early.is_err(), "it was written while the store was held");
        new.put("a", &alone.store().get("a").await.unwrap()).await.unwrap();
        alone.replace(Arc::clone(&new) as Arc<dyn SecretStore>);
        drop(alone);

        written.await.unwrap();
        assert_eq!(new.get("b").await.unwrap().expose(), [2]);
        assert!(matches!(old.get("b").await, Err(SecretError::Missing { .. })));
        assert_eq!(switch.get("a").await.unwrap().expose(), [1]);
    }
}
