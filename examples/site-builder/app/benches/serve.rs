//! How many pages a second the server makes, for 1, 4 and 16 sites. `cargo xtask bench serve` runs it.
//!
//! Server and readers share the machine, so only the ratios say something.
#![expect(clippy::print_stdout, reason = "a table is what it is for")]

#[path = "../tests/common/mod.rs"]
mod common;

use common::planets;
use common::server::{Client, Server};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How many readers there are, however many sites; each asks again as soon as it is answered.
const READERS: usize = 8;
/// How long is measured, and before that read without measuring.
const TIME: Duration = Duration::from_secs(5);
const BEFORE: Duration = Duration::from_secs(1);
/// How often each case is measured; the best counts, since others use the machine as well.
const TIMES: usize = 3;

fn sites(number: usize) -> Vec<String> {
    (1..=number).map(|site| format!("site-{site}")).collect()
}

fn page(site: &str) -> String {
    format!("/s/{site}/pages/guide/second-part.html")
}

#[derive(Clone, Copy)]
struct Row {
    a_second: f64,
    median: Duration,
    /// Of a hundred, the slowest takes so long.
    slow: Duration,
}

/// Reads these addresses for a while, by all readers in turn.
async fn read(server: &Server, addresses: &[String]) -> Row {
    let (measures, ends) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (0..READERS)
        .map(|reader| {
            let (client, addresses) = (server.client(), addresses.to_vec());
            let (measures, ends) = (Arc::clone(&measures), Arc::clone(&ends));
            tokio::spawn(async move {
                let mut times = Vec::new();
                for address in addresses.iter().cycle().skip(reader) {
                    if ends.load(Ordering::Relaxed) {
                        break;
                    }
                    let (counts, begun) = (measures.load(Ordering::Relaxed), Instant::now());
                    client.page(address).await;
                    if counts {
                        times.push(begun.elapsed());
                    }
                }
                times
            })
        })
        .collect();
    tokio::time::sleep(BEFORE).await;
    measures.store(true, Ordering::Relaxed);
    tokio::time::sleep(TIME).await;
    ends.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for reader in readers {
        times.extend(reader.await.expect("readers do not fail"));
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    Row { a_second: times.len() as f64 / TIME.as_secs_f64(), median: at(0.5), slow: at(0.99) }
}

/// The best of several measurements.
async fn best(server: &Server, addresses: &[String]) -> Row {
    let mut best = read(server, addresses).await;
    for _ in 1..TIMES {
        let other = read(server, addresses).await;
        if other.a_second > best.a_second {
            best = other;
        }
    }
    best
}

fn print(what: &str, row: &Row, first: &Row) {
    let ratio = row.a_second / first.a_second;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{what:34} {:>9.0} {ratio:>7.2} {:>9.2} {:>9.2}",
        row.a_second,
        milliseconds(row.median),
        milliseconds(row.slow)
    );
}

/// A command that never comes back begins in a site of its own.
async fn loop_in(client: &Client, site: &str) {
    let hostile = std::fs::read(planets("site-builder-hostile").join("hostile.wasm")).expect("it was built");
    let page = client.uploaded(site, "hostile.wasm", &hostile).await;
    client.done(&format!("{page}/admit"), "export=site:build/command@0.1.0").await;
    client.done(&format!("/s/{site}/commands/hostile/loop"), "").await;
}

#[tokio::main]
async fn main() {
    println!("{READERS} readers, {TIME:?}, the best of {TIMES}\n");
    println!("{:34} {:>9} {:>7} {:>9} {:>9}", "", "pages/s", "ratio", "median ms", "99 % ms");
    let mut first = None;
    for number in [1, 4, 16] {
        let sites = sites(number);
        let server = Server::start(&sites.iter().map(String::as_str).collect::<Vec<_>>());
        let addresses: Vec<_> = sites.iter().map(|site| page(site)).collect();
        let row = best(&server, &addresses).await;
        let first = first.get_or_insert(row);
        print(&format!("{number} {}", if number == 1 { "site" } else { "sites" }), &row, first);
        if number == 4 {
            loop_in(&server.client(), &sites[0]).await;
            let row = best(&server, &addresses[1..]).await;
            print("3 sites, and a 4th that loops", &row, first);
        }
        if number == 1 {
            let row = best(&server, &["/own/serve.css".to_owned()]).await;
            print("no Planet (plugin): a stylesheet", &row, first);
        }
    }
}
