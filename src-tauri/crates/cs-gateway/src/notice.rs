//! Notices to a web server that an operator chose. It is reached like a server of a tenant: with
//! TLS, or on this machine itself; never at an address of the link or of a cloud's own.

use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::fetch::{FetchError, Fetcher};
use crate::upstream::egress::Reach;

/// Posts notices. Connections are not kept.
#[derive(Debug, Default)]
pub struct Notices(Fetcher);

/// Why a notice was not taken, in one line for operators.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(transparent)]
pub struct Undelivered(#[from] FetchError);

impl Notices {
    /// Posts a JSON text with these headers, named in lower case. It was taken when the answer is
    /// a success; nothing else of the answer is read, and no redirect is followed.
    ///
    /// # Errors
    ///
    /// Why it was not taken, or that nobody knows.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: String,
        patience: Duration,
    ) -> Result<(), Undelivered> {
        let mut map = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            let value = HeaderValue::from_str(value);
            let value = value.map_err(|_| FetchError::Url("a header of it cannot be sent"))?;
            map.insert(HeaderName::from_static(name), value);
        }
        Ok(self.0.deliver(url, Reach::Server, map, body, patience).await?)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Answers one request with this, and gives what it was asked.
    async fn answering(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?k=1", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"}") {
                let mut some = [0; 1024];
                let read = stream.read(&mut some).await.unwrap();
                asked.extend_from_slice(&some[..read]);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        (url, asked)
    }

    async fn post(url: &str, patience: Duration) -> Result<(), Undelivered> {
        let headers = [("webhook-id", "msg_1".to_owned())];
        Notices::default().post(url, &headers, r#"{"waiting":1}"#.to_owned(), patience).await
    }

    #[tokio::test]
    async fn a_notice_is_posted_once_and_any_success_takes_it() {
        let (url, asked) = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
        post(&url, PATIENCE).await.unwrap();
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST /hook?k=1 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("\r\ncontent-type: application/json\r\n"), "{asked}");
        assert!(asked.contains("\r\nwebhook-id: msg_1\r\n"), "{asked}");
        assert!(asked.ends_with("\r\n\r\n{\"waiting\":1}"), "{asked}");
    }

    #[tokio::test]
    async fn y06_no_redirect_is_followed_and_no_address_of_the_link_is_reached() {
        let (elsewhere, asked) = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let answer = format!("HTTP/1.1 307 Look\r\nlocation: {elsewhere}\r\n\r\n");
        let (url, _) = answering(answer.leak()).await;
        assert_eq!(post(&url, PATIENCE).await.unwrap_err().to_string(), "it answered 307");
        assert!(!asked.is_finished(), "nobody went there");
        for url in ["http://169.254.169.254/", "https://169.254.169.254/", "http://192.0.2.7/"] {
            let refused = post(url, PATIENCE).await.unwrap_err().to_string();
            assert!(refused.contains("reached"), "{url}: {refused}");
        }
        for url in ["ftp://127.0.0.1/", "http://user@127.0.0.1/", "/hook"] {
            let refused = post(url, PATIENCE).await.unwrap_err().to_string();
            assert!(refused.contains("not acceptable"), "{url}: {refused}");
        }
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let late = post(&url, Duration::from_millis(200)).await.unwrap_err();
        assert_eq!(late.to_string(), "it did not answer in time");
    }
}
