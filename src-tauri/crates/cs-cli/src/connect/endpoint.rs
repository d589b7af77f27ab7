//! The gateway's endpoint: every request to it is signed.

use bytes::Bytes;
use cs_model::Digest;
use cs_trust::request::{self, Outgoing};
use http::header::{HOST, HeaderMap, HeaderValue, InvalidHeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use anyhow::{Context as _, Result, bail};
use std::time::Duration;

use super::key::Key;
use crate::ambient;

/// Where messages go, and what they are signed with.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: Uri,
    authority: String,
    key: Key,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Endpoint {
    /// An endpoint at a URL such as `http://127.0.0.1:7411/t/acme/mcp`.
    pub(super) fn new(url: &str, key: Key) -> Result<Self> {
        let url: Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        if url.scheme_str() != Some("http") {
            bail!("the gateway speaks plain HTTP on loopback: the URL begins with `http://`");
        }
        if url.query().is_some() {
            bail!("the URL of the gateway has no `?`: what follows it would not be signed");
        }
        let authority = match (url.host(), url.port_u16()) {
            (Some(host), None | Some(80)) => host.to_owned(),
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (None, _) => bail!("the URL names no host"),
        };
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(Duration::from_secs(10)));
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { url, authority, key, client })
    }

    /// Sends a request and gives the answer as soon as its head is there.
    pub(super) async fn send(
        &self,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>> {
        let mut request = Request::new(Full::new(body.clone()));
        *request.headers_mut() = headers;
        self.sign(&method, &body, request.headers_mut())?;
        *request.method_mut() = method;
        *request.uri_mut() = self.url.clone();
        self.client.request(request).await.with_context(|| {
            format!("could not reach the gateway at {}; is it running?", self.authority)
        })
    }

    fn sign(&self, method: &Method, body: &[u8], headers: &mut HeaderMap) -> Result<()> {
        let outgoing = Outgoing {
            method: method.as_str(),
            authority: &self.authority,
            path: self.url.path(),
            body_digest: Digest::of(body),
        };
        let nonce = ambient::nonce()?;
        let signed =
            request::sign(&outgoing, &self.key.id, &self.key.secret, ambient::now(), &nonce)
                .context("could not sign the request; is the key file whole?")?;
        let value = |text: String| -> Result<HeaderValue, InvalidHeaderValue> { text.try_into() };
        headers.insert(HOST, value(self.authority.clone())?);
        headers.insert("content-digest", value(signed.content_digest)?);
        headers.insert("signature-input", value(signed.signature_input)?);
        headers.insert("signature", value(signed.signature)?);
        Ok(())
    }
}
