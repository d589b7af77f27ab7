//! From a person's approval to the request that reaches the server: the console, the registry and
//! the gateway in one process, as in the app, and calls that are held meanwhile.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_tests::Agent;
use cs_control::{Control, Options};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::issuer::Issuer;
use crate::place::{PASSPHRASE, Place, program};
use crate::plan;
use crate::server::{self, Era};

/// How long a call may take to come to wait, or to be made.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn measure(issuer: &Issuer, rounds: usize) -> Value {
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let address = serve(arrived).await;
    let mut place = Place::made(issuer, &[]).await;
    let url = format!("http://{address}/mcp");
    place.ask(&["server", "add", "clicked", "--url", &url]).await;
    place.ask(&["grant", "set", "executor", "clicked/small", "token"]).await;
    place.ask(&["task", "create", "clicked", "--tool", "clicked/small"]).await;
    place.ask(&["agent", "create", "clicked", "--role", "executor", "--task", "clicked"]).await;
    let key = place.ask(&["credential", "issue", "clicked"]).await;
    place.end().await;

    let control = opened(&place).await;
    let gateway = ask(&control, "status", json!({})).await;
    let endpoint = format!("{}/t/acme/task/clicked/mcp", word(&gateway, "/gateway/url"));
    let (id, secret) = (word(&key, "/key_id"), word(&key, "/secret"));
    let agent = Arc::new(Agent::new(&endpoint, &id, &secret));
    let mut took = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let caller = Arc::clone(&agent);
        let about = json!({ "about": format!("round {round}") });
        let call = tokio::spawn(async move { caller.call("small", about).await });
        let shown = tokio::time::timeout(PATIENCE, waiting(&control)).await.expect("it waits");
        let approve = json!({
            "tenant": word(&shown, "/row/tenant"),
            "approval": word(&shown, "/row/id"),
            "shown": word(&shown, "/arguments_digest"),
        });
        let clicked = Instant::now();
        let approved = ask(&control, "approval_approve", approve);
        let arrival = tokio::time::timeout(PATIENCE, arrivals.recv());
        let (_, arrival) = tokio::join!(approved, arrival);
        let arrival: Instant = arrival.expect("it is made").expect("it arrives");
        took.push(arrival.duration_since(clicked).as_secs_f64() * 1e3);
        call.await.expect("an answer");
    }
    control.shutdown().await.expect("it ends");
    json!({ "rounds": rounds, "click_to_server_ms": plan::summary(&took) })
}

/// The console on that home, unlocked, with its gateway.
async fn opened(place: &Place) -> Control {
    let mut options = Options::new("the load", program("countersign"));
    options.serves = true;
    options.listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let control = Control::open(&place.home(), options).await.expect("the home opens");
    ask(&control, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    control
}

async fn ask(control: &Control, command: &str, args: Value) -> Value {
    let done = control.dispatch(&control.console(), command, args).await;
    done.unwrap_or_else(|failure| panic!("{command}: {failure:?}"))
}

/// The call that waits, once it is held for the person.
async fn waiting(control: &Control) -> Value {
    loop {
        let rows = ask(control, "approval_list", json!({})).await;
        if rows.pointer("/0/held") == Some(&Value::Bool(true)) {
            let (tenant, approval) = (word(&rows, "/0/tenant"), word(&rows, "/0/id"));
            let args = json!({ "tenant": tenant, "approval": approval });
            return ask(control, "approval_show", args).await;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn word(of: &Value, place: &str) -> String {
    let found = of.pointer(place).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {place} in {of}")).to_owned()
}

/// The server behind it, which says when each call arrives.
async fn serve(arrived: mpsc::UnboundedSender<Instant>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let arrived = arrived.clone();
            let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                if request.headers().get("mcp-method").is_some_and(|it| it == "tools/call") {
                    // Nobody listens any more once all was measured.
                    let _ = arrived.send(Instant::now());
                }
                async move { Ok::<_, Infallible>(server::answer(Era::Modern, request).await) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}
