//! Measures the gateway under load, beside a plain reverse proxy in front of the same server.
//!
//! `countersign-load run [--quick] [--only PART]...` measures and prints one JSON object; `server` and
//! `proxy` are the two programs that it starts for that. Read it in this order: `plan` (what is
//! measured, and how the rounds alternate), `drive` (the load), `wire` (one connection), `place`
//! (the real gateway on a home of its own), `server` and `proxy` (what stands behind and beside
//! it), `sessions`, `swap` and `click` (memory, a policy that changes under load, and what an approval costs).
#![expect(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "code of tests: it stops at what it did not expect, and has no clock handed in"
)]

mod click;
mod drive;
mod issuer;
mod place;
mod plan;
mod proxy;
mod server;
mod sessions;
mod swap;
mod wire;
mod world;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match words.as_slice() {
        ["server", era] => runtime.block_on(server::run(server::Era::of(era))),
        ["proxy", to] => runtime.block_on(proxy::run(to)),
        ["run", rest @ ..] => {
            let report = runtime.block_on(plan::run(&plan::Wanted::of(rest)));
            println!("{report:#}");
        }
        _ => panic!(
            "usage: countersign-load run [--quick] [--only PART]... | server ERA | proxy ADDRESS"
        ),
    }
}
