//! Ready configurations for the clients of agents.

use std::net::SocketAddr;
use std::path::Path;

use cs_model::Name;
use serde_json::json;

use crate::view::agent::{Language, ReadyConfiguration};

/// Where an agent of a tenant calls, with the task that it declares by it.
pub(crate) fn endpoint(address: SocketAddr, tenant: &Name, task: Option<&Name>) -> String {
    match task {
        Some(task) => format!("http://{address}/t/{tenant}/task/{task}/mcp"),
        None => format!("http://{address}/t/{tenant}/mcp"),
    }
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
    let client = json!({
        "mcpServers": {
            "countersign": {
                "command": command,
                "args": ["connect", "--url", endpoint, "--key-file", format!("{folder}/{file}")],
            }
        }
    });
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
            hint: "Add this to the client's list of MCP servers, with the folder of your key \
                   file. `countersign connect` signs each request."
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

/// The command line program: this one, or the one that is installed beside the console.
fn command(executable: &Path) -> String {
    let name = executable.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    if name == "countersign" {
        return executable.display().to_string();
    }
    let beside = executable.with_file_name(format!("countersign{}", std::env::consts::EXE_SUFFIX));
    if beside.exists() { beside.display().to_string() } else { "countersign".to_owned() }
}
