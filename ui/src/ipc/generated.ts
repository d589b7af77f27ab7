// Written by `cargo xtask bindings` from the view types of cs-control. Do not edit.

type Brand<K extends string> = string & { readonly __kind: K }

export type AgentId = Brand<'agt'>

/** An agent, by id and name. */
export type AgentRef = {
  /** Its id. */
  id: AgentId
  /** Its name. */
  name: string
}

/** An agent. */
export type AgentView = {
  /** Its id. */
  id: AgentId
  /** Its name. */
  name: string
  /** Whether it may act. */
  standing: Standing
  /** The roles it acts in. */
  roles: Array<RoleRef>
  /** The tasks it may declare. */
  tasks: Array<TaskRef>
  /** How often it may call any tool; as often as it likes when absent. */
  rate: Rate | null
  /**
   * How many of its calls may wait for people at a time; the usual number, which is 10, when
   * absent.
   */
  most_waiting: MostWaiting | null
  /** The operator who answers for it. */
  responsible: OperatorRef | null
  /** What it proves itself with. */
  credentials: Array<CredentialView>
  /** When it was last heard of. */
  last_seen: Timestamp | null
  /** How many of its sessions are not over. */
  live_sessions: number
  /** When it was made. */
  created: Timestamp
}

/** What an alert is about, by the classes of the catalogue of attacks. */
export type AlertClass = 'AL1' | 'AL2' | 'AL4'

/** An alert with what it was found by. */
export type AlertDetail = {
  /** The alert. */
  alert: AlertView
  /** The first of the events that it was found by, oldest first, at most 50. */
  events: Array<AuditRow>
}

export type AlertId = Brand<'alt'>

/** A number in a rule. */
export type AlertLimit = {
  /** What it is. */
  value: number
  /** What it is unless somebody sets it. */
  default: number
  /** The least that it can be. */
  least: number
  /** The most that it can be. */
  most: number
}

/** Attempts outside allowlists, for each session of an agent: near zero when all is well. */
export type AlertMetric = {
  /** When the first day began, in UTC. */
  since: Timestamp
  /** Each day, oldest first. */
  days: Array<AlertMetricDay>
  /** Each agent that had a session, the one with the most attempts for each session first. */
  agents: Array<AlertMetricAgent>
}

/** One agent. */
export type AlertMetricAgent = {
  /** The agent. */
  agent: AgentId
  /** Its name. */
  agent_name: string
  /** How many sessions it opened. */
  sessions: number
  /** How many attempts outside their allowlists they made. */
  attempts: number
}

/** One day. */
export type AlertMetricDay = {
  /** When it began, in UTC. */
  day: Timestamp
  /** How many sessions opened. */
  sessions: number
  /** How many attempts outside their allowlists they made. */
  attempts: number
}

/** A rule is muted. */
export type AlertMute = {
  /** Until when. */
  until: Timestamp
  /** Why. */
  reason: string
}

/** A rule that raises alerts. */
export type AlertRule = 'authn_failures' | 'clock_moved' | 'credential_unused' | 'glass_broken' | 'incident' | 'integrity_failed' | 'outside_allowlist' | 'outcome_unknown' | 'provider_down' | 'rotation_failed' | 'session_overlong' | 'signing_loosened' | 'tool_drift'

/** A rule, as it is set for a tenant. */
export type AlertRuleView = {
  /** The rule. */
  rule: AlertRule
  /** What its alerts are about. */
  class: AlertClass
  /** How much they ask of people. */
  severity: AlertSeverity
  /** What they are called. */
  title: string
  /** When it fires, as it is set now. */
  sentence: string
  /** Whether it is about, and set for, the whole installation. */
  everywhere: boolean
  /**
   * The number at which it fires: failures that are still fine, attempts that are an incident,
   * days without use, percent of the expected run time.
   */
  threshold: AlertLimit | null
  /** In how many seconds that has to come together. */
  window_secs: AlertLimit | null
  /** How many seconds after its last occasion the same is still the same alert. */
  repeat_secs: AlertLimit
  /**
   * Whether the session is ended and its credential suspended when it fires; nothing where
   * that cannot be.
   */
  contain: boolean | null
  /** Whether it is muted. */
  muted: AlertMute | null
}

/** How much an alert asks of people. */
export type AlertSeverity = 'alert' | 'incident'

/** Whether somebody has looked. */
export type AlertState = 'acknowledged' | 'open'

/** Something that a rule found. */
export type AlertView = {
  /** Its id. */
  id: AlertId
  /** The tenant; none for what concerns the whole installation. */
  tenant: TenantId | null
  /** The tenant's name. */
  tenant_name: string | null
  /** The rule. */
  rule: AlertRule
  /** What it is about. */
  class: AlertClass
  /** How much it asks of people. */
  severity: AlertSeverity
  /** What it is called. */
  title: string
  /** What was found, for a person. */
  sentence: string
  /** The agent; where a sign-in was refused, the one that the caller claimed to be. */
  agent: AgentId | null
  /** Its name. */
  agent_name: string | null
  /** The session. */
  session: SessionId | null
  /** The credential. */
  credential: CredentialId | null
  /** How often it happened. */
  count: number
  /** When it was found first. */
  first: Timestamp
  /** When it was found last. */
  last: Timestamp
  /** Since when what it told of is over, where that is known. */
  over: Timestamp | null
  /** Whether the session was ended and its credential suspended because of it. */
  contained: boolean
  /** Whether somebody has looked. */
  state: AlertState
  /** Who has. */
  acknowledged_by: string | null
  /** When. */
  at: Timestamp | null
  /** What they noted. */
  note: string | null
  /** What ties it to the answer that the agent got. */
  correlation: CorrelationId | null
}

/** What applying a file changed, or would change. */
export type AppliedView = {
  /** One sentence for each change. */
  changes: Array<string>
  /** Whether they were made. */
  applied: boolean
  /** The policy version in force. */
  policy_version: number
}

/** What became of calls that asked, and how long people took. */
export type ApprovalFigures = {
  /** How many calls asked. */
  asked: number
  /** How many were approved. */
  approved: number
  /** How many were denied. */
  denied: number
  /** How many nobody decided in time. */
  expired: number
  /** How many were taken back undecided. */
  withdrawn: number
  /** How long half of the decisions took at most. */
  median_seconds: number | null
  /** How long nine of ten decisions took at most. */
  p90_seconds: number | null
}

export type ApprovalId = Brand<'apr'>

/** A call that was signed for before the agent makes it. */
export type ApprovalIssued = {
  /** The request that stands for it. */
  approval: ApprovalView
  /**
   * The operation token, for the client to present in
   * `_meta["dev.countersign/operation-token"]`.
   */
  token: string
}

/** The figures of one tool, or of one agent. */
export type ApprovalLine = {
  /** Its tenant's name. */
  tenant_name: string
  /** The name of a tool's server. */
  server_name: string | null
  /** Its name. */
  name: string
  /** Its figures. */
  figures: ApprovalFigures
}

/** An approval request, in a list. */
export type ApprovalRow = {
  /** Its id. */
  id: ApprovalId
  /** Its tenant. */
  tenant: TenantId
  /** Its tenant's name. */
  tenant_name: string
  /** The name of the agent that asks. */
  agent_name: string
  /** The name of its task. */
  task_name: string
  /** The name of the tool's server. */
  server_name: string
  /** The name of the tool. */
  tool_name: string
  /** Where it stands. */
  state: ApprovalState
  /** When it was asked. */
  requested: Timestamp
  /** Until when a person may decide; for an approved one, when its token ends. */
  expires: Timestamp
  /** Whether the agent's call is made as soon as somebody approves it. */
  held: boolean
  /** Whether the agent goes on meanwhile and asks for the result: the call became a task. */
  goes_on: boolean
  /** How many signatures stand. */
  signed: number
  /** How many its tool asks for. */
  approvers: number
  /** Whether an owner signed alone although it takes more. */
  broke_glass: boolean
}

/** Where an approval request stands. */
export type ApprovalState = 'approved' | 'denied' | 'expired' | 'executed' | 'pending' | 'unknown' | 'withdrawn'

/** How approving went over some days. */
export type ApprovalStats = {
  /** Over so many days. */
  days: number
  /** All of it. */
  all: ApprovalFigures
  /** The same by tool or by agent, the most asked first. */
  lines: Array<ApprovalLine>
  /** Cells of the matrix that people gave one answer only. */
  suggestions: Array<Suggestion>
  /** From how many days these are. */
  suggest_days: number
  /** How many calls have to be approved, and none denied, to suggest allow. */
  least_approved: number
  /** How many have to be denied, and none approved, to suggest deny. */
  least_denied: number
}

/** How the last seven days went for one tool. */
export type ApprovalTool = {
  /** Its name. */
  tool_name: string
  /** Its server's name. */
  server_name: string
  /** How many calls asked. */
  asked: number
  /** How many were approved. */
  approved: number
  /** How many were denied. */
  denied: number
}

/** An approval request with all that a person needs to decide. */
export type ApprovalView = {
  /** The request. */
  row: ApprovalRow
  /** The agent that asks. */
  agent: AgentId
  /** Its session. */
  session: SessionId
  /** The names of the agent's roles. */
  roles: Array<string>
  /** When the session opened. */
  session_opened: Timestamp
  /** When it ends. */
  session_ends: Timestamp
  /** Attempts outside the allowlist in this session. */
  session_anomalies: number
  /**
   * How many attempts outside their allowlists its agent made in its other sessions of the last
   * 24 hours.
   */
  agent_anomalies: number
  /** The tool. */
  tool: ToolView
  /**
   * The canonical arguments, as JSON text: what was hashed and what will be sent. Nothing for
   * whoever is not shown what agents send.
   */
  arguments: string | null
  /** Why there are none to be seen. */
  withheld: string | null
  /** Their digest. */
  arguments_digest: Digest
  /** Their length. */
  arguments_bytes: number
  /**
   * The arguments of the last approved call of this tool by this agent, for those who are shown
   * any.
   */
  previous: string | null
  /** The policy version that asked. */
  policy_version: number
  /** Why a person must look. */
  asked_because: string
  /** What it takes to be signed, and how far that is. */
  signing: SigningView
  /** Who decided. */
  decided_by: string | null
  /** When. */
  decided_at: Timestamp | null
  /** Why, in the operator's words. */
  reason: string | null
  /** How the call ended. */
  outcome: Outcome | null
  /** When the very same call was approved before, and nobody knows whether it was made. */
  lost_before: Timestamp | null
}

/** How the last seven days went. */
export type ApprovalWeek = {
  /** How many calls asked. */
  asked: number
  /** How many were approved. */
  approved: number
  /** How many were denied. */
  denied: number
  /** How many nobody decided in time. */
  expired: number
  /** How long a decision took, in the middle. */
  median_seconds: number | null
  /** The same by tool. */
  by_tool: Array<ApprovalTool>
}

/** How many operators have to sign: 1 to [`Signing::MOST`]. */
export type Approvers = number

/** A console that works on a gateway elsewhere. */
export type AttachedView = {
  /** The gateway's host and port. */
  address: string
  /** Whose console it is: nobody else unlocks it. */
  operator_name: string
  /** What it is called. */
  console_name: string
  /** Whether there is a connection. */
  connected: boolean
  /** Why there is none. */
  problem: string | null
}

/** An event with what belongs to it. */
export type AuditDetail = {
  /** The event. */
  row: AuditRow
  /** The sealed event, as JSON text. */
  event: string
  /** The seal of the event before it. */
  previous_hash: Digest
  /** The events that share its correlation, oldest first. */
  thread: Array<AuditRow>
}

/** Which events to show. */
export type AuditFilter = {
  /** Of this tenant. */
  tenant?: TenantId
  /** Of these kinds. */
  kinds?: Array<string>
  /** Of this agent. */
  agent?: AgentId
  /** Of this session. */
  session?: SessionId
  /** Of this tool. */
  tool?: ToolId
  /** Judged so. */
  decision?: Decision
  /** With this correlation. */
  correlation?: string
  /** Words that the summary, tool or reason contains. */
  text?: string
  /** Not before this moment. */
  from?: Timestamp
  /** Before this moment. */
  to?: Timestamp
}

/** A page of the log, newest first. */
export type AuditPage = {
  /** The events. */
  rows: Array<AuditRow>
  /** What to ask for to see older ones, when there are any. */
  older: number | null
  /** How many events match in all. */
  total: number
}

/** An audit event, in a list. */
export type AuditRow = {
  /** Its place in the chain. */
  seq: number
  /** When it happened. */
  at: Timestamp
  /** What happened. */
  kind: string
  /** The tenant. */
  tenant: TenantId | null
  /** The tenant's name. */
  tenant_name: string | null
  /** The agent, the operator or `system`. */
  who: string
  /** The session. */
  session: SessionId | null
  /** The tool. */
  tool: string | null
  /** How a call was judged. */
  decision: Decision | null
  /** The code of the reason. */
  reason: string | null
  /** One sentence for a person. */
  summary: string
  /** How an execution ended. */
  outcome: Outcome | null
  /** The policy version in force. */
  policy_version: number | null
  /** What ties it to an answer. */
  correlation: CorrelationId | null
  /** The approval request. */
  approval: ApprovalId | null
  /** The address of the client. */
  client: string | null
  /** Its seal. */
  hash: Digest
}

/** One reason to refuse. */
export type AuthnFailure = {
  /** Its code in the log. */
  reason: string
  /** The same, for a person. */
  sentence: string
  /** How often. */
  count: number
  /** When last. */
  last: Timestamp
  /** Who the newest claimed to be. Not to be trusted. */
  claimed: string | null
  /** The address that it came from. */
  client: string | null
}

/** One method. */
export type AuthnMethod = {
  /** `api_key`, `token`, `certificate`, or `none` where nothing was presented. */
  method: string
  /** How often it was accepted. */
  accepted: number
  /** How often it was refused. */
  refused: number
  /** When it was last used. */
  last: Timestamp | null
}

/** Authentication in the last 24 hours. */
export type AuthnOverview = {
  /** When the span begins: the running hour and the 23 before it. */
  since: Timestamp
  /** Each method, used or not. */
  methods: Array<AuthnMethod>
  /**
   * Refusals by reason, the most frequent first. Those of callers of whom it is not known which
   * tenant they meant are among them.
   */
  failures: Array<AuthnFailure>
}

export type AuthorityId = Brand<'aut'>

/** Whether the certificates of an outside authority open anything. */
export type AuthorityStanding = 'ended' | 'list_expired' | 'no_list' | 'trusted'

/** Whose certificates a tenant believes. */
export type AuthorityView = {
  /** Its certificate, as PEM; nothing before the first certificate was issued. */
  certificate: string | null
  /** When it was made. */
  created: Timestamp | null
  /** The beginning of the SPIFFE id of each agent that it may speak for. */
  speaks_for: string
  /** The number of the last revocation list that it signed. */
  list_number: number
  /** How many of its certificates are revoked that have not expired. */
  revoked: number
  /** The last revocation list that it signed, as PEM; nothing before the gateway served TLS. */
  list: string | null
  /** The authorities before it, until all that they issued has ended. */
  former: Array<FormerAuthority>
  /** The authorities of others that the tenant believes. */
  outside: Array<OutsideAuthorityView>
  /** The authority of the gateway's own certificate, as PEM; nothing before it served TLS. */
  server_authority: string | null
}

/** One thing that will happen to a credential. */
export type CalendarView = {
  /** When. */
  at: Timestamp
  /** What. */
  what: CalendarWhat
  /** The credential. */
  credential: CredentialId
  /** What it is recognised by. */
  key_id: string
  /** Its agent. */
  agent: AgentId
  /** The agent's name. */
  agent_name: string
}

/** What happens to a credential. */
export type CalendarWhat = 'ends_unused' | 'expires' | 'overlap_ends' | 'rotates'

/** Somebody who can call a tool. */
export type CellCaller = {
  /** The agent. */
  agent: AgentId
  /** Its name. */
  agent_name: string
  /** The task through which it can. */
  task: TaskId
  /** That task's name. */
  task_name: string
  /** What its roles grant it. */
  grant: Grant
}

/** What a cell is to be. */
export type CellChange = {
  /** Its column. */
  role: RoleId
  /** Its row. */
  tool: ToolId
  /** What it is to be. */
  grant: Grant
  /** For which arguments; for all, when absent. */
  condition?: ConditionView
}

/** A cell that grants what it says to some arguments only. */
export type CellCondition = {
  /** Its column. */
  role: RoleId
  /** Its row. */
  tool: ToolId
  /** What the arguments have to satisfy. */
  condition: ConditionView
}

/** The side panel of a cell. */
export type CellView = {
  /** The cell. */
  grant: Grant
  /** Its condition, where it has one. */
  condition: ConditionView | null
  /** Who can call the tool through this role now, and through which task. */
  callers: Array<CellCaller>
  /** The tool. */
  tool: ToolView
  /** What happened to it lately. */
  recent: Array<AuditRow>
  /** Live sessions that a narrower grant would cut at once. */
  live_sessions: number
}

/** What is known of a certificate. */
export type CertificateFacts = {
  /** Its subject; empty where it has none. */
  subject: string
  /** Its serial number, in hexadecimal digits. */
  serial: string
  /** The SHA-256 of the certificate (DER). */
  fingerprint: Digest
  /** The names that it is for. */
  names: Array<string>
  /** When it becomes valid. */
  from: Timestamp
  /** The last second in which it is valid. */
  until: Timestamp
  /** Who issued it, by name. */
  authority: string
}

/** How far the chain holds. */
export type ChainView = {
  /** How many events there are. */
  events: number
  /** Up to which one every seal holds. */
  verified_to: number
  /** Whether that is all of them. */
  whole: boolean
  /** What is wrong with the next one. */
  problem: string | null
  /** The seal of the last event that holds. */
  head: Digest
}

/** What changed, so that a screen can ask again. */
export type Change = {
  /** The part of the registry that changed. */
  topic: Topic
}

/** Which claims of a token say what. A claim inside another is named by a path, `a.b`. */
export type ClaimMap = {
  /** Who it is: what credentials of this provider are registered under. */
  agent: string
  /** The roles, by their names here. Without it, all that the agent has. */
  roles?: string
  /** A claim that must have a certain value for the token to be this tenant's. */
  tenant?: TenantClaim
  /** The task, besides `authorization_details` and `mcp_task`. */
  task?: string
}

/** How a client of the gateway's own token issuer proves itself. */
export type ClientMethodView = 'client_secret_basic' | 'private_key_jwt' | 'tls_client_auth'

/** What arguments have to satisfy, and what is granted to others. */
export type ConditionView = {
  /** A JSON Schema, as text. */
  schema: string
  /** What is granted to arguments that do not satisfy it. */
  otherwise: Grant
}

/** A console that was enrolled just now. */
export type ConsoleEnrolled = {
  /** The console. */
  console: ConsoleView
  /** What its file may be called. */
  file_name: string
  /** The file that it joins with. It opens nothing without the code. */
  file: string
  /** The code that opens the file, shown this once. */
  code: string
}

export type ConsoleId = Brand<'con'>

/** Whether a console is let in. */
export type ConsoleState = 'expired' | 'in_force' | 'revoked'

/** A console on another machine. */
export type ConsoleView = {
  /** Its id. */
  id: ConsoleId
  /** What it is called. */
  name: string
  /** Whose it is: nobody else unlocks it. */
  operator: OperatorId
  /** Their name. */
  operator_name: string
  /** Whether it is let in. */
  state: ConsoleState
  /** When it was enrolled. */
  created: Timestamp
  /** When its certificate ends. */
  expires: Timestamp
  /** When it was revoked. */
  revoked: Timestamp | null
  /** From where it is connected now; nothing while it is not. */
  connected: Array<string>
  /** Whether its operator has it unlocked. */
  unlocked: boolean
}

export type CorrelationId = Brand<'cor'>

/** How much a tenant has. */
export type CountsView = {
  /** Agents. */
  agents: number
  /** Tools. */
  tools: number
  /** Tasks. */
  tasks: number
  /** Sessions that are not over. */
  live_sessions: number
}

/** Which credentials. What is absent does not narrow. */
export type CredentialFilter = {
  /** This one alone. */
  credential?: CredentialId
  /** Those of this agent. */
  agent?: AgentId
  /** Those of this kind. */
  kind?: CredentialKind
  /** Those in this stage of their lives. */
  stage?: CredentialStage
  /** Those with these words in what they are recognised by, or in the name of their agent. */
  text?: string
}

export type CredentialId = Brand<'crd'>

/** How an agent proves itself. */
export type CredentialKind = 'api_key' | 'certificate' | 'client' | 'external'

/** What a list of credentials is sorted by. */
export type CredentialOrder = 'agent' | 'created' | 'ends' | 'next' | 'used'

/** A page of credentials. */
export type CredentialPageView = {
  /** The credentials. */
  rows: Array<CredentialRow>
  /** How many there are on all pages. */
  total: number
  /** How many are in each stage, whichever stage was asked for. */
  stages: Array<StageCount>
}

/** A credential in a list. */
export type CredentialRow = {
  /** The credential. */
  credential: CredentialView
  /** The name of its agent. */
  agent_name: string
  /** Where in its life it is. */
  stage: CredentialStage
  /** The one that takes its place. */
  successor: CredentialId | null
  /** What happens to it next by itself. */
  next: NextView | null
  /** How many sessions that it opened are not over. */
  sessions: number
}

/**
 * Where in its life a credential is. Each is in one stage, the first of these that it meets:
 * revoked, suspended, expired, waiting, overlapping, unused, expiring, active.
 */
export type CredentialStage = 'active' | 'expired' | 'expiring' | 'overlapping' | 'revoked' | 'suspended' | 'unused' | 'waiting'

/** Whether a credential may be used. */
export type CredentialState = 'active' | 'expired' | 'revoked' | 'suspended'

/** A credential, without its secret. */
export type CredentialView = {
  /** Its id. */
  id: CredentialId
  /** Whose it is. */
  agent: AgentId
  /** What kind it is of. */
  kind: CredentialKind
  /** What proves it, as far as that is public. */
  proof: ProofView
  /** The id that a request names. */
  key_id: string
  /** The networks that it may be used from (CIDR). None means all. */
  networks: Array<string>
  /** The tasks that it may declare, where it is bound more narrowly than its agent. */
  tasks: Array<TaskRef> | null
  /** Whether it may be used. */
  state: CredentialState
  /** When it was issued. */
  created: Timestamp
  /** When it ends. */
  expires: Timestamp
  /** When it was last used. */
  last_used: Timestamp | null
  /** The address it was last used from. */
  last_from: string | null
  /** The credential that it takes the place of. */
  replaces?: CredentialId
  /** Whether it still waits for its holder to fetch it. */
  waits?: boolean
  /** When it makes way for the one that takes its place. */
  overlap_ends?: Timestamp
  /** When another one takes its place by itself. */
  rotates?: Timestamp
}

/** What an agent would lose. */
export type CutOffView = {
  /** The agent. */
  agent: AgentId
  /** Its name. */
  name: string
  /** How many credentials that are good it would lose. */
  credentials: number
  /** How many that are good it would keep. */
  left: number
  /** How many of its sessions would end. */
  sessions: number
  /** How many of its calls that wait would be taken back. */
  waiting: number
  /** When one of those that it would lose was last used. */
  last_used: Timestamp | null
}

/** How a call was judged. */
export type Decision = 'allow' | 'deny' | 'hold'

/** The registry as a file. */
export type DeclaredView = {
  /** The file, in YAML. */
  text: string
}

/** What came of denying all that a session had waiting. */
export type DeniedAll = {
  /** How many calls were denied. */
  denied: number
  /** Whether the session was ended. */
  session_ended: boolean
}

/** 64 lower-case hexadecimal digits. */
export type Digest = Brand<'digest'>

/** What an identity provider says of itself, as settings to look at before they are kept. */
export type DiscoveredProvider = {
  /** The settings. */
  settings: ProviderSettings
  /** What is left to do there or here. */
  notes: Array<string>
}

/** What a server publishes, before it is added to the registry. */
export type DiscoveredTool = {
  /** Its kind. */
  kind: Kind
  /** Its name. */
  name: string
  /** Its title, as the server gives it. */
  title: string | null
  /** What it does, as the server says. */
  description: string
  /** The definition, as JSON text. */
  definition: string
  /** The digest of its canonical form. */
  fingerprint: Digest
  /** What the server says of the tool. Not to be trusted. */
  claims: ToolClaims
  /** What the annotations suggest. Only a suggestion. */
  suggested: Grant
  /** Whether the registry has it: with this definition, with another, or not. */
  known: Known
  /** Why no agent would be offered it, were it taken in: its schema is refused. */
  problem: string | null
}

/** Where consoles on other machines are let in. */
export type DoorView = {
  /** Where, while they are. */
  listen: string | null
  /** Why they are not, although they should be. */
  problem: string | null
  /** Whether a flag of its process wins over what is set. */
  locked_by_flags: boolean
}

/**
 * What the record of a call that the policy allows survives, once the call is answered. Whatever
 * else is recorded, denials, countersignatures and changes among it, survives both.
 */
export type Durability = 'disk' | 'process'

/**
 * What a tool can do that cannot be taken back. An administrator says so: what its server says of
 * it counts for nothing here. Each call of a tool that is marked is signed on its own.
 */
export type Effects = {
  /** Whether it can send data out. */
  sends_out: boolean
  /** Whether it can destroy something. */
  destroys: boolean
}

/** What a change led to. */
export type Enforced = {
  /** The policy version that is in force now. */
  policy_version: number
  /** Since when. */
  enforced_at: Timestamp
}

/** What kind of failure it is. A code is here only if a screen or a script acts on it. */
export type ErrorCode = 'conflict' | 'forbidden' | 'internal' | 'invalid' | 'locked' | 'not_found' | 'stale' | 'unavailable' | 'upstream' | 'wrong_passphrase'

/** What is asked at one step, in the order of the gateway. */
export type ExplainGate = 'credential' | 'tenant' | 'agent' | 'session' | 'task' | 'tool' | 'task_tools' | 'grant' | 'frozen' | 'arguments' | 'scopes' | 'rate' | 'countersignature' | 'drift' | 'server'

/** A session in which the call could be made. */
export type ExplainSession = {
  /** Its id. */
  id: SessionId
  /** When it opened. */
  opened: Timestamp
  /** When it ends by itself. */
  ends: Timestamp
  /** What the policy says of the call in it. */
  outcome: Grant
  /** Why, in one sentence. */
  sentence: string
}

/** One step. */
export type ExplainStep = {
  /** Which. */
  gate: ExplainGate
  /** What it says. */
  verdict: StepVerdict
  /** Why, in a sentence or several. */
  sentence: string
  /** The code under which the log has it, where it refuses. */
  reason: string | null
}

/** What would become of a call now, and why. */
export type ExplainView = {
  /** The policy version in force. */
  policy_version: number
  /** The agent. */
  agent: AgentId
  /** Its name. */
  agent_name: string
  /** The task. */
  task: TaskId | null
  /** Its name. */
  task_name: string | null
  /** The tool. */
  tool: ToolId
  /** Its name at its server. */
  tool_name: string
  /** Its server's name. */
  server_name: string
  /** The name under which the agent sees it, where it does. */
  listed: string | null
  /** What a call comes to: passes, waits for a person, or is refused. */
  outcome: Grant
  /** The step that decides: the first that refuses, or the last that had to be passed. */
  decides: ExplainGate
  /** The same in one sentence. */
  sentence: string
  /** Every step, in the order of the gateway. */
  steps: Array<ExplainStep>
  /** The session that it is asked of; one that opened now when absent. */
  session: SessionId | null
  /** The same agent's sessions for the same task that are live now. */
  sessions: Array<ExplainSession>
}

/** What every failed command answers with. */
export type Failure = {
  /** What kind of failure it is. */
  code: ErrorCode
  /** What happened, what it means, what to do. */
  message: string
  /** Finds the audit event or the log line. */
  correlation: CorrelationId
  /** The field of the arguments that is at fault. */
  field: string | null
}

/** An authority in whose place another one issues. */
export type FormerAuthority = {
  /** Its certificate, as PEM. */
  certificate: string
  /** Since when it issues nothing. */
  retired: Timestamp
  /** When the last that it issued ends. */
  ends: Timestamp
  /** The number of the last revocation list that it signed. */
  list_number: number
  /** That list, as PEM. */
  list: string | null
}

/** Whether the gateway serves. */
export type GatewayState = 'failed' | 'refusing' | 'serving' | 'stopped'

/** The gateway. */
export type GatewayView = {
  /** Whether it serves. */
  state: GatewayState
  /** `http://127.0.0.1:PORT`, or `https://` and a name with TLS, while it serves. */
  url: string | null
  /** Why it does not serve, or not as it was asked to. */
  problem: string | null
  /** Whether it runs in this process or in `countersign serve`. */
  embedded: boolean
}

/** What a role may do with a tool. Ordered from narrow to wide: `Deny < Token < Allow`. */
export type Grant = 'deny' | 'token' | 'allow'

/** Housekeeping that stands still until a person has looked. */
export type HaltedView = {
  /** Since when. */
  since: Timestamp
  /** Why: what follows "the clock was set". */
  why: string
}

/** The decisions of one hour. */
export type HourView = {
  /** When it began. */
  from: Timestamp
  /** How many calls went ahead. */
  allow: number
  /** How many waited for a person. */
  hold: number
  /** How many were refused. */
  deny: number
}

/** Whether the housekeeper does its work. */
export type HousekeepingView = {
  /** When it last looked. */
  last: Timestamp | null
  /** Since when it stands still, until a person has looked. */
  halted: Timestamp | null
  /** Why: what follows "the clock was set". */
  why: string | null
}

/** A key that an identity provider publishes and that is not used. */
export type IgnoredKeyView = {
  /** Its `kid`. */
  key_id: string | null
  /** Why not. */
  reason: string
}

/** Where and when a provider is asked whether a token still holds (RFC 7662). */
export type Introspection = {
  /** Its introspection endpoint. */
  endpoint: string
  /** The gateway's own client id there. */
  client_id: string
  /** The secret that goes with it, by the name under which the tenant keeps it. */
  secret: string
  /** Which calls are asked about. */
  when: IntrospectionUse
  /**
   * How long an answer may be used again, in seconds. Never for tools that need a
   * countersignature.
   */
  cache_secs: number
}

/** How asking an identity provider about tokens goes (RFC 7662). */
export type IntrospectionStatus = {
  /** Since when there is no answer that can be used. */
  failing_since: Timestamp | null
  /** What went wrong last. */
  last_error: string | null
  /** How often it was asked since the gateway started. */
  asked: number
}

/** Which calls a provider is asked about before they are made (RFC 7662). */
export type IntrospectionUse = 'always' | 'token_tools'

/** A new certificate. Its key is shown once. */
export type IssuedCertificate = {
  /** Its credential. */
  credential: CredentialId
  /** The SPIFFE id in it. */
  spiffe: string
  /** Its serial number, in hexadecimal digits. */
  serial: string
  /** The SHA-256 of the certificate (DER). */
  fingerprint: Digest
  /** The certificate, as PEM. */
  certificate: string
  /** Its private key (PKCS #8, PEM), where it was made here. */
  key: string | null
  /** The authority that issued it, as PEM. */
  authority: string
  /** The authority of the gateway's own certificate, as PEM: what the agent has to trust. */
  server_authority: string
  /** When it ends. */
  expires: Timestamp
  /** The endpoint that the agent calls. */
  endpoint: string
  /** Ready configurations: a title, what to do with it, and its text. */
  configurations: Array<ReadyConfiguration>
}

/** A new client of the gateway's own token issuer. Its secret, where it has one, is shown once. */
export type IssuedClient = {
  /** Its credential. */
  id: CredentialId
  /** The id that it names itself by. */
  client_id: string
  /** Its secret, where it proves itself with one. */
  secret: string | null
  /** How it proves itself, as clients are told (`token_endpoint_auth_method`). */
  method: ClientMethodView
  /** When it ends. */
  expires: Timestamp
  /** What its tokens name as their issuer. */
  issuer: string
  /** Where it gets tokens. */
  token_endpoint: string
  /** The endpoint that its tokens are for. */
  endpoint: string
  /** The scopes that it may ask for. */
  scopes: Array<string>
  /** Ready configurations: a title, what to do with it, and its text. */
  configurations: Array<ReadyConfiguration>
}

/** A new API key. Shown once. */
export type IssuedKey = {
  /** Its credential. */
  credential: CredentialId
  /** The id that requests name. */
  key_id: string
  /** What requests are signed with. */
  secret: string
  /** When it ends. */
  expires: Timestamp
  /** The endpoint that the agent calls. */
  endpoint: string
  /** Ready configurations: a title, what to do with it, and its text. */
  configurations: Array<ReadyConfiguration>
}

/** What a key of the gateway's own token issuer is for. */
export type IssuerKeyState = 'next' | 'retiring' | 'signing'

/** A key of the gateway's own token issuer. */
export type IssuerKeyView = {
  /** Its `kid`. */
  key_id: string
  /** What it signs with. */
  algorithm: string
  /** What it is for. */
  state: IssuerKeyState
  /** When it was made. */
  created: Timestamp
  /** When it is taken back, once it signs no more. */
  retires: Timestamp | null
}

/** The gateway's own token issuer, for one tenant. */
export type IssuerView = {
  /** Whether it issues tokens, and its tokens are accepted. */
  enabled: boolean
  /** What its tokens name it. */
  issuer: string
  /** Where its metadata is (RFC 8414). */
  metadata: string
  /** Where clients get tokens. */
  token_endpoint: string
  /** Where its public keys are. */
  jwks_uri: string
  /** Where clients ask what a token is worth (RFC 7662). */
  introspection_endpoint: string
  /** Where clients withdraw tokens (RFC 7009). */
  revocation_endpoint: string
  /** How long its tokens live, in seconds. */
  token_secs: number
  /** Its keys, oldest first. None while it is disabled. */
  keys: Array<IssuerKeyView>
  /** Its clients, newest first. */
  clients: Array<CredentialView>
  /** How many tokens it issued in the last 24 hours. */
  issued_day: number
  /** How many requests it refused in the last 24 hours. */
  refused_day: number
}

/** Why an operator has another key now. */
export type KeyEnd = 'recovered' | 'rotated'

/** The kind of a governed thing. All kinds are rows of one registry and cells of one matrix. */
export type Kind = 'prompt' | 'resource' | 'template' | 'tool'

/** Whether the registry has a tool. */
export type Known = 'changed' | 'new' | 'same'

/** What a configuration is written in. */
export type Language = 'json' | 'shell'

/** A secret where none may stand. What it is, is not told. */
export type LeakView = {
  /** Which secret. */
  what: string
  /** Where. */
  place: string
  /** At which byte. */
  at: number
}

/**
 * What a tenant says of its credentials. What it does not say is as usual, and nothing that it
 * says is looser than the maximum.
 */
export type Lifecycle = {
  /**
   * How long a credential lasts at most, in seconds. Unless this is said, what is issued lasts
   * 72 hours where nobody asks for another time, and 90 days at most.
   */
  lifetime_secs?: number
  /**
   * How long after its issue a credential is replaced at the latest. Two thirds of its life are
   * the latest in any case.
   */
  rotate_secs?: number
  /** How long the replaced one goes on beside its successor, from the successor's first use. */
  overlap_secs?: number
  /** How long after its issue a credential that was never used is an alert. */
  alert_unused_secs?: number
  /** How long nobody has used a credential when it is revoked. */
  revoke_unused_secs?: number
}

/** How long what a tenant's agents prove themselves with lives. */
export type LifecycleView = {
  /** What the tenant says; what it leaves out is as usual. */
  set: Lifecycle
  /** How long what is issued lasts where nobody asks for another time, in seconds. */
  usual_secs: number
  /** How long a credential lasts at most, in seconds. */
  longest_secs: number
  /** How long after its issue one that lasts as usual is replaced, in seconds. */
  rotate_secs: number
  /** How long a replaced one goes on beside its successor, in seconds. */
  overlap_secs: number
  /** How long after its issue one that was never used is an alert, in seconds. */
  alert_unused_secs: number
  /** How long nobody has used one when it is revoked, in seconds. */
  revoke_unused_secs: number
}

/** What the reference matrix is written as. */
export type MatrixFormat = 'csv' | 'idp'

/** A column. */
export type MatrixRole = {
  /** Its id. */
  id: RoleId
  /** Its name. */
  name: string
  /** How many agents act in it. */
  agents: number
}

/** A group of rows. */
export type MatrixServer = {
  /** Its id. */
  id: ServerId
  /** Its name. */
  name: string
  /** Whether it may be called at all. */
  enabled: boolean
}

/** A task, as a lens on the matrix. */
export type MatrixTask = {
  /** Its id. */
  id: TaskId
  /** Its name. */
  name: string
  /** The tools that it lists. */
  tools: Array<ToolId>
}

/** The reference matrix as a file. */
export type MatrixText = {
  /** What it is written as. */
  format: MatrixFormat
  /** A name for the file. */
  file_name: string
  /** The file. */
  text: string
}

/** A row. */
export type MatrixTool = {
  /** Its id. */
  id: ToolId
  /** Its server. */
  server: ServerId
  /** Its kind. */
  kind: Kind
  /** Its name at its server. */
  name: string
  /** Its title, as the server gives it. */
  title: string | null
  /** What it does, as the server says. */
  description: string
  /** Whether it may be called at all. */
  enabled: boolean
  /** Whether the server publishes another definition now. */
  drifted: boolean
  /** When it was last called. */
  last_used: Timestamp | null
}

/** The matrix of one tenant. */
export type MatrixView = {
  /** The policy version that it shows. */
  policy_version: number
  /** Its columns. */
  roles: Array<MatrixRole>
  /** What its rows are grouped by. */
  servers: Array<MatrixServer>
  /** Its rows. */
  tools: Array<MatrixTool>
  /** Row by row as `tools`, column by column as `roles`. */
  cells: Array<Array<Grant>>
  /** The cells that grant what they say to some arguments only. */
  conditions: Array<CellCondition>
  /** The tasks, to look at the matrix through. */
  tasks: Array<MatrixTask>
}

/** How many calls of one agent may wait for people at a time: 1 to [`MostWaiting::MOST`]. */
export type MostWaiting = number

/** A move of all secrets that is not done. */
export type MovingView = {
  /**
   * Whether the copies are what counts, and those from before are still to be erased. Otherwise
   * copies are still to be made.
   */
  copied: boolean
  /**
   * Where the copies are made; once they are what counts, where there are still those from
   * before.
   */
  other: SecretKeeping
  /** Where that is in Vault, if it is there. */
  vault: VaultAt | null
  /** When it began. */
  began: Timestamp
}

/** How a new client proves itself. */
export type NewClientMethod = 'client_secret' | 'private_key_jwt' | 'tls_client_auth'

/** What happens to a credential next, and when. */
export type NextView = {
  /** When. */
  at: Timestamp
  /** What. */
  what: CalendarWhat
}

/** How a notice fared. */
export type NoticeView = {
  /** When it was taken, or given up. */
  at: Timestamp
  /** Why it was given up. */
  problem: string | null
}

/** A group of operators. */
export type OperatorGroupView = {
  /** Its name. */
  name: string
  /** Who is in it, by name. */
  members: Array<OperatorRef>
  /** The tools that ask for it, as `tenant: server/tool`. */
  tools: Array<string>
  /** When it was made. */
  created: Timestamp
}

export type OperatorId = Brand<'opr'>

/** An operator, by name. */
export type OperatorRef = {
  /** Their id. */
  id: OperatorId
  /** Their name. */
  name: string
}

/** What a person may do in the console. */
export type OperatorRole = 'approver' | 'auditor' | 'owner' | 'policy_editor'

/** A person who uses the console. */
export type OperatorView = {
  /** Their id. */
  id: OperatorId
  /** Their name. */
  name: string
  /** What they may do. */
  role: OperatorRole
  /** Since when they are here. */
  created: Timestamp
  /** The SHA-256 digest of the public key that their signatures are verified with. */
  key: Digest
  /** Since when they have it. */
  key_since: Timestamp
  /** The keys they had before, the latest first. What they signed is verified with these. */
  past_keys: Array<PastKeyView>
}

/** Where a server comes from. */
export type OriginView = {
  /** The template's name. */
  template: string
  /** What the tenant put into its places. */
  settings: { [key in string]: string }, }

/** How an execution ended. */
export type Outcome = 'failed' | 'answered' | 'unknown'

/** An authority of others. */
export type OutsideAuthorityView = {
  /** Its id. */
  id: AuthorityId
  /** Its name. */
  name: string
  /** The beginning of each SPIFFE id that it may speak for. */
  prefix: string
  /** Whether its certificates open anything now. */
  standing: AuthorityStanding
  /** Why they do not, or what is about to keep them from it: a sentence. */
  problem: string | null
  /** Its certificates: roots, and authorities below them. */
  certificates: Array<CertificateFacts>
  /** Its revocation lists. */
  lists: Array<RevocationListView>
  /** When the lists were handed in. */
  listed: Timestamp | null
  /** When it was added. */
  created: Timestamp
  /** How many credentials are certificates of it and may be used. */
  credentials: number
}

/** The first page. */
export type OverviewView = {
  /** How the installation is doing. */
  status: StatusView
  /** The last refusals that were attempts outside an allowlist, newest first, at most 8. */
  anomalies: Array<AuditRow>
  /** Alerts that nobody has acknowledged, the latest first, at most 8. */
  alerts: Array<AlertView>
  /** Waiting calls, soonest to expire first, at most 8. */
  waiting: Array<ApprovalRow>
  /** The tenant's servers. */
  servers: Array<ServerView>
  /** Decisions of the last 24 hours, one entry per hour, oldest first. */
  hours: Array<HourView>
  /** How much there is. */
  counts: CountsView
}

/** Something that passes only if an administrator has said so. */
export type Pass = 'elicitation' | 'roots' | 'sampling' | 'ui'

/** What passes of one server. By default nothing does. */
export type Passes = Array<Pass>

/** A key that an operator once signed with. */
export type PastKeyView = {
  /** The SHA-256 digest of the public key. */
  key: Digest
  /** Since when they had it. */
  since: Timestamp
  /** Until when. */
  until: Timestamp
  /** Why they have another one since. */
  why: KeyEnd
}

/** What the window must do first. */
export type Phase = 'first_run' | 'join' | 'ready'

/** One fault. */
export type PosturePoint = {
  /** What it is. */
  what: PostureWhat
  /** The credential. */
  credential: CredentialId
  /** What it is recognised by. */
  key_id: string
  /** The name of its agent. */
  agent_name: string
  /** What to do about it. */
  fix: string
}

/** How well a tenant's credentials are kept. */
export type PostureView = {
  /** Of 100: how many of each hundred have no fault. */
  score: number
  /** How many may be used. */
  credentials: number
  /** Each fault, with what to do about it. */
  points: Array<PosturePoint>
}

/** What is wrong with how a credential is kept. */
export type PostureWhat = 'ends_without_successor' | 'lives_too_long' | 'never_used' | 'not_fetched'

/** What proves a credential, as far as that is public. */
export type ProofView = { 'kind': 'api_key' } | { 'kind': 'certificate'
  /** Its serial number, in hexadecimal digits. */
  serial: string
  /** The SHA-256 of the certificate (DER). */
  fingerprint: Digest
  /** The SPIFFE id in it. */
  spiffe: string
  /** The certificate itself, as PEM. */
  pem: string, } | { 'kind': 'outside_certificate'
  /** The authority. */
  authority: AuthorityId
  /** The SHA-256 of the one certificate that it is. */
  fingerprint: Digest | null
  /** The SPIFFE id of those that it is. */
  spiffe: string | null, } | { 'kind': 'client'
  /** How it proves itself at the token endpoint. */
  method: ClientMethodView, } | { 'kind': 'external'
  /** The provider. */
  provider: ProviderId
  /** Its name. */
  provider_name: string
  /** The subject, as the provider's claim map finds it. */
  subject: string
}

export type ProviderId = Brand<'idp'>

/** A key of an identity provider. */
export type ProviderKey = {
  /** Its `kid`. */
  key_id: string
  /** What it signs with. */
  algorithm: string
}

/** Which product an identity provider is, as far as its defaults go. */
export type ProviderPreset = 'auth0' | 'entra' | 'generic' | 'keycloak' | 'okta'

/**
 * Whose access tokens are accepted, and under which rules. Everything but the issuer has a
 * default.
 */
export type ProviderSettings = {
  /** Which product it is. */
  preset: ProviderPreset
  /** The `iss` of its tokens, byte by byte. */
  issuer: string
  /** Where its keys are (RFC 7517). */
  jwks_uri: string
  /** How its tokens may be signed. */
  algorithms: Array<TokenAlgorithm>
  /**
   * The `aud` that its tokens carry. Where there is none, the endpoint's own address, as
   * RFC 8707 has it.
   */
  audiences: Array<string>
  /** Whether a token may have further audiences. */
  several_audiences: boolean
  /** What the `typ` of its tokens may be. */
  types: TokenTypes
  /** The scopes that every token must have. */
  scopes: Array<string>
  /** Which claims say what. */
  claims: ClaimMap
  /** How old a token may be, in seconds since it was issued. */
  longest_secs: number
  /** How old a token may be for tools that need a countersignature, in seconds. */
  longest_token_secs: number
  /** How long its last known keys are used when it cannot be reached, in seconds. */
  stale_secs: number
  /** What its tokens must be bound to. */
  sender: SenderConstraint
  /** Where and when it is asked whether a token still holds. */
  introspection?: Introspection
  /**
   * Whether it may be at a private address (RFC 1918, RFC 4193) or, without TLS, on this
   * machine.
   */
  private_network: boolean
}

/** Whether the tokens of an identity provider can be checked. */
export type ProviderStanding = 'cached' | 'fresh' | 'refusing' | 'unused'

/** How the gateway fares with an identity provider. */
export type ProviderStatus = {
  /** Whether its tokens can be checked. */
  standing: ProviderStanding
  /** Its keys, as they are known. */
  keys: Array<ProviderKey>
  /** Keys that it publishes and that are not used. */
  ignored: Array<IgnoredKeyView>
  /** When the keys were last fetched. */
  fetched: Timestamp | null
  /** Since when it does not answer. */
  failing_since: Timestamp | null
  /** What went wrong last. */
  last_error: string | null
  /** How asking it about tokens goes; nothing where its settings do not want that. */
  introspection: IntrospectionStatus | null
}

/** An identity provider. */
export type ProviderView = {
  /** Its id. */
  id: ProviderId
  /** Its name. */
  name: string
  /** Whether its tokens are accepted. */
  enabled: boolean
  /** Under which rules. */
  settings: ProviderSettings
  /** When it was added. */
  created: Timestamp
  /** How many credentials of agents are subjects of it, those that were revoked aside. */
  subjects: number
  /** How the gateway fares with it. */
  status: ProviderStatus
}

/** So many calls in so many seconds, and no more. */
export type Rate = {
  /** How many calls: 1 to [`Rate::MOST_CALLS`]. */
  calls: number
  /** In any period of so many seconds: 1 to [`Rate::MOST_SECS`]. */
  secs: number
}

/** A configuration to paste. */
export type ReadyConfiguration = {
  /** What it is for. */
  title: string
  /** What to do with it. */
  hint: string
  /** What it is written in. */
  language: Language
  /** The text. */
  text: string
}

/** One tool with one role. */
export type ReferenceRow = {
  /** The role. */
  role: RoleId
  /** Its name. */
  role_name: string
  /** The tool. */
  tool: ToolId
  /** Its name at its server. */
  tool_name: string
  /** Its server's name. */
  server_name: string
  /** Whether it may be called at all. */
  enabled: boolean
  /** What the role grants. */
  grant: Grant
  /** What the arguments have to satisfy for that, where it asks for something. */
  condition: ConditionView | null
  /** The scopes that an access token needs to call it. */
  scopes: Array<string>
  /** Whether the provider of an access token is asked about it on each call. */
  introspect: boolean
  /** The data system behind it. */
  data_system: string | null
}

/** The reference matrix of a tenant. */
export type ReferenceView = {
  /** The policy version that it shows. */
  policy_version: number
  /** Every tool with every role, by server, tool and role. */
  rows: Array<ReferenceRow>
}

export type RevocationId = Brand<'rev'>

/** A revocation list. */
export type RevocationListView = {
  /** When it was signed. */
  signed: Timestamp
  /** From when on nobody may rely on it. */
  until: Timestamp
  /** How many certificates it says are revoked. */
  revoked: number
}

/** A withdrawal of tokens. */
export type RevocationView = {
  /** Its id. */
  id: RevocationId
  /** What is withdrawn. */
  what: Revoked
  /** The same, for a person. */
  sentence: string
  /** Why, in the operator's words. */
  reason: string
  /** When it was made. */
  created: Timestamp
  /** When no token that it could concern can be alive any more. */
  ends: Timestamp
}

/** Who would be cut off by revoking. */
export type RevokePreviewView = {
  /** How many credentials would be revoked. */
  credentials: number
  /** How many sessions would end. */
  sessions: number
  /** How many calls that wait would be taken back. */
  waiting: number
  /** Each agent that has a good credential or a session among them, by name. */
  agents: Array<CutOffView>
}

/** What is withdrawn. */
export type Revoked = { 'kind': 'certificate'
  /** The authority. */
  authority: AuthorityId
  /** Its serial number, in lower-case hexadecimal digits without a leading zero byte. */
  serial: string, } | { 'kind': 'token'
  /** Its `iss`. */
  issuer: string
  /** Its id. */
  id: string, } | { 'kind': 'key'
  /** The `iss`. */
  issuer: string
  /** The `kid`. */
  key_id: string, } | { 'kind': 'subject'
  /** The `iss`. */
  issuer: string
  /** The subject, as the provider's claim map finds it. */
  subject: string
  /** That moment. */
  until: Timestamp, } | { 'kind': 'issuer'
  /** The `iss`. */
  issuer: string
  /** That moment. */
  until: Timestamp
}

/** What was withdrawn together. */
export type RevokedAll = {
  /** How many credentials were revoked; those that had been already do not count. */
  credentials: number
  /** How many sessions were ended. */
  sessions: number
  /** The tokens that were withdrawn. */
  revocations: Array<RevocationView>
}

export type RoleId = Brand<'rol'>

/** A role, by id and name. */
export type RoleRef = {
  /** Its id. */
  id: RoleId
  /** Its name. */
  name: string
}

/**
 * What replacing would do. Nobody is cut off by it: the old ones go on until their successors
 * were used, and for the overlap after that.
 */
export type RotatePreviewView = {
  /** How many API keys would be replaced. */
  keys: number
  /** How many are being replaced already. */
  already: number
  /** How many that are good are no API keys: they are not replaced like this. */
  others: number
  /** The agents that have to fetch their new keys, by name. */
  agents: Array<string>
  /** When the first of the old keys ends in any case. */
  first_end: Timestamp | null
  /** How long an old key goes on after its successor was first used, in seconds. */
  overlap_secs: number
}

/** How far the run is that replaces all API keys of a tenant. */
export type RotatedAllView = {
  /** When it began. */
  begun: Timestamp
  /** How many were replaced just now. */
  rotated: number
  /** How many could not be, just now. They go on. */
  failed: number
  /** How many are left. */
  left: number
}

/** A credential and the one that takes its place. */
export type RotatedView = {
  /** The old one. */
  old: CredentialView
  /** The new one. */
  new: CredentialView
  /** The secret of the new one, where its holder cannot fetch it any more. Shown once. */
  secret: string | null
}

/** A file that was written for the operator. */
export type SavedFile = {
  /** Where it is. */
  path: string
}

/** An event as it is in the log: one link of the chain. */
export type SealedEvent = {
  /** Its place in the chain. */
  seq: number
  /** The seal of the event before it. */
  previous: Digest
  /** Its seal. */
  hash: Digest
  /** What is sealed, as JSON text. */
  body: string
}

/** Where the master key and the operators' keys are kept. */
export type SecretKeeping = 'file' | 'keychain' | 'memory' | 'vault'

/** What came of looking for secrets where none may stand. */
export type SecretsAuditView = {
  /** How many secrets were looked for. */
  secrets: number
  /** How many of them are too short to be told from chance, and were not looked for. */
  too_short: number
  /** How many files were read. */
  files: number
  /** How many bytes were read. */
  bytes: number
  /** Of how many processes the environment or the command line was read. */
  processes: number
  /** Where a secret stands; the first 200. */
  found: Array<LeakView>
  /** What could not be read, and why. */
  unread: Array<string>
}

/** Where secrets are kept. */
export type SecretsView = {
  /** What keeps them. */
  store: SecretKeeping
  /** Where Vault is, where they are kept there. */
  vault: VaultAt | null
  /**
   * A policy of Vault (HCL) that allows what this installation needs, and nothing else: where its
   * secrets are, are to be moved, or were asked about.
   */
  policy: string
  /** A move to another store that is not done. */
  moving: MovingView | null
}

/** What a token must be bound to, besides being signed. */
export type SenderConstraint = 'certificate' | 'dpop' | 'none'

export type SeriesId = Brand<'ser'>

/** A series of approvals: what one signature pays for, and how far that went. */
export type SeriesView = {
  /** Its id. */
  id: SeriesId
  /** Its tenant. */
  tenant: TenantId
  /** Its tenant's name. */
  tenant_name: string
  /** The name of the agent whose calls it pays for. */
  agent_name: string
  /** The name of its task. */
  task_name: string
  /** The session whose calls it pays for. */
  session: SessionId
  /** The tool. */
  tool: ToolId
  /** The name of the tool. */
  tool_name: string
  /** The name of the tool's server. */
  server_name: string
  /** Who signed it. */
  operator: OperatorId
  /** Their name. */
  operator_name: string
  /** The request that was approved together with it. */
  approval: ApprovalId | null
  /**
   * The JSON Schema that the arguments of each call satisfy, in canonical form. It tells what
   * agents send: nothing for whoever neither decides nor audits.
   */
  schema: string | null
  /** For how many calls it pays. */
  calls: number
  /** How many of them were made. */
  used: number
  /** When it was signed. */
  signed: Timestamp
  /** When it ends. */
  expires: Timestamp
  /** Why it was signed, in the operator's words. */
  reason: string | null
  /** Whether it still runs. */
  running: boolean
  /** When it ended. */
  ended: Timestamp | null
  /** Why it ended; of one that runs, why it would pay for no call now. */
  fault: string | null
  /** Who ended it, where an operator did. */
  ended_by: string | null
}

/** A server with all that is known of it. */
export type ServerDetail = {
  /** The server. */
  server: ServerView
  /** Its tools. */
  tools: Array<ToolView>
  /** The last lines it wrote to its standard error, oldest first. */
  stderr: Array<string>
  /** The template that it comes from, if it does. */
  origin: OriginView | null
}

/** How a server is doing. */
export type ServerHealth = 'failing' | 'idle' | 'ready' | 'starting'

export type ServerId = Brand<'srv'>

/** An upstream server. */
export type ServerView = {
  /** Its id. */
  id: ServerId
  /** Its tenant. */
  tenant: TenantId
  /** Its name. */
  name: string
  /** Whether it may be called at all. */
  enabled: boolean
  /** How it is reached. */
  transport: Transport
  /** What may pass between it and the people and models behind an agent. */
  passes: Passes
  /** How it is doing. */
  health: ServerHealth
  /** Since when; nothing where nobody has needed it yet. */
  since: Timestamp | null
  /** What went wrong last. */
  problem: string | null
  /** How often it was started anew. */
  restarts: number
  /** How many tools it has. */
  tools: number
  /** How many of them may be called at all. */
  enabled_tools: number
}

/** How the gateway is to serve. */
export type ServingSettings = {
  /** Where it listens: an address with a port. Port 0 takes a free one. */
  listen: string
  /** Whether it serves TLS. Without, it listens on loopback only. */
  tls: boolean
  /**
   * The names and addresses by which agents reach it, besides those of this machine itself. The
   * first is the one that they are given.
   */
  names: Array<string>
  /** The oldest version of TLS that is spoken. */
  oldest: TlsVersion
  /** What the record of an allowed call survives. */
  durability: Durability
  /** Where consoles on other machines are let in: an address with a port. Nowhere, when absent. */
  consoles?: string
}

/** How the gateway serves, and how it is to. */
export type ServingView = {
  /** Where it listens; where it would, while it does not. */
  listen: string
  /** The origin that agents are given, while it serves. */
  origin: string | null
  /** Whether it serves. */
  state: GatewayState
  /** Why it does not serve, or not as it was asked to. */
  problem: string | null
  /** How it serves TLS, while it does. */
  tls: TlsView | null
  /** What an operator has set; the usual, before anybody did. */
  wanted: ServingSettings
  /** Whether it serves otherwise than it is set to, until it is started anew. */
  pending: boolean
  /** Whether flags of its process win over what is set. */
  locked_by_flags: boolean
  /** Where consoles on other machines are let in. */
  consoles: DoorView
}

export type SessionId = Brand<'ses'>

/** Whether a session is live, or why it is over. */
export type SessionState = 'client' | 'credential' | 'expired' | 'live' | 'operator'

/** A tool of a session's allowlist. */
export type SessionTool = {
  /** The name under which the agent sees it. */
  listed: string
  /** The tool. */
  tool: ToolId
  /** What was granted when the session opened. */
  grant: Grant
  /** What is granted now, in a session that is live: the same or less. */
  now: Grant
  /** Why it is refused now, where it is. */
  why: string | null
}

/** A session. */
export type SessionView = {
  /** Its id. */
  id: SessionId
  /** Its tenant. */
  tenant: TenantId
  /** Its agent. */
  agent: AgentId
  /** Its agent's name. */
  agent_name: string
  /** The credential that opened it. */
  credential: CredentialId
  /** What a request names that credential by, while it is there. */
  key_id: string | null
  /** Whether that credential may be used. */
  credential_state: CredentialState | null
  /** The address that the credential was last accepted from. */
  client: string | null
  /** Its task. */
  task: TaskId | null
  /** The name of its task. */
  task_name: string | null
  /** Whether it is live. */
  state: SessionState
  /** When it opened. */
  opened: Timestamp
  /** When it ends by itself. */
  ends: Timestamp
  /** When it ended. */
  ended: Timestamp | null
  /** The policy version under which it opened. */
  policy_version: number
  /** What it may ever call. */
  tools: Array<SessionTool>
  /** How many calls it made. */
  calls: number
  /** How many of them were attempts outside its allowlist. */
  anomalies: number
  /** How many of its calls wait for a person. */
  waiting: number
}

/** A value of a header or an environment variable. */
export type Setting = {
  /** That name. */
  secret: string
} | string

/** One operator's signature over a waiting call. */
export type SignatureView = {
  /** Who signed. */
  operator: OperatorId
  /** Their name. */
  operator_name: string
  /** When. */
  at: Timestamp
  /** Until when it counts. */
  expires: Timestamp
  /** Why, in their words. */
  reason: string | null
  /** Whether they gave the passphrase for it. */
  presence: boolean
  /** Whether it counts alone, whatever the tool asks for. */
  breaks_glass: boolean
  /** Why it does not count; nothing where it does. */
  fault: string | null
}

/** What an operator can do about a waiting call. */
export type SignerView = {
  /** Why they cannot sign it; nothing where they can. */
  objection: string | null
  /** Whether they can sign alone although it takes more. */
  may_break_glass: boolean
}

/** What a tool asks of its approvers, wherever the matrix asks for a signature at all. */
export type Signing = {
  /** How many operators have to sign. */
  approvers: Approvers
  /** The operator group that all of them belong to; any group or none when absent. */
  group?: string
  /** Whether each of them has to say why. */
  reason: boolean
  /** Whether each of them has to give the passphrase with this very approval. */
  presence: boolean
  /** Whether the person who answers for the agent may not be one of them. */
  bar_responsible: boolean
}

/** What a waiting call takes to be signed, and how far that is. */
export type SigningView = {
  /** What its tool asks for. */
  rule: Signing
  /** The name of whoever answers for the agent. */
  responsible: string | null
  /** Why no series can be signed for such calls; nothing where one can. */
  no_series: string | null
  /** How many signatures count. */
  signed: number
  /** How many are still to come. */
  needed: number
  /** Every signature, oldest first. */
  signatures: Array<SignatureView>
  /** What whoever looks can do about it; nothing for the command line. */
  you: SignerView | null
}

/** How many credentials are in a stage. */
export type StageCount = {
  /** The stage. */
  stage: CredentialStage
  /** How many. */
  credentials: number
}

/** Whether a tenant or an agent may act at all. */
export type Standing = 'active' | 'suspended'

/** By what to count. */
export type StatsBy = 'agent' | 'tool'

/** How the installation is doing. */
export type StatusView = {
  /** What the window must do first. */
  phase: Phase
  /** What secrets are kept in. */
  secret_store: SecretKeeping
  /** The folder that has the registry. */
  home: string
  /** The gateway. */
  gateway: GatewayView
  /** The policy version in force. */
  policy_version: number
  /**
   * Why the registry is not the one that the secret store remembers. Nothing is served from it
   * and nothing changes in it until an owner accepts it.
   */
  doubt: string | null
  /** Why nothing is done about credentials by itself, while it is not. */
  halted: HaltedView | null
  /** Calls that the gateway judged in the last minute. */
  calls_per_minute: number
  /** Calls that wait for a person. */
  waiting_approvals: number
  /** Why the web server that is told of waiting calls was not, the last time. */
  webhook_problem: string | null
  /** Alerts that nobody has acknowledged. */
  open_alerts: number
  /** Those of them that need somebody now. */
  open_incidents: number
  /** Who unlocked the console, if it is unlocked. */
  operator: OperatorView | null
  /** When the console locks by itself unless something happens. */
  locks_at: Timestamp | null
  /** Where the gateway is, for a console that works on one elsewhere. */
  attached: AttachedView | null
  /** The time. */
  now: Timestamp
}

/** What a step says. */
export type StepVerdict = 'passes' | 'refuses' | 'asks' | 'depends' | 'skipped'

/** A cell that asks people and got one answer only. Whether to change it is the administrator's. */
export type Suggestion = {
  /** The tenant. */
  tenant: TenantId
  /** Its name. */
  tenant_name: string
  /** The cell's column. */
  role: RoleId
  /** Its name. */
  role_name: string
  /** The cell's row. */
  tool: ToolId
  /** Its name. */
  tool_name: string
  /** The name of its server. */
  server_name: string
  /** What the answers speak for. */
  grant: Grant
  /** How many calls were decided. */
  decided: number
  /** How long half of the decisions took at most. */
  median_seconds: number
  /** What was seen and what to consider, in words. */
  sentence: string
}

export type TaskId = Brand<'tsk'>

/** A task, by id and name. */
export type TaskRef = {
  /** Its id. */
  id: TaskId
  /** Its name. */
  name: string
}

/** A task. */
export type TaskView = {
  /** Its id. */
  id: TaskId
  /** Its name. */
  name: string
  /** The tools that it needs. */
  tools: Array<ToolId>
  /** How long a run usually takes, in seconds. */
  expected_secs: number
  /** How long a session for it may last, in seconds. */
  longest_secs: number
  /** The agents that may declare it. */
  agents: Array<AgentRef>
  /** How many of its sessions are not over. */
  live_sessions: number
}

/** A server that comes from a template. */
export type TemplateUse = {
  /** Its tenant. */
  tenant: TenantId
  /** The tenant's name. */
  tenant_name: string
  /** The server. */
  server: ServerId
  /** The server's name. */
  server_name: string
}

/** How a server is reached, with places that each tenant fills in itself. */
export type TemplateView = {
  /** Its name. */
  name: string
  /** How its servers are reached; a place is `${name}`. */
  transport: Transport
  /** The names of its places. */
  places: Array<string>
  /** The names of the secrets that a tenant has to keep for it. */
  secrets: Array<string>
  /** The servers that come from it. */
  servers: Array<TemplateUse>
}

/** A claim that must have a certain value. */
export type TenantClaim = {
  /** The claim. */
  claim: string
  /** Its value. */
  value: string
}

export type TenantId = Brand<'tnt'>

/** A tenant and how much it has. */
export type TenantView = {
  /** Its id. */
  id: TenantId
  /** Its name. */
  name: string
  /** Whether its agents may act. */
  standing: Standing
  /** When it was made. */
  created: Timestamp
  /** How many agents it has. */
  agents: number
  /** How many servers it has. */
  servers: number
  /** How many tools it has. */
  tools: number
  /** How many tasks it has. */
  tasks: number
  /** How many of its sessions are not over. */
  live_sessions: number
  /** Whether this tenant came with the starter and can be removed without trace. */
  starter: boolean
}

/** RFC 3339, UTC, milliseconds. */
export type Timestamp = Brand<'time'>

/** A version of TLS. */
export type TlsVersion = '1.2' | '1.3'

/** How the gateway serves TLS. */
export type TlsView = {
  /** The names and addresses by which it is reached. Agents are given the first. */
  names: Array<string>
  /** The oldest version that is spoken. */
  oldest: TlsVersion
  /** The gateway's own certificate. */
  certificate: CertificateFacts
}

/**
 * The algorithm of a signed token, by its JOSE name (RFC 7518, RFC 8037). Asymmetric ones
 * only: whoever could verify a MAC could also make one.
 */
export type TokenAlgorithm = 'ES256' | 'ES384' | 'EdDSA' | 'PS256' | 'PS384' | 'PS512' | 'RS256' | 'RS384' | 'RS512'

/** One check of a token. */
export type TokenCheck = {
  /** What was checked. */
  name: string
  /** Whether it holds; nothing when that could not be found out. */
  passed: boolean | null
  /** What was found, or what is wrong. */
  detail: string
}

/** What would become of a token, check by check. Nothing was let in by it. */
export type TokenReport = {
  /** Whether it would be accepted. */
  verdict: boolean
  /** Every check, in order. */
  checks: Array<TokenCheck>
  /** The agent that it stands for. */
  agent: AgentId | null
  /** That agent's name. */
  agent_name: string | null
  /** The roles that it would act in, by name; all of the agent's when there are none here. */
  roles: Array<string> | null
  /** The tasks that it may declare, by name. */
  tasks: Array<string>
  /** Its scopes. */
  scopes: Array<string>
}

/** What the `typ` of an access token may be. */
export type TokenTypes = 'at+jwt' | 'at+jwt_or_jwt'

/** A tool to take in, with the fingerprint of the definition that was seen. */
export type ToolChoice = {
  /** Its kind. */
  kind: Kind
  /** Its name. */
  name: string
  /** The fingerprint that was seen. */
  fingerprint: Digest
  /** Whether it may be called. */
  enabled: boolean
}

/** What a server says of its tool. Not to be trusted. */
export type ToolClaims = {
  /** That it changes nothing. */
  read_only: boolean | null
  /** That it may destroy something. */
  destructive: boolean | null
  /** That it reaches beyond its own data. */
  open_world: boolean | null
}

/** A cell, seen from its tool. */
export type ToolGrant = {
  /** The role. */
  role: RoleId
  /** Its name. */
  role_name: string
  /** What it grants. */
  grant: Grant
}

export type ToolId = Brand<'tol'>

/** A tool. */
export type ToolView = {
  /** Its id. */
  id: ToolId
  /** Its server. */
  server: ServerId
  /** Its server's name. */
  server_name: string
  /** Its kind. */
  kind: Kind
  /** Its name at its server: of a resource its URI, of a template its text. */
  name: string
  /** Its title, as the server gives it. */
  title: string | null
  /** What it does, as the server says. */
  description: string
  /** The pinned definition, as JSON text. */
  definition: string
  /** The digest of its canonical form. */
  fingerprint: Digest
  /** Whether it may be called at all. */
  enabled: boolean
  /** The definition that the server publishes now, when it is another one. */
  drift: string | null
  /** Why no agent is offered it, whatever it is granted: its pinned schema is refused. */
  problem: string | null
  /** What the server says of the tool. Not to be trusted. */
  claims: ToolClaims
  /** The scopes that an access token needs to call it. */
  scopes: Array<string>
  /** The data system behind it, in the tenant's own words. */
  data_system: string | null
  /** Whether the provider of an access token is asked about it on each call. */
  introspect: boolean
  /** How often each agent may call it; as often as it likes when absent. */
  rate: Rate | null
  /** What it asks of whoever approves its calls. */
  signing: Signing
  /** What it can do that cannot be taken back, as an administrator says. */
  effects: Effects
  /** Its row of the matrix. */
  grants: Array<ToolGrant>
}

/** A part of what screens show. */
export type Topic = 'alerts' | 'approvals' | 'audit' | 'policy' | 'registry' | 'servers' | 'sessions' | 'status'

/** How an upstream server is reached. */
export type Transport = { 'kind': 'stdio'
  /** The program: an absolute path, or a name that is looked up once, when it is added. */
  command: string
  /** Its arguments, each as it is handed over. */
  args: Array<string>
  /**
   * Its environment. Nothing else of the gateway's own environment reaches it but `PATH`,
   * `HOME`, `LANG` and `TMPDIR`.
   */
  env: { [key in string]: Setting }
  /** Its working directory. */
  cwd?: string, } | { 'kind': 'http'
  /** Its URL: `https`, or `http` on a loopback address. */
  url: string
  /** Headers that are sent with every request. */
  headers: { [key in string]: Setting }, }

/**
 * Where a Vault is (HashiCorp Vault or OpenBao), and how it is logged in to: as an AppRole or with
 * a JWT.
 */
export type VaultAt = {
  /** Its address: `https`, or `http` on this machine. */
  address: string
  /** The namespace, where it has any. */
  namespace?: string
  /** Where the key-value engine of version 2 is mounted; `secret` when absent. */
  mount?: string
  /** The path below it; `countersign` when absent. */
  path?: string
  /** The file with the certificates (PEM) to believe besides those that the system does. */
  ca_file?: string
  /** How to log in. */
  login: VaultBy
}

/** How a Vault is logged in to. */
export type VaultBy = {
  /** The method. */
  method: VaultMethod
  /** Where the method is mounted; under its own name when absent. */
  mount?: string
  /** The role: its id for an AppRole, its name for a JWT. */
  role: string
  /** The file with what logs in: the secret id, or the JWT. Read at each login. */
  file: string
}

/** The methods by which a Vault is logged in to. */
export type VaultMethod = 'approle' | 'jwt'

/** The web server that is told when calls begin to wait. */
export type WebhookView = {
  /**
   * Its origin, such as `https://hooks.example`; nothing while nobody is told. The rest of its
   * URL may be as good as a password and is not shown.
   */
  origin: string | null
  /** Whether notices are signed. */
  signed: boolean
  /** When it was set. */
  changed: Timestamp | null
  /** How the last notice fared since then, or since the gateway's process was started. */
  last: NoticeView | null
}

/** Every command of the backend: what goes in and what comes out. */
export type Commands = {
  /** How the installation is doing. */
  status: { args: Record<string, never>; answer: StatusView }
  /** The first page. */
  overview: { args: {
      /** The tenant that it is about. */
      tenant: TenantId
    }; answer: OverviewView }
  /** First run: makes the first owner, unlocks the console, and loads the starter if wanted. */
  first_run: { args: {
      /** The owner's name. */
      name: string
      /** The passphrase that seals the owner's key. */
      passphrase: string
      /** Whether to load the starter. */
      starter: boolean
      /** Where secrets are to be kept; in the keychain when absent. */
      secrets?: SecretKeeping
      /** Where Vault is, where they are to be kept there. */
      vault?: VaultAt
    }; answer: StatusView }
  /** Unlocks the console with an operator's passphrase. */
  unlock: { args: {
      /** The passphrase. */
      passphrase: string
    }; answer: StatusView }
  /** Locks the console. */
  lock: { args: Record<string, never>; answer: StatusView }
  /** Somebody is there: the idle clock starts anew. */
  touch: { args: Record<string, never>; answer: StatusView }
  /** How the gateway serves, and how it is to. */
  serving_show: { args: Record<string, never>; answer: ServingView }
  /**
   * Has the gateway serve otherwise, from now on. One that serves is replaced in place; settings by
   * which it could not start change nothing.
   */
  serving_set: { args: {
      /** How it is to serve. */
      settings: ServingSettings
    }; answer: ServingView }
  /**
   * Takes a registry as it is that is not the one that the secret store remembers: after a backup
   * was restored. Every session in it is over then.
   */
  registry_accept: { args: Record<string, never>; answer: null }
  /** Loads the starter: tenant `acme` with four roles, an agent of each, and the sample server. */
  starter_load: { args: Record<string, never>; answer: TenantView }
  /** Removes the starter, and whatever was added to its tenant since. */
  starter_remove: { args: Record<string, never>; answer: null }
  /** Every operator who was not removed. */
  operator_list: { args: Record<string, never>; answer: Array<OperatorView> }
  /** Makes an operator, with a signing key sealed by their own passphrase. */
  operator_create: { args: {
      /** Their name. */
      name: string
      /** What they may do. */
      role: OperatorRole
      /** Their passphrase. No two operators have the same: it says who unlocks the console. */
      passphrase: string
      /** The passphrase of the owner who does it, where the console is not unlocked by them. */
      owner?: string
    }; answer: OperatorView }
  /** Removes an operator, who can neither unlock nor sign from then on. */
  operator_remove: { args: {
      /** Which one. */
      operator: OperatorId
      /** The passphrase of the owner who does it, where the console is not unlocked by them. */
      owner?: string
    }; answer: null }
  /** Gives an operator another role, from their next command on. */
  operator_role_set: { args: {
      /** Which one. */
      operator: OperatorId
      /** What they may do. */
      role: OperatorRole
      /** The passphrase of the owner who does it, where the console is not unlocked by them. */
      owner?: string
    }; answer: OperatorView }
  /** Changes one's own passphrase. The key stays the same. */
  operator_passphrase_set: { args: {
      /** The passphrase as it is. */
      passphrase: string
      /** The passphrase as it is to be. */
      next: string
    }; answer: OperatorView }
  /** Makes oneself another signing key. The public key that was is kept, to verify what it signed. */
  operator_key_rotate: { args: {
      /** One's passphrase, which seals the next key too. */
      passphrase: string
    }; answer: OperatorView }
  /**
   * Lets an operator in again who lost their passphrase: with another key, under a passphrase of
   * their own choice. Nobody else's passphrase opens the key that was.
   */
  operator_recover: { args: {
      /** Which one. */
      operator: OperatorId
      /** Their next passphrase, which they type themselves. */
      passphrase: string
      /** The passphrase of the owner who does it, where the console is not unlocked by them. */
      owner?: string
    }; answer: OperatorView }
  /** Every console that was ever enrolled, the latest first. */
  console_list: { args: Record<string, never>; answer: Array<ConsoleView> }
  /**
   * Enrols a console on another machine, for one operator: with the file that comes of it, and the
   * code that opens the file, it joins this gateway.
   */
  console_enrol: { args: {
      /** Whose console it is to be. */
      operator: OperatorId
      /** What it is called, as `laptop`. */
      name: string
      /** How many days its certificate is valid, at most 90. */
      days: number
      /** The host and port by which it reaches this gateway; where consoles are let in, when absent. */
      address?: string
      /** The passphrase of the owner who does it, where the console is not unlocked by them. */
      owner?: string
    }; answer: ConsoleEnrolled }
  /** Revokes a console. It is cut off at once, in the middle of whatever it is told. */
  console_revoke: { args: {
      /** Which one. */
      console: ConsoleId
    }; answer: null }
  /** Every group of operators. */
  operator_group_list: { args: Record<string, never>; answer: Array<OperatorGroupView> }
  /** Makes a group of operators, with nobody in it. */
  operator_group_create: { args: {
      /** Its name. */
      name: string
      /** The passphrase of the owner who does it, where the console is not unlocked by them. */
      owner?: string
    }; answer: OperatorGroupView }
  /** Removes a group that no tool asks for. */
  operator_group_remove: { args: {
      /** The group. */
      group: string
      /** The passphrase of the owner who does it, where the console is not unlocked by them. */
      owner?: string
    }; answer: null }
  /** Puts an operator into a group. */
  operator_group_add: { args: {
      /** The group. */
      group: string
      /** The operator. */
      operator: OperatorId
      /** The passphrase of the owner who does it, where the console is not unlocked by them. */
      owner?: string
    }; answer: OperatorGroupView }
  /** Takes an operator out of a group, whose signature counts for its tools no more. */
  operator_group_drop: { args: {
      /** The group. */
      group: string
      /** The operator. */
      operator: OperatorId
      /** The passphrase of the owner who does it, where the console is not unlocked by them. */
      owner?: string
    }; answer: OperatorGroupView }
  /** Writes the registry down as a file that `apply` takes. There is no secret in it. */
  export: { args: Record<string, never>; answer: DeclaredView }
  /** Makes the registry what a file says, all or nothing. What the file does not have is removed. */
  apply: { args: {
      /** The file, in YAML. */
      text: string
      /** Whether only to say what would change. */
      dry_run: boolean
      /**
       * An owner's passphrase. A file that asks less of those who sign takes it, where no operator
       * is at the console.
       */
      owner?: string
    }; answer: AppliedView }
  /** Every tenant. */
  tenant_list: { args: Record<string, never>; answer: Array<TenantView> }
  /** Makes a tenant with nothing in it. */
  tenant_create: { args: {
      /** Its name. */
      name: string
    }; answer: TenantView }
  /** Lets a tenant's agents act, or not. */
  tenant_set_standing: { args: {
      /** The tenant. */
      tenant: TenantId
      /** Whether its agents may act. */
      standing: Standing
    }; answer: TenantView }
  /** Keeps a secret of a tenant, for its servers' settings to name. */
  tenant_secret_set: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The name that settings give it. */
      name: string
      /** The secret. */
      value: string
    }; answer: null }
  /** The names of a tenant's secrets. */
  tenant_secret_list: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: Array<string> }
  /** Makes a role that grants nothing. */
  role_create: { args: {
      /** The tenant. */
      tenant: TenantId
      /** Its name. */
      name: string
    }; answer: Enforced }
  /** Removes a role with its cells. Agents that act in it no longer do. */
  role_remove: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The role. */
      role: RoleId
    }; answer: Enforced }
  /** The matrix of a tenant. */
  matrix: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: MatrixView }
  /** Changes cells of the matrix. */
  matrix_set: { args: {
      /** The tenant. */
      tenant: TenantId
      /** What is to be. */
      changes: Array<CellChange>
      /** Refused when another version is in force by now. */
      base_version: number
    }; answer: Enforced }
  /** The side panel of a cell. */
  matrix_cell: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The cell's column. */
      role: RoleId
      /** The cell's row. */
      tool: ToolId
    }; answer: CellView }
  /** Why an agent may or may not call a tool for a task, step by step. */
  policy_explain: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent. */
      agent: AgentId
      /** The task that it declares; none when absent. */
      task?: TaskId
      /** The tool. */
      tool: ToolId
      /** The arguments, as a JSON object. Without any, the best there are. */
      arguments?: string
      /** The session that it is asked of, whose task counts then. One that opens now when absent. */
      session?: SessionId
    }; answer: ExplainView }
  /**
   * Says which scopes an access token needs to call a tool, which data system is behind it, and
   * whether its provider is asked about it on each call.
   */
  tool_describe: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The tool. */
      tool: ToolId
      /** The scopes. All of them are needed. */
      scopes: Array<string>
      /** The data system behind it, in the tenant's own words; none when absent. */
      data_system?: string
      /**
       * Whether the provider of an access token is asked about it on each call; as before when
       * absent.
       */
      introspect?: boolean
    }; answer: Enforced }
  /** Says how often each agent may call a tool. */
  tool_set_rate: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The tool. */
      tool: ToolId
      /** How often; as often as it likes when absent. */
      rate?: Rate
    }; answer: Enforced }
  /** Says what a tool asks of whoever approves its calls. */
  tool_set_signing: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The tool. */
      tool: ToolId
      /** What it asks. */
      signing: Signing
      /** An owner's passphrase. Asking for less takes it, where no operator is at the console. */
      owner?: string
    }; answer: Enforced }
  /** Says what a tool can do that cannot be taken back. */
  tool_set_effects: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The tool. */
      tool: ToolId
      /** What it can do. */
      effects: Effects
      /** An owner's passphrase. Taking a mark away takes it, where no operator is at the console. */
      owner?: string
    }; answer: Enforced }
  /** The reference matrix of a tenant. */
  reference_matrix: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: ReferenceView }
  /** The reference matrix as a file: a table, or what an identity provider has to know. */
  matrix_export: { args: {
      /** The tenant. */
      tenant: TenantId
      /** What it is written as. */
      format: MatrixFormat
    }; answer: MatrixText }
  /**
   * Writes the reference matrix into a file, in the folder `exports` of the home. An older file of
   * the same name is replaced.
   */
  matrix_save: { args: {
      /** The tenant. */
      tenant: TenantId
      /** What it is written as. */
      format: MatrixFormat
    }; answer: SavedFile }
  /** A tenant's tasks. */
  task_list: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: Array<TaskView> }
  /** Makes a task. */
  task_create: { args: {
      /** The tenant. */
      tenant: TenantId
      /** Its name. */
      name: string
      /** The tools that it needs. */
      tools: Array<ToolId>
      /** How long a run usually takes, in seconds. */
      expected_secs: number
      /** How long a session for it may last, in seconds. */
      longest_secs: number
    }; answer: TaskView }
  /** Gives a task other tools and times. */
  task_update: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The task. */
      task: TaskId
      /** The tools that it needs. */
      tools: Array<ToolId>
      /** How long a run usually takes, in seconds. */
      expected_secs: number
      /** How long a session for it may last, in seconds. */
      longest_secs: number
    }; answer: TaskView }
  /** Removes a task. Its live sessions may call nothing from then on. */
  task_remove: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The task. */
      task: TaskId
    }; answer: Enforced }
  /** A tenant's agents. */
  agent_list: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: Array<AgentView> }
  /** Makes an agent. */
  agent_create: { args: {
      /** The tenant. */
      tenant: TenantId
      /** Its name. */
      name: string
      /** The roles it acts in. */
      roles: Array<RoleId>
      /** The tasks it may declare. */
      tasks: Array<TaskId>
    }; answer: AgentView }
  /** Gives an agent other roles and tasks. */
  agent_update: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent. */
      agent: AgentId
      /** The roles it acts in. */
      roles: Array<RoleId>
      /** The tasks it may declare. */
      tasks: Array<TaskId>
    }; answer: AgentView }
  /** Says how often an agent may call any tool. */
  agent_set_rate: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent. */
      agent: AgentId
      /** How often; as often as it likes when absent. */
      rate?: Rate
    }; answer: AgentView }
  /** Says which operator answers for an agent. */
  agent_set_responsible: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent. */
      agent: AgentId
      /** The operator; nobody, when absent. */
      operator?: OperatorId
      /** An owner's passphrase. Naming somebody else takes it, where no operator is at the console. */
      owner?: string
    }; answer: AgentView }
  /** Says how many calls of an agent may wait for people at a time. One more is refused at once. */
  agent_set_waiting: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent. */
      agent: AgentId
      /** How many; the usual number, which is 10, when absent. */
      most?: MostWaiting
    }; answer: AgentView }
  /** Lets an agent act, or not. */
  agent_set_standing: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent. */
      agent: AgentId
      /** Whether it may act. */
      standing: Standing
    }; answer: AgentView }
  /**
   * Refuses every call of an agent from now on, and takes back those that wait, until somebody who
   * may edit lets it act again. Whoever may decide can do it: it only takes away.
   */
  agent_pause: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent. */
      agent: AgentId
      /** Why, for the log. */
      reason?: string
    }; answer: AgentView }
  /** Removes an agent with its credentials, and ends its sessions. Its past stays readable. */
  agent_remove: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent. */
      agent: AgentId
    }; answer: Enforced }
  /** Issues a credential. Its secret is in the answer, and nowhere else in clear. */
  credential_issue: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent that it identifies. */
      agent: AgentId
      /** What kind it is of: an API key. */
      kind: CredentialKind
      /**
       * Seconds; what is usual for the tenant (72 h) when absent, and no more than its credentials
       * last (90 days).
       */
      lifetime_secs?: number
      /** The task that the ready configuration declares. */
      task?: TaskId
      /** The tasks that it may declare; all of its agent's when absent. */
      tasks?: Array<TaskId>
      /** The networks that it may be used from (CIDR); all when absent. */
      networks?: Array<string>
    }; answer: IssuedKey }
  /**
   * Registers a subject of an identity provider as an agent: from now on its access tokens are that
   * agent's. There is no secret of ours in it.
   */
  credential_register: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent that it identifies. */
      agent: AgentId
      /** The identity provider. */
      provider: ProviderId
      /** The subject, as the provider's claim map finds it, letter by letter. */
      subject: string
      /** Seconds; 90 days when absent and at most. */
      lifetime_secs?: number
      /** The tasks that it may declare; all of its agent's when absent. */
      tasks?: Array<TaskId>
      /** The networks that it may be used from (CIDR); all when absent. */
      networks?: Array<string>
    }; answer: CredentialView }
  /** Withdraws a credential for good, and ends its sessions. */
  credential_revoke: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The credential. */
      credential: CredentialId
    }; answer: CredentialView }
  /** Lets a credential that was suspended by ending its session be used again. */
  credential_release: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The credential. */
      credential: CredentialId
    }; answer: CredentialView }
  /** A tenant's credentials, newest first. */
  credential_list: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: Array<CredentialView> }
  /** A page of a tenant's credentials: where in its life each is, and what comes next. */
  credential_page: { args: {
      /** The tenant. */
      tenant: TenantId
      /** Which of them. */
      filter: CredentialFilter
      /** What they are sorted by. */
      order: CredentialOrder
      /** Whether the last comes first. */
      reversed?: boolean
      /** How many to leave out in front. */
      offset?: number
      /** How many, at most: 1 to 500. */
      limit: number
    }; answer: CredentialPageView }
  /**
   * Has another credential take the place of one. Its holder fetches it with the old one; with
   * `now`, the old one ends at once, and the secret of one that nobody has fetched is in the answer.
   */
  credential_rotate: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The old one. */
      credential: CredentialId
      /** Whether the old one ends at once. */
      now?: boolean
    }; answer: RotatedView }
  /**
   * Takes a replacement back, as long as the old credential is good: the old one goes on, the new
   * one is over.
   */
  credential_rollback: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The old one. */
      credential: CredentialId
    }; answer: RotatedView }
  /**
   * Replaces the API keys of a tenant, some of them with each command, each in a transaction of its
   * own. It is the same run until all that existed at its beginning are being replaced. Those of one
   * agent are few, and no run is kept of them.
   */
  credential_rotate_all: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent whose keys are meant; all of the tenant's when absent. */
      agent?: AgentId
      /** How many, at most: 1 to 500. */
      most: number
    }; answer: RotatedAllView }
  /** Whether the housekeeper does its work. */
  housekeeping_show: { args: Record<string, never>; answer: HousekeepingView }
  /**
   * Has the housekeeper go on that stands still because the clock was set: somebody has looked, and
   * the clock is right.
   */
  housekeeping_resume: { args: Record<string, never>; answer: HousekeepingView }
  /** What will happen to a tenant's credentials in the next 90 days, the next first. */
  credential_calendar: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: Array<CalendarView> }
  /**
   * How well a tenant's credentials are kept: of 100, with what is to be done about each that is
   * missing.
   */
  credential_posture: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: PostureView }
  /**
   * Who would be cut off by revoking one credential, or all that an agent, or a tenant, proves
   * itself with. Nothing is done.
   */
  revoke_preview: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent; all of the tenant's when absent. */
      agent?: AgentId
      /** The credential; all of them when absent. */
      credential?: CredentialId
    }; answer: RevokePreviewView }
  /** What would be done by replacing one API key, or all of an agent, or of a tenant. Nothing is. */
  rotate_preview: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent; all of the tenant's when absent. */
      agent?: AgentId
      /** The credential; all of them when absent. */
      credential?: CredentialId
    }; answer: RotatePreviewView }
  /** How long a tenant's credentials live, with what is in force where it says nothing. */
  lifecycle_show: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: LifecycleView }
  /** Says how long a tenant's credentials live. What exists keeps the end that it has. */
  lifecycle_set: { args: {
      /** The tenant. */
      tenant: TenantId
      /** How long now. What is left out is as usual. */
      lifecycle: Lifecycle
      /** An owner's passphrase. Letting anything live longer takes it, at an unlocked console too. */
      owner?: string
    }; answer: LifecycleView }
  /**
   * Issues a certificate to an agent. Its key, if it is made here, is in the answer and nowhere
   * else.
   */
  certificate_issue: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent that it identifies. */
      agent: AgentId
      /** Seconds; 24 h when absent, 7 days at most. */
      lifetime_secs?: number
      /** A signing request (PEM) of the agent's own key. Nothing but the key is taken from it. */
      csr?: string
      /** The task that the ready configuration declares. */
      task?: TaskId
      /** The tasks that it may declare; all of its agent's when absent. */
      tasks?: Array<TaskId>
      /** The networks that it may be used from (CIDR); all when absent. */
      networks?: Array<string>
    }; answer: IssuedCertificate }
  /**
   * Registers certificates of an authority of others as an agent: one certificate, or each that
   * names the agent by one SPIFFE id.
   */
  certificate_register: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent that they identify. */
      agent: AgentId
      /** The authority. */
      authority: AuthorityId
      /** The SPIFFE id, letter by letter. */
      spiffe?: string
      /** The SHA-256 of the one certificate (DER), in hexadecimal digits. */
      fingerprint?: Digest
      /** The one certificate itself (PEM), instead of its fingerprint. */
      certificate?: string
      /** Seconds; 90 days when absent and at most. */
      lifetime_secs?: number
      /** The tasks that they may declare; all of the agent's when absent. */
      tasks?: Array<TaskId>
      /** The networks that they may be used from (CIDR); all when absent. */
      networks?: Array<string>
    }; answer: CredentialView }
  /** Whose certificates a tenant believes. */
  authority_show: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: AuthorityView }
  /** Believes the certificates of an authority of others, as far as they were registered. */
  authority_add: { args: {
      /** The tenant. */
      tenant: TenantId
      /** What it is called here. */
      name: string
      /** Its certificates: roots, and authorities below them (PEM). */
      pem: string
      /** Its revocation lists: PEM, or one list (DER) in base64. Without any, it opens nothing yet. */
      crl?: string
      /** The beginning of each SPIFFE id that it may speak for, such as `spiffe://example.org/ns/prod/`. */
      prefix: string
    }; answer: OutsideAuthorityView }
  /** Replaces the revocation lists of an authority of others, from the next handshake and request on. */
  authority_list_update: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The authority. */
      authority: AuthorityId
      /** All its lists: PEM, or one list (DER) in base64. */
      crl: string
    }; answer: OutsideAuthorityView }
  /**
   * Believes an authority of others no more. What was registered of it is revoked, and its sessions
   * end.
   */
  authority_remove: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The authority. */
      authority: AuthorityId
    }; answer: null }
  /**
   * Has another authority issue a tenant's certificates from now on. Those of the one before are
   * believed until they end.
   */
  authority_rotate: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: AuthorityView }
  /** A tenant's identity providers. */
  provider_list: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: Array<ProviderView> }
  /** Adds an identity provider. */
  provider_create: { args: {
      /** The tenant. */
      tenant: TenantId
      /** Its name. */
      name: string
      /** Under which rules its tokens are accepted. */
      settings: ProviderSettings
      /** Whether they are accepted. */
      enabled: boolean
    }; answer: ProviderView }
  /** Changes what of an identity provider is given. */
  provider_update: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The provider. */
      provider: ProviderId
      /** Its name. */
      name?: string
      /**
       * Under which rules its tokens are accepted. The issuer cannot change any more once agents
       * are registered as subjects of it.
       */
      settings?: ProviderSettings
      /** Whether they are accepted. When they no longer are, the sessions of its subjects end. */
      enabled?: boolean
    }; answer: ProviderView }
  /** Removes an identity provider with the credentials of its subjects, and ends their sessions. */
  provider_remove: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The provider. */
      provider: ProviderId
    }; answer: Enforced }
  /** Asks an identity provider what it says of itself, and suggests settings. Changes nothing. */
  provider_discover: { args: {
      /** Its issuer, letter by letter. */
      issuer: string
      /** Which product it is. */
      preset: ProviderPreset
      /** Whether it may be at a private address, or on this machine. */
      private_network: boolean
    }; answer: DiscoveredProvider }
  /** Says what would become of a token, check by check. Nothing is let in by it, and it is not kept. */
  provider_test: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The provider; it need not be enabled. */
      provider: ProviderId
      /** The token. */
      token: string
      /** The task at whose endpoint it is presented; at the one without a task when absent. */
      task?: TaskId
    }; answer: TokenReport }
  /** Fetches the keys of an identity provider now. */
  provider_refresh: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The provider. */
      provider: ProviderId
    }; answer: ProviderView }
  /** The gateway's own token issuer, for one tenant. */
  issuer_show: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: IssuerView }
  /**
   * Has the gateway issue tokens for a tenant, or not any more. When it no longer does, its tokens
   * end at once, and with them the sessions of its clients.
   */
  issuer_set: { args: {
      /** The tenant. */
      tenant: TenantId
      /** Whether it issues tokens. */
      enabled: boolean
      /** How long they live: between 300 and 900 seconds. */
      token_secs: number
    }; answer: IssuerView }
  /**
   * Has the next key of the gateway's own issuer sign. The one that signed stays published until
   * its last token has ended: no request is refused for it.
   */
  issuer_rotate: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: IssuerView }
  /** Registers a client of the gateway's own token issuer: from now on it gets tokens for its agent. */
  client_register: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent that its tokens identify. */
      agent: AgentId
      /** How it proves itself. */
      method: NewClientMethod
      /** Its public keys, a JWK Set as JSON text: for `private_key_jwt`, and for nothing else. */
      jwks?: string
      /** The SPIFFE id of its certificate, for `tls_client_auth`; the agent's own when absent. */
      spiffe?: string
      /** Seconds; 30 days when absent, 90 at most. */
      lifetime_secs?: number
      /** The tasks that it may declare; all of its agent's when absent. */
      tasks?: Array<TaskId>
      /** The networks that it may be used from (CIDR); all when absent. */
      networks?: Array<string>
    }; answer: IssuedClient }
  /** A tenant's revocations, newest first. */
  revocation_list: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: Array<RevocationView> }
  /**
   * Withdraws tokens or certificates of others before their time. The very next request that comes with one is refused, and
   * what is under way with one ends.
   */
  revocation_add: { args: {
      /** The tenant. */
      tenant: TenantId
      /** What is withdrawn. */
      what: Revoked
      /** Why: between 1 and 500 characters. */
      reason: string
    }; answer: RevocationView }
  /**
   * Withdraws all that an agent proves itself with: every credential for good, and every token that
   * was issued to it up to now. Its sessions end, and what waits for a person is taken back.
   */
  agent_revoke: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The agent. */
      agent: AgentId
      /** Why: between 1 and 500 characters. */
      reason: string
    }; answer: RevokedAll }
  /**
   * Withdraws all that a tenant's agents prove themselves with: every credential for good, and
   * every token that was issued up to now. All sessions end, and what waits for a person is taken
   * back.
   */
  tenant_revoke: { args: {
      /** The tenant. */
      tenant: TenantId
      /** Why: between 1 and 500 characters. */
      reason: string
    }; answer: RevokedAll }
  /** Authentication in the last 24 hours, by method, and failures by reason. */
  authn_overview: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: AuthnOverview }
  /** A tenant's servers. */
  server_list: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: Array<ServerView> }
  /** A server with all that is known of it. */
  server_detail: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The server. */
      server: ServerId
    }; answer: ServerDetail }
  /** Starts a server and asks what it has. Changes nothing in the registry. */
  server_probe: { args: {
      /** The tenant whose secrets it may be given. */
      tenant: TenantId
      /** How it is reached. */
      transport: Transport
    }; answer: Array<DiscoveredTool> }
  /** Adds a server with some of its tools. */
  server_create: { args: {
      /** The tenant. */
      tenant: TenantId
      /** Its name. */
      name: string
      /** How it is reached. */
      transport: Transport
      /** The tools to take in, enabled or not, with the fingerprint that was seen. */
      tools: Array<ToolChoice>
    }; answer: ServerDetail }
  /** Asks a server what it has now. Changes nothing in the registry. */
  server_discover: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The server. */
      server: ServerId
    }; answer: Array<DiscoveredTool> }
  /** Takes new or changed definitions in, as seen. */
  server_accept: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The server. */
      server: ServerId
      /** The tools to take in, enabled or not, with the fingerprint that was seen. */
      tools: Array<ToolChoice>
    }; answer: ServerDetail }
  /** Lets a server be called, or not. */
  server_set_enabled: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The server. */
      server: ServerId
      /** Whether it may be called at all. */
      enabled: boolean
    }; answer: ServerView }
  /** Says what may pass between a server and the people and models behind an agent. */
  server_set_passes: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The server. */
      server: ServerId
      /** What passes; everything else does not. */
      passes: Passes
    }; answer: ServerView }
  /** Stops a server and lets it be started again. */
  server_restart: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The server. */
      server: ServerId
    }; answer: ServerView }
  /** Removes a server with its tools. */
  server_remove: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The server. */
      server: ServerId
    }; answer: Enforced }
  /** Lets tools be called, or not. */
  tool_set_enabled: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The tools. */
      tools: Array<ToolId>
      /** Whether they may be called at all. */
      enabled: boolean
    }; answer: Enforced }
  /** Every template, with the servers that come from it. */
  template_list: { args: Record<string, never>; answer: Array<TemplateView> }
  /** Makes a template, or changes how the servers that come from one are reached. */
  template_set: { args: {
      /** Its name. */
      name: string
      /** How its servers are reached; a place is `${name}`. */
      transport: Transport
    }; answer: Array<TemplateView> }
  /** Removes a template that no server comes from. */
  template_remove: { args: {
      /** Its name. */
      name: string
    }; answer: Array<TemplateView> }
  /** What a template comes to for a tenant: to look at a server before it is added. Changes nothing. */
  template_fill: { args: {
      /** The template's name. */
      template: string
      /** What the tenant puts into its places. */
      settings: { [key in string]: string }, }; answer: Transport }
  /** Adds a server that comes from a template, with some of its tools. */
  server_create_from: { args: {
      /** The tenant. */
      tenant: TenantId
      /** Its name. */
      name: string
      /** The template's name. */
      template: string
      /** What the tenant puts into its places. */
      settings: { [key in string]: string }
      /** The tools to take in, enabled or not, with the fingerprint that was seen. */
      tools: Array<ToolChoice>
    }; answer: ServerDetail }
  /** Changes what a tenant put into the places of the template that its server comes from. */
  server_settings_set: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The server. */
      server: ServerId
      /** What the tenant puts into its places now. */
      settings: { [key in string]: string }, }; answer: ServerDetail }
  /** Requests in one of the given states, newest first; those that wait, when none is given. */
  approval_list: { args: {
      /** Of this tenant; of all, when absent. */
      tenant?: TenantId
      /** In one of these states. */
      states?: Array<ApprovalState>
    }; answer: Array<ApprovalRow> }
  /** A request with all that a person needs to decide. */
  approval_show: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The request. */
      approval: ApprovalId
    }; answer: ApprovalView }
  /** Signs a waiting call. One that takes several signatures goes on waiting for the others. */
  approval_approve: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The request. */
      approval: ApprovalId
      /** The digest of the arguments that the operator saw; another one is refused. */
      shown: Digest
      /**
       * The operator's passphrase, where the console is not unlocked by them, or the tool asks for
       * it each time.
       */
      passphrase?: string
      /** Why, where the tool asks for a reason or one is given. */
      reason?: string
      /**
       * Whether an owner signs alone what takes more: with the passphrase and a reason, and on
       * record as that.
       */
      break_glass?: boolean
    }; answer: ApprovalView }
  /** Denies a waiting call. */
  approval_deny: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The request. */
      approval: ApprovalId
      /** Why, for the agent and the log. */
      reason: string
      /**
       * The passphrase of the operator who denies it, where the console is not unlocked by them.
       * Without one the user of this system may deny too: that grants nothing, and is on record as
       * done on the command line.
       */
      passphrase?: string
    }; answer: ApprovalView }
  /**
   * Signs one exact call of a live session before it is made. The operation token that comes of it
   * can be handed to the agent's client, which presents it with the call; the same call without
   * it is made as well, as one that was approved: once, whichever comes first.
   */
  approval_issue: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The session that may make the call. */
      session: SessionId
      /** The tool. */
      tool: ToolId
      /** The arguments, as a JSON object. */
      arguments: string
      /** How long the token lasts: 1 to 300 seconds. 120 when absent. */
      seconds?: number
      /**
       * The operator's passphrase, where the console is not unlocked by them, or the tool asks for
       * it each time.
       */
      passphrase?: string
      /** Why, where the tool asks for a reason or one is given. */
      reason?: string
    }; answer: ApprovalIssued }
  /** Denies every call of a session that waits, for one reason, each on record by itself. */
  approval_deny_all: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The session. */
      session: SessionId
      /** Why, for the agent and the log. */
      reason: string
      /**
       * Whether to end the session as well, and suspend the credential that opened it. That takes
       * somebody who may edit.
       */
      end_session?: boolean
      /** The passphrase of the operator who denies them, where the console is not unlocked by them. */
      passphrase?: string
    }; answer: DeniedAll }
  /** How the last seven days went. */
  approval_week: { args: {
      /** In this tenant; in all, when absent. */
      tenant?: TenantId
    }; answer: ApprovalWeek }
  /**
   * Looks for every secret of the installation where none may stand: in the home, in files that are
   * named, in the environment and on the command lines of processes.
   */
  secrets_audit: { args: {
      /** More folders and files to look at, such as logs and exports, by their whole paths. */
      also?: Array<string>
    }; answer: SecretsAuditView }
  /** Erases the secrets that a move left in the store that they were in before. */
  secrets_erase: { args: {
      /**
       * Whether they are only to be left where they are from now on, as in a store that nobody
       * reaches any more. Erasing them there is up to whoever keeps it.
       */
      leave?: boolean
      /** An owner's passphrase. */
      owner: string
    }; answer: SecretsView }
  /**
   * Where secrets are kept, whether a move of them is not done, and what a role of Vault has to be
   * allowed.
   */
  secrets_show: { args: {
      /**
       * The mount that the policy is to be for; that of the place in use, or of the one that a move
       * goes to, when absent.
       */
      mount?: string
      /** The path below it, in the same way. */
      path?: string
    }; answer: SecretsView }
  /**
   * Moves all secrets to another store: each is copied and read back before any is erased. A move
   * that was begun is gone on with.
   */
  secrets_move: { args: {
      /** What is to keep them. */
      to: SecretKeeping
      /** Where Vault is, for that; known already where a move to it is gone on with. */
      vault?: VaultAt
      /** An owner's passphrase. It seals the file, where that is to keep them. */
      owner: string
    }; answer: SecretsView }
  /** Gives a move up whose copies do not count yet, and erases them. */
  secrets_stay: { args: {
      /**
       * Whether the copies are only to be left where they are, as in a store that nobody reaches
       * any more. Erasing them there is up to whoever keeps it.
       */
      leave?: boolean
      /** An owner's passphrase. */
      owner: string
    }; answer: SecretsView }
  /** The web server that is told when calls begin to wait, and how the last notice fared. */
  webhook_show: { args: Record<string, never>; answer: WebhookView }
  /** Has a web server told when calls begin to wait: how many, and of which tenant. */
  webhook_set: { args: {
      /** Its URL: `https`, or `http` on this machine. */
      url: string
      /**
       * What notices are signed with from now on: `whsec_` and 24 to 64 bytes in Base64. What they
       * are signed with already, when absent.
       */
      key?: string
      /** Whether they are not signed any more. */
      unsigned?: boolean
    }; answer: WebhookView }
  /** Tells the server once, as a test, that no call waits. */
  webhook_test: { args: Record<string, never>; answer: WebhookView }
  /** Tells nobody any more. */
  webhook_remove: { args: Record<string, never>; answer: WebhookView }
  /**
   * How approving went: what became of calls, and how long people took, by tool or by agent; and
   * the cells of the matrix that the last 30 days speak for changing. Nothing is changed by it.
   */
  approval_stats: { args: {
      /** In this tenant; in all, when absent. */
      tenant?: TenantId
      /** By what. */
      by: StatsBy
      /** Over so many days: 1 to 365. */
      days: number
    }; answer: ApprovalStats }
  /** Series of approvals that run, the newest first. */
  series_list: { args: {
      /** Of this tenant; of all, when absent. */
      tenant?: TenantId
      /** Whether to list those as well that were signed in the last day and are over. */
      all?: boolean
    }; answer: Array<SeriesView> }
  /**
   * Signs a series of approvals: for a call that waits and more like it, or ahead of any call of a
   * session.
   */
  series_sign: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The waiting call, which is approved with it and does not count. */
      approval?: ApprovalId
      /** The digest of that call's arguments that the operator saw; another one is refused. */
      shown?: Digest
      /** The session, where no call of it waits. */
      session?: SessionId
      /** The tool, where no call of it waits. */
      tool?: ToolId
      /** For how many calls it pays, the one that waits not counted. */
      calls: number
      /** How long it lasts, in seconds. */
      secs: number
      /** The JSON Schema that the arguments satisfy; exactly those of the waiting call, when absent. */
      schema?: string
      /** Whether any arguments are meant to do. */
      any_arguments?: boolean
      /** The operator's passphrase, where the console is not unlocked by them. */
      passphrase?: string
      /** Why, where a reason is given. */
      reason?: string
    }; answer: SeriesView }
  /** Takes a series back: it pays for no more calls. */
  series_revoke: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The series. */
      series: SeriesId
    }; answer: SeriesView }
  /**
   * Alerts, open ones first, the latest of each first, at most 500. Those that concern the whole
   * installation are among them.
   */
  alert_list: { args: {
      /** Of this tenant; of all when absent. */
      tenant?: TenantId
      /** In this state; in either when absent. */
      state?: AlertState
    }; answer: Array<AlertView> }
  /** An alert with the events that it was found by. */
  alert_show: { args: {
      /** The alert. */
      alert: AlertId
    }; answer: AlertDetail }
  /** Says that somebody has looked at an alert. What happens again is a new alert then. */
  alert_acknowledge: { args: {
      /** The alert. */
      alert: AlertId
      /** What was found out, or done: between 1 and 500 characters. */
      note: string
    }; answer: AlertView }
  /** The rules, as they are set for a tenant. */
  alert_rules: { args: {
      /** The tenant. */
      tenant: TenantId
    }; answer: Array<AlertRuleView> }
  /**
   * Sets a rule. What is absent stays as it is. A rule about the whole installation is set for all
   * of it.
   */
  alert_rule_set: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The rule. */
      rule: AlertRule
      /** The number at which it fires. */
      threshold?: number
      /** In how many seconds that has to come together. */
      window_secs?: number
      /** How many seconds after its last occasion the same is still the same alert. */
      repeat_secs?: number
      /** Whether the session is ended and its credential suspended when it fires. */
      contain?: boolean
      /** Mutes it until a moment at most 30 days ahead. */
      mute?: AlertMute
      /** Ends a mute before its time. */
      unmute?: boolean
    }; answer: AlertRuleView }
  /** Attempts outside allowlists for each session, by day and by agent. */
  alert_metric: { args: {
      /** The tenant. */
      tenant: TenantId
      /** How many days to look back, the running one included: between 1 and 90. */
      days: number
    }; answer: AlertMetric }
  /** A tenant's sessions, newest first, at most 500. */
  session_list: { args: {
      /** The tenant. */
      tenant: TenantId
      /** Whether to leave out those that are over. */
      live_only: boolean
    }; answer: Array<SessionView> }
  /** Ends a session, and suspends the credential that opened it until somebody releases it. */
  session_end: { args: {
      /** The tenant. */
      tenant: TenantId
      /** The session. */
      session: SessionId
    }; answer: SessionView }
  /** A page of the log, newest first. */
  audit_page: { args: {
      /** Which events to show. */
      filter: AuditFilter
      /** Only events before this one. */
      before?: number
      /** How many at most. */
      limit: number
    }; answer: AuditPage }
  /** An event with what belongs to it. */
  audit_show: { args: {
      /** Its place in the chain. */
      seq: number
    }; answer: AuditDetail }
  /** The log itself, oldest first, piece by piece: what proves elsewhere that it is whole. */
  audit_export: { args: {
      /** Only events after this one; zero begins at the beginning. */
      after: number
      /** How many at most. */
      limit: number
    }; answer: Array<SealedEvent> }
  /** Checks every seal of the log. */
  audit_verify: { args: Record<string, never>; answer: ChainView }
}
