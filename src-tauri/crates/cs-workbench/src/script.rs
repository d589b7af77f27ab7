//! `execute_code`: a script engine with no way out and with bounds on all that it uses.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
    BasicMathPackage, BasicStringPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::tool::Failed;

/// How long a script may run, and how much it may print.
const TIME: Duration = Duration::from_secs(2);
const PRINTED: usize = 64 * 1024;

/// The stack of the thread that runs it: the depths below must fit in, without optimisation.
const STACK: usize = 32 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    code: String,
}

#[derive(Serialize)]
pub(crate) struct Executed {
    value: String,
    printed: String,
}

/// Runs a script.
pub(crate) async fn execute(asked: Arguments) -> Result<Executed, Failed> {
    if asked.code.len() > 64 * 1024 {
        return Err(Failed::because("the script is longer than 64 KiB"));
    }
    let (done, result) = oneshot::channel();
    let thread = std::thread::Builder::new().name("script".to_owned()).stack_size(STACK);
    let started = thread.spawn(move || {
        // Whoever asked may have gone.
        let _ = done.send(run(&asked.code));
    });
    started.map_err(|_| Failed::because("the script could not be started"))?;
    result.await.unwrap_or_else(|_| Err(Failed::because("the script could not be run")))
}

fn run(code: &str) -> Result<Executed, Failed> {
    let printed = Arc::new(Mutex::new(String::new()));
    let engine = engine(&printed);
    let value =
        engine.eval::<Dynamic>(code).map_err(|why| Failed(format!("the script failed: {why}")));
    let printed = std::mem::take(&mut *printed.lock().unwrap_or_else(PoisonError::into_inner));
    let value = value?;
    Ok(Executed { value: if value.is_unit() { String::new() } else { value.to_string() }, printed })
}

/// An engine with arithmetic, texts, lists and maps. What it lacks on purpose: modules, `eval`,
/// sleeping, the clock, and anything of the system.
fn engine(printed: &Arc<Mutex<String>>) -> Engine {
    let mut engine = Engine::new_raw();
    ArithmeticPackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BasicStringPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    BasicIteratorPackage::new().register_into_engine(&mut engine);
    BasicFnPackage::new().register_into_engine(&mut engine);
    engine
        .disable_symbol("eval")
        .set_max_operations(2_000_000)
        .set_max_call_levels(24)
        .set_max_expr_depths(48, 24)
        .set_max_variables(500)
        .set_max_functions(100)
        .set_max_string_size(256 * 1024)
        .set_max_array_size(20_000)
        .set_max_map_size(5000)
        .set_max_strings_interned(256);
    let start = Instant::now();
    engine.on_progress(move |_| {
        (start.elapsed() > TIME).then(|| Dynamic::from("it took too long".to_owned()))
    });
    let keep = Arc::clone(printed);
    engine.on_print(move |text| print(&keep, text));
    let keep = Arc::clone(printed);
    engine.on_debug(move |text, _, _| print(&keep, text));
    engine
}

fn print(to: &Mutex<String>, text: &str) {
    let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
    if to.len().saturating_add(text.len()) < PRINTED {
        to.push_str(text);
        to.push('\n');
    } else if !to.ends_with("...\n") {
        to.push_str("...\n");
    }
}
