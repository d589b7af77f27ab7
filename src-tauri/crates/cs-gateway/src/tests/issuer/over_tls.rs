//! Clients with certificates, and tokens that are bound to them.

use cs_trust::ca::IssuedLeaf;

use super::super::pki::{Scene, Talk, leaf, spiffe};
use super::*;

/// A gateway over TLS that issues tokens; worker-1 has a client with its certificate.
async fn scene() -> (Scene, IssuedLeaf) {
    let scene = Scene::new().await;
    let own = scene.worker();
    let mut world = World::clone(&scene.stage.world.borrow());
    let mut credentials = Credentials::clone(&world.credentials);
    let proof = ClientProof::Certificate { spiffe: spiffe("acme", "worker-1").to_string() };
    let certified = Recognised::Client { client_id: "csc_certified".to_owned(), proof };
    credentials.insert(holder(SECRET, ACME, WORKER), by_secret(ID, TEXT));
    credentials.insert(holder(KEYED, ACME, WORKER), certified);
    credentials.insert(holder(RIVAL, ACME, OTHER), by_secret("csc_rival", "ccs_rival"));
    world.credentials = Arc::new(credentials);
    let document = policy();
    world.policy = world_of(&document).policy;
    let mut issuers = OwnIssuers::default();
    issuers.insert(issuer(&document, 0, &[1, 2]));
    world.issuers = Arc::new(issuers);
    scene.stage.world.send_replace(Arc::new(world));
    scene.stage.journal.forget();
    (scene, own)
}

impl Scene {
    fn own_host(&self) -> String {
        format!("gateway.example:{}", self.stage.gateway.address().port())
    }

    async fn asks(&self, talk: &mut Talk, auth: Option<&str>, id: Option<&str>) -> Reply {
        let resource = format!("https://{}/t/acme/task/workbench/mcp", self.own_host());
        let mut form = vec![("grant_type", "client_credentials"), ("resource", &resource)];
        form.extend(id.map(|id| ("client_id", id)));
        let headers: Vec<_> = auth.map(|it| ("authorization", it)).into_iter().collect();
        talk.ask(&posted(&self.own_host(), "/t/acme/as/token", &headers, &encoded(&form))).await
    }

    async fn comes_with(&self, talk: &mut Talk, token: &str) -> u16 {
        let host = self.own_host();
        let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
        let client = self.stage.client(WORKER);
        let own = client.host();
        let bytes = client.bytes("POST", &headers, INITIALIZE.as_bytes());
        let text = String::from_utf8(bytes).unwrap().replace(&own, &host);
        talk.ask(text.as_bytes()).await.status
    }
}

#[tokio::test]
async fn j27_a_client_with_a_certificate_gets_a_token_that_is_bound_to_it() {
    let (scene, own) = scene().await;
    let mut talk = scene.connect(Some(&own)).await;
    let token = granted(&scene.asks(&mut talk, None, Some("csc_certified")).await);
    let bound = URL_SAFE_NO_PAD.encode(own.fingerprint.as_bytes());
    assert_eq!(claims(&token)["cnf"], json!({"x5t#S256": bound}));
    assert_eq!(scene.comes_with(&mut talk, &token).await, 200);
    let mut without = scene.connect(None).await;
    scene.stage.journal.forget();
    assert_eq!(scene.comes_with(&mut without, &token).await, 401);
    let reasons = scene.stage.journal.reasons(EventKind::AuthnFailed);
    assert_eq!(reasons, ["certificate_binding"]);
}

#[tokio::test]
async fn j27_whoever_shows_a_certificate_gets_a_bound_token_whatever_else_proves_it() {
    let (scene, own) = scene().await;
    let mut talk = scene.connect(Some(&own)).await;
    let auth = basic(ID, TEXT);
    let bound = granted(&scene.asks(&mut talk, Some(&auth), None).await);
    assert!(claims(&bound)["cnf"]["x5t#S256"].is_string());
    let mut without = scene.connect(None).await;
    let free = granted(&scene.asks(&mut without, Some(&auth), None).await);
    assert_eq!(claims(&free)["cnf"], Value::Null);
    assert_eq!(scene.comes_with(&mut without, &free).await, 200);
    assert_eq!(scene.comes_with(&mut without, &bound).await, 401);
}

#[tokio::test]
async fn m04_m13_a_certificate_proves_its_own_agents_client_and_no_other() {
    let (scene, own) = scene().await;
    let refused = |reason: &'static str| {
        let told = scene.stage.journal.reasons(EventKind::AuthnFailed);
        assert_eq!(told, [reason]);
        assert!(scene.stage.journal.reasons(EventKind::IssuerIssued).is_empty(), "{reason}");
        scene.stage.journal.forget();
    };
    let mut without = scene.connect(None).await;
    let reply = scene.asks(&mut without, None, Some("csc_certified")).await;
    assert_eq!(error(&reply), (401, "invalid_client".to_owned()));
    refused("certificate_not_shown");
    let auth = basic("csc_certified", "ccs_x");
    scene.asks(&mut without, Some(&auth), None).await;
    refused("client_method_wrong");

    let other = leaf(&scene.pki.acme, "acme", "worker-2");
    let mut talk = scene.connect(Some(&other)).await;
    scene.asks(&mut talk, None, Some("csc_certified")).await;
    refused("certificate_names_another");
    scene.asks(&mut talk, Some(&basic(ID, TEXT)), None).await;
    refused("certificate_of_another");
    // The right certificate beside another agent's secret is a second identity.
    let mut talk = scene.connect(Some(&own)).await;
    scene.asks(&mut talk, Some(&basic("csc_rival", "ccs_rival")), None).await;
    refused("certificate_of_another");
}

#[tokio::test]
async fn m03_a_certificate_that_was_revoked_proves_no_client() {
    let (scene, own) = scene().await;
    let mut talk = scene.connect(Some(&own)).await;
    let token = granted(&scene.asks(&mut talk, None, Some("csc_certified")).await);
    scene.stage.change_key(super::super::pki::CERTIFICATE, |it| {
        it.state = CredentialState::Revoked;
    });
    scene.stage.journal.forget();
    let reply = scene.asks(&mut talk, None, Some("csc_certified")).await;
    assert_eq!(error(&reply), (401, "invalid_client".to_owned()));
    assert_eq!(scene.comes_with(&mut talk, &token).await, 401);
    let reasons = scene.stage.journal.reasons(EventKind::AuthnFailed);
    assert_eq!(reasons, ["credential_revoked", "credential_revoked"]);
}
