//! What the tests across crates share: the built programs, a desktop session of their own, the
//! real app driven through WebDriver, and an agent that signs its requests.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "code of tests: it stops at what it did not expect, and has no clock handed in"
)]

pub mod agent;
pub mod app;
pub mod programs;
pub mod session;

pub use agent::Agent;
pub use app::App;
pub use session::Session;
