//! Handshakes in memory, anchors and published vectors.

mod anchors;
mod handshakes;
mod limbo;
mod outside;

use rustls::RootCertStore;
use rustls::pki_types::UnixTime;

use super::*;
use crate::certificate::sample::{DAY, NOW, Root, prefix};

/// A clock that stands still.
#[derive(Debug)]
struct At(cs_model::Timestamp);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        let secs = u64::try_from(self.0.secs()).unwrap();
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(secs)))
    }
}

fn anchor(root: &Root) -> Anchor {
    Anchor::read(&root.pem(), &root.crl(|_| ()), prefix("acme")).unwrap()
}

fn trusting(anchors: Vec<Anchor>) -> ClientTrust {
    ClientTrust { anchors, required: true, ..ClientTrust::default() }
}
