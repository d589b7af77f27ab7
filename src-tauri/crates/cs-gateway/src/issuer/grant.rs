//! What a client may have: for which endpoint, for which tasks, with which scopes, for how long.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::event::EventKind;
use cs_model::provider::CONNECT_SCOPE;
use cs_model::{TaskId, Timestamp};
use cs_policy::{Agent, Tenant};
use cs_trust::token::{Confirmation, NewToken, mint};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Case;
use super::client::Client;
use super::form::Form;
use super::refused::Refused;
use crate::answer::{self, Answer};
use crate::router;
use crate::trail::Trail;

/// The most tasks of one token.
const MOST_TASKS: usize = 16;

/// The type of authorization details (RFC 9396) that name a task.
const TASK_TYPE: &str = "countersign_task";

/// What a token is for.
struct Wanted {
    resource: String,
    /// The names of the tasks; none where the client may declare whichever it has.
    tasks: Vec<String>,
    scopes: BTreeSet<String>,
}

/// Issues a token. It is on record before it is made.
pub(super) async fn issue(
    case: &Case<'_>,
    form: &Form,
    client: &Client,
    trail: &mut Trail,
) -> Result<Answer, Refused> {
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(Refused::Grant),
        None => return Err(Refused::Request("grant_missing")),
    }
    let wanted = wanted(case, form, client)?;
    let issued = Timestamp::from_secs(case.now.secs());
    let span = Duration::from_secs(case.own.token_secs.into());
    let expires = Timestamp::from_secs(issued.after(span).min(client.holder.expires).secs());
    let lives = expires.since(issued).as_secs();
    if lives == 0 {
        return Err(Refused::Client { reason: "credential_expired", header: false });
    }
    let key = case.gate.signers.of(&case.gate.ports, &case.own).await?;
    let id = URL_SAFE_NO_PAD.encode(case.gate.random::<16>()?);
    let detail = format!("token {id} for {}, until {expires}", wanted.resource);
    let event = case.event(EventKind::IssuerIssued, trail, &detail);
    // INVARIANT: on record before it exists. What cannot be recorded is not issued.
    case.gate.ports.audit.record(trail.take_with(event)).await?;
    let token = mint(
        &key,
        &NewToken {
            issuer: &case.issuer,
            subject: &client.id,
            client_id: &client.id,
            audience: &wanted.resource,
            issued,
            expires,
            id: &id,
            scopes: &wanted.scopes,
            tenant: case.own.name.as_str(),
            tasks: &wanted.tasks,
            confirmation: Confirmation { certificate: client.certificate, key: None },
        },
    );
    let scopes: Vec<_> = wanted.scopes.iter().map(String::as_str).collect();
    let mut said = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": lives,
        "scope": scopes.join(" "),
    });
    if let Some(members) = said.as_object_mut().filter(|_| !wanted.tasks.is_empty()) {
        members.insert("authorization_details".to_owned(), details(&wanted.tasks));
    }
    let mut answer = answer::json(StatusCode::OK, said.to_string());
    answer.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(answer)
}

/// Tasks as authorization details.
pub(super) fn details(tasks: &[String]) -> Value {
    tasks.iter().map(|task| json!({ "type": TASK_TYPE, "task": task })).collect()
}

fn wanted(case: &Case<'_>, form: &Form, client: &Client) -> Result<Wanted, Refused> {
    let unknown = || Refused::Client { reason: "agent_unknown", header: false };
    let tenant = case.world.policy.tenant(case.tenant()).ok_or_else(unknown)?;
    let agent = tenant.agent(client.holder.agent).ok_or_else(unknown)?;
    let bound = client.holder.tasks.as_ref();
    let may: BTreeSet<TaskId> =
        agent.tasks.iter().filter(|id| bound.is_none_or(|all| all.contains(id))).copied().collect();
    let allowed = |name: &str| tenant.task_named(name).filter(|task| may.contains(&task.id));

    let resource = form.get("resource").ok_or(Refused::Target("resource_missing"))?;
    let declared = endpoint(case, resource).ok_or(Refused::Target("resource_invalid"))?;
    if declared.as_deref().is_some_and(|name| allowed(name).is_none()) {
        return Err(Refused::Target("task_not_allowed"));
    }
    let mut tasks = asked_tasks(form)?;
    if tasks.iter().any(|name| allowed(name).is_none()) {
        return Err(Refused::Details("task_not_allowed"));
    }
    if let Some(declared) = declared {
        if tasks.iter().any(|name| *name != declared) {
            return Err(Refused::Details("task_conflict"));
        }
        tasks = vec![declared];
    }
    let named: BTreeSet<TaskId> =
        tasks.iter().filter_map(|name| allowed(name)).map(|task| task.id).collect();
    let within = if tasks.is_empty() { &may } else { &named };
    let scopes = scopes(tenant, agent, within, form.get("scope"))?;
    Ok(Wanted { resource: resource.to_owned(), tasks, scopes })
}

/// Whether a resource is an MCP endpoint of this tenant, letter by letter, and which task it
/// declares.
fn endpoint(case: &Case<'_>, resource: &str) -> Option<Option<String>> {
    let (_, rest) = resource.split_once("://")?;
    let at = rest.find('/')?;
    let (host, path) = rest.split_at_checked(at)?;
    let is_own = case.gate.hosts.contains(host) && case.gate.resource(host, path) == resource;
    let endpoint = router::endpoint(path).filter(|_| is_own)?;
    (endpoint.tenant == case.own.name.as_str()).then_some(endpoint.task)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Detail {
    r#type: String,
    task: String,
}

/// The tasks that are asked for, each once.
fn asked_tasks(form: &Form) -> Result<Vec<String>, Refused> {
    let Some(text) = form.get("authorization_details") else { return Ok(Vec::new()) };
    let invalid = || Refused::Details("authorization_details_invalid");
    let read: Vec<Detail> = serde_json::from_str(text).map_err(|_| invalid())?;
    if read.is_empty() || read.len() > MOST_TASKS || read.iter().any(|it| it.r#type != TASK_TYPE) {
        return Err(invalid());
    }
    let mut tasks: Vec<String> = Vec::with_capacity(read.len());
    for Detail { task, .. } in read {
        if tasks.contains(&task) {
            return Err(invalid());
        }
        tasks.push(task);
    }
    Ok(tasks)
}

/// The scopes of a token: those that are asked for, or all that the client may have. Every token
/// is there to connect with.
fn scopes(
    tenant: &Tenant,
    agent: &Agent,
    tasks: &BTreeSet<TaskId>,
    asked: Option<&str>,
) -> Result<BTreeSet<String>, Refused> {
    let mut may = tenant.scopes(agent, tasks);
    may.insert(CONNECT_SCOPE);
    let mut scopes: BTreeSet<String> = [CONNECT_SCOPE.to_owned()].into();
    match asked {
        None => scopes.extend(may.into_iter().map(str::to_owned)),
        Some(asked) => {
            for scope in asked.split(' ') {
                if !may.contains(scope) {
                    return Err(Refused::Scope);
                }
                scopes.insert(scope.to_owned());
            }
        }
    }
    Ok(scopes)
}
