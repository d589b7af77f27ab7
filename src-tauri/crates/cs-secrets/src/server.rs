//! Secrets in HashiCorp Vault or OpenBao: a key-value engine of version 2, by way of an AppRole or
//! a JWT login.
//!
//! What logs in is read from a file each time, so that whoever hands it out (an agent of Vault, a
//! mounted service account) can change it under way. Nothing that opens Vault is kept here: not the
//! file's content, and the token only in memory.

use std::fmt;
use std::io::Read as _;
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cs_model::Secret;
use rustify::clients::reqwest::Client as HttpClient;
use rustify::errors::ClientError as RestError;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;
use vaultrs::api::AuthInfo;
use vaultrs::api::kv2::requests::SetSecretMetadataRequest;
use vaultrs::auth::{approle, oidc};
use vaultrs::client::{Client as _, VaultClient, VaultClientSettingsBuilder};
use vaultrs::error::ClientError;
use vaultrs::{kv2, token};
use zeroize::Zeroizing;

pub use self::place::{VaultLogin, VaultPlace};
use crate::{SecretError, SecretStore};

mod place;

const PLACE: &str = "Vault";

/// How long one exchange may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest file that a login takes.
const MOST_BYTES: u64 = 64 * 1024;

/// Of the time that a token lasts, the part after which it is renewed: 1 in this many is left.
const LEFT: u32 = 3;

/// Secrets in HashiCorp Vault or OpenBao. They are `<mount>/<path>/<instance>/<move>/<name>`, each
/// with its value in base64 under `value`; without `<move>` where they were made rather than moved.
#[derive(Clone)]
pub struct VaultServer {
    place: Arc<VaultPlace>,
    instance: String,
    /// Held while somebody logs in, so that one login serves all who wait.
    session: Arc<Mutex<Option<Session>>>,
    patience: Duration,
}

/// What a login gave.
#[derive(Clone)]
struct Session {
    client: Arc<VaultClient>,
    renew: Option<Instant>,
    ends: Option<Instant>,
}

/// A secret as it stands in Vault.
#[derive(Deserialize, Serialize)]
struct Kept {
    value: Zeroizing<String>,
}

impl fmt::Debug for VaultServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultServer").field("place", &self.place).finish_non_exhaustive()
    }
}

impl VaultServer {
    /// The Vault at this place, for the installation with this id. Nobody logs in yet.
    ///
    /// # Errors
    ///
    /// [`SecretError::Misplaced`] when the place cannot be one.
    pub fn at(place: VaultPlace, instance: &str) -> Result<Self, SecretError> {
        place.check().map_err(|rule| SecretError::Misplaced { rule })?;
        Ok(Self {
            place: Arc::new(place),
            instance: instance.to_owned(),
            session: Arc::default(),
            patience: PATIENCE,
        })
    }

    /// Whether Vault can be reached, is unsealed and lets this installation in.
    ///
    /// # Errors
    ///
    /// Why it cannot be used.
    pub async fn try_out(&self) -> Result<(), SecretError> {
        *self.session.lock().await = None;
        self.session().await.map(drop)
    }

    fn path_of(&self, name: &str) -> String {
        let (path, instance) = (&self.place.path, &self.instance);
        match &self.place.shelf {
            Some(shelf) => format!("{path}/{instance}/{shelf}/{name}"),
            None => format!("{path}/{instance}/{name}"),
        }
    }

    /// A session that holds, renewed or begun anew where it has to be.
    async fn session(&self) -> Result<Arc<VaultClient>, SecretError> {
        let mut session = self.session.lock().await;
        let now = Instant::now();
        if let Some(held) = session.as_ref().filter(|it| it.ends.is_none_or(|ends| now < ends)) {
            if held.renew.is_none_or(|renew| now < renew) {
                return Ok(Arc::clone(&held.client));
            }
            // A token that cannot be renewed is as good as none: somebody may have taken it back.
            let renewed = self.patiently(token::renew_self(held.client.as_ref(), None)).await?;
            if let Ok(auth) = renewed {
                let client = Arc::clone(&held.client);
                *session = Some(Session::of(&auth, Arc::clone(&client), now));
                return Ok(client);
            }
        }
        *session = None;
        let begun = self.log_in().await?;
        let client = Arc::clone(&begun.client);
        *session = Some(begun);
        Ok(client)
    }

    async fn log_in(&self) -> Result<Session, SecretError> {
        let place = &self.place;
        let now = Instant::now();
        let mut client = self.client().await?;
        let auth = match &place.login {
            VaultLogin::AppRole { mount, role_id, secret_id_file } => {
                let secret = self.read(secret_id_file).await?;
                self.patiently(approle::login(&client, mount, role_id, &secret)).await?
            }
            VaultLogin::Jwt { mount, role, jwt_file } => {
                let jwt = self.read(jwt_file).await?;
                self.patiently(oidc::login(&client, mount, &jwt, Some(role.clone()))).await?
            }
        };
        let auth = auth.map_err(|error| {
            if matches!(error, ClientError::APIError { code: 400 | 401 | 403, .. }) {
                let remedy = "it does not take this login: look at the role, and at the file with \
                              what logs in";
                return SecretError::Refused { place: PLACE, remedy };
            }
            explain(&error, "", "log in to Vault")
        })?;
        if !auth.client_token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SecretError::Damaged { place: PLACE });
        }
        client.set_token(&auth.client_token);
        Ok(Session::of(&auth, Arc::new(client), now))
    }

    async fn client(&self) -> Result<VaultClient, SecretError> {
        let place = &self.place;
        let mut settings = VaultClientSettingsBuilder::default();
        // Everything is said, so that nothing is taken from variables of Vault's own tools.
        settings
            .address(&place.address)
            .token("")
            .verify(true)
            .identity(None)
            .namespace(place.namespace.clone())
            .ca_certs(Vec::new());
        let doing = "connect to Vault";
        let settings =
            settings.build().map_err(|error| failed(doing, std::io::Error::other(error)))?;
        let mut client = VaultClient::new(settings)
            .map_err(|error| failed(doing, std::io::Error::other(told(&error))))?;
        client.http = HttpClient::new(client.settings.address.as_str(), self.http().await?);
        Ok(client)
    }

    /// What speaks to Vault: with nobody in between, and nowhere else than it was told. A proxy of
    /// the environment, or another place that an answer leads to, would see what is sent.
    async fn http(&self) -> Result<reqwest::Client, SecretError> {
        let doing = "connect to Vault";
        let mut http = reqwest::Client::builder()
            .tls_backend_rustls()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // What takes too long is given up here before the client does.
            .timeout(self.patience.saturating_mul(2));
        if self.place.address.starts_with("https:") {
            http = http.https_only(true);
            if let Some(file) = &self.place.ca_file {
                let pem = self.read(file).await?;
                let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                    .map_err(|error| failed("read the certificates to believe", error))?;
                http = http.tls_certs_merge(certificates);
            }
        } else {
            http = http.tls_certs_only(Vec::new());
        }
        http.build().map_err(|error| failed(doing, error))
    }

    /// Reads a small file that somebody else may write: it is one, and comes to an end.
    async fn read(&self, path: &Path) -> Result<Zeroizing<String>, SecretError> {
        let path = path.to_path_buf();
        let read = move || {
            let mut options = std::fs::OpenOptions::new();
            options.read(true);
            // Whoever opens a pipe waits until somebody writes to it.
            #[cfg(unix)]
            options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
            let file = options.open(&path)?;
            if !file.metadata()?.is_file() {
                return Err(std::io::Error::other("it is no file"));
            }
            let mut text = Zeroizing::new(String::new());
            let read = file.take(MOST_BYTES.saturating_add(1)).read_to_string(&mut text)?;
            if u64::try_from(read).is_ok_and(|read| read <= MOST_BYTES) {
                return Ok(text);
            }
            Err(std::io::Error::other("it is too large to be what it should be"))
        };
        let doing = "read a file that the login to Vault takes";
        let reading = tokio::task::spawn_blocking(read);
        let text = tokio::time::timeout(self.patience, reading)
            .await
            .map_err(|error| failed(doing, error))?
            .map_err(|error| failed(doing, error))?
            .map_err(|error| failed(doing, error))?;
        Ok(Zeroizing::new(text.trim().to_owned()))
    }

    /// Stops waiting for Vault at some point.
    async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<Result<T, ClientError>, SecretError> {
        tokio::time::timeout(self.patience, work).await.map_err(|_| SecretError::TimedOut {
            place: PLACE,
            secs: self.patience.as_secs(),
            remedy: "look whether it is up and can be reached from here",
        })
    }

    /// Does something in a session. Where Vault does not know the token any more, in a new one.
    async fn with<T, F>(
        &self,
        name: &str,
        doing: &'static str,
        act: impl Fn(Arc<VaultClient>, String) -> F,
    ) -> Result<T, SecretError>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let path = self.path_of(name);
        let client = self.session().await?;
        let mut done = self.patiently(act(client, path.clone())).await?;
        if let Err(ClientError::APIError { code: 403, .. }) = done {
            *self.session.lock().await = None;
            let client = self.session().await?;
            done = self.patiently(act(client, path)).await?;
        }
        done.map_err(|error| explain(&error, name, doing))
    }
}

impl Session {
    fn of(auth: &AuthInfo, client: Arc<VaultClient>, now: Instant) -> Self {
        // One that says no time lasts until it is taken back.
        let lasts = Duration::from_secs(auth.lease_duration);
        let ends = Some(lasts).filter(|it| !it.is_zero()).and_then(|it| now.checked_add(it));
        let early = lasts.checked_div(LEFT).unwrap_or_default();
        let renew = ends.and_then(|it| it.checked_sub(early)).filter(|_| auth.renewable);
        Self { client, renew, ends }
    }
}

#[async_trait]
impl SecretStore for VaultServer {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        let mount = self.place.mount.as_str();
        let kept: Kept = self
            .with(name, "read from Vault", |client, path| async move {
                kv2::read(client.as_ref(), mount, &path).await
            })
            .await?;
        let bytes = STANDARD.decode(kept.value.as_bytes());
        bytes.map(Secret::new).map_err(|_| SecretError::Damaged { place: PLACE })
    }

    async fn put(&self, name: &str, secret: &Secret) -> Result<(), SecretError> {
        let mount = self.place.mount.as_str();
        let kept = &Kept { value: Zeroizing::new(STANDARD.encode(secret.expose())) };
        self.with(name, "write to Vault", |client, path| async move {
            // Vault would keep what was there before as an older version.
            let mut one = SetSecretMetadataRequest::builder();
            one.max_versions(1_u64);
            kv2::set_metadata(client.as_ref(), mount, &path, Some(&mut one)).await?;
            kv2::set(client.as_ref(), mount, &path, kept).await
        })
        .await
        .map(drop)
    }

    async fn delete(&self, name: &str) -> Result<(), SecretError> {
        let mount = self.place.mount.as_str();
        let gone = self.with(name, "delete from Vault", |client, path| async move {
            kv2::delete_metadata(client.as_ref(), mount, &path).await
        });
        match gone.await {
            Err(SecretError::Missing { .. }) => Ok(()),
            other => other,
        }
    }
}

fn explain(error: &ClientError, name: &str, doing: &'static str) -> SecretError {
    if let ClientError::APIError { code, .. } = error {
        match code {
            404 => return SecretError::Missing { place: PLACE, name: name.to_owned() },
            403 => {
                let remedy = "the policy of its role does not allow this path; `countersign \
                              secrets policy` prints one that does";
                return SecretError::Refused { place: PLACE, remedy };
            }
            503 => {
                let remedy = "it is sealed; unseal it, and try again";
                return SecretError::Locked { place: PLACE, remedy };
            }
            _ => {}
        }
    }
    let is_garbled = matches!(
        error,
        ClientError::JsonParseError { .. }
            | ClientError::RestClientError {
                source: RestError::ResponseParseError { .. }
                    | RestError::ResponseConversionError { .. },
            }
    );
    if is_garbled {
        return SecretError::Damaged { place: PLACE };
    }
    failed(doing, std::io::Error::other(told(error)))
}

/// What may be told of an error of the client: many of them hold what Vault answered, and that may
/// be a secret.
fn told(error: &ClientError) -> String {
    if let ClientError::APIError { code, .. } = error {
        return format!("Vault answered {code}");
    }
    if let ClientError::RestClientError { source: RestError::RequestError { source, .. } } = error {
        return format!("{source:#}");
    }
    error.to_string()
}

fn failed(
    doing: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> SecretError {
    SecretError::Failed { doing, source: Box::new(source) }
}
