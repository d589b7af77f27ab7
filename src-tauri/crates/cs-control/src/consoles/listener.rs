//! Where consoles on other machines are let in, and which of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cs_model::event::{Actor as EventActor, Event, EventKind};
use cs_model::{CorrelationId, Digest, Timestamp};
use cs_registry::console::{self, Console};
use cs_registry::operator::{self, Operator};
use cs_trust::tls::ConsoleTls;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use super::Time;
use super::links::{Handshake, Place};
use crate::change::Topic;
use crate::control::Control;
use crate::core::Core;
use crate::failure::{ControlError, ErrorCode, Failure};
use crate::socket::{Asks, Rules, refusal, serve, tell};
use crate::unlock::{Seat, Whose};
use crate::{authority, lifecycle};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a console may be silent; one that is there says so more often.
const RULES: Rules =
    Rules { idle: Some(Duration::from_secs(60)), line: Some(Duration::from_secs(30)) };

/// How long consoles may take to leave when nobody is let in any more.
const LEAVING: Duration = Duration::from_secs(5);

/// How long the gateway's certificate towards consoles lives, and how long it is used.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const USE: Duration = Duration::from_secs(20 * 24 * 60 * 60);

/// What lets consoles in.
#[derive(Debug)]
pub(super) struct Running {
    /// Where it was asked to.
    wanted: SocketAddr,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

/// Takes an address, before anything is changed.
///
/// # Errors
///
/// When it cannot be had.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, ControlError> {
    TcpListener::bind(address).await.map_err(|source| {
        let message = format!("consoles cannot be let in at {address}, so nothing was changed");
        ControlError::unavailable(message, source)
    })
}

/// Where consoles are to be let in: flags win.
pub(crate) fn wanted(control: &Control, core: &Core) -> Option<SocketAddr> {
    let set = core.serving_set().and_then(|it| it.consoles);
    control.inner().options.consoles.or(set)
}

/// Lets consoles in where that is set, and nowhere else. `bound` is the address, where it was taken
/// already. What goes wrong is shown where it is set.
pub(crate) async fn keep_as_set(control: &Control, bound: Option<TcpListener>) {
    let Ok(core) = control.core() else { return };
    let wanted = wanted(control, &core);
    let mut running = core.consoles.running.lock().await;
    if running.is_some() && running.as_ref().map(|it| it.wanted) == wanted {
        return;
    }
    end(&core, running.take()).await;
    core.consoles.set_problem(None);
    let Some(address) = wanted else { return };
    match start(control, &core, address, bound).await {
        Ok(started) => *running = Some(started),
        Err(error) => {
            tracing::error!(%error, "consoles are not let in");
            core.consoles.set_problem(Some(error.to_string()));
        }
    }
    control.changed(Topic::Status);
}

/// Lets nobody in any more, and cuts off who is there.
pub(crate) async fn stop(core: &Arc<Core>) {
    let running = core.consoles.running.lock().await.take();
    end(core, running).await;
}

async fn end(core: &Core, running: Option<Running>) {
    let Some(Running { stop, task, .. }) = running else { return };
    stop.send_replace(true);
    let _ = task.await;
    core.consoles.set_address(None);
}

async fn start(
    control: &Control,
    core: &Arc<Core>,
    wanted: SocketAddr,
    bound: Option<TcpListener>,
) -> Result<Running, ControlError> {
    let listener = match bound {
        Some(listener) => listener,
        None => bind(wanted).await?,
    };
    let serving = Serving::issue(core).await?;
    let address = listener.local_addr();
    let address = address
        .map_err(|source| ControlError::internal("ask where consoles are let in", source))?;
    core.consoles.set_address(Some(address));
    let (stop, stopping) = watch::channel(false);
    let (control, core) = (control.clone(), Arc::clone(core));
    let task = tokio::spawn(accept(listener, control, core, serving, stopping));
    Ok(Running { wanted, stop, task })
}

/// What handshakes are made with, until it is to be renewed.
struct Serving {
    config: Arc<ServerConfig>,
    renew: Timestamp,
}

impl Serving {
    async fn issue(core: &Core) -> Result<Self, ControlError> {
        let correlation = CorrelationId::from_random(core.random()?);
        let alone = core.hold().await?;
        let signer = authority::of_consoles(core).await?;
        let mut edit = core.edit_alone_as(alone, EventActor::System, correlation).await?;
        let signer = signer.enter(&mut edit).await?;
        let at = edit.at();
        let name = cs_trust::console::server_name(&core.registry.instance().id.to_string());
        let failed =
            |source| ControlError::internal("issue a certificate towards consoles", source);
        let leaf = signer.issue_server(&[name], core.random()?, at, LIFETIME).map_err(failed)?;
        let key = leaf.key_pem.ok_or(ControlError::NotFound { what: "key" })?;
        edit.keep().await?;
        let time = Arc::new(Time(Arc::clone(&core.clock)));
        let config =
            ConsoleTls::server(&leaf.certificate_pem, &key, signer.certificate_pem(), time);
        let config =
            config.map_err(|source| ControlError::internal("set TLS up for consoles", source))?;
        Ok(Self { config, renew: at.after(USE) })
    }
}

async fn accept(
    listener: TcpListener,
    control: Control,
    core: Arc<Core>,
    mut serving: Serving,
    mut stopping: watch::Receiver<bool>,
) {
    let mut clients = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        while clients.try_join_next().is_some() {}
        let Ok((stream, from)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let under_way = core.consoles.handshake(from.ip());
        if core.now() >= serving.renew {
            match Serving::issue(&core).await {
                Ok(next) => serving = next,
                Err(error) => tracing::error!(%error, "the certificate was not renewed"),
            }
        }
        let (control, core) = (control.clone(), Arc::clone(&core));
        let config = Arc::clone(&serving.config);
        clients.spawn(async move { greet(&control, &core, config, stream, from, under_way).await });
    }
    core.consoles.cut(|_| true);
    let leave = async { while clients.join_next().await.is_some() {} };
    // Whoever does not leave in time is left.
    let _ = timeout(LEAVING, leave).await;
    clients.shutdown().await;
}

/// Makes the handshake, and serves a console that is in force.
async fn greet(
    control: &Control,
    core: &Arc<Core>,
    config: Arc<ServerConfig>,
    stream: TcpStream,
    from: SocketAddr,
    mut under_way: Handshake,
) {
    let shaken = async {
        stream.set_nodelay(true)?;
        TlsAcceptor::from(config).accept(stream).await
    };
    let shaken = tokio::select! {
        shaken = timeout(HANDSHAKE, shaken) => shaken,
        // Somebody else has its place: it took too long for that.
        _ = under_way.ends.wait_for(|ends| *ends) => return,
    };
    let stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return refused(core, from, "console_handshake", Some(&error)).await,
        Err(_) => return refused(core, from, "console_handshake_slow", None).await,
    };
    drop(under_way);
    match admit(core, &stream, from).await {
        Ok((console, operator, place, seat)) => {
            let own = control.at(Arc::clone(&seat));
            let ends = place.ends.clone();
            serve(stream, &own, Asks::Seated, RULES, ends).await;
            // Whatever becomes of the connection, nobody is in front of it any more.
            if seat.lock().is_some()
                && let Err(error) = lifecycle::record_lock(core, operator.id, "left", &seat).await
            {
                tracing::error!(%error, "that a console was locked is not on record");
            }
            let left = about(core, EventKind::ConsoleLeft, &console, from);
            if let Err(error) = core.registry.record(vec![left]).await {
                tracing::error!(%error, "that a console left is not on record");
            }
            drop(place);
            told(core);
        }
        Err((code, failure)) => {
            refused(core, from, code, None).await;
            tell(stream, failure).await;
        }
    }
}

type Admitted = (Console, Operator, Place, Arc<Seat>);

/// Finds the console that a certificate is, if it is in force.
async fn admit(
    core: &Arc<Core>,
    stream: &TlsStream<TcpStream>,
    from: SocketAddr,
) -> Result<Admitted, (&'static str, Failure)> {
    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let fingerprint = shown.map(|leaf| Digest::of(leaf)).ok_or_else(unknown)?;
    let (console, operator) = standing(core, fingerprint).await?;
    let whose = Whose { operator: operator.id, from: from.to_string() };
    let seat = Arc::new(Seat::of(whose, core.consoles.tries(console.id)));
    let who = (console.id, operator.id);
    let place = core.consoles.connect(who, console.expires, from, Arc::clone(&seat));
    let place = place.ok_or_else(|| {
        ("console_too_many", unavailable("this console has too many connections; close some"))
    })?;
    // INVARIANT: looked up again now that it can be cut off, or a console that is revoked between
    // the two would stay.
    standing(core, fingerprint).await?;
    let attached = about(core, EventKind::ConsoleAttached, &console, from);
    core.registry
        .record(vec![attached])
        .await
        .map_err(|_| ("console_unrecorded", unavailable("nothing can be put on record now")))?;
    told(core);
    Ok((console, operator, place, seat))
}

/// The console with this certificate and its operator, while both are in force.
async fn standing(
    core: &Core,
    fingerprint: Digest,
) -> Result<(Console, Operator), (&'static str, Failure)> {
    let looked = async {
        let mut db = core.registry.read().await?;
        let all = console::list(&mut db).await?;
        Ok::<_, ControlError>((all, operator::list(&mut db).await?))
    };
    let (all, operators) = looked
        .await
        .map_err(|_| ("console_unknown", unavailable("the registry does not answer")))?;
    let found = all.into_iter().find(|it| it.fingerprint == fingerprint).ok_or_else(unknown)?;
    if found.revoked.is_some() {
        let why = "this console was revoked; have an owner enrol it anew";
        return Err(("console_revoked", refusal(why)));
    }
    if core.now().secs() > found.expires.secs() {
        let why = "the certificate of this console has ended; have an owner enrol it anew";
        return Err(("console_expired", refusal(why)));
    }
    let whose = operators.into_iter().find(|it| it.id == found.operator && it.removed.is_none());
    Ok((found, whose.ok_or_else(unknown)?))
}

fn unknown() -> (&'static str, Failure) {
    ("console_unknown", refusal("this gateway does not know this console"))
}

fn unavailable(message: &str) -> Failure {
    Failure { code: ErrorCode::Unavailable, ..refusal(message) }
}

fn about(core: &Core, kind: EventKind, console: &Console, from: SocketAddr) -> Event {
    Event {
        actor: Some(EventActor::Operator { id: console.operator }),
        client: Some(from.to_string()),
        detail: Some(format!("`{}`", console.name)),
        ..Event::new(kind, core.now())
    }
}

/// Puts on record that somebody was not let in. There is nobody to be told if that does not work.
async fn refused(
    core: &Core,
    from: SocketAddr,
    reason: &'static str,
    error: Option<&std::io::Error>,
) {
    let now = core.now();
    if let Some(error) = error {
        tracing::info!(%from, %error, "a console's handshake failed");
    }
    if !core.consoles.is_news(from.ip(), now) {
        return;
    }
    let event = Event {
        client: Some(from.to_string()),
        reason: Some(reason.to_owned()),
        ..Event::new(EventKind::ConsoleRefused, now)
    };
    if let Err(error) = core.registry.record(vec![event]).await {
        tracing::error!(%error, reason, "that a console was refused is not on record");
    }
    core.bell.ring(Topic::Audit);
}

fn told(core: &Core) {
    for topic in [Topic::Audit, Topic::Registry] {
        core.bell.ring(topic);
    }
}
