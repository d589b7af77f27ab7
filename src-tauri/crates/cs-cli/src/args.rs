//! What can be asked for on the command line. Each command is described where it is carried out.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    agent, alert, approval, audit, authn, authority, certificate, console, credential, declared,
    grant, init, issuer, operator, policy, provider, registry, revocation, role, secret, secrets,
    serve, server, serving, session, starter, task, template, tenant, tool, workbench,
};
use crate::connect;

/// Decides what AI agents may do over MCP, enforces it, and signs what is too dangerous to allow
/// by rule alone.
#[derive(Debug, Parser)]
#[command(version, name = "countersign", max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) everywhere: Everywhere,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Everywhere {
    /// The folder with the registry
    #[arg(long, global = true, env = "COUNTERSIGN_HOME", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Work on a gateway elsewhere, as the console whose file this is
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) console: Option<PathBuf>,
    /// Read the code that opens that file from another file instead of the terminal
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) console_code_file: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Read the operator's passphrase from a file instead of the terminal
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// The commands that open the core in a way of their own, or not at all; and the others.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    /// Says what runs on this home: the gateway, the policy in force, calls that wait
    Status,
    Connect(connect::Connect),
    Workbench(workbench::Workbench),
    #[command(flatten)]
    AtDesk(AtDesk),
}

/// The commands that ask the core for something.
#[derive(Debug, Subcommand)]
pub(crate) enum AtDesk {
    /// Shows how a tenant is doing: servers, waiting calls, the last attempts outside an allowlist
    Overview(tenant::Which),
    Apply(declared::Apply),
    Export(declared::Export),
    /// Isolation boundaries: everything belongs to one
    #[command(subcommand)]
    Tenant(tenant::Tenant),
    /// Programs that call tools
    #[command(subcommand)]
    Agent(agent::Agent),
    /// Columns of the matrix
    #[command(subcommand)]
    Role(role::Role),
    /// Purposes, each with its own list of tools
    #[command(subcommand)]
    Task(task::Task),
    /// Upstream MCP servers
    #[command(subcommand)]
    Server(server::Server),
    /// How servers that several tenants have are reached, with places that each tenant fills in
    #[command(subcommand)]
    Template(template::Template),
    /// Tools of those servers
    #[command(subcommand)]
    Tool(tool::Tool),
    /// People who use the console
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Cells of the matrix: role x tool
    #[command(subcommand)]
    Grant(grant::Grant),
    /// Who may do what, and why
    #[command(subcommand)]
    Policy(policy::Policy),
    /// What agents prove themselves with
    #[command(subcommand)]
    Credential(credential::Credential),
    /// Consoles on other machines that work on this gateway
    #[command(subcommand)]
    Console(console::Console),
    /// Certificates of agents
    #[command(subcommand)]
    Certificate(certificate::Certificate),
    /// Whose certificates are believed: the tenant's own authority, and those of others
    #[command(subcommand)]
    Authority(authority::Authority),
    /// How the gateway serves: address, TLS, names
    #[command(subcommand)]
    Serving(serving::Serving),
    /// Whose access tokens are accepted
    #[command(subcommand)]
    Provider(provider::Provider),
    /// The gateway's own token issuer, for where there is no identity provider
    #[command(subcommand)]
    Issuer(issuer::Issuer),
    /// What was revoked before its time
    #[command(subcommand)]
    Revocation(revocation::Revocation),
    /// Who proved who they are, and who did not
    #[command(subcommand)]
    Authn(authn::Authn),
    /// Secrets that servers are given, by name
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Where the installation keeps its own secrets
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Calls that wait for a person
    #[command(subcommand)]
    Approval(approval::Approval),
    /// What rules found that a person should know of
    #[command(subcommand)]
    Alert(alert::Alert),
    /// Working periods of agents
    #[command(subcommand)]
    Session(session::Session),
    /// What happened
    #[command(subcommand)]
    Audit(audit::Audit),
    /// The registry as a whole
    #[command(subcommand)]
    Registry(registry::Registry),
    /// The sample tenant
    #[command(subcommand)]
    Starter(starter::Starter),
}
