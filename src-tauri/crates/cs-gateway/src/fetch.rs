//! Small documents of identity providers, fetched as if everybody on the way were hostile: no
//! redirects, no proxies, no cookies, nothing compressed, an end to time and size, and only
//! addresses that an identity provider may be at. Notices are delivered in the same way.

use std::error::Error as _;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cs_model::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::upstream::egress::{Reach, Tcp};

type Body = Full<Bytes>;
type Secure = Client<HttpsConnector<Tcp>, Body>;

/// How long a key set or metadata may take, and how large it may be.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const MOST: usize = 256 * 1024;

/// Why nothing was fetched, in one line for operators.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum FetchError {
    /// The URL is not one that is fetched from.
    #[error("the URL is not acceptable: {0}")]
    Url(&'static str),
    /// There was no connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// It answered with another status than 200.
    #[error("it answered {0}")]
    Status(u16),
    /// The answer is longer than it may be, is compressed or broke off.
    #[error("its answer was not read: {0}")]
    Body(&'static str),
    /// It did not answer in time.
    #[error("it did not answer in time")]
    Late,
}

/// What is posted, and as whom.
#[derive(Debug)]
pub(crate) struct Form<'f> {
    pub(crate) fields: &'f [(&'f str, &'f str)],
    pub(crate) client: &'f str,
    pub(crate) secret: &'f Secret,
}

/// Fetches documents. Connections are not kept: whoever is asked once in minutes need not be.
#[derive(Debug, Default)]
pub(crate) struct Fetcher {
    public: OnceLock<Option<Secure>>,
    private: OnceLock<Option<Secure>>,
}

impl Fetcher {
    /// Fetches a document.
    pub(crate) async fn get(&self, url: &str, reach: Reach) -> Result<Bytes, FetchError> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = acceptable(url, reach)?;
        timeout(PATIENCE, self.exchange(request, reach)).await.map_err(|_| FetchError::Late)?
    }

    /// Posts a form.
    pub(crate) async fn post(
        &self,
        url: &str,
        reach: Reach,
        form: &Form<'_>,
        patience: Duration,
    ) -> Result<Bytes, FetchError> {
        let fields: Vec<_> =
            form.fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let mut request = Request::new(Full::from(fields.join("&")));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = acceptable(url, reach)?;
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, kind);
        headers.insert(AUTHORIZATION, basic(form).ok_or(FetchError::Url("no client secret"))?);
        timeout(patience, self.exchange(request, reach)).await.map_err(|_| FetchError::Late)?
    }

    /// Posts JSON, and learns nothing but whether it was taken.
    pub(crate) async fn deliver(
        &self,
        url: &str,
        reach: Reach,
        headers: HeaderMap,
        body: String,
        patience: Duration,
    ) -> Result<(), FetchError> {
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = acceptable(url, reach)?;
        *request.headers_mut() = headers;
        let kind = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        let sent = timeout(patience, self.send(request, reach)).await;
        let status = sent.map_err(|_| FetchError::Late)??.status();
        // A redirect is no success.
        if status.is_success() { Ok(()) } else { Err(FetchError::Status(status.as_u16())) }
    }

    async fn exchange(
        &self,
        mut request: Request<Body>,
        reach: Reach,
    ) -> Result<Bytes, FetchError> {
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        read(self.send(request, reach).await?).await
    }

    async fn send(
        &self,
        request: Request<Body>,
        reach: Reach,
    ) -> Result<Response<Incoming>, FetchError> {
        let sent = if request.uri().scheme_str() == Some("https") {
            let client = self.secure(reach).ok_or_else(no_roots)?;
            client.request(request).await
        } else {
            let tcp = Tcp { patience: PATIENCE, reach };
            let client: Client<Tcp, Body> = Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .retry_canceled_requests(false)
                .build(tcp);
            client.request(request).await
        };
        sent.map_err(|error| unsent(&error))
    }

    fn secure(&self, reach: Reach) -> Option<&Secure> {
        let place = if reach == Reach::Public { &self.public } else { &self.private };
        let made = place.get_or_init(|| {
            let tls = hyper_rustls::HttpsConnectorBuilder::new()
                .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider())
                .ok()?;
            let tcp = Tcp { patience: PATIENCE, reach };
            let connector = tls.https_only().enable_http1().wrap_connector(tcp);
            let mut builder = Client::builder(TokioExecutor::new());
            builder.pool_max_idle_per_host(0).retry_canceled_requests(false);
            Some(builder.build(connector))
        });
        made.as_ref()
    }
}

fn no_roots() -> FetchError {
    FetchError::Connect("this machine trusts no certificate authority".to_owned())
}

/// A URL that may be fetched from, as far as its text tells.
fn acceptable(url: &str, reach: Reach) -> Result<Uri, FetchError> {
    let uri: Uri = url.parse().map_err(|_| FetchError::Url("it cannot be read"))?;
    let authority = uri.authority().ok_or(FetchError::Url("it names no host"))?;
    if authority.as_str().contains('@') {
        return Err(FetchError::Url("it has a user in it"));
    }
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        // Which addresses are reached without TLS is seen when it is connected to.
        Some("http") if reach != Reach::Public => Ok(uri),
        Some("http") => Err(FetchError::Url("it is not `https`")),
        Some(_) | None => Err(FetchError::Url("it is neither `https` nor `http`")),
    }
}

async fn read(response: Response<Incoming>) -> Result<Bytes, FetchError> {
    // A redirect is a status like any other that is not 200.
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    if response.headers().contains_key(CONTENT_ENCODING) {
        return Err(FetchError::Body("it is compressed"));
    }
    let body = Limited::new(response.into_body(), MOST).collect().await;
    Ok(body.map_err(|_| FetchError::Body("it is too long or broke off"))?.to_bytes())
}

fn unsent(error: &hyper_util::client::legacy::Error) -> FetchError {
    let mut why = error.source();
    // The innermost reason is the one that says something.
    while let Some(inner) = why.and_then(std::error::Error::source) {
        why = Some(inner);
    }
    FetchError::Connect(why.map_or_else(|| error.to_string(), ToString::to_string))
}

/// `client_secret_basic` (RFC 6749, section 2.3.1): both parts in the form of a form.
fn basic(form: &Form<'_>) -> Option<HeaderValue> {
    let pair = format!("{}:{}", escaped(form.client), escaped(form.secret.expose_text()?));
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A text as it stands in a form.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j23_only_plain_urls_are_fetched_from() {
        let never = [
            "file:///etc/passwd",
            "ftp://idp.example/jwks",
            "gopher://idp.example/",
            "/jwks",
            "idp.example",
            "https://user@idp.example/jwks",
            "https://user:pw@idp.example/jwks",
            "",
        ];
        for url in never {
            for reach in [Reach::Public, Reach::Private, Reach::Server] {
                assert!(acceptable(url, reach).is_err(), "{url}");
            }
        }
        assert!(acceptable("http://idp.example/jwks", Reach::Public).is_err());
        assert!(acceptable("http://idp.example/jwks", Reach::Private).is_ok());
        assert!(acceptable("https://idp.example/jwks", Reach::Public).is_ok());
    }

    #[tokio::test]
    async fn j23_no_connection_is_made_to_an_address_inside() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"] {
            let url = format!("https://{host}:{port}/jwks");
            let refused = Fetcher::default().get(&url, Reach::Public).await.unwrap_err();
            assert!(matches!(refused, FetchError::Connect(_)), "{host}: {refused}");
        }
        for url in ["http://169.254.169.254/latest", "https://169.254.169.254/latest"] {
            let refused = Fetcher::default().get(url, Reach::Private).await.unwrap_err();
            assert!(
                refused.to_string().contains("no server is reached")
                    || refused.to_string().contains("private addresses"),
                "{refused}"
            );
        }
        let nobody = timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(nobody.is_err(), "a connection was made");
    }

    #[test]
    fn a_secret_is_written_as_a_form_has_it() {
        let secret = Secret::from_text("a b:ü/+~".to_owned());
        let form = Form { fields: &[], client: "gate:way", secret: &secret };
        let value = basic(&form).unwrap();
        let coded = value.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
        let text = String::from_utf8(STANDARD.decode(coded).unwrap()).unwrap();
        assert_eq!(text, "gate%3Away:a%20b%3A%C3%BC%2F%2B~");
        assert!(value.is_sensitive());
    }
}
