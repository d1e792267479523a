//! A Satellite's process that has said what it serves: how it comes to that, and how it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use kokoro_satellite::protocol::{Level, Log, VERSION, Welcome};
use tokio::sync::watch;
use tokio::time::timeout;

use super::connection::{Broken, Connection, Inlet, said};
use super::failure::{Failure, Kind};
use super::functions::Functions;
use super::process::{Ending, How, Order, Process};
use super::rate::{Passage, Rate, in_their_place};
use super::seat::{Leases, Shared};
use super::span;
use super::spawn::Unstarted;

/// A process, and what is known of it.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) process: Process,
    pub(super) connection: Connection,
    pub(super) functions: Functions,
    /// When it had said what it serves.
    pub(super) began: Instant,
    /// The least important level of which it was asked for lines.
    level: Level,
    /// Whether it has been asked to end.
    asked: AtomicBool,
    because: OnceLock<Because>,
}

/// Why a process was ended that did not end by itself.
#[derive(Debug)]
pub(super) enum Because {
    /// It has said what it must not.
    Violation(String),
    /// It has closed its channel and lived on.
    Closed,
    /// Its Planet has ended, and it did not end in time.
    Asked,
    /// Nobody waited for a call any more, and it did not give it up.
    Stuck,
    /// The runtime was shut down.
    Abandoned,
}

/// Who has closed its channel is about to end, and gets this long for it.
const CLOSED_GRACE: Duration = Duration::from_millis(500);

/// Who is killed ends at once, unless the system waits for a device in its name: then nobody waits with it for longer than this.
const KILLED_GRACE: Duration = Duration::from_secs(5);

/// A start that failed, and whether there has been a process.
pub(super) struct Unready {
    pub(super) failure: Failure,
    pub(super) ran: bool,
}

impl Running {
    /// Starts a process, and waits until it has said what it serves.
    pub(super) async fn start(
        shared: &Arc<Shared>,
        leases: &mut watch::Receiver<Leases>,
    ) -> Result<Arc<Self>, Unready> {
        let (terms, whose) = (&shared.terms, &shared.whose);
        let deadline = tokio::time::Instant::now() + terms.limits.start;
        let unstarted = |unstarted: Unstarted| {
            let failure = Failure::new(unstarted.kind, format!("{whose} cannot be started: {}", unstarted.why));
            Unready { failure, ran: false }
        };
        let (connection, files) = Connection::new().map_err(|error| unstarted(Unstarted::io(&error)))?;
        let token = token().map_err(unstarted)?;
        let order = Order {
            whose: whose.clone(),
            file: terms.file.clone(),
            grant: terms.grant.clone(),
            token: token.clone(),
            files,
        };
        let late = || format!("{whose} did not say what it serves within {}, and was ended", span(terms.limits.start));
        let process = match tokio::time::timeout_at(deadline, Process::start(order)).await {
            Ok(started) => started.map_err(unstarted)?,
            Err(_) => {
                let sentence = format!("{whose} could not be started within {}", span(terms.limits.start));
                return Err(Unready { failure: Failure::new(Kind::Overdue, sentence), ran: false });
            }
        };
        let (mut inlet, level) = (Inlet::new(), wanted_level());
        let greeting = async {
            let greet = greet(shared, &connection, &mut inlet, &token, level);
            tokio::pin!(greet);
            tokio::select! {
                biased;
                greeted = &mut greet => greeted,
                _ = process.ended() => {
                    // Somebody else may have its end of the channel open: a process that it has left behind. What has arrived counts.
                    connection.hang_up();
                    greet.await
                }
            }
        };
        let greeted = tokio::select! {
            greeted = greeting => Ok(greeted),
            () = tokio::time::sleep_until(deadline) => Err(Failure::new(Kind::Overdue, late())),
            () = Leases::gone(leases) => Err(Failure::new(Kind::Absent, format!("{whose} was stopped with its planet"))),
        };
        let failure = match greeted {
            Ok(Ok(functions)) => {
                process.settled();
                let running = Arc::new(Self {
                    process,
                    connection,
                    functions,
                    began: Instant::now(),
                    level,
                    asked: AtomicBool::new(false),
                    because: OnceLock::new(),
                });
                tokio::spawn(Arc::clone(&running).listen(Arc::clone(shared), inlet));
                tokio::spawn(Arc::clone(&running).keep(terms.limits.grace, leases.clone()));
                return Ok(running);
            }
            Ok(Err(Ungreeted::Closed { amid })) => {
                // How it ends, if it does, is what there is to tell.
                let how = timeout(CLOSED_GRACE, process.ended()).await.ok().map(|ending| ending.how);
                let what = match how {
                    Some(how) => format!("{how}{}", in_a_message(amid)),
                    None => "closed its channel, lived on and was ended".to_owned(),
                };
                let failure = Failure::new(Kind::Crashed, format!("{whose} {what} before it had said what it serves"));
                match how {
                    Some(How::Status(0)) if !amid => failure.detail(
                        "help: it has to be a program that speaks Kokoro's protocol: `kokoro-satellite` makes it one",
                    ),
                    _ => failure,
                }
            }
            Ok(Err(Ungreeted::Failure(failure))) | Err(failure) => failure,
        };
        process.kill();
        let failure = match timeout(KILLED_GRACE, process.ended()).await {
            Ok(ending) => Failure { stderr: ending.stderr.clone(), ..failure },
            Err(_) => failure.detail("the system has not ended it yet: it waits for something in the kernel"),
        };
        Err(Unready { failure, ran: true })
    }

    /// Whether a call can be made.
    pub(super) fn is_usable(&self) -> bool {
        !self.asked.load(Ordering::Relaxed)
            && self.because.get().is_none()
            && self.connection.is_free()
            && !self.process.has_ended()
    }

    /// Whether it was its Planet that ended.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Ends it at once. The first reason counts.
    pub(super) fn end(&self, because: Because) {
        if !self.process.has_ended() {
            let _ = self.because.set(because);
        }
        self.process.kill();
    }

    /// The same, but not to one whose Planet has ended: somebody watches over that.
    pub(super) fn end_unless_asked(&self, because: Because) {
        if !self.was_asked() {
            self.end(because);
        }
    }

    /// Waits until there is nothing of it any more, now that there is nothing more to be had from it.
    pub(super) async fn wind_up(&self, broken: &Broken) -> Arc<Ending> {
        match broken {
            Broken::Violation(what) => self.end(Because::Violation(what.clone())),
            Broken::Version(_) => self.end(Because::Violation("it greets a second time".to_owned())),
            Broken::Closed { .. } if self.process.has_ended() => {}
            Broken::Closed { .. } => {
                if timeout(CLOSED_GRACE, self.process.ended()).await.is_err() {
                    self.end_unless_asked(Because::Closed);
                }
            }
        }
        self.process.ended().await
    }

    /// Takes in what it says, and ends it when nothing more can come.
    async fn listen(self: Arc<Self>, shared: Arc<Shared>, inlet: Inlet) {
        let end = EndOnDrop(&self);
        let mut rate = Rate::default();
        let log = |line: Log| {
            if line.level >= self.level
                && let Passage::Through { left_out } = rate.take(Instant::now(), line.message.len())
            {
                tell_of(&shared, left_out);
                log(&shared, &line);
            }
        };
        let broken = self.connection.listen(inlet, log).await;
        tell_of(&shared, rate.end());
        self.wind_up(&broken).await;
        drop(end);
    }

    /// Has it end when its Planet does: asked first, then ended.
    async fn keep(self: Arc<Self>, grace: Duration, mut leases: watch::Receiver<Leases>) {
        tokio::select! {
            _ = self.process.ended() => return self.connection.hang_up(),
            () = Leases::gone(&mut leases) => {}
        }
        self.asked.store(true, Ordering::Relaxed);
        self.connection.cancel();
        self.connection.finish();
        if timeout(grace, self.process.ended()).await.is_err() {
            self.end(Because::Asked);
        }
        self.process.ended().await;
        self.connection.hang_up();
    }

    /// What became of it, as a failure; `function` was under way.
    pub(super) fn failure(&self, shared: &Shared, ending: &Ending, function: Option<&str>) -> Failure {
        let (whose, grant) = (&shared.whose, &shared.terms.grant);
        let during = function.map(|function| format!(" while it executed `{function}`")).unwrap_or_default();
        let (kind, sentence) = match (self.because.get(), ending.how, grant.limits.cpu_time) {
            _ if self.was_asked() => (Kind::Absent, format!("{whose} was stopped with its planet{during}")),
            (Some(Because::Violation(what)), ..) => {
                (Kind::Crashed, format!("{whose} broke the protocol{during}, and was ended: {what}"))
            }
            (Some(Because::Closed), ..) => {
                (Kind::Crashed, format!("{whose} closed its channel{during}, and lived on; it was ended"))
            }
            (Some(Because::Stuck), ..) => {
                let grace = span(shared.terms.limits.grace);
                let during = function.map(|function| format!(" `{function}`")).unwrap_or_default();
                let sentence = format!(
                    "{whose} did not give up{during} when nobody waited for it any more, and was ended after {grace}"
                );
                (Kind::Overdue, sentence)
            }
            (Some(Because::Abandoned | Because::Asked), ..) => {
                (Kind::Absent, format!("{whose} was ended{during} with the application's runtime"))
            }
            (None, How::Signal(libc::SIGXCPU), Some(time)) => {
                let used =
                    format!("has used up the processor time that it is granted, {}, and was ended{during}", span(time));
                (Kind::Limited, format!("{whose} {used}"))
            }
            (None, how, _) => {
                let amid = self.connection.broken() == Some(Broken::Closed { amid: true });
                (Kind::Crashed, format!("{whose} {how}{}{during}", in_a_message(amid)))
            }
        };
        Failure { stderr: ending.stderr.clone(), ..Failure::new(kind, sentence) }
    }
}

fn in_a_message(amid: bool) -> &'static str {
    if amid { " in the middle of a message" } else { "" }
}

/// Why a process has not said what it serves.
enum Ungreeted {
    Closed { amid: bool },
    Failure(Failure),
}

async fn greet(
    shared: &Shared,
    connection: &Connection,
    inlet: &mut Inlet,
    token: &str,
    level: Level,
) -> Result<Functions, Ungreeted> {
    let whose = &shared.whose;
    let broken = |broken: Broken| match broken {
        Broken::Closed { amid } => Ungreeted::Closed { amid },
        Broken::Violation(what) => {
            let sentence =
                format!("{whose} broke the protocol before it had said what it serves, and was ended: {what}");
            Ungreeted::Failure(Failure::new(Kind::Crashed, sentence))
        }
        Broken::Version(version) => {
            let (older, newer) = match version < VERSION {
                true => ("the satellite", "application"),
                false => ("the application", "satellite"),
            };
            let sentence = format!(
                "{whose} speaks version {version} of the protocol, and the application version {VERSION}: {older} is older"
            );
            let help = format!("help: build {older} anew, with the version of Kokoro that the {newer} has");
            Ungreeted::Failure(Failure::new(Kind::Absent, sentence).detail(help))
        }
    };
    let hello = connection.hello(inlet, token).await.map_err(broken)?;
    let functions = shared.wanted.find(&hello.interfaces).map_err(|misfit| {
        let failure = Failure::new(Kind::Absent, format!("{whose} does not serve what the planet imports"));
        let failure = misfit.into_iter().fold(failure, Failure::detail);
        Ungreeted::Failure(failure.detail("help: build the planet and the satellite anew, from the same WIT"))
    })?;
    let welcome = Welcome { planet: whose.planet.to_string(), most: shared.terms.limits.value as u64, level };
    connection.welcome(welcome).await.map_err(broken)?;
    Ok(functions)
}

/// What only this child knows: 32 hexadecimal digits.
fn token() -> Result<String, Unstarted> {
    let mut bytes = [0; 16];
    let no_random = |error| Unstarted::new(Kind::Absent, format!("the system gives no random numbers: {error}"));
    getrandom::fill(&mut bytes).map_err(no_random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Ends a process whose runtime goes, and with it all tasks.
struct EndOnDrop<'a>(&'a Running);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end(Because::Abandoned);
    }
}

/// The least important level that anybody listens to.
fn wanted_level() -> Level {
    use tracing::level_filters::LevelFilter;
    match LevelFilter::current() {
        LevelFilter::TRACE => Level::Trace,
        LevelFilter::DEBUG => Level::Debug,
        LevelFilter::INFO => Level::Info,
        LevelFilter::WARN => Level::Warn,
        _ => Level::Error,
    }
}

/// What a Satellite logs becomes the application's.
fn log(shared: &Shared, line: &Log) {
    let (planet, satellite) = (&*shared.whose.planet, &*shared.whose.program);
    let (module, text) = (cut(&line.target, 256), cut(&line.message, 8 << 10));
    macro_rules! at {
        ($level:ident) => {
            tracing::event!(target: "kokoro::satellite", tracing::Level::$level, planet, satellite, module, "{text}")
        };
    }
    match line.level {
        Level::Trace => at!(TRACE),
        Level::Debug => at!(DEBUG),
        Level::Info => at!(INFO),
        Level::Warn => at!(WARN),
        Level::Error => at!(ERROR),
    }
}

fn tell_of(shared: &Shared, left_out: u64) {
    if left_out > 0 {
        let (planet, satellite) = (&*shared.whose.planet, &*shared.whose.program);
        tracing::warn!(target: "kokoro::satellite", planet, satellite, "{}", in_their_place(left_out));
    }
}

fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// What a Satellite says of a call that failed, as part of a sentence.
pub(super) fn reason(message: &str) -> String {
    let lines: Vec<&str> = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.is_empty() {
        true => "it does not say why".to_owned(),
        false => said(&lines.join(" ")),
    }
}
