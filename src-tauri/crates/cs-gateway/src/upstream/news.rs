//! What servers say of changes: whose they are, and what has changed.

use std::sync::Arc;

use cs_model::{Kind, ServerId, TenantId};
use serde_json::value::RawValue;
use tokio::sync::broadcast;

use crate::wire::Members;

/// How many changes may wait for somebody who does not listen. Whoever misses some looks anew.
const MOST: usize = 256;

/// The most bytes of the address of a resource.
const ADDRESS: usize = 2048;

/// What has changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum What {
    /// The list of the prompts.
    Prompts,
    /// The list of the resources.
    Resources,
    /// The list of the tools.
    Tools,
    /// What is at the address of a resource.
    Updated(Arc<str>),
}

impl What {
    /// The kind of things whose list has changed.
    pub(crate) const fn kind(&self) -> Option<Kind> {
        match self {
            Self::Prompts => Some(Kind::Prompt),
            Self::Resources => Some(Kind::Resource),
            Self::Tools => Some(Kind::Tool),
            Self::Updated(_) => None,
        }
    }

    /// Reads a notification of a server, if it is one of these.
    pub(super) fn read(method: &str, params: Option<&RawValue>) -> Option<Self> {
        match method {
            "notifications/prompts/list_changed" => Some(Self::Prompts),
            "notifications/resources/list_changed" => Some(Self::Resources),
            "notifications/tools/list_changed" => Some(Self::Tools),
            "notifications/resources/updated" => {
                let uri = Members::read(params?.get())?.text("uri")?;
                (uri.len() <= ADDRESS).then(|| Self::Updated(uri.into()))
            }
            _ => None,
        }
    }
}

/// A change at a server of a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) tenant: TenantId,
    pub(crate) server: ServerId,
    pub(crate) what: What,
}

/// Where changes are told.
#[derive(Clone, Debug)]
pub(super) struct News(broadcast::Sender<Change>);

impl Default for News {
    fn default() -> Self {
        Self(broadcast::Sender::new(MOST))
    }
}

impl News {
    pub(super) fn hear(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }

    /// What one server has to tell goes here.
    pub(super) fn of(&self, tenant: TenantId, server: ServerId) -> Teller {
        Teller { news: self.0.clone(), tenant, server }
    }
}

/// Where one server's changes are told.
#[derive(Clone, Debug)]
pub(super) struct Teller {
    news: broadcast::Sender<Change>,
    tenant: TenantId,
    server: ServerId,
}

impl Teller {
    pub(super) fn tell(&self, what: What) {
        // Nobody may be listening.
        let _ = self.news.send(Change { tenant: self.tenant, server: self.server, what });
    }
}
