//! Ready configurations for the clients of agents.

use std::path::Path;

use cs_model::Name;
use serde_json::json;

use crate::view::agent::{ClientMethodView, Language, ReadyConfiguration};

/// Where an agent of a tenant calls, with the task that it declares by it.
pub(crate) fn endpoint(origin: &str, tenant: &Name, task: Option<&Name>) -> String {
    match task {
        Some(task) => format!("{origin}/t/{tenant}/task/{task}/mcp"),
        None => format!("{origin}/t/{tenant}/mcp"),
    }
}

/// How an agent with a certificate calls. The private key stands in none of it: it goes into its
/// file, by hand.
pub(crate) fn with_certificate(
    executable: &Path,
    endpoint: &str,
    agent: &Name,
) -> Vec<ReadyConfiguration> {
    let folder = "/home/YOU/.config/countersign";
    let args = json!([
        "connect",
        "--url",
        endpoint,
        "--cert-file",
        format!("{folder}/{agent}.pem"),
        "--cert-key-file",
        format!("{folder}/{agent}.key"),
        "--ca-file",
        format!("{folder}/countersign.pem"),
    ]);
    let bridge = json!({
        "mcpServers": { "countersign": { "command": command(executable), "args": args } }
    });
    let message = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": agent, "version": "1" },
        },
    });
    let curl = format!(
        "curl --cert {agent}.pem --key {agent}.key --cacert countersign.pem \\\n  \
         --header 'Content-Type: application/json' \\\n  \
         --header 'Accept: application/json, text/event-stream' \\\n  \
         --data '{message}' \\\n  {endpoint}"
    );
    let client = json!({
        "url": endpoint,
        "certificate": format!("{agent}.pem"),
        "private_key": format!("{agent}.key"),
        "certificate_authority": "countersign.pem",
    });
    vec![
        ReadyConfiguration {
            title: "The files".to_owned(),
            hint: format!(
                "Save the certificate as {agent}.pem, its key as {agent}.key and the authority of \
                 the gateway as countersign.pem, and close the key to others."
            ),
            language: Language::Shell,
            text: format!("chmod 600 {agent}.key"),
        },
        ReadyConfiguration {
            title: "curl".to_owned(),
            hint: "Opens a session.".to_owned(),
            language: Language::Shell,
            text: curl,
        },
        ReadyConfiguration {
            title: "An MCP client that starts its servers".to_owned(),
            hint: "Add this to the client's list of MCP servers, with the folder of your files. \
                   `countersign connect` shows the certificate."
                .to_owned(),
            language: Language::Json,
            text: serde_json::to_string_pretty(&bridge).unwrap_or_default(),
        },
        ReadyConfiguration {
            title: "An MCP client that takes certificates".to_owned(),
            hint: "Streamable HTTP over TLS 1.3. What these settings are called depends on the \
                   client."
                .to_owned(),
            language: Language::Json,
            text: serde_json::to_string_pretty(&client).unwrap_or_default(),
        },
    ]
}

/// What to paste where. The secret stands in none of them: it goes into the key file, by hand.
pub(crate) fn configurations(
    executable: &Path,
    endpoint: &str,
    agent: &Name,
    key_id: &str,
) -> Vec<ReadyConfiguration> {
    let file = format!("{agent}.key.json");
    let folder = "/home/YOU/.config/countersign";
    let command = command(executable);
    let mut args = vec!["connect".to_owned(), "--url".to_owned(), endpoint.to_owned()];
    args.extend(["--key-file".to_owned(), format!("{folder}/{file}")]);
    let mut over_tls = String::new();
    if endpoint.starts_with("https:") {
        args.extend(["--ca-file".to_owned(), format!("{folder}/countersign.pem")]);
        "Save the authority of the gateway as countersign.pem in the same folder."
            .clone_into(&mut over_tls);
    }
    let client = json!({ "mcpServers": { "countersign": { "command": command, "args": args } } });
    let key_file = json!({ "key_id": key_id, "secret": "css_..." });
    let pretty = |value| serde_json::to_string_pretty(&value).unwrap_or_default();
    vec![
        ReadyConfiguration {
            title: "The key file".to_owned(),
            hint: format!(
                "Save this as {folder}/{file} with the secret that is shown here once, and close \
                 it to others with chmod 600."
            ),
            language: Language::Json,
            text: pretty(key_file),
        },
        ReadyConfiguration {
            title: "An MCP client that starts its servers".to_owned(),
            hint: format!(
                "Add this to the client's list of MCP servers, with the folder of your key file. \
                 `countersign connect` signs each request. {over_tls}"
            )
            .trim_end()
            .to_owned(),
            language: Language::Json,
            text: pretty(client),
        },
        ReadyConfiguration {
            title: "An MCP client that can sign".to_owned(),
            hint: "Streamable HTTP. Each request is signed by RFC 9421 with hmac-sha256 over \
                   @method, @authority, @path and content-digest, tag countersign."
                .to_owned(),
            language: Language::Shell,
            text: format!("endpoint {endpoint}\nkeyid {key_id}"),
        },
    ]
}

/// How a client of the built-in issuer gets its tokens. Secrets and private keys stand in none of
/// it.
pub(crate) fn for_client(
    issuer: &str,
    endpoint: &str,
    agent: &Name,
    client_id: &str,
    method: ClientMethodView,
) -> Vec<ReadyConfiguration> {
    let (named, proof) = match method {
        ClientMethodView::ClientSecretBasic => {
            ("client_secret_basic", format!("--user '{client_id}:ccs_...'"))
        }
        ClientMethodView::PrivateKeyJwt => (
            "private_key_jwt",
            "--data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \\\n  \
             --data-urlencode client_assertion=SIGNED_JWT"
                .to_owned(),
        ),
        ClientMethodView::TlsClientAuth => (
            "tls_client_auth",
            format!(
                "--cert {agent}.pem --key {agent}.key --cacert countersign.pem \\\n  \
                 --data-urlencode client_id={client_id}"
            ),
        ),
    };
    let client = json!({
        "url": endpoint,
        "grant_type": "client_credentials",
        "client_id": client_id,
        "token_endpoint_auth_method": named,
    });
    vec![
        ReadyConfiguration {
            title: "An MCP client that signs in with OAuth".to_owned(),
            hint: "It finds the issuer from the address of the endpoint. What these settings are \
                   called depends on the client."
                .to_owned(),
            language: Language::Json,
            text: serde_json::to_string_pretty(&client).unwrap_or_default(),
        },
        ReadyConfiguration {
            title: "curl".to_owned(),
            hint: "Gets a token for the endpoint.".to_owned(),
            language: Language::Shell,
            text: format!(
                "curl {proof} \\\n  --data-urlencode grant_type=client_credentials \\\n  \
                 --data-urlencode resource={endpoint} \\\n  {issuer}/token"
            ),
        },
    ]
}

/// The command line program: this one, or the one that is installed beside the console.
fn command(executable: &Path) -> String {
    let name = executable.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    if name == "countersign" {
        return executable.display().to_string();
    }
    let beside = executable.with_file_name(format!("countersign{}", std::env::consts::EXE_SUFFIX));
    if beside.exists() { beside.display().to_string() } else { "countersign".to_owned() }
}
