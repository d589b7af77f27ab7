//! Gate one: who is calling.

use cs_model::Timestamp;
use cs_model::event::EventKind;
use cs_model::state::{CredentialState, Standing};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::client::{INITIALIZE, Reply, body, nonce, raw};
use super::world::{NOON, OTHER, STRANGER, Stage, WORKER, key_of};

/// What a refusal looks like, but for the correlation.
fn masked(reply: &Reply) -> (u16, String, Vec<(String, String)>) {
    let correlation = reply.header("countersign-correlation").unwrap().to_owned();
    let headers = reply
        .headers
        .iter()
        .filter(|(name, _)| name != "countersign-correlation" && name != "date");
    (reply.status, reply.body.replace(&correlation, "C"), headers.cloned().collect())
}

#[tokio::test]
async fn every_reason_to_refuse_a_credential_has_one_answer_and_its_own_record() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let text = INITIALIZE.as_bytes();
    let signed = client.signature("POST", text);
    let changed = |name: &str, value: &str| {
        let mut headers = signed.clone();
        headers.iter_mut().find(|(it, _)| it == name).unwrap().1 = value.to_owned();
        headers
    };
    let unknown = signed[0].1.replace("csk_0", "csk_9");
    let zero = format!("countersign=:{}=:", "A".repeat(43));
    let with = |extra: (&str, &str)| {
        let mut headers = signed.clone();
        headers.push((extra.0.to_owned(), extra.1.to_owned()));
        headers
    };
    let cases: Vec<(&str, Vec<(String, String)>)> = vec![
        ("no_credential", Vec::new()),
        ("several_methods", with(("authorization", "Bearer css_x"))),
        ("signature_incomplete", with(("signature", signed[1].1.as_str()))),
        ("signature_incomplete", signed[..2].to_vec()),
        ("credential_unknown", changed("signature-input", &unknown)),
        ("signature_malformed", changed("signature-input", "countersign=()")),
        ("signature_malformed", changed("signature", "countersign=:AAAA:")),
        ("signature_invalid", changed("signature", &zero)),
    ];
    let mut answers = Vec::new();
    for (reason, headers) in cases {
        stage.journal.forget();
        let reply = raw(stage.gateway.address(), &client.bytes("POST", &headers, text)).await;
        assert_eq!(reply.status, 401, "{reason}");
        assert_eq!(stage.journal.reasons(EventKind::AuthnFailed), [reason]);
        assert_eq!(stage.journal.steps(), ["authn.failed"], "{reason}");
        answers.push(masked(&reply));
    }
    // That a token was sent is no secret: then the challenge says so.
    for (_, _, headers) in &mut answers {
        for (_, value) in headers.iter_mut().filter(|(name, _)| name == "www-authenticate") {
            *value = value.replace("error=\"invalid_token\", ", "");
        }
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    let challenge = answers[0].2.iter().find(|(name, _)| name == "www-authenticate").unwrap();
    assert_eq!(
        challenge.1,
        format!(
            "Bearer resource_metadata=\"http://{}/.well-known/oauth-protected-resource{}\", \
             scope=\"mcp:connect\"",
            client.host(),
            client.path
        )
    );
}

#[tokio::test]
async fn k01_a_signed_request_passes_once() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let signed = client.signature("POST", INITIALIZE.as_bytes());
    let bytes = client.bytes("POST", &signed, INITIALIZE.as_bytes());
    let address = stage.gateway.address();
    let all = (0..20).map(|_| {
        let bytes = bytes.clone();
        tokio::spawn(async move { raw(address, &bytes).await.status })
    });
    let mut passed = 0;
    for reply in all.collect::<Vec<_>>() {
        passed += usize::from(reply.await.unwrap() == 200);
    }
    assert_eq!(passed, 1);
    assert_eq!(stage.journal.reasons(EventKind::AuthnFailed), ["replay"; 19]);
}

#[tokio::test]
async fn k02_a_signature_is_fresh_for_ninety_seconds_either_way() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let text = INITIALIZE.as_bytes();
    for (offset, status) in [(-91, 401), (-90, 200), (90, 200), (91, 401)] {
        let created = NOON / 1000 + offset;
        let signed = client.signature_with("POST", text, created, &nonce());
        let reply = raw(stage.gateway.address(), &client.bytes("POST", &signed, text)).await;
        assert_eq!(reply.status, status, "{offset}");
    }
}

#[tokio::test]
async fn k03_a_replay_is_refused_after_a_restart() {
    let stage = Stage::with(|config| config.listen = ([127, 0, 0, 1], 0).into()).await;
    let client = stage.client(WORKER);
    let signed = client.signature("POST", INITIALIZE.as_bytes());
    let bytes = client.bytes("POST", &signed, INITIALIZE.as_bytes());
    assert_eq!(raw(stage.gateway.address(), &bytes).await.status, 200);
    let address = stage.gateway.address();
    stage.gateway.stop().await;
    let again = Stage::after(stage.journal.clone(), |config| config.listen = address).await;
    assert_eq!(raw(address, &bytes).await.status, 401);
    assert_eq!(again.journal.reasons(EventKind::AuthnFailed), ["replay"]);
}

#[tokio::test]
async fn k04_f02_a_clock_that_steps_back_makes_no_old_signature_fresh() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let text = INITIALIZE.as_bytes();
    let old = client.signature_with("POST", text, NOON / 1000 - 300, &nonce());
    assert_eq!(client.post(INITIALIZE).await.status, 200);
    stage.journal.now.fetch_sub(300_000, std::sync::atomic::Ordering::SeqCst);
    let reply = raw(stage.gateway.address(), &client.bytes("POST", &old, text)).await;
    assert_eq!(reply.status, 401);
    assert_eq!(stage.journal.reasons(EventKind::AuthnFailed), ["signature_stale"]);
}

#[tokio::test]
async fn k05_k06_k07_a_signature_covers_the_method_the_path_the_host_and_the_body() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let text = INITIALIZE.as_bytes();
    let address = stage.gateway.address();
    let signed = client.signature("POST", text);

    let respaced = INITIALIZE.replace("\"id\":\"i\"", "\"id\": \"i\"");
    let reply = raw(address, &client.bytes("POST", &signed, respaced.as_bytes())).await;
    assert_eq!(reply.status, 401, "another body");

    let elsewhere = client.clone().at("/t/acme/mcp");
    let reply = raw(address, &elsewhere.bytes("POST", &signed, text)).await;
    assert_eq!(reply.status, 401, "another path");

    let reply = raw(address, &client.bytes("DELETE", &signed, b"")).await;
    assert_eq!(reply.status, 401, "another method");

    let bytes = client.bytes("POST", &signed, text);
    let host = format!("host: localhost:{}", address.port());
    let other = String::from_utf8(bytes).unwrap();
    let other = other.replace(&format!("host: {address}"), &host);
    assert_eq!(raw(address, other.as_bytes()).await.status, 401, "another host");

    let unsigned: Vec<_> = signed.iter().take(2).cloned().collect();
    assert_eq!(raw(address, &client.bytes("POST", &unsigned, text)).await.status, 401, "no digest");
}

#[tokio::test]
async fn k12_a_key_is_worth_nothing_with_the_secret_of_another() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let text = INITIALIZE.as_bytes();
    let mut signed = client.signature("POST", text);
    let own = super::world::key_id(WORKER);
    signed[0].1 = signed[0].1.replace(&own, &super::world::key_id(STRANGER));
    let reply = raw(stage.gateway.address(), &client.bytes("POST", &signed, text)).await;
    assert_eq!(reply.status, 401);
    assert_eq!(stage.journal.reasons(EventKind::AuthnFailed), ["signature_invalid"]);
}

#[tokio::test]
async fn k13_a_key_that_does_not_stand_is_refused_on_the_very_next_request() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    assert_eq!(client.post(INITIALIZE).await.status, 200);
    let cases = [
        (CredentialState::Revoked, "credential_revoked"),
        (CredentialState::Suspended, "credential_suspended"),
        (CredentialState::Expired, "credential_expired"),
    ];
    for (state, reason) in cases {
        stage.journal.forget();
        stage.change_key(WORKER, |key| key.state = state);
        assert_eq!(client.post(INITIALIZE).await.status, 401, "{reason}");
        assert_eq!(stage.journal.reasons(EventKind::AuthnFailed), [reason]);
    }
    stage.change_key(WORKER, |key| {
        key.state = CredentialState::Active;
        key.expires = Timestamp::from_millis(NOON);
    });
    assert_eq!(client.post(INITIALIZE).await.status, 401, "it ends at that instant");
}

/// A call that was let in is judged by its credential again whenever it is judged.
#[tokio::test]
async fn k13_a_call_under_way_is_not_judged_by_a_key_that_does_not_stand_any_more() {
    let stage = Stage::new().await;
    stage.client(WORKER).initialize().await;
    let gate = &stage.gateway.gate;
    let live = gate.sessions.all().remove(0);
    let nothing = cs_model::Digest::of(b"");
    let met = cs_policy::Met::default();
    let given = crate::authz::Given { digest: nothing, met: &met };
    let wanted = crate::item::Wanted {
        era: crate::wire::Era::Legacy,
        kind: cs_model::Kind::Tool,
        act: cs_policy::Act::Use,
        name: "read_file",
    };
    let judged = || crate::authz::judge(gate, &live, &key_of(&live), wanted, given);
    assert!(matches!(judged(), cs_policy::Verdict::Allow(_)));
    stage.change_key(WORKER, |key| key.state = CredentialState::Revoked);
    assert!(!live.is_over(), "nobody had the time to end the session");
    assert!(matches!(judged(), cs_policy::Verdict::Deny(_)));
}

#[tokio::test]
async fn an_agent_or_tenant_that_is_suspended_is_refused_like_anybody_unknown() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    stage.enforce(|it| it.tenants[0].agents[0].standing = Standing::Suspended);
    assert_eq!(client.post(INITIALIZE).await.status, 401);
    stage.enforce(|it| it.tenants[0].standing = Standing::Suspended);
    assert_eq!(client.post(INITIALIZE).await.status, 401);
    let reasons = stage.journal.reasons(EventKind::AuthnFailed);
    assert_eq!(reasons, ["agent_suspended", "tenant_suspended"]);
}

/// Attacks S07: the tenant comes from the credential, and the address only has to agree.
#[tokio::test]
async fn s07_a_credential_of_one_tenant_opens_nothing_of_another() {
    let stage = Stage::new().await;
    let unknown = stage.client(STRANGER).at("/t/nobody/mcp").post(INITIALIZE).await;
    let foreign = stage.client(STRANGER).at("/t/acme/mcp").post(INITIALIZE).await;
    assert_eq!(foreign.status, 401);
    let body = |reply: &Reply| masked(reply).1;
    assert_eq!(body(&unknown), body(&foreign));
    for path in ["/t/globex/..%2facme/mcp", "/t/globex/../acme/mcp", "/t/Globex/mcp", "/t//mcp"] {
        let reply = stage.client(STRANGER).at(path).post(INITIALIZE).await;
        assert!([401, 404].contains(&reply.status), "{path}: {}", reply.status);
    }
    assert_eq!(stage.gateway.sessions().len(), 0);
}

/// Attacks S05: a key that somebody carried off is of no use elsewhere, and they are told nothing.
#[tokio::test]
async fn s05_a_key_is_of_use_from_its_networks_only() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let from = |networks: &[&str]| {
        let networks: Vec<_> = networks.iter().map(|it| it.parse().unwrap()).collect();
        stage.change_key(WORKER, |key| key.networks = networks);
    };
    from(&["10.0.0.0/8", "::1/128"]);
    let elsewhere = client.post(INITIALIZE).await;
    assert_eq!(elsewhere.status, 401);
    assert_eq!(stage.journal.reasons(EventKind::AuthnFailed), ["network_not_allowed"]);
    stage.change_key(WORKER, |key| key.state = CredentialState::Revoked);
    let revoked = client.post(INITIALIZE).await;
    assert_eq!(masked(&elsewhere), masked(&revoked));
    stage.change_key(WORKER, |key| key.state = CredentialState::Active);
    for networks in [&["127.0.0.0/8"][..], &["10.0.0.0/8", "127.0.0.1/32"], &[]] {
        from(networks);
        assert_eq!(client.post(INITIALIZE).await.status, 200, "{networks:?}");
    }
}

#[tokio::test]
async fn s08_the_same_names_in_two_tenants_have_nothing_to_do_with_each_other() {
    let stage = Stage::new().await;
    stage.enforce(|it| it.tenants[0].tools[0].enabled = false);
    assert_eq!(stage.client(WORKER).call("read_file", json!({})).await.error_code(), -32602);
    assert_eq!(stage.client(STRANGER).call("read_file", json!({})).await.text(), "done");
    assert_eq!(stage.journal.calls()[0].tenant, super::world::tenant(super::world::GLOBEX));
}

/// Attacks T23: each request of a connection is authenticated by itself.
#[tokio::test]
async fn t23_t24_requests_of_one_connection_stand_each_for_themselves() {
    let stage = Stage::new().await;
    let [one, two] = [stage.client(WORKER), stage.client(OTHER)];
    let text = INITIALIZE.as_bytes();
    let keep = |bytes: Vec<u8>| {
        String::from_utf8(bytes).unwrap().replace("connection: close\r\n", "").into_bytes()
    };
    let mut all = keep(one.bytes("POST", &one.signature("POST", text), text));
    all.extend(keep(one.bytes("POST", &[], text)));
    all.extend(two.bytes("POST", &two.signature("POST", text), text));
    let mut stream = TcpStream::connect(stage.gateway.address()).await.unwrap();
    stream.write_all(&all).await.unwrap();
    let mut answer = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let statuses: Vec<_> = answer
        .matches("HTTP/1.1 ")
        .zip(answer.split("HTTP/1.1 ").skip(1))
        .map(|(_, rest)| &rest[..3])
        .collect();
    assert_eq!(statuses, ["200", "401", "200"]);
    assert_eq!(stage.gateway.sessions().len(), 2);
}

#[tokio::test]
async fn the_record_of_a_failure_says_who_it_claimed_to_be_in_neutral_text() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let signed = client.signature("POST", b"other");
    let reply = raw(stage.gateway.address(), &client.bytes("POST", &signed, b"{}")).await;
    assert_eq!(reply.status, 401);
    let event = stage.journal.events().pop().unwrap();
    assert_eq!(event.claimed, Some(super::world::key_id(WORKER)));
    assert_eq!((event.agent, event.credential), (None, None), "a claim is not a fact");
    let door = Some(super::world::tenant(super::world::ACME));
    assert_eq!(event.tenant, door, "s07: whose door it was, and no other tenant is told");
    let _ = body;
}

#[tokio::test]
async fn k09_a_nonce_is_of_its_alphabet_and_length_and_used_once_by_each_key() {
    let stage = Stage::new().await;
    let (client, other) = (stage.client(WORKER), stage.client(OTHER));
    let text = INITIALIZE.as_bytes();
    let address = stage.gateway.address();
    let now = NOON / 1000;
    let signed = client.signature_with("POST", text, now, "a-nonce-of-the-key");
    // Somebody who signs by other rules than ours: the signature is not even looked at.
    for bad in [
        "",
        "fifteen-chars-1",
        &"n".repeat(65),
        &"n".repeat(10_000),
        "sixteen chars 16",
        "a/b+c=d!e?f:g;h,",
    ] {
        let mut headers = signed.clone();
        headers[0].1 = headers[0].1.replace("a-nonce-of-the-key", bad);
        stage.journal.forget();
        let reply = raw(address, &client.bytes("POST", &headers, text)).await;
        assert_eq!(reply.status, 401, "{bad}");
        assert_eq!(stage.journal.reasons(EventKind::AuthnFailed), ["signature_malformed"], "{bad}");
    }
    let once = "a-nonce-that-is-used-by-two-keys";
    for (who, created, status) in
        [(&client, now, 200), (&client, now + 1, 401), (&other, now, 200), (&other, now - 1, 401)]
    {
        let signed = who.signature_with("POST", text, created, once);
        assert_eq!(raw(address, &who.bytes("POST", &signed, text)).await.status, status);
    }
}
