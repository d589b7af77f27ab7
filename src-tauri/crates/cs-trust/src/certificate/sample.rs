//! Authorities and certificates for tests, good ones and forged ones.

use std::time::Duration;

use cs_model::{Name, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    SanType, SerialNumber, SigningKey,
};
use rustls::pki_types::CertificateRevocationListDer;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::time::ASN1Time;

use crate::ca::Authority;
use crate::spiffe::{SpiffeId, SpiffePrefix, TrustDomain};

/// 2026-07-28T09:30:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_785_231_000);

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// An authority that `rcgen` makes as it is told, and not as ours would.
pub(crate) struct Root {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

pub(crate) fn authority(subject: &str) -> Authority {
    Authority::create(subject, NOW, [7; 16]).unwrap().0
}

pub(crate) fn agent(tenant: &str, agent: &str) -> SpiffeId {
    let trust_domain = TrustDomain::parse("example.org").unwrap();
    let [tenant, agent] = [tenant, agent].map(|it| Name::parse(it).unwrap());
    SpiffeId { trust_domain, tenant, agent }
}

pub(crate) fn prefix(tenant: &str) -> SpiffePrefix {
    SpiffePrefix::parse(&format!("spiffe://example.org/tenant/{tenant}/")).unwrap()
}

/// Makes a certificate valid from one moment to another.
pub(crate) fn valid(params: &mut CertificateParams, from: Timestamp, until: Timestamp) {
    [params.not_before, params.not_after] = [from, until].map(|at| asn1(at).to_datetime());
}

/// Makes a list the newest one from one moment to another.
pub(crate) fn listed(
    list: &mut CertificateRevocationListParams,
    from: Timestamp,
    until: Timestamp,
) {
    [list.this_update, list.next_update] = [from, until].map(|at| asn1(at).to_datetime());
}

fn asn1(at: Timestamp) -> ASN1Time {
    ASN1Time::from_timestamp(at.secs()).unwrap()
}

/// DER in PEM.
pub(crate) fn pem_of(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

pub(crate) fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

/// The parameters of an authority as good as ours, after `change`.
pub(crate) fn root_params(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "root");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(SerialNumber::from(1));
    valid(&mut params, NOW.before(DAY), NOW.after(DAY));
    change(&mut params);
    params
}

/// The parameters of a leaf as good as ours, for agent `reader` of `acme`, after `change`.
pub(crate) fn leaf_params(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = root_params(|_| ());
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names = vec![uri("spiffe://example.org/tenant/acme/agent/reader")];
    params.serial_number = Some(SerialNumber::from(77));
    params.use_authority_key_identifier_extension = true;
    change(&mut params);
    params
}

/// DER of one element of less than 64 KiB.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let header = match length {
        0..0x80 => vec![tag, u8::try_from(length).unwrap()],
        0x80..0x100 => vec![tag, 0x81, u8::try_from(length).unwrap()],
        _ => [&[tag, 0x82], u16::try_from(length).unwrap().to_be_bytes().as_slice()].concat(),
    };
    [&header, content].concat()
}

/// A critical extension that nobody knows.
pub(crate) fn unknown_critical() -> CustomExtension {
    let mut extension =
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999, 1], vec![5, 0]);
    extension.set_criticality(true);
    extension
}

impl Root {
    pub(crate) fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        Self { issuer: CertifiedIssuer::self_signed(root_params(change), key).unwrap() }
    }

    /// An authority below this one.
    pub(crate) fn intermediate(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let params = root_params(|params| {
            params.distinguished_name = rcgen::DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, "intermediate");
            params.serial_number = Some(SerialNumber::from(2));
            params.use_authority_key_identifier_extension = true;
            change(params);
        });
        let key = KeyPair::generate().unwrap();
        Self { issuer: CertifiedIssuer::signed_by(params, key, &self.issuer).unwrap() }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    /// A leaf, and its key in PEM.
    pub(crate) fn leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> (Vec<u8>, String) {
        let key = KeyPair::generate().unwrap();
        let leaf = leaf_params(change).signed_by(&key, &self.issuer).unwrap();
        (leaf.der().to_vec(), key.serialize_pem())
    }

    /// A list that revokes nothing, after `change`.
    pub(crate) fn crl(&self, change: impl FnOnce(&mut CertificateRevocationListParams)) -> String {
        let mut list = CertificateRevocationListParams {
            this_update: asn1(NOW.before(DAY)).to_datetime(),
            next_update: asn1(NOW.after(DAY)).to_datetime(),
            crl_number: SerialNumber::from(5),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        change(&mut list);
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    /// A list whose extension with this last part of its id has another instead.
    pub(crate) fn crl_with(&self, from: u8, to: u8) -> String {
        let der: CertificateRevocationListDer<'_> = super::only(&self.crl(|_| ())).unwrap();
        let (_, list) = CertificateRevocationList::from_der(&der).unwrap();
        let mut signed = list.tbs_cert_list.as_ref().to_vec();
        let place = signed.windows(5).position(|it| it == [0x06, 0x03, 0x55, 0x1d, from]).unwrap();
        *signed.iter_mut().skip(place).nth(4).unwrap() = to;
        let signature = self.issuer.key().sign(&signed).unwrap();
        let algorithm = element(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]);
        let bits = element(0x03, &[&[0], signature.as_slice()].concat());
        let list = [signed, element(0x30, &algorithm), bits].concat();
        pem_of("X509 CRL", &element(0x30, &list))
    }
}
