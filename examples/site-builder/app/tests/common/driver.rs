//! A browser.
#![expect(clippy::print_stderr, reason = "a skipped test has to say so")]

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A chromedriver that ends with this value.
pub(crate) struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Starts it on a port that is free; `None` where there is none and none is required.
    pub(crate) fn start() -> Option<Self> {
        let wish = std::env::var("KOKORO_BROWSER").unwrap_or_default();
        if wish == "skip" {
            eprintln!("skipped, as KOKORO_BROWSER says");
            return None;
        }
        let started = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) if wish == "require" => panic!("`chromedriver` cannot be started: {error}"),
            Err(error) => {
                eprintln!("skipped: `chromedriver` cannot be started: {error}");
                return None;
            }
        };
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok())
            .expect("chromedriver says which port it has");
        // Somebody has to go on listening, or chromedriver ends when it says something.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, port })
    }

    /// A new browser, as wide as a phone or as a desktop.
    pub(crate) async fn browser(&self, profile: &tempfile::TempDir, phone: bool) -> Client {
        let mut options = json!({ "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
            "--no-first-run", "--disable-component-update", "--disable-dev-shm-usage", "--window-size=1400,900",
            format!("--user-data-dir={}", profile.path().display()),
        ] });
        if phone {
            options["mobileEmulation"] = json!({ "deviceMetrics": { "width": 390, "height": 844, "pixelRatio": 2.0 } });
        }
        let Value::Object(capabilities) = json!({ "goog:chromeOptions": options }) else { unreachable!() };
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .expect("chromedriver starts a browser")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
