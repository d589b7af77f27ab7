//! Errands of which a client hears on a stream. Those of servers are not among them: it asks about
//! these.

use std::sync::Arc;

use cs_policy::Verdict;
use tokio::sync::mpsc;

use super::{Handle, Own, told};
use crate::authn::Warrant;
use crate::authz;
use crate::gate::Gate;
use crate::session::Live;

/// How much news may wait for a client that does not read. Whoever misses some hears the next.
const MOST_WAITING: usize = 64;

/// The errands of which one stream tells.
#[derive(Debug)]
pub(crate) struct Followed {
    all: Vec<(String, Arc<Own>)>,
    news: mpsc::Receiver<usize>,
}

/// Follows those errands of a session that are the gateway's own and not forgotten.
pub(crate) fn followed(gate: &Gate, live: &Live, ids: Vec<String>) -> Followed {
    let own = |id: String| match Handle::open(gate, live, &id) {
        Some(Handle::Own(approval)) => {
            let own = gate.errands.get(approval).filter(|own| own.session == live.id());
            own.map(|own| (id, own))
        }
        Some(Handle::Theirs(_)) | None => None,
    };
    let all: Vec<_> = ids.into_iter().filter_map(own).collect();
    let (teller, news) = mpsc::channel(MOST_WAITING);
    for (number, (_, own)) in all.iter().enumerate() {
        let (mut standing, teller) = (own.hear(), teller.clone());
        tokio::spawn(async move {
            loop {
                let ended = standing.borrow_and_update().0.is_final();
                if teller.send(number).await.is_err() || ended {
                    return;
                }
                let changed = tokio::select! {
                    changed = standing.changed() => changed.is_ok(),
                    () = teller.closed() => false,
                };
                if !changed {
                    return;
                }
            }
        });
    }
    Followed { all, news }
}

impl Followed {
    /// The next errand that stands elsewhere, by its number.
    pub(crate) async fn news(&mut self) -> usize {
        match self.news.recv().await {
            Some(number) => number,
            None => std::future::pending().await,
        }
    }

    /// What is said of them when the stream begins, if there are any.
    pub(crate) fn honoured(&self) -> Option<String> {
        let ids: Vec<&str> = self.all.iter().map(|(id, _)| id.as_str()).collect();
        (!ids.is_empty()).then(|| format!("\"taskIds\":{}", serde_json::Value::from(ids)))
    }

    /// Where one stands, as the parameters of a notification. Nothing where its call would not be
    /// allowed any more.
    pub(crate) fn told(
        &self,
        gate: &Gate,
        live: &Live,
        warrant: &Warrant,
        number: usize,
        meta: &str,
    ) -> Option<String> {
        let (id, own) = self.all.get(number)?;
        let matter = &own.matter;
        match authz::judge(gate, live, warrant, matter.wanted(), matter.given()) {
            Verdict::Deny(_) => None,
            Verdict::Allow(_) | Verdict::Hold(_) => {
                Some(told::of_own(own, id, |it| it.notified(meta)))
            }
        }
    }
}
