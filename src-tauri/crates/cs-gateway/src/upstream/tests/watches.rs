//! Servers that tell of changes of resources, in both eras.

use super::*;

const URI: &str = "test:a";

async fn watch(upstreams: &Upstreams, transport: &Transport) -> Option<Watched> {
    let listed = upstreams.list_tools(target(transport)).await.unwrap();
    let found = listed.iter().find(|it| it.kind == Kind::Resource).expect("a resource");
    let fingerprint = canonical_digest(&found.definition, Limits::default()).unwrap();
    let name = ToolName::of(Kind::Resource, URI).unwrap();
    let pinned = Pinned { kind: Kind::Resource, name: &name, fingerprint };
    upstreams.watch(target(transport), pinned, URI).await.unwrap()
}

/// Has the server change its resource. Says whether it told of that.
async fn touch(upstreams: &Upstreams, transport: &Transport) -> bool {
    let mut news = upstreams.hear();
    if call(upstreams, transport, "touch", None).await.is_err() {
        return false;
    }
    let mut told = false;
    while let Ok(change) = news.try_recv() {
        told |= change.what == What::Updated(URI.into()) && change.tenant == tenant(1);
    }
    told
}

async fn until(what: &str, upstreams: &Upstreams, transport: &Transport, tells: bool) {
    let reached = async {
        while touch(upstreams, transport).await != tells {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached).await.expect(what);
}

#[tokio::test]
async fn a_server_is_asked_to_tell_of_a_resource_as_long_as_anybody_wants_to_hear() {
    for flags in [&["--watched"][..], &["--watched", "--modern"]] {
        let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(flags));
        assert!(!touch(&upstreams, &transport).await, "nobody asked");
        let first = watch(&upstreams, &transport).await.expect("it tells");
        let second = watch(&upstreams, &transport).await.expect("it tells");
        assert!(touch(&upstreams, &transport).await, "{flags:?}");
        drop(first);
        assert!(touch(&upstreams, &transport).await, "somebody still wants to");
        // One that is started anew is asked anew.
        assert!(call(&upstreams, &transport, "die", None).await.is_err());
        until("it is asked again", &upstreams, &transport, true).await;
        drop(second);
        until("it is not asked any more", &upstreams, &transport, false).await;
        upstreams.stop_all().await;
    }
}

#[tokio::test]
async fn a_server_that_does_not_tell_of_resources_is_not_asked_to() {
    for flags in [&["--resources"][..], &["--resources", "--modern"]] {
        let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(flags));
        assert!(watch(&upstreams, &transport).await.is_none(), "{flags:?}");
        let heard = text(call(&upstreams, &transport, "heard", None).await);
        assert!(!heard.contains("resources/subscribe") && !heard.contains("resourceSubscriptions"));
    }
}

#[tokio::test]
async fn x01_a_resource_that_is_not_what_was_pinned_is_not_watched() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&["--watched"]));
    let name = ToolName::of(Kind::Resource, URI).unwrap();
    let pinned =
        Pinned { kind: Kind::Resource, name: &name, fingerprint: Digest::of(b"something else") };
    let refused = upstreams.watch(target(&transport), pinned, URI).await;
    assert!(matches!(refused, Err(UpstreamError::Drift)), "{refused:?}");
}
