use clap::CommandFactory as _;

use crate::args::Arguments;

/// The source of everything that asks the core for something.
const SOURCES: &[&str] = &[
    include_str!("commands/agent.rs"),
    include_str!("commands/alert.rs"),
    include_str!("commands/approval.rs"),
    include_str!("commands/audit.rs"),
    include_str!("commands/authn.rs"),
    include_str!("commands/authority.rs"),
    include_str!("commands/certificate.rs"),
    include_str!("commands/client.rs"),
    include_str!("commands/console.rs"),
    include_str!("commands/credential.rs"),
    include_str!("commands/declared.rs"),
    include_str!("commands/grant.rs"),
    include_str!("commands/inventory.rs"),
    include_str!("commands/issued.rs"),
    include_str!("commands/issuer.rs"),
    include_str!("commands/lifecycle.rs"),
    include_str!("commands/operator.rs"),
    include_str!("commands/outlook.rs"),
    include_str!("commands/policy.rs"),
    include_str!("commands/provider.rs"),
    include_str!("commands/registry.rs"),
    include_str!("commands/revocation.rs"),
    include_str!("commands/role.rs"),
    include_str!("commands/rotation.rs"),
    include_str!("commands/secret.rs"),
    include_str!("commands/secrets.rs"),
    include_str!("commands/series.rs"),
    include_str!("commands/serve.rs"),
    include_str!("commands/server.rs"),
    include_str!("commands/serving.rs"),
    include_str!("commands/session.rs"),
    include_str!("commands/signing.rs"),
    include_str!("commands/starter.rs"),
    include_str!("commands/status.rs"),
    include_str!("commands/task.rs"),
    include_str!("commands/template.rs"),
    include_str!("commands/tenant.rs"),
    include_str!("commands/tool.rs"),
    include_str!("commands/webhook.rs"),
    include_str!("desk.rs"),
    include_str!("door.rs"),
];

/// What only a window needs: `init` is the first run, and nobody is idle at a command.
const OF_THE_WINDOW: &[&str] = &["first_run", "touch"];

#[test]
fn the_desktop_can_do_nothing_that_the_command_line_cannot() {
    let sources = SOURCES.concat();
    let missing: Vec<&str> = cs_control::TABLE
        .iter()
        .map(|entry| entry.name)
        .filter(|name| !OF_THE_WINDOW.contains(name) && !sources.contains(&format!("\"{name}\"")))
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_command_line_is_described_without_contradictions() {
    Arguments::command().debug_assert();
}

#[test]
fn no_passphrase_is_taken_from_an_argument_or_the_environment() {
    fn walk(command: &clap::Command) {
        for arg in command.get_arguments() {
            let name = arg.get_id().as_str();
            let secret = name.contains("passphrase") || name.contains("secret_value");
            let file = matches!(name, "passphrase_file" | "new_passphrase_file");
            assert!(!secret || file, "{} {name}", command.get_name());
            let variable = arg.get_env().map(|name| name.to_string_lossy().into_owned());
            assert!(variable.is_none_or(|name| name == "COUNTERSIGN_HOME"));
        }
        command.get_subcommands().for_each(walk);
    }
    walk(&Arguments::command());
}
