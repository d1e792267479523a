//! A Planet (plugin) that tries everything: what comes back when nothing is granted, and what each grant opens.
#![cfg(unix)] // Anybody may make symbolic links there.

mod support;
#[path = "support/surroundings.rs"]
mod surroundings;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use expect_test::{ExpectFile, expect_file};
use kokoro_host::{Addresses, Admission, Grants, Primary, State};
use support::{Kept, guest};
use surroundings::Surroundings;
use tries::{FromTo, HttpRequest, Means, Tries};

kokoro_host::bindings!({ path: "tests/guests/probe/wit", interfaces: ["probe:all/tries@0.1.0"] });

/// A Primary with the probe, which is called `name` and granted this.
async fn granted(name: &'static str, grants: Grants) -> Primary {
    let admit = move |_| Admission::granted(grants.clone()).named(name);
    let primary = Primary::builder().admit(admit).build().unwrap();
    primary.load_bytes("probe", guest("probe")).await.unwrap();
    primary
}

/// What comes of each of [`everything`], in its order.
async fn outcomes(grants: Grants, everything: &[(&'static str, Means)]) -> Vec<(&'static str, Result<String, String>)> {
    let primary = granted("probe", grants).await;
    let outcomes = tried(&primary, everything).await;
    everything.iter().map(|(what, _)| *what).zip(outcomes).collect()
}

async fn tried(primary: &Primary, everything: &[(&'static str, Means)]) -> Vec<Result<String, String>> {
    let means: Vec<Means> = everything.iter().map(|(_, means)| means.clone()).collect();
    let outcomes = primary.get::<Tries>().unwrap().try_all(&means).await.unwrap();
    assert_eq!(outcomes.len(), everything.len());
    outcomes
}

/// Every attempt by its name. The directory `granted` is at `/data` for the Planet, if it is granted.
fn everything(around: &Surroundings) -> Vec<(&'static str, Means)> {
    let mut everything = reading(around);
    everything.extend(writing(around));
    everything.extend([
        ("variable", Means::Variable("PROBE".to_owned())),
        ("variable of the application", Means::Variable("PATH".to_owned())),
        ("variables", Means::Variables),
        ("arguments", Means::Arguments),
        ("look up a name", Means::LookUp("localhost".to_owned())),
        ("key", Means::Config("colour".to_owned())),
        ("other key", Means::Config("shape".to_owned())),
        ("keys", Means::ConfigKeys),
    ]);
    everything.extend(sockets(around));
    everything.extend(requests(around));
    let names: std::collections::BTreeSet<_> = everything.iter().map(|(what, _)| what).collect();
    assert_eq!(names.len(), everything.len(), "each has a name of its own");
    everything
}

fn reading(around: &Surroundings) -> Vec<(&'static str, Means)> {
    let attempts = [
        ("read", Means::ReadFile as fn(String) -> Means, "/data/file"),
        ("read below", Means::ReadFile, "/data/below/file"),
        ("read through a link", Means::ReadFile, "/data/link"),
        ("list", Means::ListDirectory, "/data/below"),
        ("size", Means::FileSize, "/data/file"),
        ("read by ..", Means::ReadFile, "/data/../outside/secret"),
        ("read by .. from below", Means::ReadFile, "/data/below/../../outside/secret"),
        ("list by ..", Means::ListDirectory, "/data/.."),
        ("read by the path on the host", Means::ReadFile, "HOST/granted/file"),
        ("read by a path outside", Means::ReadFile, "HOST/outside/secret"),
        ("read by a relative path", Means::ReadFile, "granted/file"),
        ("list the root", Means::ListDirectory, "/"),
        ("read through a link out", Means::ReadFile, "/data/link-out"),
        ("read through an absolute link out", Means::ReadFile, "/data/link-out-absolute"),
        ("read in a linked directory", Means::ReadFile, "/data/link-out-directory/secret"),
        ("list a linked directory", Means::ListDirectory, "/data/link-out-directory"),
        ("size through a link out", Means::FileSize, "/data/link-out"),
    ];
    attempts.map(|(what, means, path)| (what, means(path.replace("HOST/", &around.path(""))))).into()
}

fn writing(around: &Surroundings) -> Vec<(&'static str, Means)> {
    let one = [
        ("write a new file", Means::WriteFile as fn(String) -> Means, "/data/new"),
        ("overwrite", Means::WriteFile, "/data/overwritten"),
        ("append", Means::AppendToFile, "/data/appended"),
        ("truncate", Means::TruncateFile, "/data/truncated"),
        ("set the time", Means::SetModified, "/data/file"),
        ("create a directory", Means::CreateDirectory, "/data/created"),
        ("remove", Means::RemoveFile, "/data/removed"),
        ("remove a directory", Means::RemoveDirectory, "/data/empty"),
        ("write by ..", Means::WriteFile, "/data/../outside/new"),
        ("write by a path outside", Means::WriteFile, "HOST/outside/new"),
        ("overwrite through a link out", Means::WriteFile, "/data/link-out"),
        ("append through an absolute link out", Means::AppendToFile, "/data/link-out-absolute"),
        ("write through a link out", Means::WriteFile, "/data/link-out-new"),
        ("write in a linked directory", Means::WriteFile, "/data/link-out-directory/new"),
        ("truncate by ..", Means::TruncateFile, "/data/../outside/secret"),
        ("set the time through a link out", Means::SetModified, "/data/link-out"),
        ("create a directory by ..", Means::CreateDirectory, "/data/../outside/created"),
        ("remove by ..", Means::RemoveFile, "/data/../outside/secret"),
        ("remove in a linked directory", Means::RemoveFile, "/data/link-out-directory/secret"),
        ("remove a directory by ..", Means::RemoveDirectory, "/data/../outside"),
    ];
    let two = [
        ("rename", Means::Rename as fn(FromTo) -> Means, "/data/old", "/data/renamed"),
        ("link", Means::HardLink, "/data/file", "/data/linked"),
        ("link symbolically", Means::SymbolicLink, "file", "/data/linked-symbolically"),
        ("rename to the outside", Means::Rename, "/data/file", "/data/../outside/renamed"),
        ("rename to a linked directory", Means::Rename, "/data/file", "/data/link-out-directory/renamed"),
        ("rename from the outside", Means::Rename, "/data/../outside/secret", "/data/secret"),
        ("rename from a linked directory", Means::Rename, "/data/link-out-directory/secret", "/data/secret"),
        ("link from the outside", Means::HardLink, "/data/../outside/secret", "/data/secret"),
        ("link from a linked directory", Means::HardLink, "/data/link-out-directory/secret", "/data/secret"),
        ("link to the outside", Means::HardLink, "/data/file", "/data/../outside/linked"),
        ("link symbolically to the outside, and read", Means::SymbolicLinkAndRead, "../outside/secret", "/data/made"),
        ("link symbolically in the outside", Means::SymbolicLink, "secret", "/data/../outside/linked"),
        ("link symbolically to an absolute path", Means::SymbolicLink, "HOST/outside/secret", "/data/made-absolute"),
    ];
    let here = |path: &str| path.replace("HOST/", &around.path(""));
    let one = one.map(|(what, means, path)| (what, means(here(path))));
    let two = two.map(|(what, means, from, to)| (what, means(FromTo { from: here(from), to: here(to) })));
    one.into_iter().chain(two).collect()
}

fn sockets(around: &Surroundings) -> Vec<(&'static str, Means)> {
    let address = |name| around.address(name).to_string();
    let port = |name| around.address(name).port();
    let from_any = |to| FromTo { from: "127.0.0.1:0".to_owned(), to };
    vec![
        ("tcp connect", Means::TcpConnect(address("tcp"))),
        ("tcp connect elsewhere", Means::TcpConnect(address("other tcp"))),
        ("tcp connect by name", Means::TcpConnect(format!("localhost:{}", port("tcp")))),
        ("tcp bind and connect", Means::TcpBindAndConnect(from_any(address("tcp")))),
        ("tcp listen", Means::TcpListen(address("tcp visitor"))),
        ("tcp listen at all addresses", Means::TcpListen(format!("0.0.0.0:{}", port("tcp visitor")))),
        ("tcp listen elsewhere", Means::TcpListen("127.0.0.1:0".to_owned())),
        ("udp send", Means::UdpSend(address("udp"))),
        ("udp ask", Means::UdpAsk(address("udp"))),
        ("udp connect and ask", Means::UdpConnectAndAsk(address("udp"))),
        ("udp send elsewhere", Means::UdpSend(address("other udp"))),
        ("udp connect and ask elsewhere", Means::UdpConnectAndAsk(address("other udp"))),
        ("udp receive", Means::UdpReceive(address("udp visitor"))),
        ("udp receive and answer", Means::UdpReceiveAndAnswer(address("udp visitor"))),
        ("udp receive at all addresses", Means::UdpReceive(format!("0.0.0.0:{}", port("udp visitor")))),
        ("udp bind elsewhere", Means::UdpBind(address("tcp visitor"))),
    ]
}

fn requests(around: &Surroundings) -> Vec<(&'static str, Means)> {
    let (port, other) = (around.address("http").port(), around.address("other http").port());
    let requests = [
        ("http", format!("127.0.0.1:{port}"), None),
        ("http elsewhere", format!("127.0.0.1:{other}"), None),
        ("http by name", format!("localhost:{port}"), None),
        ("http by name in capitals", format!("LOCALHOST:{port}"), None),
        ("http with a user", format!("user@127.0.0.1:{port}"), None),
        ("http with the address as user", format!("127.0.0.1@localhost:{port}"), None),
        ("http with address and port as user", format!("127.0.0.1:{port}@localhost:{port}"), None),
        ("http with another's name in `host`", format!("127.0.0.1:{port}"), Some(format!("localhost:{port}"))),
        ("http by name with the address in `host`", format!("localhost:{port}"), Some(format!("127.0.0.1:{port}"))),
    ];
    let requests = requests.map(|(what, authority, host)| {
        let headers = host.map(|host| ("host".to_owned(), host)).into_iter().collect();
        (what, Means::Http(HttpRequest { authority, path: "/page".to_owned(), headers }))
    });
    requests.into()
}

#[tokio::test]
async fn without_grants_everything_fails_and_nothing_is_left_behind() {
    let around = Surroundings::new();
    let lines: Vec<String> = outcomes(Grants::none(), &everything(&around))
        .await
        .into_iter()
        .map(|(what, outcome)| {
            let error = outcome.expect_err(what);
            format!("{what}: {}\n", around.normal(&error))
        })
        .collect();
    expect_file!["golden/grants_none.txt"].assert_eq(&lines.concat());
    assert_eq!(around.traces(), [""; 0]);
}

/// What one grant opens: of the attempts those that succeed, with what they give, and the traces that are left.
async fn opens(grant: impl FnOnce(&Surroundings) -> Grants, expected: &[(&str, &str)], traces: &[&str]) {
    let around = Surroundings::new();
    let outcomes = outcomes(grant(&around), &everything(&around)).await;
    let succeeded = outcomes.into_iter().filter_map(|(what, outcome)| Some((what, around.normal(&outcome.ok()?))));
    let expected: BTreeMap<&str, String> = expected.iter().map(|&(what, gives)| (what, gives.to_owned())).collect();
    assert_eq!(succeeded.collect::<BTreeMap<_, _>>(), expected);
    let mut left = around.traces();
    left.sort();
    assert_eq!(left, traces);
}

const READING: [(&str, &str); 5] = [
    ("read", "inside"),
    ("read below", "deep inside"),
    ("read through a link", "inside"),
    ("list", "file"),
    ("size", "6"),
];

#[tokio::test]
async fn a_directory_to_read_opens_reading() {
    opens(|around| Grants::none().read(around.path("granted"), "/data"), &READING, &[]).await;
}

#[tokio::test]
async fn a_directory_to_write_opens_reading_and_writing() {
    let writing = [
        ("write a new file", "written"),
        ("overwrite", "written"),
        ("append", "appended"),
        ("truncate", "truncated"),
        ("set the time", "set"),
        ("create a directory", "created"),
        ("remove", "removed"),
        ("remove a directory", "removed"),
        ("rename", "renamed"),
        ("link", "linked"),
        ("link symbolically", "linked"),
    ];
    let traces = [
        "changed granted/appended: appended, appended to by the probe",
        "changed granted/file: inside (of 1970)",
        "changed granted/overwritten: written by the probe",
        "changed granted/truncated: ",
        "gone granted/empty",
        "gone granted/old",
        "gone granted/removed",
        "new granted/created: a directory",
        "new granted/linked-symbolically: a link to file",
        "new granted/linked: inside (of 1970)",
        // What is in the directory is the Planet's to choose; it cannot follow the link itself.
        "new granted/made: a link to ../outside/secret",
        "new granted/new: written by the probe",
        "new granted/renamed: old",
    ];
    let grant = |around: &Surroundings| Grants::none().write(around.path("granted"), "/data");
    opens(grant, &[&READING[..], &writing].concat(), &traces).await;
}

#[tokio::test]
async fn a_variable_opens_itself() {
    let expected = [("variable", "a value"), ("variables", "PROBE")];
    opens(|_| Grants::none().env("PROBE", "a value"), &expected, &[]).await;
}

#[tokio::test]
async fn arguments_open_themselves() {
    opens(|_| Grants::none().args(["probe", "--all"]), &[("arguments", "--all probe")], &[]).await;
}

#[tokio::test]
async fn name_lookup_opens_itself() {
    opens(|_| Grants::none().name_lookup(), &[("look up a name", "found")], &[]).await;
}

#[tokio::test]
async fn a_key_opens_itself() {
    opens(|_| Grants::none().config("colour", "blue"), &[("key", "blue"), ("keys", "colour")], &[]).await;
}

#[tokio::test]
async fn an_address_to_connect_to_opens_connecting() {
    let grant = |around: &Surroundings| Grants::none().tcp_connect(around.address("tcp"));
    opens(grant, &[("tcp connect", "the server")], &["tcp: the probe"]).await;
}

#[tokio::test]
async fn an_address_to_listen_at_opens_listening() {
    let grant = |around: &Surroundings| Grants::none().tcp_listen(around.address("tcp visitor"));
    opens(grant, &[("tcp listen", "a visitor")], &["tcp visitor: the probe"]).await;
}

#[tokio::test]
async fn an_address_for_udp_opens_sending_there_and_receiving_from_there() {
    let expected = [("udp send", "sent"), ("udp ask", "the server"), ("udp connect and ask", "the server")];
    let grant = |around: &Surroundings| Grants::none().udp(around.address("udp"));
    opens(grant, &expected, &["udp: the probe"; 3]).await;
}

#[tokio::test]
async fn an_address_to_receive_at_opens_receiving() {
    let grant = |around: &Surroundings| Grants::none().udp_listen(around.address("udp visitor"));
    opens(grant, &[("udp receive", "a visitor")], &[]).await;
}

#[tokio::test]
async fn an_http_host_opens_requests_to_that_name() {
    let address = |around: &Surroundings| Grants::none().http(around.address("http").to_string());
    opens(address, &[("http", "200 the server")], &["http: GET /page HTTP/1.1 for 127.0.0.1:HTTP"]).await;
    let expected = [("http by name", "200 the server"), ("http by name in capitals", "200 the server")];
    let traces = ["http: GET /page HTTP/1.1 for LOCALHOST:HTTP", "http: GET /page HTTP/1.1 for localhost:HTTP"];
    opens(|_| Grants::none().http("localhost"), &expected, &traces).await;
}

#[tokio::test]
async fn every_http_host_is_every_name_and_nothing_but_names() {
    let expected = ["http", "http elsewhere", "http by name", "http by name in capitals"];
    let traces = [
        "http: GET /page HTTP/1.1 for 127.0.0.1:HTTP",
        "http: GET /page HTTP/1.1 for LOCALHOST:HTTP",
        "http: GET /page HTTP/1.1 for localhost:HTTP",
        "other http: GET /page HTTP/1.1 for 127.0.0.1:OTHER-HTTP",
    ];
    opens(|_| Grants::none().http("*"), &expected.map(|what| (what, "200 the server")), &traces).await;
}

/// Of everything, those attempts that begin with one of these.
async fn succeed(around: &Surroundings, grants: Grants, prefix: &str) -> Vec<&'static str> {
    let mut attempts = everything(around);
    attempts.retain(|(what, _)| what.starts_with(prefix));
    outcomes(grants, &attempts).await.into_iter().filter(|(_, outcome)| outcome.is_ok()).map(|(what, _)| what).collect()
}

#[tokio::test]
async fn what_needs_two_grants_opens_with_both() {
    let around = Surroundings::new();
    let connect = Grants::none().tcp_connect(around.address("tcp"));
    assert_eq!(succeed(&around, connect.clone(), "tcp connect by name").await, [""; 0]);
    assert_eq!(succeed(&around, connect.name_lookup(), "tcp connect by name").await, ["tcp connect by name"]);
    let answer =
        Grants::none().udp_listen(around.address("udp visitor")).udp(Addresses::of_ip(std::net::Ipv4Addr::LOCALHOST));
    assert_eq!(succeed(&around, answer, "udp receive and").await, ["udp receive and answer"]);
    let traces = around.traces();
    assert_eq!(traces, ["tcp: the probe", "udp visitor: the probe"]);
}

#[tokio::test]
async fn addresses_can_be_granted_in_numbers() {
    let around = Surroundings::new();
    let local = Addresses::of_ip(std::net::Ipv4Addr::LOCALHOST);
    let connect = ["tcp connect", "tcp connect elsewhere"];
    assert_eq!(succeed(&around, Grants::none().tcp_connect(local), "tcp").await, connect);
    let port = Addresses::of_port(around.address("tcp").port());
    assert_eq!(succeed(&around, Grants::none().tcp_connect(port), "tcp").await, ["tcp connect"]);
    assert_eq!(succeed(&around, Grants::none().tcp_connect(Addresses::all()), "tcp").await, connect);
    let elsewhere: SocketAddr = ([127, 0, 0, 2], around.address("tcp").port()).into();
    assert_eq!(succeed(&around, Grants::none().tcp_connect(elsewhere), "tcp").await, [""; 0]);
}

#[tokio::test]
async fn two_directories_keep_their_own_rights() {
    let around = Surroundings::new();
    let grants =
        Grants::none().read(around.path("granted"), "/data").write(around.path("granted/below"), "/data/below");
    let attempts = [
        ("read", Means::ReadFile("/data/file".to_owned())),
        ("read below", Means::ReadFile("/data/below/file".to_owned())),
        ("write below", Means::WriteFile("/data/below/new".to_owned())),
        ("write", Means::WriteFile("/data/new".to_owned())),
        ("write by ..", Means::WriteFile("/data/below/../new".to_owned())),
        ("rename up", Means::Rename(FromTo { from: "/data/below/file".to_owned(), to: "/data/up".to_owned() })),
        ("rename down", Means::Rename(FromTo { from: "/data/file".to_owned(), to: "/data/below/down".to_owned() })),
        ("link up", Means::HardLink(FromTo { from: "/data/below/file".to_owned(), to: "/data/up".to_owned() })),
        ("link down", Means::HardLink(FromTo { from: "/data/file".to_owned(), to: "/data/below/down".to_owned() })),
    ];
    let outcomes = outcomes(grants, &attempts).await;
    let succeeded: Vec<_> = outcomes.into_iter().filter(|(_, outcome)| outcome.is_ok()).map(|(what, _)| what).collect();
    assert_eq!(succeeded, ["read", "read below", "write below"]);
    assert_eq!(around.traces(), ["new granted/below/new: written by the probe"]);
}

#[tokio::test]
async fn a_directory_can_be_where_the_planet_works() {
    let around = Surroundings::new();
    let attempts = [
        ("read", Means::ReadFile("file".to_owned())),
        ("out", Means::ReadFile("../outside/secret".to_owned())),
        ("in the root", Means::ReadFile("/file".to_owned())),
    ];
    for (guest, expected) in [(".", ["read", "in the root"].as_slice()), ("/", &["read", "in the root"])] {
        let outcomes = outcomes(Grants::none().read(around.path("granted"), guest), &attempts).await;
        let succeeded: Vec<_> =
            outcomes.into_iter().filter(|(_, outcome)| outcome.is_ok()).map(|(what, _)| what).collect();
        assert_eq!(succeeded, expected, "at `{guest}`");
    }
}

/// Loads the probe with grants that cannot be had, and compares the reason why it does not run.
async fn cannot_be_had(grants: Grants, state: State, expected: ExpectFile) {
    let primary = granted("probe", grants).await;
    let node = support::node(&primary, "probe");
    assert_eq!(node.state, state);
    expected.assert_eq(&node.details.unwrap());
    assert!(primary.get::<Tries>().is_err(), "it does not run");
}

#[tokio::test]
async fn a_directory_that_does_not_exist_cannot_be_granted() {
    let nowhere = Grants::none().read("no/such/directory", "/data");
    cannot_be_had(nowhere, State::Failed, expect_file!["golden/grants_no_directory.txt"]).await;
    let file = Grants::none().write("Cargo.toml", "/data");
    cannot_be_had(file, State::Failed, expect_file!["golden/grants_directory_is_a_file.txt"]).await;
}

#[tokio::test]
async fn grants_that_make_no_sense_run_nothing() {
    for (grants, expected) in [
        (Grants::none().http("https://example.com/"), expect_file!["golden/grants_malformed_host.txt"]),
        (Grants::none().env("A=B", "c"), expect_file!["golden/grants_malformed_variable.txt"]),
        (Grants::none().read("src", "/data").write("tests", "/data"), expect_file!["golden/grants_one_path_twice.txt"]),
    ] {
        cannot_be_had(grants, State::Refused, expected).await;
    }
}

#[tokio::test]
async fn each_refusal_is_traced_once_and_names_the_permission() {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_ansi(false).without_time();
    tracing::subscriber::set_global_default(subscriber.with_writer(kept.clone()).finish()).unwrap();
    let around = Surroundings::new();
    let files = [reading(&around), writing(&around)].concat();
    let network = [sockets(&around), requests(&around)].concat();
    let talks = Grants::none().tcp_connect(around.address("tcp")).udp(around.address("udp")).http("localhost");
    for (name, grants, attempts) in [
        ("empty-handed", Grants::none(), everything(&around)),
        ("reader", Grants::none().read(around.path("granted"), "/data"), files.clone()),
        ("writer", Grants::none().write(around.path("granted"), "/data"), files),
        ("talker", talks, network),
    ] {
        let primary = granted(name, grants).await;
        tried(&primary, &attempts).await;
        tried(&primary, &attempts).await;
    }
    // The other tests of this program run at the same time, with other names.
    let text = kept.text();
    let names = ["empty-handed", "reader", "writer", "talker"].map(|name| format!("planet=\"{name}\""));
    let lines = text.lines().filter(|line| names.iter().any(|name| line.contains(name)));
    // An older wasi-libc asks for its directories when it closes a socket.
    let lines = lines.filter(|line| !line.ends_with("planet=\"talker\" permission=\"read\""));
    let lines: Vec<String> = lines.map(|line| around.normal(line.trim_start()) + "\n").collect();
    expect_file!["golden/grants_traced.txt"].assert_eq(&lines.concat());
}

#[tokio::test]
async fn the_crash_after_a_refusal_says_that_it_had_been_refused() {
    let around = Surroundings::new();
    for (grants, golden) in [
        (Grants::none(), expect_file!["golden/grants_crash_without.txt"]),
        (Grants::none().read(around.path("granted"), "/data"), expect_file!["golden/grants_crash_outside.txt"]),
    ] {
        let primary = granted("probe", grants).await;
        let probe = primary.get::<Tries>().unwrap();
        // What is refused in one call is no part of the next one's error, unless the Planet's runtime remembers it.
        probe.try_all(&[Means::ReadFile("/data/../outside/new".to_owned())]).await.unwrap();
        let error = probe.insist("/data/../outside/secret").await.unwrap_err();
        assert!(error.is_crash());
        let message = error.to_string();
        assert!(message.contains("it had been refused"), "{message}");
        // Frames and output are for other tests.
        let lines = message.lines().enumerate().filter(|(i, line)| *i == 0 || line.contains("it had been refused"));
        let lines: Vec<&str> = lines.map(|(_, line)| line).collect();
        golden.assert_eq(&around.normal(&lines.join("\n")));
    }
}
