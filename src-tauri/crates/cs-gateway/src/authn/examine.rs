//! Every check of a token, for an operator to see. The checks are the ones of a request.

use std::collections::BTreeSet;
use std::sync::Arc;

use cs_model::{Digest, Secret};
use cs_trust::token::{self, TokenError, Unverified};

use super::token::believed::{Believed, audiences, rules};
use super::token::said::{self, Said};
use super::{TokenMark, standing, used_up};
use crate::gate::Gate;
use crate::identity::{TokenCheck, TokenReport};
use crate::issuers::{Asked, Introspected};
use crate::trail::neutral;
use crate::world::{Provider, Providers};

/// What of a provider's settings is checked after the token itself, and what fails there.
const SETTINGS: [(&str, &[&str]); 5] = [
    ("agent_claim", &["agent_claim_missing"]),
    ("tenant_claim", &["tenant_claim_wrong"]),
    ("role_claim", &["role_claim_missing"]),
    ("task_claim", &["jwt_task_invalid"]),
    ("sender_constraint", &["token_not_bound"]),
];

/// What is checked once the settings fit.
const REST: [&str; 6] =
    ["introspection", "revocation", "scopes", "credential", "standing", "roles"];

/// Holds a token against everything that a request with it would be held against.
pub(crate) async fn examine(
    gate: &Gate,
    provider: &Provider,
    text: &str,
    task: Option<&str>,
) -> TokenReport {
    let mut report = TokenReport::default();
    let believed = believe(gate, provider, text, task, &mut report).await;
    match believed {
        Some(believed) => settle(gate, &believed, text, &mut report).await,
        None => REST.iter().for_each(|name| report.add(name, None, String::new())),
    }
    report.verdict = report.checks.iter().all(|check| check.passed == Some(true));
    report
}

impl TokenReport {
    fn add(&mut self, name: &str, passed: Option<bool>, detail: impl Into<String>) {
        let detail = neutral(&detail.into());
        self.checks.push(TokenCheck { name: name.to_owned(), passed, detail });
    }

    /// A check that fails for a reason, or holds with what was found.
    fn tell<T>(&mut self, name: &str, outcome: Result<T, &str>, found: impl FnOnce(T) -> String) {
        match outcome {
            Ok(value) => self.add(name, Some(true), found(value)),
            Err(code) => self.add(name, Some(false), code.replace('_', " ")),
        }
    }
}

/// The checks of the token itself, and of what its provider's settings want of it.
async fn believe(
    gate: &Gate,
    provider: &Provider,
    text: &str,
    task: Option<&str>,
    report: &mut TokenReport,
) -> Option<Believed> {
    let (now, settings) = (gate.latest(), &provider.settings);
    let world = gate.world();
    let tenant = world.policy.tenant(provider.tenant)?;
    let path = match task {
        Some(task) => format!("/t/{}/task/{task}/mcp", tenant.name.as_str()),
        None => format!("/t/{}/mcp", tenant.name.as_str()),
    };
    let own: Vec<_> = gate.hosts.iter().map(|host| gate.resource(host, &path)).collect();
    let parsed = Unverified::parse(text);
    let named = parsed.as_ref().map(Unverified::audience).unwrap_or_default();
    // The endpoint has as many addresses as the gateway has names: the one that is meant counts.
    let usual = gate.resource(&gate.host, &path);
    let resource = own.iter().find(|it| named.contains(it)).unwrap_or(&usual);
    let accepted = audiences(settings, resource);
    let audience = accepted.iter().find(|it| named.iter().any(|aud| aud == **it));
    let audience = audience.copied().unwrap_or(resource);
    let shared = Arc::new(provider.clone());
    let (keys, said) = match parsed {
        Err(TokenError::Form) if settings.introspection.is_some() => {
            (None, opaque(gate, provider, text, &accepted, report).await?)
        }
        parsed => {
            let keys = gate.issuers.keys_for(&shared).await;
            report.tell("keys", keys.as_ref().map_err(String::as_str), |keys| match keys.len() {
                1 => "1 key".to_owned(),
                more => format!("{more} keys"),
            });
            let keys = keys.ok()?;
            let rules = rules(settings, audience);
            for check in token::examine(text, &keys, &rules, now) {
                report.add(check.name, check.passed, check.detail);
            }
            let token = parsed.and_then(|token| token.verify(&keys, &rules, now)).ok()?;
            report.scopes = token.scopes().iter().cloned().collect();
            let said = Said::by_token(token, audience);
            report.tell("task", said.as_ref().map_err(|code| *code), |said| said.tasks.join(" "));
            (Some(keys), said.ok()?)
        }
    };
    report.scopes = said.scopes.iter().cloned().collect();
    let believed = Believed::of(&shared, keys, provider.tenant, &said, now);
    let failed = believed.as_ref().err().copied();
    let mut passed = Some(true);
    for (name, codes) in SETTINGS {
        let fails = failed.is_some_and(|code| codes.contains(&code));
        passed = passed.and_then(|before| before.then_some(!fails));
        let detail = failed.filter(|_| fails).map(|code| code.replace('_', " "));
        report.add(name, passed, detail.unwrap_or_default());
    }
    // What a signed token was checked for before, and the answer of a provider only here.
    if let Some(code) = failed.filter(|code| !SETTINGS.iter().any(|(_, all)| all.contains(code))) {
        report.add("time", Some(false), code.replace('_', " "));
    }
    believed.ok()
}

/// A token that only its provider can tell about.
async fn opaque(
    gate: &Gate,
    provider: &Provider,
    text: &str,
    accepted: &[&str],
    report: &mut TokenReport,
) -> Option<Said> {
    let how = provider.settings.introspection.as_ref()?;
    let secret = Secret::from_text(text.to_owned());
    let asked = Asked { provider, how, token: &secret, stranger: None };
    let answer = gate.issuers.introspect(asked).await;
    let said = match answer {
        Introspected::Active(said) => {
            let digest = Digest::of(text.as_bytes());
            Said::by_answer(said, &provider.settings, digest, accepted, gate.latest())
        }
        Introspected::Inactive => Err("token_inactive"),
        Introspected::Undecided(why) => Err(why),
    };
    report.tell("answer", said.as_ref().map_err(|code| *code), |said| said.audience.clone());
    said.ok()
}

/// The checks that every request makes anew.
async fn settle(gate: &Gate, token: &Believed, text: &str, report: &mut TokenReport) {
    let (world, now, mark) = (gate.world(), gate.latest(), &token.mark);
    let asked = still_active(gate, token, text).await;
    match asked {
        Some(outcome) => report.tell("introspection", outcome, |()| String::new()),
        None => report.add("introspection", Some(true), "not asked for"),
    }
    let revoked = mark.withdrawn(&world, now);
    report.tell("revocation", revoked.map_or(Ok(()), Err), |()| mark.id.clone());
    let lacking: Vec<_> = mark.lacking.iter().map(String::as_str).collect();
    report.add("scopes", Some(lacking.is_empty()), lacking.join(" "));

    report.tasks.clone_from(&token.tasks);
    report.roles.clone_from(&token.roles);
    let holder = Providers::holder(&world.credentials, &token.provider, &mark.subject);
    let known = holder.ok_or("subject_unknown");
    report.tell("credential", known, |_| mark.subject.clone());
    let Some(holder) = holder else {
        report.add("standing", None, String::new());
        report.add("roles", None, String::new());
        return;
    };
    report.agent = Some(holder.agent);
    let objection = used_up(holder, now).or_else(|| standing(&world, holder));
    report.tell("standing", objection.map_or(Ok(()), Err), |()| holder.agent.to_string());
    let tenant = world.policy.tenant(holder.tenant);
    let agent = tenant.and_then(|tenant| Some((tenant, tenant.agent(holder.agent)?)));
    let roles = match agent {
        Some((tenant, agent)) => token.roles(tenant, agent),
        None => Err("agent_unknown"),
    };
    let count =
        |roles: Option<BTreeSet<_>>| roles.map_or_else(String::new, |it| it.len().to_string());
    report.tell("roles", roles, count);
}

/// What its provider says of a signed token, where its settings want it to be asked.
async fn still_active(
    gate: &Gate,
    token: &Believed,
    text: &str,
) -> Option<Result<(), &'static str>> {
    let provider = &token.provider;
    let how = provider.settings.introspection.as_ref().filter(|_| token.keys.is_some())?;
    let secret = Secret::from_text(text.to_owned());
    let asked = Asked { provider, how, token: &secret, stranger: None };
    let answer = gate.issuers.introspect(asked).await;
    Some(match answer {
        Introspected::Active(said) if said::agrees(&said, mark_of(token)) => Ok(()),
        Introspected::Active(_) => Err("introspection_mismatch"),
        Introspected::Inactive => Err("token_inactive"),
        Introspected::Undecided(why) => Err(why),
    })
}

fn mark_of(token: &Believed) -> &TokenMark {
    &token.mark
}
