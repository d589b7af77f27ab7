//! Every command, by the part of the registry it is about.

pub mod agent;
pub mod alert;
pub mod approval;
pub mod audit;
pub mod authn;
pub mod authority;
pub mod certificate;
pub mod console;
pub mod credential;
pub mod crowd;
pub mod declared;
pub mod identity;
pub mod inventory;
pub mod issued;
pub mod issuer;
pub mod lifecycle;
pub mod matrix;
pub mod operator;
pub mod outlook;
pub mod policy;
pub mod preview;
pub mod provider;
pub mod reference;
pub mod registry;
pub mod revocation;
pub mod rotation;
pub mod secrets;
pub mod series;
pub mod server;
pub mod serving;
pub mod session;
pub mod signing;
pub mod starter;
pub mod stats;
pub mod status;
pub mod task;
pub mod template;
pub mod tenant;
pub mod webhook;

use crate::command::{Entry, Visitor, commands};

commands! {
    status::Status,
    status::Overview,
    status::FirstRun,
    status::Unlock,
    status::Lock,
    status::Touch,
    serving::ServingShow,
    serving::ServingSet,
    registry::RegistryAccept,
    starter::StarterLoad,
    starter::StarterRemove,
    operator::OperatorList,
    operator::OperatorCreate,
    operator::OperatorRemove,
    operator::OperatorRoleSet,
    operator::OperatorPassphraseSet,
    operator::OperatorKeyRotate,
    operator::OperatorRecover,
    console::ConsoleList,
    console::ConsoleEnrol,
    console::ConsoleRevoke,
    signing::OperatorGroupList,
    signing::OperatorGroupCreate,
    signing::OperatorGroupRemove,
    signing::OperatorGroupAdd,
    signing::OperatorGroupDrop,
    declared::Export,
    declared::Apply,
    tenant::TenantList,
    tenant::TenantCreate,
    tenant::TenantSetStanding,
    tenant::TenantSecretSet,
    tenant::TenantSecretList,
    matrix::RoleCreate,
    matrix::RoleRemove,
    matrix::Matrix,
    matrix::MatrixSet,
    matrix::MatrixCell,
    policy::PolicyExplain,
    reference::ToolDescribe,
    reference::ToolSetRate,
    signing::ToolSetSigning,
    signing::ToolSetEffects,
    reference::ReferenceMatrix,
    reference::MatrixExport,
    reference::MatrixSave,
    task::TaskList,
    task::TaskCreate,
    task::TaskUpdate,
    task::TaskRemove,
    agent::AgentList,
    agent::AgentCreate,
    agent::AgentUpdate,
    agent::AgentSetRate,
    signing::AgentSetResponsible,
    crowd::AgentSetWaiting,
    agent::AgentSetStanding,
    crowd::AgentPause,
    agent::AgentRemove,
    credential::CredentialIssue,
    credential::CredentialRegister,
    credential::CredentialRevoke,
    credential::CredentialRelease,
    credential::CredentialList,
    inventory::CredentialPage,
    rotation::CredentialRotate,
    rotation::CredentialRollback,
    rotation::CredentialRotateAll,
    rotation::HousekeepingShow,
    rotation::HousekeepingResume,
    outlook::CredentialCalendar,
    outlook::CredentialPosture,
    preview::RevokePreview,
    preview::RotatePreview,
    lifecycle::LifecycleShow,
    lifecycle::LifecycleSet,
    certificate::CertificateIssue,
    certificate::CertificateRegister,
    authority::AuthorityShow,
    authority::AuthorityAdd,
    authority::AuthorityListUpdate,
    authority::AuthorityRemove,
    authority::AuthorityRotate,
    provider::ProviderList,
    provider::ProviderCreate,
    provider::ProviderUpdate,
    provider::ProviderRemove,
    identity::ProviderDiscover,
    identity::ProviderTest,
    identity::ProviderRefresh,
    issuer::IssuerShow,
    issuer::IssuerSet,
    issuer::IssuerRotate,
    issuer::ClientRegister,
    revocation::RevocationList,
    revocation::RevocationAdd,
    revocation::AgentRevoke,
    revocation::TenantRevoke,
    authn::AuthnOverviewOf,
    server::ServerList,
    server::ServerDetailOf,
    server::ServerProbe,
    server::ServerCreate,
    server::ServerDiscover,
    server::ServerAccept,
    server::ServerSetEnabled,
    server::ServerSetPasses,
    server::ServerRestart,
    server::ServerRemove,
    server::ToolSetEnabled,
    template::TemplateList,
    template::TemplateSet,
    template::TemplateRemove,
    template::TemplateFill,
    template::ServerCreateFrom,
    template::ServerSettingsSet,
    approval::ApprovalList,
    approval::ApprovalShow,
    approval::ApprovalApprove,
    approval::ApprovalDeny,
    issued::ApprovalIssue,
    crowd::ApprovalDenyAll,
    approval::ApprovalWeekOf,
    secrets::SecretsAudit,
    secrets::SecretsErase,
    secrets::SecretsShow,
    secrets::SecretsMove,
    secrets::SecretsStay,
    webhook::WebhookShow,
    webhook::WebhookSet,
    webhook::WebhookTest,
    webhook::WebhookRemove,
    stats::ApprovalStatsOf,
    series::SeriesList,
    series::SeriesSign,
    series::SeriesRevoke,
    alert::AlertList,
    alert::AlertShow,
    alert::AlertAcknowledge,
    alert::AlertRules,
    alert::AlertRuleSet,
    alert::AlertMetricOf,
    session::SessionList,
    session::SessionEndNow,
    audit::AuditPageOf,
    audit::AuditShow,
    audit::AuditExport,
    audit::AuditVerify,
}
