//! What a credential is bound to: how long it lasts, from where and for what it may be used.

use std::collections::BTreeSet;
use std::net::IpAddr;

use cs_model::document::{AgentDoc, TaskDoc, TenantDoc};
use cs_model::lifecycle::Span;
use cs_model::{AgentId, Name, TaskId};
use ipnet::IpNet;

use crate::failure::ControlError;

/// How long a credential lasts at most: 90 days.
pub(crate) const MOST_SECS: u64 = 90 * 24 * 60 * 60;

/// The most networks of one credential.
const MOST_NETWORKS: usize = 64;

/// How long a credential of a tenant lasts, in seconds: what was asked for, or what is usual of its
/// kind, and never longer than the tenant's credentials do.
pub(crate) fn lifetime(
    doc: &TenantDoc,
    asked: Option<u64>,
    usual: u64,
) -> Result<u64, ControlError> {
    let longest = u64::from(doc.lifecycle.longest()).min(MOST_SECS);
    let lifetime = asked.unwrap_or_else(|| usual.min(longest));
    if (1..=longest).contains(&lifetime) {
        return Ok(lifetime);
    }
    let rule = if longest < MOST_SECS {
        format!(
            "a credential of tenant `{}` lasts between 1 and {longest} seconds ({}), not {lifetime}",
            doc.name,
            Span(longest)
        )
    } else {
        format!("a credential lasts between 1 and {MOST_SECS} seconds (90 days), not {lifetime}")
    };
    Err(ControlError::invalid("lifetime_secs", rule))
}

/// The networks, each once and in its canonical form. None means all.
pub(crate) fn networks(asked: Option<Vec<String>>) -> Result<Vec<String>, ControlError> {
    let wrong = |rule: String| ControlError::invalid("networks", rule);
    let asked = asked.unwrap_or_default();
    if asked.len() > MOST_NETWORKS {
        return Err(wrong(format!("a credential has at most {MOST_NETWORKS} networks")));
    }
    let mut networks: Vec<String> = Vec::with_capacity(asked.len());
    for text in &asked {
        let network = network(text).map_err(wrong)?.to_string();
        if !networks.contains(&network) {
            networks.push(network);
        }
    }
    Ok(networks)
}

fn network(text: &str) -> Result<IpNet, String> {
    let shown = cs_model::text::neutralise(text, 60);
    let read = match text.parse::<IpAddr>() {
        Ok(address) => Ok(IpNet::from(address)),
        Err(_) => text.parse::<IpNet>(),
    };
    let network = read.map_err(|_| {
        format!("`{shown}` is no network; write one as `10.0.0.0/8`, `192.0.2.7` or `fd12::/16`")
    })?;
    // Such a network would never match: addresses are compared in their IPv4 form.
    if matches!(network, IpNet::V6(it) if it.addr().to_ipv4_mapped().is_some()) {
        return Err(format!("`{shown}` is an IPv4 network written as IPv6; write it as IPv4"));
    }
    let whole = network.trunc();
    if whole == network {
        Ok(network)
    } else {
        Err(format!("`{shown}` names an address inside the network `{whole}`; which is meant?"))
    }
}

/// The tasks that a credential may declare, where it is bound more narrowly than its agent.
pub(crate) fn tasks(
    doc: &TenantDoc,
    agent: &AgentDoc,
    asked: Option<Vec<TaskId>>,
) -> Result<Option<BTreeSet<TaskId>>, ControlError> {
    let Some(asked) = asked else { return Ok(None) };
    if asked.is_empty() {
        let rule = "a credential that may declare no task can do nothing; leave the list out for \
                    all tasks of the agent";
        return Err(ControlError::invalid("tasks", rule));
    }
    for id in &asked {
        task(doc, agent, *id, "tasks")?;
    }
    Ok(Some(asked.into_iter().collect()))
}

/// A task that an agent may declare.
pub(crate) fn task<'d>(
    doc: &'d TenantDoc,
    agent: &AgentDoc,
    id: TaskId,
    field: &'static str,
) -> Result<&'d Name, ControlError> {
    let found: Option<&TaskDoc> = doc.tasks.iter().find(|task| task.id == id);
    let found = found.ok_or(ControlError::NotFound { what: "task" })?;
    if agent.tasks.contains(&id) {
        Ok(&found.name)
    } else {
        let rule = format!("agent `{}` may not declare task `{}`", agent.name, found.name);
        Err(ControlError::invalid(field, rule))
    }
}

/// An agent of a tenant.
pub(crate) fn agent(doc: &TenantDoc, id: AgentId) -> Result<&AgentDoc, ControlError> {
    let found = doc.agents.iter().find(|it| it.id == id);
    found.ok_or(ControlError::NotFound { what: "agent" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        networks(Some(vec![text.to_owned()])).map_err(|error| error.to_string())
    }

    #[test]
    fn networks_are_written_in_one_way_only() {
        let cases = [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("fd12::/16", "fd12::/16"),
            ("2001:DB8::7", "2001:db8::7/128"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Ok(vec![expected.to_owned()]), "{text}");
        }
        for text in
            ["", "10.0.0.0/33", "10.0.0.7/8", "10/8", "host", "::ffff:10.0.0.0/104", " 10.0.0.1"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        let twice = vec!["10.0.0.0/8".to_owned(), "10.0.0.0/8".to_owned()];
        assert_eq!(networks(Some(twice)).unwrap(), ["10.0.0.0/8"]);
        assert_eq!(networks(None).unwrap(), [""; 0]);
        assert!(networks(Some(vec!["10.0.0.0/8".to_owned(); 65])).is_err());
    }
}
