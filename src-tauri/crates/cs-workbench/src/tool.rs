//! The tools: what they are called, what they take, what they give and how dangerous they are.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{Bench, database, files, keychain, mail, script, settings, web};

/// What became of a call.
pub(crate) enum Called {
    /// The tool's result.
    Done(Value),
    /// The tool could not do it, and says why.
    Failed(String),
    /// There is no such tool.
    Unknown,
}

/// Why a tool could not do what it was asked, in words for whoever asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failed(pub(crate) String);

impl Failed {
    /// A failure with a fixed text.
    pub(crate) fn because(why: &str) -> Self {
        Self(why.to_owned())
    }
}

/// Calls a tool with the JSON text of its arguments.
pub(crate) async fn call(bench: &Bench, name: &str, arguments: &str) -> Called {
    match name {
        "read_file" => done(given(arguments, |it| files::read(bench, it)).await),
        "write_file" => done(given(arguments, |it| files::write(bench, it)).await),
        "search_database" => done(given(arguments, |it| database::search(bench, it)).await),
        "web_fetch" => done(given(arguments, |it| web::fetch(bench, it)).await),
        "send_email" => done(given(arguments, |it| mail::send(bench, it)).await),
        "execute_code" => done(given(arguments, script::execute).await),
        "access_secrets" => done(given(arguments, |it| keychain::access(bench, it)).await),
        "modify_mcp_config" => done(given(arguments, |it| settings::modify(bench, it)).await),
        _ => Called::Unknown,
    }
}

async fn given<A, T, F>(arguments: &str, act: impl FnOnce(A) -> F) -> Result<T, Failed>
where
    A: DeserializeOwned,
    F: Future<Output = Result<T, Failed>>,
{
    // A struct would also read from an array.
    if !arguments.trim_start().starts_with('{') {
        return Err(Failed::because("the arguments are not an object"));
    }
    match serde_json::from_str(arguments) {
        Ok(arguments) => act(arguments).await,
        Err(why) => Err(Failed(format!("the arguments do not fit: {why}"))),
    }
}

fn done<T: Serialize>(result: Result<T, Failed>) -> Called {
    match result.map(|value| serde_json::to_value(value)) {
        Ok(Ok(value)) => Called::Done(value),
        Ok(Err(_)) => Called::Failed("the result cannot be written as JSON".to_owned()),
        Err(Failed(why)) => Called::Failed(why),
    }
}

/// The definitions of all tools, as `tools/list` gives them.
pub(crate) fn definitions() -> Vec<Value> {
    let mut all = reading();
    all.extend(acting());
    all
}

fn reading() -> Vec<Value> {
    let text = json!({ "type": "string" });
    let number = json!({ "type": "integer" });
    vec![
        definition(
            "read_file",
            "Read a file",
            "Reads a text file of the workbench folder, up to 1 MiB. For a folder it lists the \
             names in it. Paths are relative to the workbench folder.",
            hints(true, false, true, false),
            object(
                json!({ "path": says("Such as `notes/welcome.md`, or `.` for the folder itself.") }),
                &["path"],
            ),
            object(json!({ "path": text, "text": text, "entries": list(text.clone()) }), &["path"]),
        ),
        definition(
            "search_database",
            "Search the database",
            "Finds invented customers and their orders by any word in a name, city, item or \
             status. The query is compared as plain text, never run.",
            hints(true, false, true, false),
            object(
                json!({
                    "query": { "type": "string", "maxLength": 200, "description": "What to look for." },
                    "limit": { "type": "integer", "minimum": 1, "maximum": 100,
                               "description": "How many matches at most. From the settings if left out." },
                }),
                &["query"],
            ),
            object(
                json!({
                    "total": number,
                    "matches": list(object(
                        json!({ "order": number, "ordered_on": text, "customer": text, "city": text,
                                "item": text, "amount_cents": number, "status": text }),
                        &["order", "ordered_on", "customer", "city", "item", "amount_cents", "status"],
                    )),
                }),
                &["total", "matches"],
            ),
        ),
        definition(
            "web_fetch",
            "Fetch a page",
            "Fetches a page over HTTP from this machine itself (a loopback address), up to 1 MiB. \
             Redirects are not followed.",
            hints(true, false, true, false),
            object(json!({ "url": says("Such as `http://127.0.0.1:8080/status`.") }), &["url"]),
            object(
                json!({ "status": number, "content_type": text, "text": text }),
                &["status", "text"],
            ),
        ),
    ]
}

fn acting() -> Vec<Value> {
    let text = json!({ "type": "string" });
    let number = json!({ "type": "integer" });
    let flag = json!({ "type": "boolean" });
    vec![
        definition(
            "write_file",
            "Write a file",
            "Writes a text file of the workbench folder, replacing what was in it unless it is \
             told to append. The database, the outbox and the settings cannot be written to.",
            hints(false, true, false, false),
            object(
                json!({
                    "path": says("Where, relative to the workbench folder."),
                    "content": { "type": "string", "description": "What to write, up to 1 MiB." },
                    "append": { "type": "boolean", "default": false,
                                "description": "Whether to keep what is there and add to it." },
                }),
                &["path", "content"],
            ),
            object(json!({ "path": text, "bytes": number }), &["path", "bytes"]),
        ),
        definition(
            "send_email",
            "Send an e-mail",
            "Puts a message into the outbox folder of the workbench, as an .eml file. Nothing \
             leaves this machine.",
            hints(false, false, false, false),
            object(
                json!({
                    "to": says("One address, such as `ada@example.com`."),
                    "subject": { "type": "string", "maxLength": 200 },
                    "body": { "type": "string", "description": "The message, up to 256 KiB." },
                }),
                &["to", "subject", "body"],
            ),
            object(json!({ "file": text, "from": text, "to": text }), &["file", "from", "to"]),
        ),
        definition(
            "execute_code",
            "Run a script",
            "Runs a script in the Rhai language, without files, network or clock, and with bounds \
             on steps, memory and time. Gives its value and what it printed.",
            hints(false, false, false, false),
            object(json!({ "code": says("Such as `let x = 6; print(x); x * 7`.") }), &["code"]),
            object(json!({ "value": text, "printed": text }), &["value", "printed"]),
        ),
        definition(
            "access_secrets",
            "Read a secret",
            "Reads a secret from the keychain of this machine: one that was stored for the \
             service `countersign-workbench`, and no other.",
            hints(true, false, true, false),
            object(json!({ "name": says("The name under which it was stored.") }), &["name"]),
            object(json!({ "name": text, "value": text }), &["name", "value"]),
        ),
        definition(
            "modify_mcp_config",
            "Change this server's settings",
            "Changes the settings of this server, and gives all of them. Without changes it only \
             gives them.",
            hints(false, true, true, false),
            object(json!({ "set": changes() }), &[]),
            object(
                json!({ "settings": object(
                    json!({ "mail_from": text, "fetch_seconds": number, "search_limit": number }),
                    &["mail_from", "fetch_seconds", "search_limit"],
                ), "changed": flag }),
                &["settings", "changed"],
            ),
        ),
    ]
}

fn changes() -> Value {
    object(
        json!({
            "mail_from": says("The sender of messages."),
            "fetch_seconds": { "type": "integer", "minimum": 1, "maximum": 10,
                               "description": "How long fetching a page may take." },
            "search_limit": { "type": "integer", "minimum": 1, "maximum": 100,
                              "description": "How many matches a search gives unless told." },
        }),
        &[],
    )
}

#[expect(clippy::needless_pass_by_value, reason = "the macro takes them by reference")]
fn definition(
    name: &str,
    title: &str,
    description: &str,
    annotations: Value,
    input: Value,
    output: Value,
) -> Value {
    json!({
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": input,
        "outputSchema": output,
        "annotations": annotations,
    })
}

fn hints(reads: bool, destroys: bool, repeatable: bool, open: bool) -> Value {
    json!({
        "readOnlyHint": reads,
        "destructiveHint": destroys,
        "idempotentHint": repeatable,
        "openWorldHint": open,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the macro takes it by reference")]
fn object(properties: Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the macro takes it by reference")]
fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn says(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}
