//! Opens the console: the home, the services, the windows.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use cs_control::consoles::ConsoleFileError;
use cs_control::view::status::SecretKeeping;
use cs_control::{Control, ControlError};
use tauri::{App, AppHandle, Context, Manager, RunEvent, Runtime};

use crate::desk::Desk;
use crate::options::Options;
use crate::windows::First;
use crate::{closing, commands, desk, follow, options, shortcut, tray, windows};

/// Why the console cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The home cannot be used.
    #[error("{0}")]
    Home(#[from] ControlError),
    /// The file of the console cannot be read.
    #[error("the file of the console cannot be read: {0}")]
    File(std::io::Error),
    /// It opens nothing.
    #[error("{0}")]
    Console(#[from] ConsoleFileError),
    /// This program has no path.
    #[error("could not find out where this program is: {0}")]
    Program(std::io::Error),
    /// The home is no path.
    #[error("the home is not a path: {0}")]
    Path(std::io::Error),
    /// The system has no place for data.
    #[error("this system has no data directory; choose one with --home")]
    Nowhere,
    /// The window system failed.
    #[error("the window could not be opened: {0}")]
    Window(#[from] tauri::Error),
}

/// Opens the console and stays until it is quit.
///
/// # Errors
///
/// Why it cannot be opened. Nothing runs then.
pub(crate) fn console(options: Options) -> Result<(), OpenError> {
    let home = home(&options)?;
    // A console of a gateway elsewhere stands beside that of this machine's own.
    let place = options.console.clone().unwrap_or_else(|| home.clone());
    let place = std::path::absolute(place).map_err(OpenError::Path)?;
    let single = tauri_plugin_single_instance::Builder::new()
        .dbus_id(bus_name(&place))
        .callback(|app, arguments, _| again(app, arguments))
        .build();
    let app = tauri::Builder::default()
        .plugin(single)
        .plugin(tauri_plugin_notification::init())
        .invoke_handler(commands::handler())
        .on_window_event(closing::heard)
        .setup(move |app| Ok(set_up(app, &home, &options)?))
        .build(context())?;
    app.run(|app, event| {
        if let (RunEvent::Exit, Some(desk)) = (event, app.try_state::<Desk>()) {
            tauri::async_runtime::block_on(desk.close());
        }
    });
    Ok(())
}

/// The configuration, the capabilities and the pages that were built in.
#[expect(clippy::exit, reason = "what the macro makes has one, for a context that is damaged")]
pub(crate) fn context<R: Runtime>() -> Context<R> {
    tauri::generate_context!()
}

fn set_up<R: Runtime>(app: &App<R>, home: &Path, options: &Options) -> Result<(), OpenError> {
    let kept = desk::kept(home);
    let joined = kept.exists() && !home.join("registry.db").exists();
    let file = options.console.clone().or_else(|| joined.then_some(kept));
    if let Some(file) = file {
        let desk = tauri::async_runtime::block_on(async {
            let text = tokio::fs::read_to_string(&file).await.map_err(OpenError::File)?;
            Ok::<_, OpenError>(Desk::elsewhere(text).await?)
        })?;
        return show(app, desk, options, &file);
    }
    let program = std::env::current_exe().map_err(OpenError::Program)?;
    let mut services = cs_control::Options::new("the console", program);
    services.session_bus =
        std::env::var_os("DBUS_SESSION_BUS_ADDRESS").and_then(|it| it.into_string().ok());
    services.serves = true;
    services.listen = options.listen;
    services.keeping = options.secrets.unwrap_or(SecretKeeping::Keychain);
    let desk = tauri::async_runtime::block_on(async {
        Ok::<_, OpenError>(Desk::open(Control::open(home, services).await?).await)
    })?;
    show(app, desk, options, &desk::kept(home))
}

/// Shows the console whose file, where it has one, is or would be this.
fn show<R: Runtime>(
    app: &App<R>,
    desk: Desk,
    options: &Options,
    file: &Path,
) -> Result<(), OpenError> {
    app.manage(desk);
    tray::install(app.handle());
    let first = if options.inbox { First::Inbox } else { First::Overview };
    windows::main(app.handle(), !options.background, first)?;
    shortcut::install(app.handle(), file.with_extension("shortcut"));
    follow::start(app.handle());
    Ok(())
}

fn home(options: &Options) -> Result<PathBuf, OpenError> {
    let home = match &options.home {
        Some(home) => home.clone(),
        None => match std::env::var_os("COUNTERSIGN_HOME") {
            Some(home) => home.into(),
            None => dirs::data_local_dir().ok_or(OpenError::Nowhere)?.join("countersign"),
        },
    };
    std::path::absolute(home).map_err(OpenError::Path)
}

/// One console for each home, so that consoles of different homes stand side by side.
fn bus_name(home: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    home.hash(&mut hasher);
    format!("dev.countersign.console.h{:016x}", hasher.finish())
}

/// A second start on the same home brings the window to the front, and can do nothing else.
fn again<R: Runtime>(app: &AppHandle<R>, arguments: Vec<String>) {
    let arguments = arguments.into_iter().skip(1).map(Into::into);
    match options::parse(arguments) {
        Ok(options::Start::Console(options)) => {
            let show = if options.inbox { windows::show_inbox } else { windows::show_main };
            if let Err(problem) = show(app) {
                tracing::warn!(%problem, "the window could not be shown");
            }
        }
        Ok(options::Start::Help | options::Start::Workbench { .. }) => {}
        Err(problem) => tracing::warn!(%problem, "a second start was not understood"),
    }
}

/// Shows a problem to somebody who did not start the console from a terminal.
pub(crate) fn tell(problem: &OpenError) {
    rfd::MessageDialog::new()
        .set_level(rfd::MessageLevel::Error)
        .set_title("Countersign cannot start")
        .set_description(problem.to_string())
        .show();
}
