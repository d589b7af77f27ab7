//! Published test vectors (x509-limbo), where they are at hand: in `shared/vectors` beside the
//! checkout or above it. They are not part of the repository.
//!
//! Most are chains of servers. They go through `rustls-webpki` for their own purpose and through
//! our checks for the same one, so that what is found out about chains, dates, serial numbers,
//! usages and revocation lists is found out about the code that clients go through.

use std::collections::BTreeSet;
use std::path::Path;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateRevocationListDer, ServerName};
use serde_json::Value;

use super::*;
use crate::certificate::Purpose;

#[expect(clippy::print_stderr, reason = "a test says what it could not do")]
fn vectors() -> Option<Vec<Value>> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found = above.map(|dir| dir.join("shared/vectors/x509-limbo/limbo.json"));
    let Some(path) = found.into_iter().find(|it| it.exists()) else {
        eprintln!("left out: `shared/vectors/x509-limbo` is not beside the checkout");
        return None;
    };
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    Some(vectors["testcases"].as_array().unwrap().clone())
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
}

fn ders(list: &Value) -> Vec<CertificateDer<'static>> {
    texts(list).into_iter().map(|pem| certificate::only(pem).unwrap()).collect()
}

/// The time at which a case is judged; those without one were made for today.
fn time(case: &Value) -> cs_model::Timestamp {
    let today = cs_model::Timestamp::from_secs(1_779_000_000);
    case["validation_time"].as_str().map_or(today, |text| text.parse().unwrap())
}

/// Whether a case is accepted by the path builder and by us.
fn judge(case: &Value) -> Result<(), String> {
    let now = time(case);
    let leaf = case["peer_certificate"].as_str().unwrap();
    let leaf: CertificateDer<'_> = certificate::only(leaf).ok_or("unreadable")?;
    let above = ders(&case["untrusted_intermediates"]);
    let anchors = ders(&case["trusted_certs"]);
    chain(case, &leaf, &above, &anchors, now)?;
    ours(&leaf, &above, &anchors, now).map_err(|it| it.to_string())?;
    if let ([root], lists @ [_, ..]) =
        (texts(&case["trusted_certs"]).as_slice(), texts(&case["crls"]).as_slice())
    {
        Anchor::read(root, &lists.concat(), prefix("acme")).map_err(|it| it.to_string())?;
    }
    Ok(())
}

fn ours(
    leaf: &CertificateDer<'_>,
    above: &[CertificateDer<'_>],
    anchors: &[CertificateDer<'_>],
    now: cs_model::Timestamp,
) -> Result<(), PeerError> {
    let cert = certificate::read(leaf)?;
    certificate::check_dates(&cert, now)?;
    certificate::check_leaf(&cert, Purpose::Server)?;
    for der in above {
        certificate::check_authority(&certificate::read(der)?)?;
    }
    for der in anchors {
        let cert = certificate::read(der)?;
        certificate::check_dates(&cert, now)?;
        certificate::check_authority(&cert)?;
    }
    Ok(())
}

fn chain(
    case: &Value,
    leaf: &CertificateDer<'_>,
    above: &[CertificateDer<'_>],
    anchors: &[CertificateDer<'_>],
    now: cs_model::Timestamp,
) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        roots.add(anchor.clone()).map_err(|it| it.to_string())?;
    }
    let lists = texts(&case["crls"]).into_iter();
    let lists: Vec<CertificateRevocationListDer<'_>> =
        lists.map(|pem| certificate::only(pem).unwrap()).collect();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .with_crls(lists)
        .enforce_revocation_expiration()
        .build()
        .map_err(|it| it.to_string())?;
    let name = case["expected_peer_name"]["value"].as_str().unwrap_or_default().to_owned();
    let name = ServerName::try_from(name).map_err(|it| it.to_string())?;
    let clock = At(now).current_time().unwrap();
    verifier
        .verify_server_cert(leaf, above, &name, &[], clock)
        .map(|_| ())
        .map_err(|it| it.to_string())
}

/// What is accepted here although it is labelled as bad: the beginning of the ids, and why.
const LAXER: &[(&str, &str)] = &[
    ("pathlen::max-chain-depth-", "the case chooses a depth; ours is fixed, see m11"),
    ("rfc5280::aki::", "key ids are hints: a chain is made by signatures"),
    ("rfc5280::nc::invalid-dnsname-leading-period", "a host's name; an agent has none"),
    ("rfc5280::nc::permitted-dns-match-noncritical", "constraints are not relied on, see m07"),
    ("rfc5280::pc::ica-noncritical-pc", "nothing here depends on policies"),
    ("rfc5280::san::noncritical-with-empty-subject", "the names are looked at, critical or not"),
    ("rfc5280::san::underscore-dns", "a host's name; an agent has none"),
    ("rfc5280::ski::", "key ids are hints: a chain is made by signatures"),
    ("webpki::aki::", "key ids are hints: a chain is made by signatures"),
    ("webpki::cn::", "the common name means nothing, see m04"),
    ("webpki::eku::ee-critical-eku", "the purposes are looked at, critical or not"),
    ("webpki::eku::root-has-eku", "a rule for browsers' roots; an anchor is chosen by a person"),
    ("webpki::nc::intermediate-permitted-", "constraints are not relied on, see m07"),
    ("webpki::san::public-suffix-", "a host's name; an agent has none"),
    ("webpki::san::san-critical-with-nonempty-subject", "the names are looked at, critical or not"),
];

/// What is refused here although it is labelled as good.
const STRICTER: &[(&str, &str)] = &[
    ("crl::issuer-no-keyusage-extension", "an authority says that it may sign"),
    ("online::", "purposes are exactly one, these are servers and clients; one root has serial 0"),
    ("pathlen::self-issued-certs-pathlen", "rustls-webpki tries the wrong one of two of a name"),
    ("pathlen::validation-ignores-pathlen-in-leaf", "an authority is no leaf, see m05"),
    ("rfc5280::ca-as-leaf", "an authority is no leaf, see m05"),
    ("rfc5280::eku::ee-without-eku", "a leaf says what it is for, see m05"),
    ("rfc5280::nc::permitted-dn-match", "the case names no host to look up"),
    ("rfc5280::nc::permitted-self-issued", "rustls-webpki tries the wrong one of two of a name"),
    ("rfc5280::no-keyusage", "a leaf says that its key signs handshakes, see m05"),
    ("rfc5280::unknown-critical-extension-unrelated-", "whatever is shown is looked at"),
    ("webpki::cryptographydotio-chain", "purposes are exactly one, this is a server and a client"),
];

#[test]
fn n03_m02_m05_m08_chains_are_judged_as_published() {
    let Some(cases) = vectors() else { return };
    let mut used: BTreeSet<&str> = BTreeSet::new();
    let mut tried = 0;
    for case in cases.iter().filter(|it| it["validation_kind"] == "SERVER") {
        let id = case["id"].as_str().unwrap();
        let accepted = judge(case);
        let (exceptions, agrees) = match case["expected_result"].as_str().unwrap() {
            "SUCCESS" => (STRICTER, accepted.is_ok()),
            _ => (LAXER, accepted.is_err()),
        };
        let excepted = exceptions.iter().find(|(start, _)| id.starts_with(start));
        assert!(agrees || excepted.is_some(), "{id}: {accepted:?}");
        if !agrees {
            used.extend(excepted.map(|(start, _)| *start));
        }
        tried += 1;
    }
    assert!(tried > 190, "{tried}");
    for (start, why) in LAXER.iter().chain(STRICTER) {
        assert!(used.contains(start), "no exception any more: {start} ({why})");
    }
}

#[test]
fn m04_m05_no_published_certificate_passes_for_an_agents() {
    let Some(cases) = vectors() else { return };
    let mut clients = 0;
    for case in &cases {
        let leaf = case["peer_certificate"].as_str().unwrap();
        let Some(leaf) = certificate::only::<CertificateDer<'_>>(leaf) else { continue };
        let read = crate::PeerCertificate::read(&leaf, time(case));
        assert!(read.is_err(), "{}", case["id"]);
        if case["validation_kind"] == "CLIENT" {
            // They are named by mail addresses.
            assert!(matches!(read, Err(PeerError::Names | PeerError::Purpose)), "{case}");
            clients += 1;
        }
    }
    assert!(clients >= 10, "{clients}");
}
