//! One server of one tenant: started when it is needed, started again when it ends, given up
//! when it keeps ending.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cs_model::upstream::Transport;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::child::Tail;
use super::link::Maker;
use super::live::Live;
use super::watches::Watches;
use super::{Health, HealthState, Published, UpstreamError};

/// The first pause before a server is started again, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long a call waits for the pause to be over. A longer one is said at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that stood for so long did not fail quickly.
const STEADY: Duration = Duration::from_secs(60);

/// After how many quick failures in a row a child is not started any more.
const FAILURES: u32 = 5;

/// The server.
pub(super) struct Slot {
    maker: Maker,
    state: tokio::sync::Mutex<State>,
    view: Mutex<View>,
    tail: Arc<Tail>,
    gone: CancellationToken,
    interrupt: Notify,
    failed: AtomicU64,
    watches: Arc<Watches>,
}

#[derive(Default)]
struct State {
    transport: Option<Transport>,
    live: Option<Arc<Live>>,
    failures: u32,
    not_before: Option<Instant>,
    given_up: bool,
    started: bool,
}

#[derive(Default)]
struct View {
    state: HealthState,
    since: Option<Instant>,
    problem: Option<String>,
    restarts: u32,
    live: Option<Arc<Live>>,
}

impl View {
    /// It stands elsewhere from now on.
    fn turn(&mut self, state: HealthState) {
        if self.since.is_none() || self.state != state {
            self.since = Some(Instant::now());
        }
        self.state = state;
    }
}

impl Slot {
    /// A server that nobody needed yet. It ends when `gone` does.
    pub(super) fn new(maker: Maker, gone: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            maker,
            state: tokio::sync::Mutex::default(),
            view: Mutex::default(),
            tail: Arc::default(),
            gone,
            interrupt: Notify::new(),
            failed: AtomicU64::default(),
            watches: Arc::default(),
        })
    }

    /// Which of its resources somebody wants to hear of.
    pub(super) const fn watches(&self) -> &Arc<Watches> {
        &self.watches
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it fares.
    pub(super) fn health(&self) -> Health {
        let view = self.view();
        Health {
            state: view.state,
            since: view.since.map(|then| then.elapsed()),
            problem: view.problem.clone(),
            restarts: view.restarts,
            stderr: self.tail.lines(),
            fingerprints: view.live.as_ref().map(|live| live.fingerprints()).unwrap_or_default(),
        }
    }

    /// The connection, made now if there is none that stands.
    pub(super) async fn ready(
        self: &Arc<Self>,
        transport: &Transport,
    ) -> Result<Arc<Live>, UpstreamError> {
        {
            let state = self.state.lock().await;
            let same = state.transport.as_ref() == Some(transport);
            let live = state.live.as_ref().filter(|live| live.link().ending().is_none());
            if let (true, Some(live)) = (same, live) {
                return Ok(Arc::clone(live));
            }
        }
        // In a task of its own: a caller who goes away does not undo what others wait for.
        let (slot, transport) = (Arc::clone(self), transport.clone());
        let started = tokio::spawn(async move { slot.provide(Some(transport)).await });
        started.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Asks for the tools, also when they were read before.
    pub(super) async fn list(
        self: &Arc<Self>,
        transport: &Transport,
    ) -> Result<Vec<Published>, UpstreamError> {
        self.ready(transport).await?.list().await
    }

    async fn provide(
        self: &Arc<Self>,
        transport: Option<Transport>,
    ) -> Result<Arc<Live>, UpstreamError> {
        let failed = self.failed.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(transport) = transport
            && state.transport.as_ref() != Some(&transport)
        {
            self.clear(&mut state).await;
            *state = State { transport: Some(transport), ..State::default() };
            return self.attempt(&mut state, Duration::ZERO).await;
        }
        if let Some(live) = &state.live {
            if live.link().ending().is_none() {
                return Ok(Arc::clone(live));
            }
            let live = Arc::clone(live);
            self.lost(&mut state, &live).await;
        }
        // Whoever waited for a start that failed hears of that failure and causes no other.
        if state.given_up || failed != self.failed.load(Ordering::Acquire) {
            return Err(self.problem());
        }
        let pause = state.not_before.map(|then| then.saturating_duration_since(Instant::now()));
        let pause = pause.unwrap_or_default();
        if pause > PATIENCE {
            return Err(self.problem());
        }
        self.attempt(&mut state, pause).await
    }

    async fn attempt(
        self: &Arc<Self>,
        state: &mut State,
        pause: Duration,
    ) -> Result<Arc<Live>, UpstreamError> {
        tokio::select! {
            biased;
            () = self.gone.cancelled() => Err(stopped()),
            () = self.interrupt.notified() => Err(stopped()),
            started = async {
                tokio::time::sleep(pause).await;
                self.start(state).await
            } => started,
        }
    }

    async fn start(self: &Arc<Self>, state: &mut State) -> Result<Arc<Live>, UpstreamError> {
        let transport = state.transport.clone().ok_or_else(stopped)?;
        {
            let mut view = self.view();
            view.turn(HealthState::Starting);
            if state.started {
                view.restarts = view.restarts.saturating_add(1);
            }
        }
        state.started = true;
        match self.maker.open(&transport, &self.tail).await {
            Ok((link, listing)) => {
                let live = Arc::new(Live::new(
                    link,
                    &listing,
                    self.maker.limits.clone(),
                    Arc::clone(&self.watches),
                ));
                state.live = Some(Arc::clone(&live));
                let mut view = self.view();
                view.turn(HealthState::Ready);
                view.live = Some(Arc::clone(&live));
                tokio::spawn(Arc::clone(self).supervise(Arc::clone(&live)));
                Ok(live)
            }
            Err(why) => {
                self.failed.fetch_add(1, Ordering::AcqRel);
                let hopeless = matches!(why, UpstreamError::Misconfigured(_));
                self.failed(state, why.to_string(), hopeless);
                Err(why)
            }
        }
    }

    /// Stays with a connection until it ends.
    async fn supervise(self: Arc<Self>, live: Arc<Live>) {
        tokio::select! {
            () = self.gone.cancelled() => return,
            () = live.follow(|_| self.view().problem = None) => {}
        }
        let mut state = self.state.lock().await;
        if state.live.as_ref().is_some_and(|it| Arc::ptr_eq(it, &live)) {
            self.lost(&mut state, &live).await;
        }
    }

    /// Puts a connection away that has ended by itself.
    async fn lost(self: &Arc<Self>, state: &mut State, live: &Live) {
        state.live = None;
        live.link().stop().await;
        if live.age() >= STEADY {
            state.failures = 0;
        }
        let why = live.link().ending().map(|ending| ending.why().to_owned());
        self.failed(state, why.unwrap_or_default(), false);
    }

    fn failed(self: &Arc<Self>, state: &mut State, problem: String, hopeless: bool) {
        state.failures = state.failures.saturating_add(1);
        let pause = pause_after(state.failures);
        state.not_before = Instant::now().checked_add(pause);
        let child = matches!(state.transport, Some(Transport::Stdio { .. }));
        state.given_up = child && !hopeless && state.failures >= FAILURES;
        let again = child && !hopeless && !state.given_up;
        let mut view = self.view();
        view.live = None;
        view.problem = Some(problem);
        view.turn(if again { HealthState::Starting } else { HealthState::Failing });
        drop(view);
        if again {
            tokio::spawn(Arc::clone(self).revive(pause));
        }
    }

    /// Starts a child again after a pause, whether anybody needs it or not.
    async fn revive(self: Arc<Self>, pause: Duration) {
        tokio::select! {
            () = self.gone.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        // What goes wrong is on view.
        let _ = self.provide(None).await;
    }

    fn problem(&self) -> UpstreamError {
        UpstreamError::NotSent(self.view().problem.clone().unwrap_or_default())
    }

    async fn clear(&self, state: &mut State) {
        if let Some(live) = state.live.take() {
            live.link().stop().await;
        }
        *self.view() = View::default();
    }

    /// Stops it and starts it again, also when it was given up.
    pub(super) async fn restart(self: &Arc<Self>) {
        self.interrupt.notify_waiters();
        {
            let mut state = self.state.lock().await;
            self.clear(&mut state).await;
            *state = State { transport: state.transport.take(), ..State::default() };
            if state.transport.is_none() {
                return;
            }
        }
        tokio::spawn(Arc::clone(self).revive(Duration::ZERO));
    }

    /// Stops it for good.
    pub(super) async fn stop(&self) {
        self.gone.cancel();
        let mut state = self.state.lock().await;
        self.clear(&mut state).await;
        state.transport = None;
    }
}

fn stopped() -> UpstreamError {
    UpstreamError::NotSent("the server was stopped".to_owned())
}

fn pause_after(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_half_a_minute() {
        let pauses: Vec<u128> = (1..=9).map(|it| pause_after(it).as_millis()).collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(pause_after(u32::MAX), LONGEST_PAUSE);
    }
}
