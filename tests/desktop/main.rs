//! The real app: its windows, its tray icon, its notifications, its keychain.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "code of tests: it stops at what it did not expect"
)]

mod consoles;
mod journey;
mod keychain;
mod notification;
mod pictures;
mod screen;
mod session;
mod shell;
mod shortcut;
mod tray;
