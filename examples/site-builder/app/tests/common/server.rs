//! A server with a few sites, and a client that asks it.

use super::{FILES, planets, program};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::StreamExt as _;
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::time::timeout;

/// So long nothing takes: what takes longer will never end.
const TOO_LONG: Duration = Duration::from_secs(600);

/// The program, serving. It is killed with this value.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
    folder: TempDir,
}

impl Server {
    /// Serves sites of these names, with the same texts.
    pub(crate) fn start(sites: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for site in sites {
            for (file, text) in FILES {
                add(&folder.path().join("sites").join(site).join(file), text.as_bytes());
            }
        }
        Self::serve(folder)
    }

    fn serve(folder: TempDir) -> Self {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--planets"]).arg(planets("site-builder"));
        command.arg("--sites").arg(folder.path().join("sites")).arg("--state").arg(folder.path().join("state"));
        // What one server has compiled, the next need not.
        command.arg("--cache").arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve-cache"));
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.split_once(" at ").unwrap_or_else(|| panic!("it says `{line}`")).1.trim_end().trim_end_matches('/');
        Self { address: address.to_owned(), process, folder }
    }

    /// Ends it as a person does at the terminal.
    pub(crate) fn interrupt(&mut self) -> ExitStatus {
        let sent = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let status = self.process.wait().unwrap();
        let mut rest = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
        status
    }

    /// Ends it, and starts another with the same sites and what is remembered of them.
    pub(crate) fn again(mut self) -> Self {
        assert!(self.interrupt().success());
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        Self::serve(folder)
    }

    pub(crate) fn add_text(&self, site: &str, file: &str, text: &str) {
        add(&self.folder.path().join("sites").join(site).join(file), text.as_bytes());
    }

    /// What is remembered of a site.
    pub(crate) fn state(&self, site: &str) -> PathBuf {
        self.folder.path().join("state").join("sites").join(site)
    }

    pub(crate) fn client(&self) -> Client {
        Client { http: Http::builder(TokioExecutor::new()).build_http(), address: self.address.clone() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn add(path: &Path, text: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[derive(Clone)]
pub(crate) struct Client {
    http: Http<HttpConnector, Body>,
    address: String,
}

/// What the server answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    /// Where it leads, from the server's root.
    pub(crate) to: String,
    pub(crate) policy: String,
}

impl Client {
    /// What the server answers; an error if it does not.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Result<Answer, String> {
        let response = self.http.request(request).await.map_err(|error| format!("{error:?}"))?;
        let header = |name: &str| {
            let value = response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            value.unwrap_or_default()
        };
        let (status, to, policy) = (response.status(), header("location"), header("content-security-policy"));
        let body = axum::body::to_bytes(Body::new(response.into_body()), usize::MAX).await;
        let text = String::from_utf8(body.map_err(|error| error.to_string())?.into()).unwrap();
        Ok(Answer { status, text, to, policy })
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(format!("{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(self.request("GET", path).body(Body::empty()).unwrap()).await.unwrap()
    }

    /// Begins to watch something, and is told what it is; what comes of it is known when the server ends it.
    pub(crate) async fn watch(&self, path: &str) -> tokio::task::JoinHandle<String> {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        let response = self.http.request(request).await.unwrap();
        let mut told = Body::new(response.into_body()).into_data_stream();
        let mut text = told.next().await.unwrap().unwrap().to_vec();
        tokio::spawn(async move {
            while let Some(more) = told.next().await {
                text.extend(more.unwrap());
            }
            String::from_utf8(text).unwrap()
        })
    }

    /// What a page says, and that there is one.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.text
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> Answer {
        let request = self.request("POST", path).header("content-type", "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(form.to_owned())).unwrap()).await.unwrap()
    }

    /// Posts a form, and says where that leads.
    pub(crate) async fn done(&self, path: &str, form: &str) -> String {
        let answer = self.post(path, form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.text);
        answer.to
    }

    pub(crate) async fn upload(&self, site: &str, name: &str, component: &[u8]) -> Answer {
        let head = format!(
            "--end\r\nContent-Disposition: form-data; name=\"component\"; filename=\"{name}\"\r\n\
             Content-Type: application/wasm\r\n\r\n"
        );
        let body = [head.as_bytes(), component, b"\r\n--end--\r\n"].concat();
        let request = self.request("POST", &format!("/s/{site}/upload"));
        let request = request.header("content-type", "multipart/form-data; boundary=end");
        self.ask(request.body(Body::from(body)).unwrap()).await.unwrap()
    }

    /// Uploads a component, and says where its page is.
    pub(crate) async fn uploaded(&self, site: &str, name: &str, component: &[u8]) -> String {
        let answer = self.upload(site, name, component).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.to
    }

    /// What the graph has of a plugin; null if it is not there.
    pub(crate) async fn node(&self, site: &str, planet: &str) -> Value {
        let mut graph: Value = serde_json::from_str(&self.page(&format!("/s/{site}/graph.json")).await).unwrap();
        let planets = graph["planets"].as_array_mut().unwrap();
        let node = planets.iter_mut().find(|node| node["name"] == planet);
        node.map(Value::take).unwrap_or_default()
    }

    /// The state and the reason of a plugin.
    pub(crate) async fn state(&self, site: &str, planet: &str) -> (String, String) {
        let node = self.node(site, planet).await;
        let text = |field: &str| node[field].as_str().unwrap_or_default().to_owned();
        (text("state"), text("reason"))
    }

    /// The page of a job once it has `text`.
    pub(crate) async fn job_with(&self, job: &str, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let page = self.page(job).await;
            if page.contains(text) {
                return page;
            }
            assert!(begun.elapsed() < TOO_LONG && !page.contains("badge failed"), "`{text}` does not come:\n{page}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The page of a job that has ended; what it says stands in its live part as well.
    pub(crate) async fn ended(&self, job: &str) -> String {
        let live = format!("{job}/live");
        let live = timeout(TOO_LONG, self.page(&live)).await.expect("the job ends");
        assert!(live.contains("event: last"), "{live}");
        self.page(job).await
    }

    /// Runs a command to its end, and returns the job's page.
    pub(crate) async fn run(&self, site: &str, planet: &str, command: &str) -> String {
        let job = self.done(&format!("/s/{site}/commands/{planet}/{command}"), "").await;
        self.ended(&job).await
    }
}
