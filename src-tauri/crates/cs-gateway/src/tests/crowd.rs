//! A good client among many that only hold on to what they have.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::client::{Client, body, meta};
use super::world::{Behaviour, OTHER, Stage, WORKER};

const SLOW: usize = 100;
const UNREAD: usize = 20;

/// By when all that are slow have to be gone, and by when those that do not read: their answers
/// have to be made first.
const SLOW_GONE: Duration = Duration::from_secs(30);
const UNREAD_GONE: Duration = Duration::from_secs(60);

/// Sends the start of a request, then a byte a second, until nobody takes it any more.
async fn trickle(mut stream: TcpStream, start: Vec<u8>) {
    let mut seen = [0; 1024];
    if stream.write_all(&start).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            read = stream.read(&mut seen) => if read.unwrap_or(0) == 0 { return },
            () = tokio::time::sleep(Duration::from_secs(1)) => {
                if stream.write_all(b"x").await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Asks for a stream with a large answer on it and reads nothing. A byte a second tells whether
/// the connection still stands.
async fn ask_without_reading(client: Client, id: usize) {
    let mut meta = meta();
    meta["progressToken"] = json!(id);
    let params = json!({ "name": "read_file", "arguments": { "large": true }, "_meta": meta });
    let text = body("tools/call", params).replace("\"id\":1", &format!("\"id\":{id}"));
    let client = client.modern("tools/call").header("mcp-name", "read_file");
    let signed = client.signature("POST", text.as_bytes());
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(client.host().parse().unwrap()).await.unwrap();
    stream.write_all(&client.bytes("POST", &signed, text.as_bytes())).await.unwrap();
    while stream.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Hundreds of sockets in one process may be more than the usual limit.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let most = maximum.unwrap_or(8192).min(8192);
    setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }).unwrap();
}

#[expect(clippy::print_stdout, reason = "a figure for whoever looks, and no threshold")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t16_t17_t18_a_good_client_is_served_among_hundreds_that_hold_on_until_they_are_gone() {
    raise_file_limit();
    let stage = Stage::with(|it| it.limits.stall_time = Duration::from_secs(5)).await;
    stage.journal.behave(Behaviour::Large);
    let (address, hostile) = (stage.gateway.address(), stage.client(OTHER));
    let head = format!("POST {} HTTP/1.1\r\nhost: {address}\r\nx-slow: ", hostile.path);
    let whole = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         accept: */*\r\ncontent-length: 8192\r\n\r\n{{",
        hostile.path
    );
    let (mut slow, mut unread) = (JoinSet::new(), JoinSet::new());
    for _ in 0..SLOW {
        for start in [&head, &whole] {
            let stream = TcpStream::connect(address).await.unwrap();
            slow.spawn(trickle(stream, start.clone().into_bytes()));
        }
    }
    for id in 0..UNREAD {
        let asking = ask_without_reading(hostile.clone(), 1000 + id);
        let turn = Instant::now() + Duration::from_millis(100) * u32::try_from(id).unwrap();
        unread.spawn(async move {
            tokio::time::sleep_until(turn).await;
            asking.await;
        });
    }
    let gone = async {
        let slow = tokio::time::timeout(SLOW_GONE, slow.join_all());
        let unread = tokio::time::timeout(UNREAD_GONE, unread.join_all());
        tokio::join!(slow, unread)
    };
    tokio::pin!(gone);

    let good = stage.client(WORKER);
    let mut took = Vec::new();
    let (slow, unread) = loop {
        let asked = Instant::now();
        let reply = good.call("read_file", json!({})).await;
        assert_eq!(reply.text(), "done", "call {}: {}", took.len(), reply.body);
        took.push(asked.elapsed());
        tokio::select! {
            gone = &mut gone => break gone,
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    };
    slow.expect("who sends slowly is gone in time");
    unread.expect("who does not read is gone in time");
    let asked =
        stage.journal.calls().into_iter().filter(|it| it.arguments.as_deref() == Some("{}"));
    assert_eq!(asked.count(), took.len());
    took.sort_unstable();
    let p99 = took[took.len() * 99 / 100];
    println!("{} good calls among {} connections, p99 {p99:?}", took.len(), 2 * SLOW + UNREAD);
}
