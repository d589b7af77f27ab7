//! What the disk under the registry does, what that means for the gateway, and what to do.

use std::sync::{Arc, Weak};
use std::time::Duration;

use cs_model::event::{Actor, Event, EventKind};
use cs_registry::{OpenError, Registry, Trouble};

use crate::change::Topic;
use crate::control::{Control, Inner};
use crate::core::{Core, Slot};
use crate::failure::ControlError;

/// What happened, what it means, what to do: for the status.
pub(crate) fn explain(trouble: &Trouble) -> String {
    let (happened, remedy) = match trouble {
        Trouble::Damaged { what } => {
            return format!(
                "the registry is damaged ({what}), so nothing is served and nothing changed; \
                 stop Countersign and restore the registry from a backup"
            );
        }
        Trouble::Failing => ("fails", "look at what the system says of it"),
        Trouble::Full => ("is full", "make room"),
        Trouble::ReadOnly => ("is read-only", "make it writable"),
    };
    format!(
        "the disk that has the registry {happened}, so every call is refused: none could be put \
         on record; {remedy}, and the gateway goes on by itself"
    )
}

/// The same for one change that was refused.
pub(crate) fn refused(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Damaged { .. } => {
            "the registry is damaged, so nothing was changed; restore it from a backup"
        }
        Trouble::Failing => {
            "the disk that has the registry fails, so nothing was changed; look at what the \
             system says of it"
        }
        Trouble::Full => {
            "the disk that has the registry is full, so nothing was changed; make room and try \
             again"
        }
        Trouble::ReadOnly => {
            "the disk that has the registry is read-only, so nothing was changed; make it \
             writable and try again"
        }
    }
}

/// After how long a registry is looked at again whose pages could not be.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Looks at a large registry beside the work, and tells the screens what becomes of the disk. A
/// registry that is found damaged is not served from any longer.
pub(crate) fn follow(control: &Control, registry: &Registry) {
    if !registry.is_checked() {
        let registry = registry.clone();
        let here = Arc::downgrade(control.inner());
        tokio::spawn(async move {
            while let Err(error) = registry.check().await {
                tracing::error!(error = &error as &dyn std::error::Error, "the registry's pages");
                // What could not be looked at may yet be damaged.
                if matches!(error, OpenError::Damaged { .. }) || here.strong_count() == 0 {
                    return;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        });
    }
    let inner: Weak<Inner> = Arc::downgrade(control.inner());
    let mut health = registry.health();
    tokio::spawn(async move {
        while health.changed().await.is_ok() {
            let trouble = health.borrow_and_update().clone();
            let Some(inner) = inner.upgrade() else { return };
            if let Some(damaged @ Trouble::Damaged { .. }) = &trouble {
                stop(&inner, explain(damaged)).await;
            }
            inner.bell.ring(Topic::Status);
        }
    });
}

/// Serves nothing any longer.
async fn stop(inner: &Inner, why: String) {
    let _alone = inner.changing.lock().await;
    let Some(core) = inner.core() else { return };
    if let Slot::Serving(gateway, ..) = core.set_slot(Slot::Failed(why)) {
        gateway.stop().await;
    }
}

/// Whether something can be written now. Where nothing could before, it is tried by putting on
/// record that it can be again.
pub(crate) async fn is_writable(core: &Core) -> bool {
    let was = match core.registry.trouble() {
        None => return true,
        Some(Trouble::Damaged { .. }) => return false,
        Some(Trouble::Failing) => "the disk failed",
        Some(Trouble::Full) => "the disk was full",
        Some(Trouble::ReadOnly) => "the disk was read-only",
    };
    let event = Event {
        actor: Some(Actor::System),
        detail: Some(was.to_owned()),
        ..Event::new(EventKind::RegistryRecovered, core.now())
    };
    let written = core.registry.record(vec![event]).await.is_ok();
    if written {
        core.bell.ring(Topic::Audit);
    }
    written
}

/// Refuses to serve from a registry that is damaged.
pub(crate) fn check(core: &Core) -> Result<(), ControlError> {
    match core.registry.trouble() {
        Some(damaged @ Trouble::Damaged { .. }) => {
            Err(ControlError::Unavailable { message: explain(&damaged), source: None })
        }
        Some(Trouble::Failing | Trouble::Full | Trouble::ReadOnly) | None => Ok(()),
    }
}
