//! The commands of the console, one for each command of cs-control, and those that only a desktop
//! can have: opening the approval window, joining a gateway elsewhere, and keys that are heard
//! anywhere.
//!
//! None of them decides anything. Which window may invoke which is in `capabilities/`; what the
//! operator may do, cs-control checks.

use cs_control::Failure;
use cs_model::{ApprovalId, TenantId};
use serde_json::Value;
use tauri::ipc::{CommandArg, CommandItem, Invoke, InvokeBody, InvokeError};
use tauri::{AppHandle, Manager as _, Runtime, State};

use crate::desk::Desk;
use crate::{shortcut, windows};

/// All arguments of a command, unread: cs-control reads them, strictly.
struct Arguments(Value);

impl<'de, R: Runtime> CommandArg<'de, R> for Arguments {
    fn from_command(command: CommandItem<'de, R>) -> Result<Self, InvokeError> {
        match command.message.payload() {
            InvokeBody::Json(arguments) => Ok(Self(arguments.clone())),
            InvokeBody::Raw(_) => Err(InvokeError::from("arguments are a JSON object")),
        }
    }
}

macro_rules! commands {
    ($($name:ident,)*) => {
        $(
            #[tauri::command]
            async fn $name(desk: State<'_, Desk>, arguments: Arguments) -> Result<Value, Failure> {
                desk.ask(stringify!($name), arguments.0).await
            }
        )*

        /// What answers the windows.
        pub(crate) fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
            tauri::generate_handler![
                console_join,
                open_approval_window,
                shortcut_set,
                shortcut_show,
                $($name,)*
            ]
        }

        /// The commands that are cs-control's.
        #[cfg(test)]
        pub(crate) const OF_CONTROL: &[&str] = &[$(stringify!($name),)*];
    };
}

commands! {
    agent_create,
    agent_list,
    agent_pause,
    agent_remove,
    agent_revoke,
    agent_set_rate,
    agent_set_responsible,
    agent_set_standing,
    agent_set_waiting,
    agent_update,
    alert_acknowledge,
    alert_list,
    alert_metric,
    alert_rule_set,
    alert_rules,
    alert_show,
    apply,
    approval_approve,
    approval_deny,
    approval_deny_all,
    approval_issue,
    approval_list,
    approval_show,
    approval_stats,
    approval_week,
    audit_export,
    audit_page,
    audit_show,
    audit_verify,
    authn_overview,
    authority_add,
    authority_list_update,
    authority_remove,
    authority_rotate,
    authority_show,
    certificate_issue,
    certificate_register,
    client_register,
    console_enrol,
    console_list,
    console_revoke,
    credential_calendar,
    credential_issue,
    credential_list,
    credential_page,
    credential_posture,
    credential_register,
    credential_release,
    credential_revoke,
    credential_rollback,
    credential_rotate,
    credential_rotate_all,
    export,
    first_run,
    housekeeping_resume,
    housekeeping_show,
    issuer_rotate,
    issuer_set,
    issuer_show,
    lifecycle_set,
    lifecycle_show,
    lock,
    matrix,
    matrix_cell,
    matrix_export,
    matrix_save,
    matrix_set,
    operator_create,
    operator_group_add,
    operator_group_create,
    operator_group_drop,
    operator_group_list,
    operator_group_remove,
    operator_key_rotate,
    operator_list,
    operator_passphrase_set,
    operator_recover,
    operator_remove,
    operator_role_set,
    overview,
    policy_explain,
    provider_create,
    provider_discover,
    provider_list,
    provider_refresh,
    provider_remove,
    provider_test,
    provider_update,
    reference_matrix,
    registry_accept,
    revocation_add,
    revocation_list,
    revoke_preview,
    rotate_preview,
    role_create,
    role_remove,
    secrets_audit,
    secrets_erase,
    secrets_move,
    secrets_show,
    secrets_stay,
    series_list,
    series_revoke,
    series_sign,
    server_accept,
    server_create,
    server_create_from,
    server_detail,
    server_discover,
    server_list,
    server_probe,
    server_remove,
    server_restart,
    server_set_enabled,
    server_set_passes,
    server_settings_set,
    serving_set,
    serving_show,
    session_end,
    session_list,
    starter_load,
    starter_remove,
    status,
    task_create,
    task_list,
    task_remove,
    task_update,
    template_fill,
    template_list,
    template_remove,
    template_set,
    tenant_create,
    tenant_list,
    tenant_revoke,
    tenant_secret_list,
    tenant_secret_set,
    tenant_set_standing,
    tool_describe,
    tool_set_effects,
    tool_set_enabled,
    tool_set_rate,
    tool_set_signing,
    touch,
    unlock,
    webhook_remove,
    webhook_set,
    webhook_show,
    webhook_test,
}

/// Joins a gateway elsewhere, with the file of a console and the code that opens it.
#[tauri::command]
async fn console_join<R: Runtime>(
    app: AppHandle<R>,
    file: Option<String>,
    code: String,
) -> Result<Value, Failure> {
    app.state::<Desk>().join(file, code).await
}

/// The keys that bring the waiting calls to the front from anywhere.
#[tauri::command]
async fn shortcut_show<R: Runtime>(app: AppHandle<R>) -> Result<Value, Failure> {
    Ok(shortcut::show(&app))
}

/// Takes other keys for that, or none.
#[tauri::command]
async fn shortcut_set<R: Runtime>(
    app: AppHandle<R>,
    keys: Option<String>,
) -> Result<Value, Failure> {
    shortcut::set(&app, keys.as_deref())
}

/// Shows a waiting call in the approval window.
#[tauri::command]
async fn open_approval_window<R: Runtime>(
    app: AppHandle<R>,
    tenant: TenantId,
    approval: ApprovalId,
) -> Result<(), String> {
    windows::show_approval(&app, Some((tenant, approval)))
        .map_err(|_| String::from("The approval window could not be opened."))
}
