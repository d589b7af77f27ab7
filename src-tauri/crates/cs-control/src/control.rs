//! What all commands share: the home, the registry in it, the gateway and who is there.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use cs_model::{CorrelationId, Timestamp};
use serde_json::Value;
use tokio::sync::{Mutex as AsyncMutex, broadcast};

use crate::actor::{Actor, Caller, Permission};
use crate::adapters::random::bytes;
use crate::bell::Bell;
use crate::change::{Change, Topic};
use crate::command::Command;
use crate::commands::TABLE;
use crate::core::Core;
use crate::failure::{ControlError, Failure};
use crate::home::Home;
use crate::lifecycle;
use crate::options::{FirstRun, Options};
use crate::unlock::Seat;

/// What is done at the gateway's own machine, and what to do instead.
const AT_THE_GATEWAY: &[(&str, &str)] = &[
    ("first_run", "it has been set up already"),
    ("matrix_save", "have the matrix shown, and copy it"),
];

/// Everything an operator can do, from one seat. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Control {
    inner: Arc<Inner>,
    seat: Arc<Seat>,
}

pub(crate) struct Inner {
    pub(crate) home: Home,
    pub(crate) options: Options,
    pub(crate) bell: Bell,
    /// In front of the gateway itself.
    pub(crate) seat: Arc<Seat>,
    /// Held while the registry comes to be or goes away.
    pub(crate) changing: AsyncMutex<()>,
    core: RwLock<Option<Arc<Core>>>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("home", &self.inner.home.path()).finish_non_exhaustive()
    }
}

impl Control {
    /// Opens a home. One without a registry opens too: its phase is the first run. The gateway
    /// starts if the options say where, and as soon as the secrets are open.
    ///
    /// # Errors
    ///
    /// When the home or its registry cannot be used; nothing was changed then.
    pub async fn open(home: &Path, options: Options) -> Result<Self, ControlError> {
        let seat = Arc::<Seat>::default();
        let inner = Arc::new(Inner {
            home: Home::take(home, &options.holder)?,
            options,
            bell: Bell::new(),
            seat: Arc::clone(&seat),
            changing: AsyncMutex::default(),
            core: RwLock::default(),
        });
        let control = Self { inner, seat };
        if control.inner.home.registry().exists() {
            lifecycle::open(&control).await?;
        }
        lifecycle::keep_time(&control.inner);
        Ok(control)
    }

    /// Makes a new installation in a home, with its first owner.
    ///
    /// # Errors
    ///
    /// When there is one already or it cannot be made; there is none then.
    pub async fn create(
        home: &Path,
        options: Options,
        first: FirstRun,
    ) -> Result<Self, ControlError> {
        let control = Self::open(home, options).await?;
        let caller = control.caller(Actor::Local { uid: None });
        lifecycle::first_run(&control, &caller, first).await?;
        Ok(control)
    }

    /// The folder that it works on.
    pub fn home(&self) -> &Path {
        self.inner.home.path()
    }

    /// What changes from now on. A listener that lags behind asks for everything again.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.bell.listen()
    }

    /// Whoever is in front of the console now: the operator who unlocked it, or nobody.
    pub fn console(&self) -> Actor {
        match self.seat.operator(self.now()) {
            Some((operator, _)) => Actor::Operator { id: operator.id, role: operator.role },
            None => Actor::Nobody,
        }
    }

    /// The operator with this passphrase, for one command that comes with it.
    ///
    /// # Errors
    ///
    /// When it is nobody's, or too many were tried.
    pub async fn authenticate(&self, passphrase: &cs_model::Secret) -> Result<Actor, Failure> {
        let caller = self.caller(Actor::Nobody);
        let found = lifecycle::operator_with(self, &caller, passphrase).await;
        let operator = found.map_err(|error| self.fail("authenticate", &caller, error))?;
        Ok(Actor::Operator { id: operator.id, role: operator.role })
    }

    /// Runs a command, if whoever asks may.
    ///
    /// # Errors
    ///
    /// Why it was not done. Nothing was changed in that case.
    pub async fn execute<C: Command>(
        &self,
        actor: &Actor,
        command: C,
    ) -> Result<C::Answer, Failure> {
        let caller = self.caller(*actor);
        let done = self.run(&caller, command).await;
        done.map_err(|error| self.fail(C::NAME, &caller, error))
    }

    /// Runs the command of this name. What is no JSON object of exactly its arguments is refused.
    ///
    /// # Errors
    ///
    /// Why it was not done. Nothing was changed in that case.
    pub async fn dispatch(&self, actor: &Actor, name: &str, args: Value) -> Result<Value, Failure> {
        let mut elsewhere = AT_THE_GATEWAY.iter().filter(|_| self.seat.whose().is_some());
        if let Some((_, instead)) = elsewhere.find(|(it, _)| *it == name) {
            let message = format!("this is done at the gateway's own machine; {instead}");
            let error = ControlError::conflict(message);
            return Err(self.fail("dispatch", &self.caller(*actor), error));
        }
        let Some(entry) = TABLE.iter().find(|entry| entry.name == name) else {
            let error = ControlError::NotFound { what: "command" };
            return Err(self.fail("dispatch", &self.caller(*actor), error));
        };
        (entry.run)(self.clone(), *actor, args).await
    }

    /// Stops the gateway, locks the console and closes the registry. What follows is refused.
    ///
    /// # Errors
    ///
    /// When the registry could not be closed properly; what was acknowledged is safe all the same.
    pub async fn shutdown(&self) -> Result<(), ControlError> {
        lifecycle::shutdown(self).await
    }

    pub(crate) async fn dispatch_to<C: Command>(
        &self,
        actor: Actor,
        args: Value,
    ) -> Result<Value, Failure> {
        let caller = self.caller(actor);
        // Whoever may not run a command does not learn how its arguments are read.
        let done = async {
            permit(C::NEEDS, caller.actor)?;
            let answer = self.run(&caller, read_args::<C>(args)?).await?;
            serde_json::to_value(answer)
                .map_err(|source| ControlError::internal("write the answer down", source))
        };
        done.await.map_err(|error| self.fail(C::NAME, &caller, error))
    }

    async fn run<C: Command>(
        &self,
        caller: &Caller,
        command: C,
    ) -> Result<C::Answer, ControlError> {
        permit(C::NEEDS, caller.actor)?;
        command.run(self, caller).await
    }

    fn caller(&self, actor: Actor) -> Caller {
        // A correlation is no secret: without randomness it is only less useful.
        let random = bytes(self.inner.options.random.as_ref()).unwrap_or_default();
        Caller { actor, correlation: CorrelationId::from_random(random) }
    }

    fn fail(&self, doing: &'static str, caller: &Caller, error: ControlError) -> Failure {
        let correlation = caller.correlation;
        let source = std::error::Error::source(&error);
        let ours =
            matches!(error, ControlError::Internal { .. } | ControlError::Unavailable { .. });
        if ours {
            tracing::error!(%correlation, command = doing, %error, source, "failed");
        } else {
            tracing::info!(%correlation, command = doing, %error, "refused");
        }
        error.into_failure(correlation)
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// The seat that commands are asked for from.
    pub(crate) fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }

    /// The same from another seat.
    pub(crate) fn at(&self, seat: Arc<Seat>) -> Self {
        Self { inner: Arc::clone(&self.inner), seat }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.options.clock.now()
    }

    /// The installation, once it has a registry.
    pub(crate) fn core(&self) -> Result<Arc<Core>, ControlError> {
        self.inner.core().ok_or(ControlError::NoRegistry)
    }

    /// Tells every screen that something changed.
    pub(crate) fn changed(&self, topic: Topic) {
        self.inner.bell.ring(topic);
    }
}

impl Inner {
    pub(crate) fn core(&self) -> Option<Arc<Core>> {
        self.core.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every seat that there is: the gateway's own console, and those on other machines.
    pub(crate) fn seats(&self) -> Vec<Arc<Seat>> {
        let links = self.core().map(|core| core.consoles.all()).unwrap_or_default();
        let elsewhere = links.into_iter().map(|link| link.seat);
        std::iter::once(Arc::clone(&self.seat)).chain(elsewhere).collect()
    }

    pub(crate) fn set_core(&self, core: Option<Arc<Core>>) -> Option<Arc<Core>> {
        let mut place = self.core.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut place, core)
    }
}

fn permit(needs: Permission, actor: Actor) -> Result<(), ControlError> {
    match (needs.is_held_by(actor), actor) {
        (true, _) => Ok(()),
        (false, Actor::Nobody) => Err(ControlError::Locked),
        (false, Actor::Local { .. } | Actor::Operator { .. }) => {
            Err(ControlError::Forbidden { needs })
        }
    }
}

fn read_args<C: Command>(args: Value) -> Result<C, ControlError> {
    // Serde would also take an array for a structure, by position.
    let args = match args {
        Value::Null => Value::Object(serde_json::Map::new()),
        Value::Object(_) => args,
        Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let message = "the arguments of a command are a JSON object".to_owned();
            return Err(ControlError::Misread { field: None, message });
        }
    };
    serde_path_to_error::deserialize(args).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        ControlError::Misread { field: (path != ".").then_some(path), message }
    })
}
