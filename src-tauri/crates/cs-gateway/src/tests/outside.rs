//! Certificates of outside authorities, at the listener.

use std::sync::Arc;

use cs_model::event::EventKind;
use cs_model::revocation::Revoked;
use cs_model::{AuthorityId, TenantId};
use cs_trust::ca::{Authority, IssuedLeaf, LeafKey};
use cs_trust::spiffe::{SpiffeId, TrustDomain, WorkloadPrefix};
use cs_trust::tls::{OutsideAuthority, Owner};

use super::client::INITIALIZE;
use super::pki::{HOUR, NOW, Scene, Talk, crl, leaf};
use super::world::{ACME, GLOBEX, WORKER, tenant};
use crate::world::{OutsideName, Recognised, Revocations, World};

const BUILD: &str = "spiffe://partner.example/tenant/prod/agent/build";

fn authority_id() -> AuthorityId {
    AuthorityId::from_random([7; 16])
}

/// An authority that is somebody else's.
struct Partner(Authority);

impl Partner {
    fn new() -> Self {
        Self(Authority::create("partner", NOW, [8; 16]).unwrap().0)
    }

    fn as_of(&self, tenant: TenantId, lists: &str) -> OutsideAuthority {
        let prefix = WorkloadPrefix::parse("spiffe://partner.example/tenant/prod/").unwrap();
        let owner = Owner { tenant, authority: Some(authority_id()) };
        OutsideAuthority::read(self.0.certificate_pem(), lists, &prefix, owner).unwrap()
    }

    fn listed(&self) -> OutsideAuthority {
        self.as_of(tenant(ACME), &crl(&self.0, 1, &[]))
    }

    fn leaf(&self, domain: &str, tenant: &str, agent: &str) -> IssuedLeaf {
        let trust_domain = TrustDomain::parse(domain).unwrap();
        let [tenant, agent] = [tenant, agent].map(|it| it.parse().unwrap());
        let id = SpiffeId { trust_domain, tenant, agent };
        self.0.issue_agent(&id, LeafKey::Generate, [9; 16], NOW, 24 * HOUR).unwrap()
    }

    fn build(&self) -> IssuedLeaf {
        self.leaf("partner.example", "prod", "build")
    }
}

impl Scene {
    /// Registers each certificate of the partner with this id for the agent.
    fn register_spiffe(&self) {
        let named = OutsideName::Spiffe(BUILD.to_owned());
        let by = Recognised::OutsideCertificate { authority: authority_id(), named };
        self.register_by(by, WORKER);
    }

    async fn initialize(&self, talk: &mut Talk) -> u16 {
        let bytes = self.stage.client(WORKER).bytes("POST", &[], INITIALIZE.as_bytes());
        talk.ask(&bytes).await.status
    }

    /// Why the next request on a connection is refused.
    async fn refuses(&self, talk: &mut Talk) -> String {
        self.stage.journal.forget();
        assert_eq!(self.initialize(talk).await, 401);
        self.stage.journal.reasons(EventKind::AuthnFailed).remove(0)
    }
}

#[tokio::test]
async fn m07_an_outside_authority_speaks_for_the_names_it_was_given_and_for_no_others() {
    let (scene, partner) = (Scene::new().await, Partner::new());
    let own = partner.build();
    assert_eq!(scene.refused(&own).await, "certificate_issuer_unknown");
    scene.believe_outside(&[partner.listed()]);
    let mut talk = scene.connect(Some(&own)).await;
    assert_eq!(scene.refuses(&mut talk).await, "certificate_unknown", "nobody registered it");
    scene.register_spiffe();
    assert_eq!(scene.initialize(&mut talk).await, 200);
    let second = partner.build();
    let mut talk = scene.connect(Some(&second)).await;
    assert_eq!(scene.initialize(&mut talk).await, 200, "each with this id is the agent's");
    for (domain, tenant, agent) in [
        ("partner.example", "staging", "build"),
        ("partner.example", "production", "build"),
        ("partner.example.evil", "prod", "build"),
        ("example.org", "acme", "worker-1"),
    ] {
        let forged = partner.leaf(domain, tenant, agent);
        assert_eq!(scene.refused(&forged).await, "certificate_outside_scope", "{domain} {tenant}");
    }
    let other = partner.leaf("partner.example", "prod", "deploy");
    let mut talk = scene.connect(Some(&other)).await;
    assert_eq!(scene.refuses(&mut talk).await, "certificate_unknown");
    // An authority of ours is not the partner, whatever its certificates say.
    let forged = leaf(&scene.pki.acme, "acme", "worker-2");
    let named = OutsideName::Fingerprint(forged.fingerprint);
    let by = Recognised::OutsideCertificate { authority: authority_id(), named };
    scene.register_by(by, WORKER);
    let mut talk = scene.connect(Some(&forged)).await;
    assert_eq!(scene.refuses(&mut talk).await, "certificate_unknown");
}

#[tokio::test]
async fn m15_a_certificate_is_the_one_that_was_registered_and_no_other() {
    let (scene, partner) = (Scene::new().await, Partner::new());
    scene.believe_outside(&[partner.listed()]);
    let [own, other] = [partner.build(), partner.build()];
    let named = OutsideName::Fingerprint(own.fingerprint);
    let by = Recognised::OutsideCertificate { authority: authority_id(), named };
    scene.register_by(by, WORKER);
    let mut talk = scene.connect(Some(&own)).await;
    assert_eq!(scene.initialize(&mut talk).await, 200);
    let mut talk = scene.connect(Some(&other)).await;
    assert_eq!(scene.refuses(&mut talk).await, "certificate_unknown");
    // Nor does a stolen key of the own authority make anything that is known here.
    let rogue = leaf(&scene.pki.acme, "acme", "worker-1");
    let mut talk = scene.connect(Some(&rogue)).await;
    assert_eq!(scene.refuses(&mut talk).await, "certificate_unknown");
}

#[tokio::test]
async fn m02_an_outside_authority_without_a_list_or_with_an_expired_one_opens_nothing() {
    let (scene, partner) = (Scene::new().await, Partner::new());
    scene.register_spiffe();
    let own = partner.build();
    scene.believe_outside(&[partner.as_of(tenant(ACME), "")]);
    assert_eq!(scene.refused(&own).await, "certificate_revocation_unknown");
    scene.believe_outside(&[partner.listed()]);
    let mut talk = scene.connect(Some(&own)).await;
    assert_eq!(scene.initialize(&mut talk).await, 200);
    scene.stage.journal.pass(2 * HOUR);
    assert_eq!(scene.refuses(&mut talk).await, "certificate_crl_expired", "an open connection");
    assert_eq!(scene.refused(&own).await, "certificate_crl_expired", "a new one");
    let now = NOW.after(2 * HOUR);
    let newer = partner.0.crl(&[], 2, now, now.after(HOUR)).unwrap();
    scene.believe_outside(&[partner.as_of(tenant(ACME), &newer)]);
    assert_eq!(scene.initialize(&mut talk).await, 200);
}

#[tokio::test]
async fn m03_what_an_outside_authority_or_an_operator_revokes_opens_nothing_more() {
    let (scene, partner) = (Scene::new().await, Partner::new());
    scene.register_spiffe();
    scene.believe_outside(&[partner.listed()]);
    let own = partner.build();
    let mut talk = scene.connect(Some(&own)).await;
    assert_eq!(scene.initialize(&mut talk).await, 200);
    let withdraw = |serial: &str| {
        let mut revocations = Revocations::default();
        let (authority, serial) = (authority_id(), serial.to_owned());
        revocations.insert(tenant(ACME), Revoked::Certificate { authority, serial });
        let mut world = World::clone(&scene.stage.world.borrow());
        world.revocations = Arc::new(revocations);
        scene.stage.world.send_replace(Arc::new(world));
    };
    withdraw(&own.serial);
    assert_eq!(scene.refuses(&mut talk).await, "certificate_revoked");
    withdraw("5a");
    assert_eq!(scene.initialize(&mut talk).await, 200);
    scene.believe_outside(&[partner.as_of(tenant(ACME), &crl(&partner.0, 2, &[&own]))]);
    assert_eq!(scene.refuses(&mut talk).await, "certificate_revoked");
    scene.believe_outside(&[]);
    assert_eq!(scene.refuses(&mut talk).await, "certificate_issuer_unknown");
}

#[tokio::test]
async fn m06_an_outside_authority_of_one_tenant_opens_nothing_of_another() {
    let (scene, partner) = (Scene::new().await, Partner::new());
    scene.register_spiffe();
    let list = crl(&partner.0, 1, &[]);
    scene.believe_outside(&[partner.as_of(tenant(GLOBEX), &list)]);
    let mut talk = scene.connect(Some(&partner.build())).await;
    assert_eq!(scene.refuses(&mut talk).await, "certificate_unknown");
}
