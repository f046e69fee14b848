//! A handful of things by id.
//!
//! A page has one socket, two captures and at most a dozen connections. A list serves them as fast
//! as a tree, and each kind of tree would cost every visitor kilobytes to load.

/// Things by id, each id once.
#[derive(Debug)]
pub(super) struct Table<K, V>(Vec<(K, V)>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Copy + PartialEq, V> Table<K, V> {
    fn position(&self, id: K) -> Option<usize> {
        self.0.iter().position(|(known, _)| *known == id)
    }

    /// Puts a thing in and returns the one that had its id.
    pub(super) fn insert(&mut self, id: K, thing: V) -> Option<V> {
        let before = self.remove(id);
        self.0.push((id, thing));
        before
    }

    pub(super) fn get(&self, id: K) -> Option<&V> {
        self.0.get(self.position(id)?).map(|(_, thing)| thing)
    }

    pub(super) fn get_mut(&mut self, id: K) -> Option<&mut V> {
        let at = self.position(id)?;
        self.0.get_mut(at).map(|(_, thing)| thing)
    }

    pub(super) fn contains(&self, id: K) -> bool {
        self.position(id).is_some()
    }

    pub(super) fn remove(&mut self, id: K) -> Option<V> {
        let at = self.position(id)?;
        Some(self.0.swap_remove(at).1)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every id, in no order.
    pub(super) fn ids(&self) -> impl Iterator<Item = K> {
        self.0.iter().map(|(id, _)| *id)
    }

    /// Every thing, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, thing)| thing)
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn an_id_has_one_thing() {
        let mut table = Table::default();
        assert_eq!(table.insert(1, "a"), None);
        assert_eq!(table.insert(2, "b"), None);
        assert_eq!(table.insert(1, "c"), Some("a"));
        assert_eq!(table.values().count(), 2);
        assert_eq!(table.get(1), Some(&"c"));
        assert_eq!(table.remove(1), Some("c"));
        assert!(!table.contains(1));
        assert_eq!(table.get_mut(2), Some(&mut "b"));
    }
}
