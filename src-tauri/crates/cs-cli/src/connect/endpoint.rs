//! The gateway's endpoint: every request to it is signed, or made over a connection that shows a
//! certificate.

use bytes::Bytes;
use cs_model::Digest;
use cs_trust::request::{self, Outgoing};
use http::header::{HOST, HeaderMap, HeaderValue, InvalidHeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use anyhow::{Context as _, Result, bail};
use std::time::Duration;

use super::key::Key;
use super::tls::TlsFiles;
use crate::ambient;

/// Where messages go, and what they are signed with: nothing, where a certificate proves it all.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: Uri,
    authority: String,
    key: Option<Key>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Endpoint {
    /// An endpoint at a URL such as `http://127.0.0.1:7411/t/acme/mcp`.
    pub(super) fn new(url: &str, key: Option<Key>, tls: &TlsFiles) -> Result<Self> {
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
            let over = if self.url.scheme_str() == Some("https") {
                " A refused certificate ends the connection, too."
            } else {
                ""
            };
            format!("could not reach the gateway at {}; is it running?{over}", self.authority)
        })
    }

    fn sign(&self, method: &Method, body: &[u8], headers: &mut HeaderMap) -> Result<()> {
        let value = |text: String| -> Result<HeaderValue, InvalidHeaderValue> { text.try_into() };
        headers.insert(HOST, value(self.authority.clone())?);
        let Some(key) = &self.key else { return Ok(()) };
        let outgoing = Outgoing {
            method: method.as_str(),
            authority: &self.authority,
            path: self.url.path(),
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
