//! The load: in a closed loop each connection asks again once it has its answer; in an open one
//! requests are due at a constant rate, whether or not those before are answered.
//!
//! In the open loop a latency counts from the moment at which the request was due, not from when
//! a connection was free for it: what a slow answer keeps waiting is part of what it costs
//! (coordinated omission).

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::{Mutex, mpsc};

use crate::wire::{Errand, Wire, is_good};

/// How long the connections are used before anything counts.
const WARM: Duration = Duration::from_millis(300);

/// What came of one round.
#[derive(Debug)]
pub(crate) struct Round {
    /// Answers in each second.
    pub(crate) rate: f64,
    /// Answers that were not what was asked for.
    pub(crate) bad: u64,
    /// Latencies, in microseconds with three decimals kept: in nanoseconds.
    pub(crate) latency: Histogram<u64>,
}

impl Round {
    /// A latency in microseconds, by its share of the answers.
    pub(crate) fn micros(&self, quantile: f64) -> f64 {
        Duration::from_nanos(self.latency.value_at_quantile(quantile)).as_secs_f64() * 1e6
    }

    pub(crate) fn most_micros(&self) -> f64 {
        Duration::from_nanos(self.latency.max()).as_secs_f64() * 1e6
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("bounds")
}

struct Heard {
    bad: u64,
    latency: Histogram<u64>,
}

impl Heard {
    fn new() -> Self {
        Self { bad: 0, latency: histogram() }
    }

    fn took(&mut self, span: Duration) {
        self.latency.saturating_record(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// Asks on so many connections for so long, each as soon as it is answered.
pub(crate) async fn closed(errand: &Arc<Errand>, connections: usize, span: Duration) -> Round {
    let start = Instant::now() + WARM;
    let end = start + span;
    let mut tasks = Vec::with_capacity(connections);
    for _ in 0..connections {
        let errand = Arc::clone(errand);
        let mut wire = Wire::open(&errand).await;
        tasks.push(tokio::spawn(async move {
            let mut heard = Heard::new();
            loop {
                let asked = Instant::now();
                if asked >= end {
                    return heard;
                }
                let (status, body) = wire.ask(&errand).await;
                if asked >= start {
                    heard.took(asked.elapsed());
                    heard.bad += u64::from(!is_good(status, &body));
                }
            }
        }));
    }
    gathered(tasks, span).await
}

/// Asks at a constant rate, on as many connections as there are: a request that is due waits for
/// the next that is free, and the wait counts.
pub(crate) async fn open(
    errand: &Arc<Errand>,
    connections: usize,
    each_second: f64,
    span: Duration,
) -> Round {
    let (beat, due) = mpsc::unbounded_channel();
    let due = Arc::new(Mutex::new(due));
    let mut tasks = Vec::with_capacity(connections);
    let start = Instant::now() + WARM;
    for _ in 0..connections {
        let (errand, due) = (Arc::clone(errand), Arc::clone(&due));
        let mut wire = Wire::open(&errand).await;
        tasks.push(tokio::spawn(async move {
            let mut heard = Heard::new();
            while let Some(intended) = next(&due).await {
                let (status, body) = wire.ask(&errand).await;
                if intended >= start {
                    heard.took(intended.elapsed());
                    heard.bad += u64::from(!is_good(status, &body));
                }
            }
            heard
        }));
    }
    let metronome = thread::spawn(move || keep_time(&beat, each_second, WARM + span));
    let round = gathered(tasks, span).await;
    metronome.join().expect("it ends");
    round
}

async fn next(due: &Mutex<mpsc::UnboundedReceiver<Instant>>) -> Option<Instant> {
    due.lock().await.recv().await
}

/// Says when each request is due, on a thread of its own: the clock of the runtime ticks in whole
/// milliseconds.
fn keep_time(beat: &mpsc::UnboundedSender<Instant>, each_second: f64, span: Duration) {
    let begin = Instant::now();
    let apart = Duration::from_secs_f64(1.0 / each_second);
    for number in 0_u32.. {
        let intended = begin + apart * number;
        if intended >= begin + span {
            return;
        }
        thread::sleep(intended.saturating_duration_since(Instant::now()));
        if beat.send(intended).is_err() {
            return;
        }
    }
}

async fn gathered(tasks: Vec<tokio::task::JoinHandle<Heard>>, span: Duration) -> Round {
    let mut all = Heard::new();
    for task in tasks {
        let heard = task.await.expect("it ends");
        all.bad += heard.bad;
        all.latency.add(&heard.latency).expect("the same bounds");
    }
    let count = u32::try_from(all.latency.len()).expect("not that many");
    Round { rate: f64::from(count) / span.as_secs_f64(), bad: all.bad, latency: all.latency }
}
