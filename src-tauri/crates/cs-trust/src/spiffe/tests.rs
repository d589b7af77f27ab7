use super::*;

#[test]
fn m04_an_id_is_accepted_byte_by_byte_or_refused_for_one_stated_reason() {
    let long_domain = format!("spiffe://{}/tenant/acme/agent/a", "x".repeat(256));
    let character = Some(SpiffeError::Name(NameError::Character));
    let cases: &[(&str, &str, Option<SpiffeError>)] = &[
        ("plain", "spiffe://example.org/tenant/acme/agent/reader-1", None),
        ("one label, underscore", "spiffe://local/tenant/acme/agent/night_shift", None),
        ("other scheme", "https://example.org/tenant/acme/agent/a", Some(SpiffeError::Scheme)),
        ("upper scheme", "SPIFFE://example.org/tenant/acme/agent/a", Some(SpiffeError::Scheme)),
        ("leading space", " spiffe://e.org/tenant/acme/agent/a", Some(SpiffeError::Scheme)),
        ("empty", "", Some(SpiffeError::Scheme)),
        ("upper domain", "spiffe://Example.org/tenant/a/agent/a", Some(SpiffeError::TrustDomain)),
        ("no domain", "spiffe:///tenant/acme/agent/a", Some(SpiffeError::TrustDomain)),
        ("port", "spiffe://e.org:443/tenant/acme/agent/a", Some(SpiffeError::TrustDomain)),
        ("userinfo", "spiffe://x@e.org/tenant/acme/agent/a", Some(SpiffeError::TrustDomain)),
        ("trailing dot", "spiffe://e.org./tenant/acme/agent/a", Some(SpiffeError::TrustDomain)),
        ("two dots", "spiffe://e..org/tenant/acme/agent/a", Some(SpiffeError::TrustDomain)),
        ("wildcard domain", "spiffe://*.org/tenant/acme/agent/a", Some(SpiffeError::TrustDomain)),
        ("escaped domain", "spiffe://e%2eorg/tenant/a/agent/a", Some(SpiffeError::TrustDomain)),
        ("too long a domain", &long_domain, Some(SpiffeError::TrustDomain)),
        ("no path", "spiffe://example.org", Some(SpiffeError::Path)),
        ("only a tenant", "spiffe://example.org/tenant/acme", Some(SpiffeError::Path)),
        ("trailing slash", "spiffe://e.org/tenant/acme/agent/a/", Some(SpiffeError::Path)),
        ("doubled slash", "spiffe://e.org//tenant/acme/agent/a", Some(SpiffeError::Path)),
        ("more path", "spiffe://e.org/tenant/acme/agent/a/b", Some(SpiffeError::Path)),
        ("upper key", "spiffe://e.org/Tenant/acme/agent/a", Some(SpiffeError::Path)),
        ("swapped keys", "spiffe://e.org/agent/a/tenant/acme", Some(SpiffeError::Path)),
        ("parent", "spiffe://e.org/tenant/../agent/a", character),
        ("escaped slash", "spiffe://e.org/tenant/acme/agent/a%2Fb", character),
        ("escaped letter", "spiffe://e.org/tenant/acme/agent/%61", character),
        ("NUL", "spiffe://e.org/tenant/acme/agent/a\0b", character),
        ("query", "spiffe://e.org/tenant/acme/agent/a?b", character),
        ("fragment", "spiffe://e.org/tenant/acme/agent/a#b", character),
        ("look-alike letter", "spiffe://e.org/tenant/acme/agent/\u{430}", character),
        ("upper agent", "spiffe://e.org/tenant/acme/agent/Admin", character),
        ("wildcard", "spiffe://e.org/tenant/acme/agent/*", character),
        ("line break", "spiffe://e.org/tenant/acme/agent/a\n", character),
        ("no tenant", "spiffe://e.org/tenant//agent/a", Some(SpiffeError::Name(NameError::Empty))),
        ("no agent", "spiffe://e.org/tenant/a/agent/", Some(SpiffeError::Name(NameError::Empty))),
    ];
    for (name, text, refused) in cases {
        let read = SpiffeId::parse(text);
        assert_eq!(read.clone().err(), *refused, "{name}");
        if let Ok(id) = read {
            assert_eq!(id.to_string(), *text, "{name}");
        }
    }
}

#[test]
fn m07_a_prefix_covers_the_agents_of_its_own_tenant_alone() {
    let prefix = SpiffePrefix::parse("spiffe://e.org/tenant/acme/").unwrap();
    assert_eq!(prefix.to_string(), "spiffe://e.org/tenant/acme/");
    for (text, covered) in [
        ("spiffe://e.org/tenant/acme/agent/a", true),
        ("spiffe://e.org/tenant/acme2/agent/a", false),
        ("spiffe://e.org/tenant/ac/agent/a", false),
        ("spiffe://e.org.evil/tenant/acme/agent/a", false),
        ("spiffe://org/tenant/acme/agent/a", false),
    ] {
        assert_eq!(prefix.covers(&SpiffeId::parse(text).unwrap()), covered, "{text}");
    }
    for text in [
        "spiffe://e.org/tenant/acme",
        "spiffe://e.org/tenant/",
        "spiffe://e.org/",
        "spiffe://e.org/tenant/acme/agent/",
        "spiffe://e.org/tenant/acme//",
    ] {
        assert!(SpiffePrefix::parse(text).is_err(), "{text}");
    }
}

#[test]
fn m04_m07_an_id_of_others_is_written_in_one_way_and_a_prefix_covers_whole_parts() {
    for text in ["spiffe://e.org/ns/prod/sa/Build_1.x", "spiffe://e.org/a"] {
        assert_eq!(WorkloadId::parse(text).unwrap().to_string(), text);
    }
    let long = format!("spiffe://e.org/{}", "a".repeat(300));
    for text in [
        "spiffe://e.org",
        "spiffe://e.org/",
        "spiffe://e.org//a",
        "spiffe://e.org/a/",
        "spiffe://e.org/./a",
        "spiffe://e.org/../a",
        "spiffe://e.org/a%2Fb",
        "spiffe://e.org/a?b",
        "spiffe://e.org/a#b",
        "spiffe://e.org/a b",
        "spiffe://e.org/\u{430}",
        "spiffe://E.org/a",
        "https://e.org/a",
        long.as_str(),
    ] {
        assert!(WorkloadId::parse(text).is_err(), "{text}");
    }
    let prefix = WorkloadPrefix::parse("spiffe://e.org/ns/prod/").unwrap();
    for (text, covered) in [
        ("spiffe://e.org/ns/prod/sa/a", true),
        ("spiffe://e.org/ns/prod2/sa/a", false),
        ("spiffe://e.org/ns/prod", false),
        ("spiffe://e.org.evil/ns/prod/sa/a", false),
        ("spiffe://org/ns/prod/sa/a", false),
    ] {
        assert_eq!(prefix.covers(&WorkloadId::parse(text).unwrap()), covered, "{text}");
    }
    for text in ["spiffe://e.org", "spiffe://e.org/ns", "spiffe://e.org//", "spiffe://e.org/../"] {
        assert!(WorkloadPrefix::parse(text).is_err(), "{text}");
    }
    let whole = WorkloadPrefix::parse("spiffe://e.org/").unwrap();
    let other = WorkloadPrefix::parse("spiffe://e.org/ns/test/").unwrap();
    assert!(whole.overlaps(&prefix) && prefix.overlaps(&whole) && !prefix.overlaps(&other));
}
