//! The gateway's endpoint: every request to it is signed, or made over a connection that shows a
//! certificate.

use bytes::Bytes;
use cs_model::Digest;
use cs_trust::request::{self, Outgoing};
use http::header::{HOST, HeaderMap, HeaderValue, InvalidHeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use anyhow::{Context as _, Result, bail};
use std::time::Duration;

use super::renewal::{self, Keys};
use super::tls::TlsFiles;
use crate::ambient;

/// Where messages go, and what they are signed with: nothing, where a certificate proves it all.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: Uri,
    authority: String,
    keys: Option<Keys>,
    /// Where a new key is handed over, where the URL says whose this is.
    renewal: Option<Uri>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Endpoint {
    /// An endpoint at a URL such as `http://127.0.0.1:7411/t/acme/mcp`.
    pub(super) fn new(url: &str, keys: Option<Keys>, tls: &TlsFiles) -> Result<Self> {
        let url: Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        let usual = match url.scheme_str() {
            Some("http") if tls.are_none() => 80,
            Some("http") => bail!("there are no certificates without TLS: `https://` is meant"),
            Some("https") => 443,
            Some(_) | None => bail!("the URL of the gateway begins with `http://` or `https://`"),
        };
        if url.query().is_some() {
            bail!("the URL of the gateway has no `?`: what follows it would not be signed");
        }
        let authority = match (url.host(), url.port_u16()) {
            (Some(host), None) => host.to_owned(),
            (Some(host), Some(port)) if port == usual => host.to_owned(),
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (None, _) => bail!("the URL names no host"),
        };
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(Duration::from_secs(10)));
        connector.enforce_http(false);
        let builder = HttpsConnectorBuilder::new().with_tls_config(match usual {
            443 => tls.read()?,
            _ => TlsFiles::unused()?,
        });
        let builder = if usual == 443 { builder.https_only() } else { builder.https_or_http() };
        let connector = builder.enable_http1().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let renewal = keys.as_ref().and_then(|_| renewal_of(&url));
        Ok(Self { url, authority, keys, renewal, client })
    }

    /// Sends a request and gives the answer as soon as its head is there.
    pub(super) async fn send(
        &self,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>> {
        self.send_to(&self.url, method, headers, body).await
    }

    async fn send_to(
        &self,
        url: &Uri,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>> {
        let mut request = Request::new(Full::new(body.clone()));
        *request.headers_mut() = headers;
        self.sign(url.path(), &method, &body, request.headers_mut())?;
        *request.method_mut() = method;
        *request.uri_mut() = url.clone();
        self.client.request(request).await.with_context(|| {
            let over = if self.url.scheme_str() == Some("https") {
                " A refused certificate ends the connection, too."
            } else {
                ""
            };
            format!("could not reach the gateway at {}; is it running?{over}", self.authority)
        })
    }

    /// Sees to it that the next session opens with the newest key that there is: asks the gateway
    /// for the one that takes the place of the one at hand, now and then or at once. What cannot be
    /// had now is asked for again later; the key at hand goes on.
    pub(super) async fn refresh(&self, at_once: bool) {
        let Some((keys, url)) = self.keys.as_ref().zip(self.renewal.as_ref()) else { return };
        if !keys.is_due(at_once) {
            return;
        }
        let _turn = keys.asking.lock().await;
        if keys.look_again() {
            return;
        }
        if let Err(problem) = self.ask(keys, url).await {
            eprintln!("countersign connect: the key was not renewed: {problem:#}");
        }
    }

    async fn ask(&self, keys: &Keys, url: &Uri) -> Result<()> {
        let asked = self.send_to(url, Method::POST, HeaderMap::new(), Bytes::new());
        let answer = tokio::time::timeout(Duration::from_secs(10), asked);
        // Whoever cannot be reached now says so to the message itself.
        let Ok(Ok(answer)) = answer.await else { return Ok(()) };
        if answer.status() != StatusCode::OK {
            return Ok(());
        }
        let body = Limited::new(answer.into_body(), renewal::MOST).collect().await;
        let body = body.map_err(|_| anyhow::anyhow!("the answer broke off"))?.to_bytes();
        keys.keep(&body)
    }

    /// Signs with the newest key from here on. Says whether it is another one.
    pub(super) fn adopt(&self) -> bool {
        self.keys.as_ref().is_some_and(Keys::adopt)
    }

    fn sign(
        &self,
        path: &str,
        method: &Method,
        body: &[u8],
        headers: &mut HeaderMap,
    ) -> Result<()> {
        let value = |text: String| -> Result<HeaderValue, InvalidHeaderValue> { text.try_into() };
        headers.insert(HOST, value(self.authority.clone())?);
        let Some(key) = self.keys.as_ref().map(Keys::current) else { return Ok(()) };
        let outgoing = Outgoing {
            method: method.as_str(),
            authority: &self.authority,
            path,
            body_digest: Digest::of(body),
        };
        let nonce = ambient::nonce()?;
        let signed = request::sign(&outgoing, &key.id, &key.secret, ambient::now(), &nonce)
            .context("could not sign the request; is the key file whole?")?;
        headers.insert("content-digest", value(signed.content_digest)?);
        headers.insert("signature-input", value(signed.signature_input)?);
        headers.insert("signature", value(signed.signature)?);
        Ok(())
    }
}

/// Where a new key is handed over, for an endpoint at `/t/{tenant}/..`.
fn renewal_of(url: &Uri) -> Option<Uri> {
    let tenant = url.path().strip_prefix("/t/")?.split('/').next().filter(|it| !it.is_empty())?;
    let path = format!("/t/{tenant}/credentials/renew");
    let mut parts = url.clone().into_parts();
    parts.path_and_query = Some(path.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_handed_over_beside_the_endpoint_of_the_same_tenant() {
        let of = |url: &str| renewal_of(&url.parse().unwrap()).map(|it| it.to_string());
        for url in ["http://h:1/t/acme/mcp", "http://h:1/t/acme/task/night/mcp"] {
            assert_eq!(of(url).as_deref(), Some("http://h:1/t/acme/credentials/renew"));
        }
        for url in ["http://h/mcp", "http://h/t/", "http://h/t//mcp"] {
            assert_eq!(of(url), None, "{url}");
        }
    }
}
