//! What happens in between.

use std::sync::Mutex;

/// Something that happens once, at a moment that no test could hit.
#[derive(Default)]
pub(in crate::tests) struct Meanwhile(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Meanwhile {
    pub(in crate::tests) fn set(&self, what: impl FnOnce() + Send + 'static) {
        *self.0.lock().unwrap() = Some(Box::new(what));
    }

    pub(super) fn happen(&self) {
        let what = self.0.lock().unwrap().take();
        what.into_iter().for_each(|it| it());
    }
}

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meanwhile")
    }
}
