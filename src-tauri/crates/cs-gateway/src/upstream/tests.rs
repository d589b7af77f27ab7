mod eras;
mod watches;

use std::path::Path;

use async_trait::async_trait;
use cs_model::json::{Limits, canonical_digest};
use cs_model::upstream::Setting;
use cs_model::{CredentialId, Secret};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;
use crate::ports::PortError;

#[derive(Debug)]
struct OneSecret;

#[async_trait]
impl SecretSource for OneSecret {
    async fn api_key(&self, _: CredentialId) -> Result<Secret, PortError> {
        Err(PortError { doing: "find the key", source: None })
    }

    async fn tenant_secret(&self, of: TenantId, name: &str) -> Result<Secret, PortError> {
        match name {
            "token" if of == tenant(1) => Ok(Secret::from_text("hunter2-hunter2".to_owned())),
            _ => Err(PortError { doing: "find the secret", source: None }),
        }
    }

    async fn lasting_key(&self) -> Result<Secret, PortError> {
        Err(PortError { doing: "find the key", source: None })
    }

    async fn issuer_key(&self, _: TenantId, _: &str) -> Result<Secret, PortError> {
        Err(PortError { doing: "find the key", source: None })
    }
}

pub(super) fn upstreams(limits: UpstreamLimits) -> Upstreams {
    let (secrets, gone) = (Arc::new(OneSecret), CancellationToken::new());
    Upstreams {
        shared: Arc::new(Shared {
            secrets,
            limits,
            slots: Mutex::default(),
            news: News::default(),
            gone,
        }),
    }
}

pub(super) fn tenant(number: u8) -> TenantId {
    TenantId::from_random([number; 16])
}

pub(super) fn server() -> ServerId {
    ServerId::from_random([1; 16])
}

pub(super) fn target(transport: &Transport) -> Target<'_> {
    Target { tenant: tenant(1), server: server(), server_name: "test", transport }
}

/// The interpreter itself: what stands on the path may be a script that adds to the environment.
fn python() -> String {
    let system = "/usr/bin/python3";
    if Path::new(system).exists() { system.to_owned() } else { "python3".to_owned() }
}

fn script(flags: &[&str]) -> Transport {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/upstream/tests/server.py");
    let mut args = vec![path.to_str().unwrap().to_owned()];
    args.extend(flags.iter().map(|flag| (*flag).to_owned()));
    let token = Setting::Secret { secret: "token".to_owned() };
    let env = [("TOKEN".to_owned(), token), ("PLAIN".to_owned(), Setting::Text("yes".to_owned()))];
    Transport::Stdio { command: python(), args, env: env.into(), cwd: None }
}

pub(super) async fn pinned(upstreams: &Upstreams, transport: &Transport, tool: &str) -> Digest {
    let listed = upstreams.list_tools(target(transport)).await.unwrap();
    let named = |raw: &RawValue| wire::tool_name(raw).unwrap() == tool;
    let definition = listed.iter().map(|it| &*it.definition).find(|raw| named(raw)).unwrap();
    canonical_digest(definition, Limits::default()).unwrap()
}

/// Calls a tool with the definition that it has now.
pub(super) async fn call(
    upstreams: &Upstreams,
    transport: &Transport,
    tool: &str,
    arguments: Option<&str>,
) -> Result<Reply, UpstreamError> {
    let fingerprint = pinned(upstreams, transport, tool).await;
    let tool = ToolName::parse(tool).unwrap();
    let call = ToolCall {
        kind: cs_model::Kind::Tool,
        act: cs_policy::Act::Use,
        tool: &tool,
        fingerprint,
        arguments,
        wants_progress: false,
        trace: None,
        repeated: &[],
        talk: nobody(),
        inputs: None,
    };
    upstreams.call(target(transport), call, mpsc::channel(1).0).await
}

/// A call of a client that can be asked for nothing.
pub(super) fn nobody() -> Talk {
    let (session, era) = (SessionId::from_random([1; 16]), Era::Legacy);
    Talk { session, era, abilities: Abilities::default(), level: None, hears: None, errands: false }
}

pub(super) fn text(reply: Result<Reply, UpstreamError>) -> String {
    let ReplyBody::Result(result) = reply.unwrap().body else { panic!("an error") };
    let value: serde_json::Value = serde_json::from_str(result.get()).unwrap();
    value["content"][0]["text"].as_str().unwrap().to_owned()
}

/// What never comes fails the test instead of holding it up.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(15), what).await.expect("it never came")
}

async fn said_hello(listener: &TcpListener) -> (String, BufReader<TcpStream>) {
    let mut stream = BufReader::new(listener.accept().await.unwrap().0);
    let mut name = String::new();
    stream.read_line(&mut name).await.unwrap();
    (name, stream)
}

#[tokio::test]
async fn a_call_reaches_the_server_with_the_bytes_that_were_judged() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    let reply = call(&upstreams, &transport, "echo", Some(r#"{"b":1.50,"a":"\u00e9"}"#)).await;
    assert_eq!(text(reply), r#"{"b": 1.5, "a": "\u00e9"}"#);
    let health = upstreams.health(tenant(1), server());
    assert_eq!((health.state, health.restarts), (HealthState::Ready, 0));
    assert_eq!(health.fingerprints.len(), 26);
    upstreams.stop_all().await;
}

#[tokio::test]
async fn line_breaks_between_tokens_do_not_smuggle_in_a_second_message() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    let smuggling = "{\"a\":\n{\"jsonrpc\":\"2.0\",\"id\":99,\"method\":\"tools/call\"}\r\n}";
    text(call(&upstreams, &transport, "echo", Some(smuggling)).await);
    let heard = text(call(&upstreams, &transport, "heard", None).await);
    let heard: Vec<serde_json::Value> = serde_json::from_str(&heard).unwrap();
    assert!(heard.iter().all(|message| message["id"] != 99), "{heard:?}");
    assert!(heard.last().unwrap()["params"].get("arguments").is_none());
}

#[tokio::test]
async fn x15_a_server_gets_a_small_environment_and_its_tenants_secret() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    let found = text(call(&upstreams, &transport, "environment", None).await);
    let found: BTreeMap<String, String> = serde_json::from_str(&found).unwrap();
    assert_eq!(found["TOKEN"], "hunter2-hunter2");
    assert_eq!(found["PLAIN"], "yes");
    let allowed = ["PATH", "HOME", "LANG", "TMPDIR", "TOKEN", "PLAIN", "LC_CTYPE"];
    assert!(found.keys().all(|name| allowed.contains(&name.as_str())), "{:?}", found.keys());
}

#[tokio::test]
async fn a_secret_of_another_tenant_is_not_handed_out() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    let refused = upstreams.probe(tenant(2), &transport).await;
    assert!(matches!(refused, Err(UpstreamError::Misconfigured(_))), "{refused:?}");
}

#[tokio::test]
async fn x11_an_answer_that_breaks_the_protocol_is_refused_and_the_connection_dropped() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    let bad = ["garbage", "giant", "wrong_id", "both", "batch", "method_too", "no_content"];
    for (number, tool) in bad.iter().chain(&["array", "task"]).enumerate() {
        let refused = call(&upstreams, &transport, tool, None).await;
        assert!(matches!(refused, Err(UpstreamError::Rejected(_))), "{tool}: {refused:?}");
        // Asking for the tools shows that there is a new connection: the old one counted on.
        let heard = text(call(&upstreams, &transport, "heard", None).await);
        assert!(!heard.contains(tool), "{number} {tool}");
        upstreams.restart(tenant(1), server()).await;
    }
    upstreams.stop_all().await;
}

#[tokio::test]
async fn x11_a_second_answer_ends_the_connection() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    let live = upstreams.slot(target(&transport)).ready(&transport).await.unwrap();
    assert!(call(&upstreams, &transport, "twice", None).await.is_ok());
    soon(live.link().ended()).await;
    assert!(matches!(live.link().ending(), Some(flight::Ending::Rejected(_))));
}

#[tokio::test]
async fn x12_the_text_of_an_error_is_bounded_and_neutral() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    let reply = call(&upstreams, &transport, "error", None).await.unwrap();
    let ReplyBody::Error { code, message, data } = reply.body else { panic!("a result") };
    assert_eq!(code, -32603);
    assert!(message.starts_with(r"broken\u{a}\u{1b}[31my"), "{message}");
    assert!(message.len() < 1100 && data.is_none());
}

#[tokio::test]
async fn a_server_that_dies_in_a_call_loses_the_call_and_is_started_again() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    let lost = call(&upstreams, &transport, "die", None).await;
    assert!(matches!(&lost, Err(UpstreamError::Lost(why)) if why.contains("3")), "{lost:?}");
    assert_eq!(text(call(&upstreams, &transport, "echo", Some("{}")).await), "{}");
    assert_eq!(upstreams.health(tenant(1), server()).restarts, 1);
}

#[tokio::test]
async fn what_a_server_said_before_it_ended_is_heard() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    assert_eq!(text(call(&upstreams, &transport, "answer_and_die", None).await), "last words");
}

#[tokio::test]
async fn a_server_that_keeps_failing_is_given_up_until_somebody_asks() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&["--fail"]));
    let mut state = HealthState::Idle;
    while state != HealthState::Failing {
        let failed = upstreams.list_tools(target(&transport)).await;
        assert!(matches!(failed, Err(UpstreamError::NotSent(_))), "{failed:?}");
        state = upstreams.health(tenant(1), server()).state;
    }
    let health = upstreams.health(tenant(1), server());
    assert_eq!(health.restarts, 4);
    assert!(health.problem.unwrap().ends_with("it last wrote: cannot open the database"));
    assert_eq!(health.stderr.last().unwrap(), "cannot open the database");
    let before = Instant::now();
    assert!(upstreams.list_tools(target(&transport)).await.is_err());
    assert!(before.elapsed() < Duration::from_millis(20), "it was started again");
    upstreams.restart(tenant(1), server()).await;
    assert_ne!(upstreams.health(tenant(1), server()).state, HealthState::Failing);
    upstreams.stop_all().await;
}

#[tokio::test]
async fn x15_a_flood_on_standard_error_neither_blocks_nor_grows_nor_tells_secrets() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    assert_eq!(text(call(&upstreams, &transport, "flood", None).await), "flooded");
    let lines = upstreams.health(tenant(1), server()).stderr;
    assert_eq!(lines.len(), 200);
    assert!(lines.iter().all(|line| line.len() <= 8300 && !line.contains('\u{1b}')));
    assert!(lines.iter().all(|line| !line.contains("hunter2")));
    assert!(lines[0].contains("[secret]"), "{}", lines[0]);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_given_up_and_the_server_told() {
    let limits = UpstreamLimits { call: Duration::from_millis(300), ..UpstreamLimits::default() };
    let (upstreams, transport) = (upstreams(limits), script(&["--late"]));
    let late = call(&upstreams, &transport, "hang", None).await;
    assert!(matches!(late, Err(UpstreamError::TimedOut)), "{late:?}");
    // The server answers the cancelled call all the same, which breaks nothing.
    let heard = text(call(&upstreams, &transport, "heard", None).await);
    assert!(heard.contains("notifications/cancelled"), "{heard}");
    assert_eq!(upstreams.health(tenant(1), server()).restarts, 0);
}

#[tokio::test]
async fn a_server_that_never_introduces_itself_is_given_up_in_time() {
    let initialize = Duration::from_millis(300);
    let limits = UpstreamLimits { initialize, ..UpstreamLimits::default() };
    let transport = script(&["--mute", "--stubborn"]);
    let before = Instant::now();
    let failed = upstreams(limits).probe(tenant(1), &transport).await;
    assert!(matches!(failed, Err(UpstreamError::NotSent(_))), "{failed:?}");
    assert!(before.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn settings_that_cannot_work_are_said_to_be_wrong() {
    let upstreams = upstreams(UpstreamLimits::default());
    let command = |command: &str| Transport::Stdio {
        command: command.to_owned(),
        args: Vec::new(),
        env: BTreeMap::new(),
        cwd: None,
    };
    for wrong in ["/nowhere/at/all", "./here", "", "no-such-program-anywhere"] {
        let failed = upstreams.probe(tenant(1), &command(wrong)).await;
        assert!(matches!(failed, Err(UpstreamError::Misconfigured(_))), "{wrong}: {failed:?}");
    }
}

#[tokio::test]
async fn a_listing_that_is_not_sound_is_refused() {
    let upstreams = upstreams(UpstreamLimits::default());
    for flag in ["--circle", "--double", "--old"] {
        let failed = upstreams.probe(tenant(1), &script(&[flag])).await;
        assert!(matches!(failed, Err(UpstreamError::Rejected(_))), "{flag}: {failed:?}");
    }
}

#[tokio::test]
async fn x02_a_tool_with_another_definition_than_the_pinned_one_is_not_called() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    let fingerprint = pinned(&upstreams, &transport, "echo").await;
    text(call(&upstreams, &transport, "change", None).await);
    for tool in ["echo", "gone"] {
        let tool = ToolName::parse(tool).unwrap();
        let call = ToolCall {
            kind: cs_model::Kind::Tool,
            act: cs_policy::Act::Use,
            tool: &tool,
            fingerprint,
            arguments: None,
            wants_progress: false,
            trace: None,
            repeated: &[],
            talk: nobody(),
            inputs: None,
        };
        let refused = upstreams.call(target(&transport), call, mpsc::channel(1).0).await;
        assert!(matches!(refused, Err(UpstreamError::Drift)), "{refused:?}");
    }
    let heard = text(call(&upstreams, &transport, "heard", None).await);
    assert!(!heard.contains(r#""name": "echo""#), "{heard}");
}

#[tokio::test]
async fn p19_progress_goes_to_the_call_that_asked_for_it_and_says_no_more_than_it_should() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    let fingerprint = pinned(&upstreams, &transport, "steps").await;
    let tool = ToolName::parse("steps").unwrap();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let call = ToolCall {
        kind: cs_model::Kind::Tool,
        act: cs_policy::Act::Use,
        tool: &tool,
        fingerprint,
        arguments: None,
        wants_progress: true,
        trace: Some(trace),
        repeated: &[],
        talk: nobody(),
        inputs: None,
    };
    let (told, mut progress) = mpsc::channel(8);
    text(upstreams.call(target(&transport), call, told).await);
    let Some(Told::Progress(step)) = progress.recv().await else { panic!("no progress") };
    assert_eq!(step.get(), r#"{"progress":1,"total":2,"message":"half"}"#);
    assert!(progress.recv().await.is_none());
    let heard = text(self::call(&upstreams, &transport, "heard", None).await);
    assert!(heard.contains(trace), "{heard}");
}

#[tokio::test]
async fn x10_what_a_server_asks_of_the_client_is_refused_but_for_a_ping() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    text(call(&upstreams, &transport, "ask", None).await);
    let heard = text(call(&upstreams, &transport, "heard", None).await);
    let heard: Vec<serde_json::Value> = serde_json::from_str(&heard).unwrap();
    let answer = |id: serde_json::Value| {
        heard.iter().find(|it| it["id"] == id && it.get("method").is_none()).unwrap()
    };
    assert_eq!(answer("p".into())["result"], serde_json::json!({}));
    assert_eq!(answer(7.into())["error"]["code"], -32601);
}

#[tokio::test]
async fn x15_what_a_server_started_dies_with_it_even_when_it_will_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let flags = ["--stubborn", "--call-home", &port, "--fork", &port];
    for drop_it in [false, true] {
        let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&flags));
        upstreams.list_tools(target(&transport)).await.unwrap();
        let mut both = [said_hello(&listener).await, said_hello(&listener).await];
        let before = Instant::now();
        if drop_it {
            drop(upstreams)
        } else {
            upstreams.forget(tenant(1), server()).await
        }
        for (name, stream) in &mut both {
            let mut rest = Vec::new();
            // The end of its connection is the end of the process: it never closes it itself.
            soon(stream.read_to_end(&mut rest)).await.ok();
            assert!(rest.is_empty(), "{name}");
        }
        assert!(before.elapsed() < Duration::from_secs(7), "dropped: {drop_it}");
    }
}

#[tokio::test]
async fn another_transport_replaces_the_connection() {
    let upstreams = upstreams(UpstreamLimits::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    upstreams.list_tools(target(&script(&["--call-home", &port]))).await.unwrap();
    let (_, mut old) = said_hello(&listener).await;
    upstreams.list_tools(target(&script(&[]))).await.unwrap();
    assert_eq!(old.read(&mut [0; 1]).await.unwrap_or(0), 0, "the old server still runs");
    assert_eq!(upstreams.health(tenant(1), server()).restarts, 0);
}

/// What a tenant's session hears that calls the tool `heard` of this server.
async fn heard(upstreams: &Upstreams, target: Target<'_>, talk: Talk, said: &str) -> String {
    let live = upstreams.place_for(target, talk).await.unwrap();
    let published = live.fingerprints();
    let mut last = String::new();
    for name in ["echo", "heard"] {
        let tool = ToolName::parse(name).unwrap();
        let call = ToolCall {
            kind: cs_model::Kind::Tool,
            act: cs_policy::Act::Use,
            tool: &tool,
            fingerprint: published[&(cs_model::Kind::Tool, name.to_owned())],
            arguments: Some(said),
            wants_progress: false,
            trace: None,
            repeated: &[],
            talk,
            inputs: None,
        };
        last = text(upstreams.call(target, call, mpsc::channel(1).0).await);
    }
    last
}

fn of_session(number: u8, abilities: Abilities) -> Talk {
    Talk { session: SessionId::from_random([number; 16]), abilities, ..nobody() }
}

/// Attacks S07 and S13: whatever a server keeps of what it was told, no other tenant reads it.
#[tokio::test]
async fn s07_s13_tenants_never_share_a_server_process() {
    let upstreams = upstreams(UpstreamLimits::default());
    let Transport::Stdio { command, args, .. } = script(&[]) else { panic!("not a child") };
    let transport = Transport::Stdio { command, args, env: BTreeMap::new(), cwd: None };
    let of = |number| Target { tenant: tenant(number), ..target(&transport) };
    let first = heard(&upstreams, of(1), nobody(), r#"{"mine":1}"#).await;
    assert!(first.contains("mine"), "{first}");
    let other = heard(&upstreams, of(2), nobody(), r#"{"theirs":1}"#).await;
    assert!(other.contains("theirs") && !other.contains("mine"), "{other}");
    let again = heard(&upstreams, of(1), nobody(), "{}").await;
    assert!(again.contains("mine") && !again.contains("theirs"), "the first is as it was: {again}");
}

/// Attacks S13: a server that may ask something has what one session told it from that session
/// alone, and asks that one.
#[tokio::test]
async fn s13_sessions_never_share_a_server_process_that_may_ask_them() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&[]));
    let asked = Abilities { form: true, ..Abilities::default() };
    let first = heard(&upstreams, target(&transport), of_session(1, asked), r#"{"mine":1}"#).await;
    assert!(first.contains("mine"), "{first}");
    for talk in [of_session(2, asked), of_session(2, Abilities::default())] {
        let other = heard(&upstreams, target(&transport), talk, "{}").await;
        assert!(!other.contains("mine"), "{other}");
    }
    let again = heard(&upstreams, target(&transport), of_session(1, asked), "{}").await;
    assert!(again.contains("mine"), "{again}");
    upstreams.release(SessionId::from_random([1; 16])).await;
    let anew = heard(&upstreams, target(&transport), of_session(1, asked), "{}").await;
    assert!(!anew.contains("mine"), "its end is the end of the process: {anew}");
}
