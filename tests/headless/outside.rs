//! What `openssl` brings of its own: old protocols, and an authority that is somebody else's.

use std::process::Stdio;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::certificates::{Fared, INITIALIZE, Scene, fared};

const BUILD: &str = "spiffe://partner.example/ns/prod/sa/build";

impl Scene {
    fn address(&self) -> String {
        self.place.url().replace("https://", "")
    }

    /// A handshake of `openssl s_client` with these words, and what it is given to say.
    async fn shake(&self, words: &[&str], says: &str) -> Fared {
        let mut client = Command::new("openssl");
        client
            .args(["s_client", "-CAfile"])
            .arg(self.path("countersign.pem"))
            .args(["-connect", &self.address()])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = client.spawn().expect("openssl runs");
        let mut to = child.stdin.take().expect("its input");
        let _ = to.write_all(says.as_bytes()).await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        drop(to);
        let done = child.wait_with_output().await.expect("openssl ends");
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        Fared { code: done.status.code().unwrap_or(-1), said }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m12_nothing_older_than_tls_1_2_is_spoken_and_nothing_is_negotiated_anew() {
    let scene = Scene::serving(&["--tls", "--oldest", "1.2", "--name", "localhost"]).await;
    let weak = ["-cipher", "ALL:@SECLEVEL=0"];
    for version in ["-tls1", "-tls1_1"] {
        let old = scene.shake(&[&[version], &weak[..]].concat(), "").await;
        assert_ne!(old.code, 0, "{version}: {}", old.said);
    }
    let null = scene.shake(&["-tls1_2", "-cipher", "eNULL:aNULL:@SECLEVEL=0"], "").await;
    assert_ne!(null.code, 0, "{}", null.said);
    let spoken = scene.shake(&["-tls1_2"], "").await;
    assert!(spoken.said.contains("Protocol  : TLSv1.2"), "{}", spoken.said);
    assert!(spoken.said.contains("Compression: NONE"), "{}", spoken.said);
    assert!(!spoken.said.contains("TLS session ticket:"), "{}", spoken.said);
    let anew = scene.shake(&["-tls1_2"], "R\n").await;
    assert!(anew.said.contains("RENEGOTIATING"), "{}", anew.said);
    assert!(anew.said.contains("no renegotiation"), "{}", anew.said);
    let newest = scene.shake(&["-tls1_3"], "").await;
    assert!(newest.said.contains("TLSv1.3") && newest.said.contains("Early data was not sent"));

    // A hello of SSL 2, which no program sends any more.
    let mut stream = TcpStream::connect(scene.address().replace("localhost", "127.0.0.1")).await;
    let stream = stream.as_mut().expect("it listens");
    let head = [0x80, 0x1c, 0x01, 0x00, 0x02, 0x00, 0x03, 0x00, 0x00, 0x00, 0x10];
    let hello = [&head[..], &[0x01, 0x00, 0x80], &[7; 16]].concat();
    stream.write_all(&hello).await.expect("it listens");
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    assert!(said.is_empty() || said.starts_with(&[0x15, 0x03]), "an alert at most: {said:?}");
    let alive = scene.curl_as("executor-1", &["--tls-max", "1.2"], INITIALIZE).await;
    assert_eq!(alive.status(), "200", "{}", alive.said);
}

/// An authority that `openssl` keeps.
struct Partner<'s>(&'s Scene);

impl Partner<'_> {
    async fn found(&self) {
        let files = [
            (
                "ca.cnf",
                "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\n\
                 default_crl_days=1\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n",
            ),
            ("index.txt", ""),
            ("crlnumber", "01\n"),
            (
                "leaf.cnf",
                "subjectAltName=URI:spiffe://partner.example/ns/prod/sa/build\n\
                 extendedKeyUsage=clientAuth,serverAuth\nkeyUsage=critical,digitalSignature\n\
                 basicConstraints=critical,CA:FALSE\nauthorityKeyIdentifier=keyid\n",
            ),
        ];
        for (name, text) in files {
            std::fs::write(self.0.path(name), text).expect("a file");
        }
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let root = ["req", "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=partner"];
        let shape = [
            "-days",
            "2",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ];
        self.0.openssl(&[&root[..], &key, &shape].concat()).await;
        let leaf = ["req", "-new", "-keyout", "build.key", "-out", "build.csr", "-subj", "/CN=b"];
        self.0.openssl(&[&leaf[..], &key].concat()).await;
        let signed = ["x509", "-req", "-in", "build.csr", "-CA", "ca.pem", "-CAkey", "ca.key"];
        let so =
            ["-set_serial", "0x5a01", "-days", "1", "-extfile", "leaf.cnf", "-out", "build.pem"];
        self.0.openssl(&[&signed[..], &so].concat()).await;
    }

    async fn ca(&self, words: &[&str]) {
        let own = ["ca", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key"];
        self.0.openssl(&[&own[..], words].concat()).await;
    }

    fn path(&self, name: &str) -> String {
        self.0.path(name).to_str().expect("a path").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_m07_curl_comes_with_a_certificate_of_an_outside_authority_until_that_revokes_it() {
    let scene = Scene::serving(&["--tls", "--name", "localhost"]).await;
    let partner = Partner(&scene);
    partner.found().await;
    let refused = scene.curl_as("build", &[], INITIALIZE).await;
    assert_ne!(refused.code, 0, "{}", refused.said);
    scene.hears("certificate_issuer_unknown").await;

    let (ca, own) = (partner.path("ca.pem"), ["--tenant", "acme"]);
    let prefix = "spiffe://partner.example/ns/prod/";
    let add = ["authority", "add", "partner", "--certificates", &ca, "--prefix", prefix];
    let added = scene.place.ask(&[&add[..], &own].concat()).await;
    assert_eq!(added["standing"], "no_list");
    let register = ["certificate", "register", "executor-1", "--authority", "partner"];
    scene.place.ask(&[&register[..], &["--spiffe", BUILD], &own].concat()).await;
    let refused = scene.curl_as("build", &[], INITIALIZE).await;
    assert_ne!(refused.code, 0, "{}", refused.said);

    partner.ca(&["-gencrl", "-out", "one.pem"]).await;
    scene.openssl(&["crl", "-in", "one.pem", "-outform", "DER", "-out", "one.der"]).await;
    let der = partner.path("one.der");
    let update = |file: &str| {
        let words = ["authority", "list-update", "partner", "--crl", file, "--tenant", "acme"];
        words.map(str::to_owned)
    };
    let words = update(&der);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(scene.place.ask(&words).await["standing"], "trusted");
    // Handshakes are made with the new list as soon as it is prepared.
    let mut opened = scene.curl_as("build", &[], INITIALIZE).await;
    for _ in 0..50 {
        if opened.status() == "200" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        opened = scene.curl_as("build", &[], INITIALIZE).await;
    }
    assert_eq!(opened.status(), "200", "{}", opened.said);

    partner.ca(&["-revoke", "build.pem"]).await;
    partner.ca(&["-gencrl", "-out", "two.pem"]).await;
    let newer = update(&partner.path("two.pem"));
    let newer: Vec<&str> = newer.iter().map(String::as_str).collect();
    assert_eq!(scene.place.ask(&newer).await["lists"][0]["revoked"], 1);
    let refused = scene.curl_as("build", &[], INITIALIZE).await;
    assert_ne!(refused.status(), "200", "{}", refused.said);
    let told = scene.place.ask_in_vain(&words).await;
    assert!(told.contains("older"), "{told}");
    let list = scene.place.ask(&["authority", "show", "--crl", "--tenant", "acme"]).await;
    std::fs::write(scene.path("own.crl"), list["crl"].as_str().expect("a list")).expect("a file");
    let mut read = Command::new("openssl");
    let read =
        fared(read.arg("crl").arg("-noout").arg("-text").arg("-in").arg(scene.path("own.crl")));
    assert!(read.await.said.contains("X509v3 CRL Number"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_tls_serves_it_from_one_moment_to_the_next() {
    let scene = Scene::serving(&[]).await;
    let refused = scene.curl_as("executor-1", &[], INITIALIZE).await;
    assert_ne!(refused.code, 0, "{}", refused.said);
    let set = ["serving", "set", "--tls", "--name", "localhost"];
    let shown = scene.place.ask(&set).await;
    assert_eq!(shown["tls"]["oldest"], "1.3", "{shown}");
    assert_eq!(shown["locked_by_flags"], true, "it was started with an address");
    let opened = scene.curl_as("executor-1", &[], INITIALIZE).await;
    assert_eq!(opened.status(), "200", "{}", opened.said);
    let told =
        scene.place.ask_in_vain(&["serving", "set", "--listen", "0.0.0.0:0", "--plain"]).await;
    assert!(told.contains("loopback"), "{told}");
    let shown = scene.place.ask(&["serving", "show"]).await;
    assert_eq!(shown["state"], "serving");
    let opened = scene.curl_as("executor-1", &[], INITIALIZE).await;
    assert_eq!(opened.status(), "200", "{}", opened.said);
}
