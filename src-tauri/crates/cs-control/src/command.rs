//! What a command is, and the table of all of them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ts_rs::TS;

use crate::actor::{Actor, Caller, Permission};
use crate::control::Control;
use crate::failure::{ControlError, Failure};

/// One thing that an operator can do. The type is the arguments.
///
/// Only [`Control::execute`] runs one: it checks the permission first.
pub trait Command: fmt::Debug + DeserializeOwned + Send + TS + 'static {
    /// Its name at every door.
    const NAME: &'static str;
    /// What it needs of whoever asks.
    const NEEDS: Permission;
    /// What it answers.
    type Answer: Serialize + Send + TS + 'static;

    /// Does it. What fails has changed nothing.
    fn run(
        self,
        control: &Control,
        caller: &Caller,
    ) -> impl Future<Output = Result<Self::Answer, ControlError>> + Send;
}

type Answering = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send>>;

/// One row of the table of commands.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name at every door.
    pub name: &'static str,
    /// What it needs of whoever asks.
    pub needs: Permission,
    pub(crate) run: fn(Control, Actor, Value) -> Answering,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).field("needs", &self.needs).finish()
    }
}

impl Entry {
    /// The row of a command.
    pub(crate) const fn of<C: Command>() -> Self {
        Self {
            name: C::NAME,
            needs: C::NEEDS,
            run: |control, actor, args| {
                Box::pin(async move { control.dispatch_to::<C>(actor, args).await })
            },
        }
    }
}

/// Looks at every command's types, one after the other.
pub(crate) trait Visitor {
    /// Looks at one.
    fn visit<C: Command>(&mut self);
}

/// Writes the table of commands, and the walk over their types.
macro_rules! commands {
    ($($command:ty,)*) => {
        /// Every command, in the order in which the console's types list them.
        pub const TABLE: &[Entry] = &[$(Entry::of::<$command>(),)*];

        /// Walks over every command's types.
        pub(crate) fn visit(visitor: &mut impl Visitor) {
            $(visitor.visit::<$command>();)*
        }
    };
}
pub(crate) use commands;
