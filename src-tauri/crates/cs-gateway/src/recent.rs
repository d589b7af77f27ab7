//! What was needed recently, within bounds.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Values that were put in or asked for recently: at least the last `most / 2` of them, and never
/// more than `most`. Both halves are turned over as a whole, so that nothing costs more than a
/// look-up.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    halves: Mutex<Halves<K, V>>,
    most: usize,
}

#[derive(Debug)]
struct Halves<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Clone + Eq + Hash, V: Clone> Recent<K, V> {
    /// Nothing yet.
    pub(crate) fn new(most: usize) -> Self {
        Self { halves: Mutex::new(Halves { young: HashMap::new(), old: HashMap::new() }), most }
    }

    /// A value, which counts as needed.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = halves.young.get(key) {
            return Some(value.clone());
        }
        let value = halves.old.remove(key)?;
        halves.put(key.clone(), value.clone(), self.most);
        Some(value)
    }

    /// Whether a value is there, which does not count as needing it.
    pub(crate) fn has(&self, key: &K) -> bool {
        let halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.young.contains_key(key) || halves.old.contains_key(key)
    }

    /// Takes a value out.
    pub(crate) fn forget(&self, key: &K) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.young.remove(key);
        halves.old.remove(key);
    }

    /// Puts a value in.
    pub(crate) fn put(&self, key: K, value: V) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.old.remove(&key);
        halves.put(key, value, self.most);
    }
}

impl<K: Eq + Hash, V> Halves<K, V> {
    fn put(&mut self, key: K, value: V, most: usize) {
        if self.young.len() >= (most / 2).max(1) && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let recent = Recent::new(10);
        recent.put(0, "kept");
        for key in 1..100 {
            recent.put(key, "new");
            assert_eq!(recent.get(&0), Some("kept"), "{key}");
        }
        assert_eq!(recent.get(&1), None);
        assert_eq!(recent.get(&99), Some("new"));
        assert!(recent.has(&0) && recent.has(&99) && !recent.has(&1));
        recent.forget(&99);
        assert_eq!(recent.get(&99), None);
        let halves = recent.halves.lock().unwrap();
        assert!(halves.young.len() + halves.old.len() <= 10);
    }
}
