//! `countersign`: serve, administer, verify and connect, without a window.
//!
//! A thin door onto `cs-control`: it asks for commands and tells what they answered. Read it in
//! this order: [`args`] (what can be asked for), [`desk`] (how it is asked), `commands` (one file
//! for each kind of thing), and, apart from all that, [`connect`] (the bridge for agents).
#![expect(clippy::print_stderr, reason = "a program for the terminal says what went wrong")]

mod ambient;
mod answer;
mod args;
mod commands;
mod connect;
mod desk;
mod door;
mod failure;
mod home;
mod output;
mod passphrase;
mod span;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, AtDesk, Command, Everywhere};
use commands::{
    agent, alert, approval, audit, authn, authority, certificate, console, credential, declared,
    grant, init, issuer, operator, policy, provider, registry, revocation, role, secret, secrets,
    serve, server, serving, session, starter, status, task, template, tenant, tool, workbench,
};
use desk::Desk;
use failure::{Done, Problem};
use output::Output;

fn main() -> ExitCode {
    let Arguments { everywhere, command } = Arguments::parse();
    let output = if everywhere.json { Output::Json } else { Output::Person };
    match start(&everywhere, output, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => problem.tell(output),
    }
}

fn start(everywhere: &Everywhere, output: Output, command: Command) -> Done {
    ambient::close_to_others()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    let done = runtime.block_on(carry_out(everywhere, output, command));
    // Standard input may still be waited for, on a thread that cannot be woken.
    runtime.shutdown_background();
    done
}

async fn carry_out(everywhere: &Everywhere, output: Output, command: Command) -> Done {
    if everywhere.console.is_some()
        && matches!(
            command,
            Command::Connect(_) | Command::Init(_) | Command::Serve(_) | Command::Workbench(_)
        )
    {
        let message = "this is done on the machine that it is about, without `--console`";
        return Err(Problem::invalid(message));
    }
    match command {
        Command::Connect(args) => Ok(connect::run(args).await?),
        Command::Init(init) => init::run(everywhere, output, init).await,
        Command::Serve(serve) => serve::run(everywhere, output, serve).await,
        Command::Workbench(args) => workbench::run(args).await,
        Command::Status => {
            let desk = Desk::of_running(everywhere, output).await?;
            status::run(&desk).await
        }
        // An exported log is checked where there is no registry.
        Command::AtDesk(AtDesk::Audit(audit::Audit::Verify { file: Some(file) })) => {
            audit::verify_file(output, &file)
        }
        Command::AtDesk(command) => {
            let desk = Desk::open(everywhere, output).await?;
            let done = at_desk(&desk, command).await;
            desk.close().await;
            done
        }
    }
}

async fn at_desk(desk: &Desk, command: AtDesk) -> Done {
    match command {
        AtDesk::Agent(command) => agent::run(desk, command).await,
        AtDesk::Alert(command) => alert::run(desk, command).await,
        AtDesk::Apply(args) => declared::apply(desk, args).await,
        AtDesk::Approval(command) => approval::run(desk, command).await,
        AtDesk::Audit(command) => audit::run(desk, command).await,
        AtDesk::Authn(command) => authn::run(desk, command).await,
        AtDesk::Authority(command) => authority::run(desk, command).await,
        AtDesk::Certificate(command) => certificate::run(desk, command).await,
        AtDesk::Console(command) => console::run(desk, command).await,
        AtDesk::Credential(command) => credential::run(desk, command).await,
        AtDesk::Export(_) => declared::export(desk).await,
        AtDesk::Grant(command) => grant::run(desk, command).await,
        AtDesk::Issuer(command) => issuer::run(desk, command).await,
        AtDesk::Operator(command) => operator::run(desk, command).await,
        AtDesk::Overview(which) => tenant::overview(desk, &which).await,
        AtDesk::Policy(command) => policy::run(desk, command).await,
        AtDesk::Provider(command) => provider::run(desk, command).await,
        AtDesk::Registry(command) => registry::run(desk, command).await,
        AtDesk::Revocation(command) => revocation::run(desk, command).await,
        AtDesk::Role(command) => role::run(desk, command).await,
        AtDesk::Secret(command) => secret::run(desk, command).await,
        AtDesk::Secrets(command) => secrets::run(desk, command).await,
        AtDesk::Server(command) => server::run(desk, command).await,
        AtDesk::Template(command) => template::run(desk, command).await,
        AtDesk::Serving(command) => serving::run(desk, command).await,
        AtDesk::Session(command) => session::run(desk, command).await,
        AtDesk::Starter(command) => starter::run(desk, command).await,
        AtDesk::Task(command) => task::run(desk, command).await,
        AtDesk::Tenant(command) => tenant::run(desk, command).await,
        AtDesk::Tool(command) => tool::run(desk, command).await,
    }
}
