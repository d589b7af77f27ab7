//! What is measured, and how the rounds alternate.
//!
//! Each figure is a comparison within one run on one machine: a round through the proxy, one
//! through the gateway, the next pair the other way round. What is told is the median of the
//! rounds' ratios, with the least and the most.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::drive::{self, Round};
use crate::issuer::Issuer;
use crate::place::{Place, Started};
use crate::server::Era;
use crate::wire::{Errand, Proof};
use crate::{click, sessions, swap};

/// What somebody wants to have measured.
#[derive(Debug)]
pub(crate) struct Wanted {
    rounds: usize,
    span: Duration,
    clicks: usize,
    only: Vec<String>,
}

impl Wanted {
    pub(crate) fn of(words: &[&str]) -> Self {
        let quick = words.contains(&"--quick");
        let only = words.iter().filter(|word| !word.starts_with("--"));
        Self {
            rounds: if quick { 3 } else { 7 },
            span: Duration::from_millis(if quick { 800 } else { 1200 }),
            clicks: if quick { 20 } else { 200 },
            only: only.map(|word| (*word).to_owned()).collect(),
        }
    }

    fn has(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|it| part.starts_with(it.as_str()))
    }
}

/// One comparison.
struct Case {
    name: &'static str,
    connections: usize,
    tool: &'static str,
    era: Era,
    signs: bool,
    durability: &'static str,
}

const fn case(name: &'static str, connections: usize, durability: &'static str) -> Case {
    Case { name, connections, tool: "small", era: Era::Modern, signs: false, durability }
}

/// The two promises that the log can make: what was answered survives the end of the process, or
/// also that of the machine.
const DURABILITIES: [&str; 2] = ["process", "disk"];

const CASES: &[Case] = &[
    case("one", 1, "process"),
    case("eight", 8, "process"),
    case("many", 64, "process"),
    Case { tool: "large", ..case("large-eight", 8, "process") },
    Case { tool: "large", ..case("large-many", 64, "process") },
    Case { era: Era::Legacy, ..case("legacy-eight", 8, "process") },
    case("one", 1, "disk"),
    case("eight", 8, "disk"),
    case("many", 64, "disk"),
    Case { signs: true, ..case("signed-eight", 8, "disk") },
    Case { signs: true, ..case("signed-many", 64, "disk") },
];

/// Measures what is wanted.
pub(crate) async fn run(wanted: &Wanted) -> Value {
    let issuer = Issuer::start().await;
    let (modern, legacy) =
        (Started::role(&["server", "modern"]).await, Started::role(&["server", "legacy"]).await);
    let proxies = [
        (Era::Modern, Started::role(&["proxy", &modern.address]).await),
        (Era::Legacy, Started::role(&["proxy", &legacy.address]).await),
    ];
    let servers = [(Era::Modern, &modern), (Era::Legacy, &legacy)];
    let mut report = Map::new();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    report.insert("cores".to_owned(), json!(cores));
    report.insert("rounds".to_owned(), json!(wanted.rounds));
    report.insert("round_seconds".to_owned(), json!(wanted.span.as_secs_f64()));
    let mut place = Place::made(&issuer, &servers).await;
    let (mut compared, mut paced) = (Vec::new(), Vec::new());
    for durability in DURABILITIES {
        place.ask(&["serving", "set", "--durability", durability]).await;
        let stage = Stage { wanted, issuer: &issuer, place: &place, proxies: &proxies };
        let cases = CASES.iter().filter(|it| it.durability == durability && wanted.has(it.name));
        for case in cases {
            compared.push(stage.compare(case).await);
        }
        if wanted.has("paced") {
            paced.push(stage.pace(durability).await);
        }
    }
    report.insert("compared".to_owned(), compared.into());
    report.insert("paced".to_owned(), paced.into());
    if wanted.has("sessions") {
        report.insert("sessions".to_owned(), sessions::measure(&mut place, &issuer).await);
    }
    place.end().await;
    if wanted.has("click") {
        report.insert("click".to_owned(), click::measure(&issuer, wanted.clicks).await);
    }
    if wanted.has("swap") {
        let span = wanted.span * 5;
        report.insert("swap".to_owned(), swap::measure(&issuer, &modern, span).await);
    }
    report.into()
}

struct Stage<'s> {
    wanted: &'s Wanted,
    issuer: &'s Issuer,
    place: &'s Place,
    proxies: &'s [(Era, Started)],
}

impl Stage<'_> {
    /// The same errand through the gateway and through the proxy.
    async fn errands(&self, case: &Case) -> (Arc<Errand>, Arc<Errand>) {
        let gateway = if case.signs {
            self.place.by_key(case.era).await
        } else {
            self.place.by_token(self.issuer, case.era).await
        };
        let proxy = self.proxy(case);
        let proof = match &gateway.proof {
            Proof::Key { id, secret } => Proof::Key { id: id.clone(), secret: secret.duplicate() },
            Proof::Token(token) => Proof::Token(token.clone()),
        };
        let mut beside = Errand::new(&proxy.address, &gateway.path, case.era, proof);
        beside.session.clone_from(&gateway.session);
        (Arc::new(gateway.calling(case.tool)), Arc::new(beside.calling(case.tool)))
    }

    fn proxy(&self, case: &Case) -> &Started {
        let (_, proxy) = self.proxies.iter().find(|(era, _)| *era == case.era).expect("a proxy");
        proxy
    }

    async fn compare(&self, case: &Case) -> Value {
        let (gateway, proxy) = self.errands(case).await;
        let (mut with, mut without) = (Vec::new(), Vec::new());
        let proxied = self.proxy(case);
        let before = (self.place.cpu(), gateway.sent(), proxied.cpu(), proxy.sent());
        for round in 0..self.wanted.rounds {
            let (span, count) = (self.wanted.span, case.connections);
            if round % 2 == 0 {
                without.push(drive::closed(&proxy, count, span).await);
                with.push(drive::closed(&gateway, count, span).await);
            } else {
                with.push(drive::closed(&gateway, count, span).await);
                without.push(drive::closed(&proxy, count, span).await);
            }
        }
        let used = |cpu: Duration, calls: u64| {
            rounded(
                cpu.as_secs_f64() * 1e6 / f64::from(u32::try_from(calls).expect("not that many")),
            )
        };
        let gateway_cpu = used(self.place.cpu() - before.0, gateway.sent() - before.1);
        let proxy_cpu = used(proxied.cpu() - before.2, proxy.sent() - before.3);
        let pairs = || with.iter().zip(&without);
        let ratios: Vec<_> = pairs().map(|(one, other)| one.rate / other.rate).collect();
        let added: Vec<_> =
            pairs().map(|(one, other)| one.micros(0.5) - other.micros(0.5)).collect();
        let (ratio, added) = (summary(&ratios), summary(&added));
        let (name, durability) = (case.name, case.durability);
        eprintln!(
            "{name} ({durability}): ratio {ratio}, added at p50 {added} us, processor each call \
             {gateway_cpu} us (proxy: {proxy_cpu})"
        );
        json!({
            "name": case.name,
            "connections": case.connections,
            "answer": case.tool,
            "era": case.era.word(),
            "proof": if case.signs { "signed request" } else { "access token" },
            "durability": case.durability,
            "ratio": ratio,
            "gateway_each_second": summary(&with.iter().map(|it| it.rate).collect::<Vec<_>>()),
            "proxy_each_second": summary(&without.iter().map(|it| it.rate).collect::<Vec<_>>()),
            "gateway_cpu_each_us": gateway_cpu,
            "proxy_cpu_each_us": proxy_cpu,
            "added_p50_us": added,
            "gateway_p99_us": summary(&with.iter().map(|it| it.micros(0.99)).collect::<Vec<_>>()),
            "bad": with.iter().chain(&without).map(|it| it.bad).sum::<u64>(),
        })
    }

    /// Half of what the gateway can do at most, at a constant rate.
    async fn pace(&self, durability: &'static str) -> Value {
        let case = case("paced", 64, durability);
        let (gateway, proxy) = self.errands(&case).await;
        let most = drive::closed(&gateway, case.connections, self.wanted.span).await.rate;
        let (rate, span) = ((most / 2.0).floor(), self.wanted.span * 3);
        let without = drive::open(&proxy, case.connections, rate, span).await;
        let with = drive::open(&gateway, case.connections, rate, span).await;
        let told = json!({
            "connections": case.connections,
            "durability": durability,
            "calls_each_second": rate,
            "gateway": latencies(&with),
            "proxy": latencies(&without),
            "bad": with.bad + without.bad,
        });
        eprintln!("paced: {told}");
        told
    }
}

/// Latencies in microseconds.
pub(crate) fn latencies(round: &Round) -> Value {
    json!({
        "p50_us": rounded(round.micros(0.5)),
        "p99_us": rounded(round.micros(0.99)),
        "p999_us": rounded(round.micros(0.999)),
        "most_us": rounded(round.most_micros()),
    })
}

/// The median, with the least and the most.
pub(crate) fn summary(all: &[f64]) -> Value {
    let mut sorted = all.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| rounded(sorted.get(index).copied().unwrap_or(f64::NAN));
    let last = sorted.len().saturating_sub(1);
    json!({ "median": at(last / 2), "least": at(0), "most": at(last) })
}

/// A number with as many places as it means something.
fn rounded(number: f64) -> f64 {
    let places = if number.abs() < 10.0 { 1000.0 } else { 10.0 };
    (number * places).round() / places
}
