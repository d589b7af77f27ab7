//! What ten thousand idle sessions cost: real ones, of as many credentials, opened over HTTP.

use std::sync::Arc;
use std::time::Duration;

use cs_model::CredentialId;
use cs_model::event::{Actor, Event, EventKind};
use cs_registry::credential::{NewCredential, Proof as Proven};
use cs_registry::{Registry, agent, credential, provider, tenant};
use serde_json::{Value, json};

use crate::issuer::{Issuer, now};
use crate::place::Place;
use crate::server::Era;
use crate::wire::{Errand, Proof, Wire, is_good};

const SESSIONS: u32 = 10_000;
const CONNECTIONS: u32 = 40;

/// Opens them, and says how much memory the process has before and after.
pub(crate) async fn measure(place: &mut Place, issuer: &Issuer) -> Value {
    place.end().await;
    register(place).await;
    place.serve().await;
    // What the process needs to serve at all it needs before, too.
    let errand = place.by_token(issuer, Era::Modern).await.calling("small");
    crate::drive::closed(&Arc::new(errand), 32, Duration::from_millis(500)).await;
    let before = place.memory();
    let place = &*place;
    let each = SESSIONS / CONNECTIONS;
    let opened = (0..CONNECTIONS).map(|connection| async move {
        let endpoint = place.endpoint(Era::Modern);
        let mut wire = None;
        for number in connection * each..(connection + 1) * each {
            let token = issuer.token(&subject(number), &endpoint);
            let path = endpoint.trim_start_matches("http://").trim_start_matches(&place.address);
            let errand = Errand::new(&place.address, path, Era::Modern, Proof::Token(token));
            let wire = match &mut wire {
                None => wire.insert(Wire::open(&errand).await),
                Some(wire) => {
                    wire.is_of(&errand);
                    wire
                }
            };
            let (status, body) = wire.ask(&errand).await;
            assert!(is_good(status, &body), "{status} {}", String::from_utf8_lossy(&body));
        }
    });
    futures_util::future::join_all(opened).await;
    let after = place.memory();
    let sessions = place.ask(&["session", "list"]).await;
    let live = sessions.as_array().map_or(0, Vec::len);
    let cost = after.saturating_sub(before);
    json!({
        "sessions": CONNECTIONS * each,
        "listed_at_most": live,
        "before_bytes": before,
        "after_bytes": after,
        "cost_mib": mib(cost),
    })
}

/// Bytes as MiB, to one decimal.
fn mib(bytes: u64) -> f64 {
    let tenths = (bytes * 10) >> 20;
    f64::from(u32::try_from(tenths).expect("not that much")) / 10.0
}

fn subject(number: u32) -> String {
    format!("idle-{number:05}")
}

/// Gives one agent as many credentials, in one change.
async fn register(place: &Place) {
    let registry = Registry::open(&place.registry()).await.expect("a registry");
    let mut change = registry.begin().await.expect("a change");
    let tenants = tenant::list(&mut change).await.expect("tenants");
    let tenant = tenants.first().expect("a tenant").id;
    let agents = agent::list(&mut change, tenant).await.expect("agents");
    let agent = agents.iter().find(|it| it.name.as_str() == "modern").expect("the agent").id;
    let providers = provider::list(&mut change, tenant).await.expect("providers");
    let provider = providers.first().expect("a provider").id;
    for number in 0..SESSIONS {
        let subject = subject(number);
        let new = NewCredential {
            id: CredentialId::from_random((u128::from(number) << 96).to_be_bytes()),
            tenant,
            agent,
            key_id: format!("{provider}/{subject}"),
            proof: Proven::External { provider, subject },
            sealed_secret: None,
            networks: Vec::new(),
            tasks: None,
            created: now(),
            expires: now().after(Duration::from_secs(86_400)),
        };
        credential::issue(&mut change, &new).await.expect("a credential");
    }
    let mut event = Event::new(EventKind::AdminChanged, now());
    event.actor = Some(Actor::System);
    change.commit(&[event]).await.expect("it is kept");
    registry.close().await.expect("it closes");
}
