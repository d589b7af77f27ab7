//! The reference: a reverse proxy that looks at nothing. The same HTTP stack as the gateway's, with
//! connections that are kept on both sides, and bodies that pass as they come.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Either, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// Prints its address, and passes everything on to `to`, an address and a port.
pub(crate) async fn run(to: &str) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    let target: Uri = format!("http://{to}/mcp").parse().expect("an address");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let (client, target) = (client.clone(), target.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (client, target) = (client.clone(), target.clone());
            async move {
                let (mut parts, body) = request.into_parts();
                parts.uri = target;
                hop_by_hop(&mut parts.headers);
                parts.headers.remove(header::HOST);
                let answer = match client.request(Request::from_parts(parts, body)).await {
                    Ok(answer) => {
                        let (mut parts, body) = answer.into_parts();
                        hop_by_hop(&mut parts.headers);
                        Response::from_parts(parts, Either::Left(body))
                    }
                    Err(_) => {
                        let nothing = Empty::<Bytes>::new().map_err(|never| match never {});
                        let mut answer = Response::new(Either::Right(nothing));
                        *answer.status_mut() = StatusCode::BAD_GATEWAY;
                        answer
                    }
                };
                Ok::<_, Infallible>(answer)
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Takes away what concerns one connection alone.
fn hop_by_hop(headers: &mut HeaderMap) {
    for name in [header::CONNECTION, header::TE, header::TRAILER, header::UPGRADE] {
        headers.remove(name);
    }
}
