//! The site builder serves sites, and people decide about plugins there.

mod common;

use axum::body::Body;
use axum::http::StatusCode;
use common::server::{Client, Server};
use common::{Outcome, changed, planets, program};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn hostile() -> Vec<u8> {
    fs::read(planets("site-builder-hostile").join("hostile.wasm")).unwrap()
}

fn built_in(name: &str) -> Vec<u8> {
    fs::read(planets("site-builder").join(format!("{name}.wasm"))).unwrap()
}

#[track_caller]
fn assert_contains(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "`{expected}` is missing in:\n{text}");
    }
}

/// Where the page of a plugin is.
async fn plugin(client: &Client, site: &str, planet: &str) -> String {
    let page = client.page(&format!("/s/{site}/plugins")).await;
    let end = format!("\">{planet}</a>");
    let before = page.split(&end).next().filter(|before| before.len() < page.len()).expect("the plugin is there");
    before.rsplit("href=\"").next().unwrap().to_owned()
}

const COMMAND: &str = "export=site:build/command@0.1.0";

#[tokio::test]
async fn what_happens_in_one_site_is_nothing_to_another() {
    let server = Server::start(&["one", "two"]);
    let client = server.client();
    for site in ["one", "two"] {
        assert_contains(&client.page(&format!("/s/{site}/pages/")).await, &["hl-comment", "Hello"]);
    }
    let highlight = plugin(&client, "one", "highlight").await;
    client.done(&format!("{highlight}/refuse"), "").await;
    assert!(!client.page("/s/one/pages/").await.contains("hl-comment"));
    assert_contains(&client.page("/s/two/pages/").await, &["hl-comment"]);
    assert_contains(&client.page("/s/one/why").await, &["you did not want it", "goes on without", "<svg"]);
    client.done(&format!("{highlight}/admit"), "export=site:content/highlight@0.1.0").await;
    assert_contains(&client.page("/s/one/pages/").await, &["hl-comment"]);
    assert_eq!(client.get("/s/three/").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_plugin_is_decided_about_before_anything_of_it_is_compiled() {
    let server = Server::start(&["one"]);
    let client = server.client();
    let page = client.uploaded("one", "../../pretty.wasm", &hostile()).await;
    assert_contains(
        &client.page(&page).await,
        &[
            "hostile",
            "Nothing of it has been compiled or run",
            "Never come back",
            "&lt;b&gt;Crash&lt;/b&gt;",
            "value=\"http:*\"",
            "Cannot be allowed: sites have two folders to give",
            "site:content/highlight@0.1.0",
            page.rsplit('/').next().unwrap(),
        ],
    );
    assert_eq!(
        client.state("one", "hostile").await,
        ("refused".to_owned(), "nobody has decided about it yet".to_owned())
    );
    assert_eq!(client.post("/s/one/commands/hostile/loop", "").await.status, StatusCode::CONFLICT);
    assert_contains(&client.page("/s/one/why").await, &["Decide about it"]);

    client.done(&format!("{page}/admit"), COMMAND).await;
    assert_eq!(client.state("one", "hostile").await.0, "running");
    client.done(&format!("{page}/refuse"), "").await;
    assert_eq!(client.state("one", "hostile").await.0, "refused");
    client.done(&format!("{page}/remove"), "").await;
    assert_eq!(client.state("one", "hostile").await.0, "");
    assert_eq!(fs::read_dir(server.state("one").join("plugins")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_hostile_plugin_is_stopped_and_the_others_go_on() {
    let server = Server::start(&["one"]);
    let client = server.client();
    let page = client.uploaded("one", "hostile.wasm", &hostile()).await;
    client.done(&format!("{page}/admit"), COMMAND).await;

    let files = client.run("one", "hostile", "files").await;
    assert!(files.contains("denied /etc/passwd") && files.contains("denied $HOME"), "{files}");
    assert!(!files.contains("read   ") && !files.contains("wrote "), "{files}");
    let network = client.run("one", "hostile", "network").await;
    assert!(network.contains("denied 127.0.0.1:22") && !network.contains("reached"), "{network}");
    assert_contains(&client.run("one", "hostile", "memory").await, &["badge done", "That is all"]);
    assert_contains(&client.run("one", "hostile", "panic").await, &["badge failed", "as it was told to"]);
    assert_contains(&client.run("one", "hostile", "flood").await, &["badge failed"]);

    let job = client.done("/s/one/commands/hostile/loop", "").await;
    // What it does meanwhile keeps nobody else.
    assert_contains(&client.page("/s/one/pages/guide/second-part.html").await, &["What comes then"]);
    assert_contains(&client.run("one", "statistics", "words").await, &["badge done", "words on 4 pages"]);
    client.done(&format!("{job}/cancel"), "").await;
    assert_contains(&client.ended(&job).await, &["badge cancelled"]);
    assert_contains(&client.run("one", "links", "broken").await, &["1 broken link", "gone.md"]);
}

#[tokio::test]
async fn a_plugin_gets_what_was_ticked_and_no_more() {
    let server = Server::start(&["one"]);
    let client = server.client();
    let page = client.uploaded("one", "hostile.wasm", &hostile()).await;
    let ticked = "grant=read:content&grant=write:data&grant=read:/&grant=net&grant=env:HOME&value:HOME=nowhere";
    client.done(&format!("{page}/admit"), &format!("{COMMAND}&{ticked}")).await;
    let files = client.run("one", "hostile", "files").await;
    assert_contains(
        &files,
        &[
            "denied /etc/passwd",
            "read   content:",
            "wrote  data/hostile",
            "read   $HOME: nowhere",
            "denied $SSH_AUTH_SOCK",
        ],
    );
    assert!(server.state("one").join("data/hostile/hostile").is_file());
    assert_contains(&client.page(&page).await, &["value=\"write:data\" checked"]);

    // It is for the releases of this name that were let in, and for nobody who takes the name after them.
    let newer = client.uploaded("one", "hostile.wasm", &changed(hostile(), "release", "2")).await;
    client.done(&format!("{newer}/admit"), &format!("{COMMAND}&grant=write:data")).await;
    client.uploaded("one", "hostile.wasm", &changed(hostile(), "release", "3")).await;
    client.done(&format!("{page}/remove"), "").await;
    assert!(server.state("one").join("data/hostile/hostile").is_file());
    client.done(&format!("{newer}/refuse"), "").await;
    assert!(server.state("one").join("data/hostile/hostile").is_file());
    client.done(&format!("{newer}/remove"), "").await;
    assert!(!server.state("one").join("data/hostile").exists());
}

/// What is taken away is gone also where a reload would be refused: while a call goes on, and while others need what is withheld.
#[tokio::test]
async fn what_is_taken_from_a_plugin_is_gone_whatever_it_is_doing() {
    let server = Server::start(&["one"]);
    let client = server.client();
    let markdown = plugin(&client, "one", "markdown").await;
    client.done(&format!("{markdown}/admit"), "").await;
    assert_eq!(client.state("one", "markdown").await.0, "running");
    assert_eq!(client.get("/s/one/pages/").await.status, StatusCode::SERVICE_UNAVAILABLE);

    let page = client.uploaded("one", "hostile.wasm", &hostile()).await;
    client.done(&format!("{page}/admit"), &format!("{COMMAND}&grant=read:content")).await;
    assert_contains(&client.run("one", "hostile", "files").await, &["read   content:"]);
    let job = client.done("/s/one/commands/hostile/loop", "").await;
    client.done(&format!("{page}/admit"), COMMAND).await;
    assert_contains(&client.run("one", "hostile", "files").await, &["denied content:"]);
    // What it was in the middle of would go on to its time limit.
    client.done(&format!("{job}/cancel"), "").await;

    // One that was let in earlier does not come back when the one that took its place is removed.
    let newer = client.uploaded("one", "hostile.wasm", &changed(hostile(), "release", "2")).await;
    client.done(&format!("{newer}/admit"), COMMAND).await;
    assert_contains(&client.page(&newer).await, &["badge running"]);
    let job = client.done("/s/one/commands/hostile/loop", "").await;
    client.done(&format!("{newer}/remove"), "").await;
    client.done(&format!("{job}/cancel"), "").await;
    assert_eq!(client.state("one", "hostile").await.0, "");
    assert_contains(&client.page(&page).await, &["badge unused"]);
    assert_eq!(fs::read_dir(server.state("one").join("plugins")).unwrap().count(), 1);
}

#[test]
fn texts_and_what_is_remembered_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("work/sites/one")).unwrap();
    for (sites, state, option) in [("work/sites", "work", "--sites"), ("work", "work/sites", "--state")] {
        let mut command = program();
        command.current_dir(&folder).args(["serve", "--listen", "127.0.0.1:0", "--sites", sites, "--state", state]);
        let outcome = Outcome::of(command.arg("--planets").arg(planets("site-builder")));
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert_contains(&outcome.stderr, &[option, "help: name a folder elsewhere"]);
    }
}

#[tokio::test]
async fn what_a_plugin_has_without_a_tick_is_said_before_it_is_let_in() {
    let server = Server::start(&["one"]);
    let client = server.client();
    let images = client.page(&plugin(&client, "one", "images").await).await;
    assert_contains(&images, &["as soon as it is let in", "reads the files of this site", "10000 files and 512 MB"]);
    let statistics = client.page(&plugin(&client, "one", "statistics").await).await;
    assert_contains(&statistics, &["reads the texts of this site", "site:build/pages"]);
    assert!(!statistics.contains("writes pictures"), "{statistics}");
    let highlight = client.page(&plugin(&client, "one", "highlight").await).await;
    assert!(!highlight.contains("as soon as it is let in"), "{highlight}");
}

#[tokio::test]
async fn a_build_can_be_cancelled_while_another_site_is_built() {
    let server = Server::start(&["one", "two"]);
    let client = server.client();
    // Somebody who colours code and never comes back.
    client.done(&format!("{}/refuse", plugin(&client, "one", "highlight").await), "").await;
    let page = client.uploaded("one", "hostile.wasm", &hostile()).await;
    client.done(&format!("{page}/admit"), "export=site:content/highlight@0.1.0").await;
    server.add_text("one", "slow.md", "# Slow\n\n```forever\n```\n");
    client.done("/s/one/read-again", "").await;

    let slow = client.done("/s/one/builds", "").await;
    client.job_with(&slow, "slow.md").await;
    assert_eq!(client.post("/s/one/builds", "").await.status, StatusCode::CONFLICT);
    let other = client.done("/s/two/builds", "").await;
    assert_contains(&client.ended(&other).await, &["badge done", "6 pages"]);
    assert!(server.state("two").join("site/guide/second-part.html").is_file());
    let again = client.done("/s/two/builds", "").await;
    assert_contains(&client.ended(&again).await, &["badge done", "6 pages"]);
    client.done(&format!("{slow}/cancel"), "").await;
    assert_contains(&client.ended(&slow).await, &["badge cancelled"]);
    // One that has not begun, since the page of a reader is being made, is cancelled too, and has not failed.
    let reader = server.client();
    let reader = tokio::spawn(async move { reader.get("/s/one/pages/slow.html").await });
    client.page("/s/one/").await;
    let early = client.done("/s/one/builds", "").await;
    client.done(&format!("{early}/cancel"), "").await;
    assert_contains(&client.ended(&early).await, &["badge cancelled"]);
    reader.await.unwrap();
    assert_contains(&client.page("/s/one/pages/guide/").await, &["The guide"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_whose_pages_are_never_made_does_not_keep_another() {
    let server = Server::start(&["one", "two"]);
    let client = server.client();
    client.done(&format!("{}/refuse", plugin(&client, "one", "highlight").await), "").await;
    let page = client.uploaded("one", "hostile.wasm", &hostile()).await;
    client.done(&format!("{page}/admit"), "export=site:content/highlight@0.1.0").await;
    server.add_text("one", "slow.md", "# Slow\n\n```forever\n```\n");
    client.done("/s/one/read-again", "").await;

    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let client = server.client();
        readers.spawn(async move { client.get("/s/one/pages/slow.html").await });
    }
    // One that is turned away says that all turns of this site are taken.
    loop {
        let answer = readers.join_next().await.expect("one is turned away").unwrap();
        if answer.text.contains("as many pages of this site are made as may at a time") {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
            break;
        }
    }
    assert_contains(&client.page("/s/two/pages/").await, &["Hello"]);
    assert_contains(&client.page("/s/one/why").await, &["<svg"]);
}

#[tokio::test]
async fn an_upload_too_many_is_turned_away_while_others_arrive() {
    let server = Server::start(&["one"]);
    let mut uploads = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let client = server.client();
        uploads.spawn(async move {
            let request = client.request("POST", "/s/one/upload");
            let request = request.header("content-type", "multipart/form-data; boundary=end");
            let never = Body::from_stream(futures_util::stream::pending::<std::io::Result<Vec<u8>>>());
            client.ask(request.body(never).unwrap()).await.unwrap()
        });
    }
    let answer = uploads.join_next().await.unwrap().unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
    assert_contains(&server.client().page("/s/one/pages/").await, &["Hello"]);
}

#[tokio::test]
async fn strangers_are_turned_away() {
    let server = Server::start(&["one"]);
    let client = server.client();
    for path in
        ["/s/one/pages/../../../etc/passwd", "/s/one/pages/%2e%2e/%2e%2e/plugins.json", "/s/..%2f/", "/own/..%2fmod.rs"]
    {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text);
    }
    let ask = async |method: &str, name: &str, value: &str| {
        let request = client.request(method, "/s/one/builds").header(name, value);
        let answer = client.ask(request.body(Body::empty()).unwrap()).await.unwrap();
        assert!(answer.policy.starts_with("default-src 'none'"), "{answer:?}");
        answer.status
    };
    assert_eq!(ask("POST", "host", "evil.example").await, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(ask("POST", "origin", "http://evil.example").await, StatusCode::FORBIDDEN);
    assert_eq!(ask("POST", "origin", "null").await, StatusCode::FORBIDDEN);
    assert_eq!(ask("POST", "sec-fetch-site", "cross-site").await, StatusCode::FORBIDDEN);
    assert_contains(&client.page("/s/one/jobs").await, &["Nothing has been done yet"]);

    // With what a form adds it is a little more than may be: the server need not hang up while it is told the rest.
    let large = vec![0; 32 << 20];
    let answer = client.upload("one", "large.wasm", &large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.text);
    let answer = client.upload("one", "script.wasm", b"#!/bin/sh\n").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);

    let site = client.get("/s/one/pages/").await;
    assert!(site.policy.starts_with("sandbox; default-src 'none'"), "{}", site.policy);
    let own = client.get("/").await;
    assert!(own.policy.contains("frame-ancestors 'none'") && !own.policy.contains("unsafe"), "{}", own.policy);
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_outlive_the_server_which_ends_when_it_is_asked() {
    let server = Server::start(&["one"]);
    let client = server.client();
    let page = client.uploaded("one", "hostile.wasm", &hostile()).await;
    client.done(&format!("{page}/admit"), COMMAND).await;
    let newer = client.uploaded("one", "page.wasm", &changed(built_in("page"), "release", "2")).await;
    client.done(&format!("{newer}/admit"), "export=site:build/page@0.1.0").await;
    // Neither who watches nor what goes on keeps it.
    client.done("/s/one/commands/hostile/loop", "").await;
    let watched = client.watch("/s/one/why/live").await;

    let server = server.again();
    assert_contains(&watched.await.unwrap(), &["event: part"]);
    let client = server.client();
    assert_eq!(client.state("one", "hostile").await.0, "running");
    assert_contains(&client.page(&newer).await, &["badge running"]);
    client.done(&format!("{newer}/remove"), "").await;
    assert_contains(&client.page(&plugin(&client, "one", "page").await).await, &["badge running", "with this server"]);
    assert_contains(&client.page("/s/one/pages/").await, &["Hello"]);
}

#[tokio::test]
async fn another_release_is_shown_beside_the_one_in_use() {
    let server = Server::start(&["one"]);
    let client = server.client();
    let old = plugin(&client, "one", "statistics").await;
    // Another plugin that takes this one's name.
    let hostile = String::from_utf8_lossy(&hostile()).contains("\"name\":\"hostile\"");
    assert!(hostile, "its manifest gives its name");
    let page = client.uploaded("one", "statistics.wasm", &changed(built_in("statistics"), "release", "2")).await;
    let text = client.page(&page).await;
    assert_contains(
        &text,
        &["Another release of a plugin that is here", "Use this release", old.rsplit('/').next().unwrap()],
    );
    assert_contains(&client.page(&old).await, &["badge running"]);
    client.done(&format!("{page}/admit"), COMMAND).await;
    assert_contains(&client.page(&old).await, &["badge unused"]);
    client.done(&format!("{old}/admit"), COMMAND).await;
    assert_contains(&client.page(&old).await, &["badge running"]);
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "how many requests there were is what one wants to know")]
async fn no_request_fails_while_plugins_are_reloaded() {
    const RELOADS: usize = 50;
    let server = Server::start(&["one"]);
    let client = server.client();
    let mut releases = Vec::new();
    for (name, exports) in
        [("page", "export=site:build/page@0.1.0"), ("markdown", "export=site:content/markdown@0.1.0")]
    {
        for release in ["1", "2"] {
            let file = changed(built_in(name), "release", release);
            releases.push((name, client.uploaded("one", &format!("{name}.wasm"), &file).await, exports));
        }
    }
    let ends = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let has_failed = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..8)
        .map(|reader| {
            let (client, ends, answered) = (server.client(), Arc::clone(&ends), Arc::clone(&answered));
            let has_failed = Arc::clone(&has_failed);
            tokio::spawn(async move {
                let pages =
                    ["", "guide/", "guide/second-part.html", "code/", "guide/no_heading.html", "site-builder.css"];
                let (mut sent, mut failed) = (0, Vec::new());
                while !ends.load(Ordering::Relaxed) {
                    let path = format!("/s/one/pages/{}", pages[(reader + sent) % pages.len()]);
                    sent += 1;
                    match client.ask(client.request("GET", &path).body(Body::empty()).unwrap()).await {
                        Ok(answer) if answer.status == StatusCode::OK => _ = answered.fetch_add(1, Ordering::Relaxed),
                        answer => {
                            failed.push(format!("{path}: {answer:?}"));
                            has_failed.store(true, Ordering::Relaxed);
                            break;
                        }
                    }
                }
                (sent, failed)
            })
        })
        .collect();
    'reloads: for reload in 0..RELOADS {
        // page, markdown, page, markdown, each in another release than before.
        let (name, page, exports) = &releases[[0, 2, 1, 3][reload % 4]];
        client.done(&format!("{page}/admit"), exports).await;
        let sha256 = page.rsplit('/').next().unwrap();
        assert_eq!(client.node("one", name).await["sha256"], sha256, "it has been reloaded");
        // Under load means that somebody has been answered since.
        let before = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) < before + 20 {
            // What has failed is shown below.
            if has_failed.load(Ordering::Relaxed) {
                break 'reloads;
            }
            tokio::task::yield_now().await;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
    ends.store(true, Ordering::Relaxed);
    let (mut sent, mut failed) = (0, Vec::new());
    for reader in readers {
        let (its, problems) = reader.await.unwrap();
        sent += its;
        failed.extend(problems);
    }
    let answered = answered.load(Ordering::Relaxed);
    eprintln!("{RELOADS} reloads under load: {sent} requests sent, {answered} answered, {} failed", failed.len());
    assert!(failed.is_empty() && sent == answered, "{failed:#?}");
}
