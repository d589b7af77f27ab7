//! What the command line asks for. Strict: whatever is not understood is refused, since a second
//! start hands its arguments to the running console.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use cs_control::view::status::SecretKeeping;

/// How it is called.
pub(crate) const USAGE: &str = "\
Usage: countersign-desktop [--home DIR] [--listen ADDRESS:PORT] [--secrets keychain|file]
                           [--console FILE] [--background | --inbox]
       countersign-desktop workbench --root DIR

  --home DIR              the data directory (default: countersign in the system's data directory)
  --listen ADDRESS:PORT   where the gateway listens, on loopback, whatever is set in the console
                          (which is 127.0.0.1:7411 to begin with; a free port when that is taken)
  --secrets KIND          where a new home keeps its secrets: `keychain` (the default), or `file`,
                          sealed by the passphrase, where the system has no keychain
  --console FILE          work on the gateway elsewhere whose owner made this file
  --background            start without showing the window
  --inbox                 show the calls that wait, also where the console runs already
";

/// What to start.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Start {
    /// The console.
    Console(Options),
    /// Say how it is called, and nothing else.
    Help,
    /// The sample server, over standard input and output.
    Workbench {
        /// Its sandbox folder.
        root: PathBuf,
    },
}

/// How the console is started.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Options {
    /// The data directory, if another than the default.
    pub(crate) home: Option<PathBuf>,
    /// Where the gateway listens, if elsewhere than it is set to.
    pub(crate) listen: Option<SocketAddr>,
    /// Where a new home keeps its secrets, if not in the keychain.
    pub(crate) secrets: Option<SecretKeeping>,
    /// Whether the window stays hidden at first.
    pub(crate) background: bool,
    /// Whether the window shows the calls that wait.
    pub(crate) inbox: bool,
    /// The file by which this console joins a gateway elsewhere, if it does.
    pub(crate) console: Option<PathBuf>,
}

/// A command line that is not understood.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum UsageError {
    /// The address is none, or not one of this machine alone.
    #[error("`--listen` takes a loopback address with a port, such as 127.0.0.1:7411")]
    Listen,
    /// There is no such place for secrets.
    #[error("`--secrets` takes `keychain` or `file`")]
    Secrets,
    /// The sample server was given no folder.
    #[error("`workbench` needs `--root DIR`")]
    Root,
    /// There is no such option, or it is given twice.
    #[error("there is an argument that is not known or stands twice")]
    Unknown,
    /// An option lacks its value.
    #[error("`{option}` needs a value")]
    Value {
        /// The option.
        option: &'static str,
    },
}

/// Reads the arguments after the program's name.
///
/// # Errors
///
/// Says which rule the command line breaks.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Start, UsageError> {
    let mut args = args.into_iter().peekable();
    match args.peek().and_then(|it| it.to_str()) {
        Some("--help" | "-h") => return Ok(Start::Help),
        Some("workbench") => return workbench(args.skip(1)),
        Some(_) | None => {}
    }
    let mut options = Options::default();
    while let Some(argument) = args.next() {
        match argument.to_str() {
            Some("--home") if options.home.is_none() => {
                options.home = Some(value(&mut args, "--home")?.into());
            }
            Some("--listen") if options.listen.is_none() => {
                options.listen = Some(loopback(&value(&mut args, "--listen")?)?);
            }
            Some("--secrets") if options.secrets.is_none() => {
                options.secrets = Some(keeping(&value(&mut args, "--secrets")?)?);
            }
            Some("--console") if options.console.is_none() => {
                options.console = Some(value(&mut args, "--console")?.into());
            }
            Some("--background") if !options.background => options.background = true,
            Some("--inbox") if !options.inbox => options.inbox = true,
            Some(_) | None => return Err(UsageError::Unknown),
        }
    }
    Ok(Start::Console(options))
}

fn workbench(mut args: impl Iterator<Item = OsString>) -> Result<Start, UsageError> {
    let root = match args.next() {
        Some(option) if option == "--root" => value(&mut args, "--root")?,
        Some(_) | None => return Err(UsageError::Root),
    };
    match args.next() {
        None => Ok(Start::Workbench { root: root.into() }),
        Some(_) => Err(UsageError::Unknown),
    }
}

fn value(
    args: &mut impl Iterator<Item = OsString>,
    option: &'static str,
) -> Result<OsString, UsageError> {
    args.next().filter(|it| !it.is_empty()).ok_or(UsageError::Value { option })
}

/// In the clear the gateway is only ever offered to this machine.
fn loopback(text: &OsString) -> Result<SocketAddr, UsageError> {
    let address: SocketAddr =
        text.to_str().and_then(|it| it.parse().ok()).ok_or(UsageError::Listen)?;
    if address.ip().is_loopback() { Ok(address) } else { Err(UsageError::Listen) }
}

fn keeping(text: &OsString) -> Result<SecretKeeping, UsageError> {
    match text.to_str() {
        Some("file") => Ok(SecretKeeping::File),
        Some("keychain") => Ok(SecretKeeping::Keychain),
        Some(_) | None => Err(UsageError::Secrets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Start, UsageError> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn command_lines_are_understood_or_refused_for_one_stated_reason() {
        let console = |options| Ok(Start::Console(options));
        let cases: &[(&[&str], Result<Start, UsageError>)] = &[
            (&[], console(Options::default())),
            (&["--home", "/x"], console(Options { home: Some("/x".into()), ..Options::default() })),
            (
                &["--console", "/x"],
                console(Options { console: Some("/x".into()), ..Options::default() }),
            ),
            (&["--background"], console(Options { background: true, ..Options::default() })),
            (&["--inbox"], console(Options { inbox: true, ..Options::default() })),
            (&["--inbox", "--inbox"], Err(UsageError::Unknown)),
            (
                &["--listen", "127.0.0.1:0"],
                console(Options { listen: "127.0.0.1:0".parse().ok(), ..Options::default() }),
            ),
            (&["--listen", "0.0.0.0:7411"], Err(UsageError::Listen)),
            (&["--listen", "7411"], Err(UsageError::Listen)),
            (
                &["--secrets", "file"],
                console(Options { secrets: Some(SecretKeeping::File), ..Options::default() }),
            ),
            (&["--secrets", "memory"], Err(UsageError::Secrets)),
            (&["--home"], Err(UsageError::Value { option: "--home" })),
            (&["--home", ""], Err(UsageError::Value { option: "--home" })),
            (&["--home", "/x", "--home", "/y"], Err(UsageError::Unknown)),
            (&["--config=evil"], Err(UsageError::Unknown)),
            (&["countersign://approve?id=1&yes=1"], Err(UsageError::Unknown)),
            (&["--help"], Ok(Start::Help)),
            (&["workbench", "--root", "/x"], Ok(Start::Workbench { root: "/x".into() })),
            (&["workbench"], Err(UsageError::Root)),
            (&["workbench", "--root", "/x", "/y"], Err(UsageError::Unknown)),
        ];
        for (args, expected) in cases {
            assert_eq!(&parsed(args), expected, "{args:?}");
        }
    }
}
