//! A Satellite (a native child process of a Planet) that does what tests want.

use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use work::{Ending, Size, Surroundings};

kokoro_satellite::satellite! {
    state: Worker,
    exports: ["test:guests/work@0.1.0"],
    wit: "../../guests/wit",
}

#[derive(Default)]
struct Worker {
    cancelled: u32,
}

impl work::Guest for Worker {
    fn add(&mut self, a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    fn echo(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        Ok(bytes)
    }

    fn halve(&mut self, size: Option<Size>) -> Result<Size, String> {
        let size = size.ok_or("there is no size")?;
        Ok(Size { width: size.width / 2, height: size.height / 2 })
    }

    fn look(&mut self) -> Result<Surroundings, String> {
        let files = std::fs::read_dir("/proc/self/fd").map_err(|error| error.to_string())?;
        // The folder itself is open, too, and gone when it has been read.
        let files: Vec<u32> = files.filter_map(|file| file.ok()?.file_name().to_str()?.parse().ok()).collect();
        let files = files.into_iter().filter(|file| std::fs::read_link(format!("/proc/self/fd/{file}")).is_ok());
        Ok(Surroundings {
            pid: std::process::id(),
            arguments: std::env::args().collect(),
            variables: std::env::vars().collect(),
            directory: std::env::current_dir().map_err(|error| error.to_string())?.display().to_string(),
            files: files.collect(),
        })
    }

    fn sleep(&mut self, millis: u32) -> Result<bool, String> {
        let end = Instant::now() + Duration::from_millis(millis.into());
        log::info!("it sleeps");
        while Instant::now() < end {
            if kokoro_satellite::is_cancelled() {
                self.cancelled += 1;
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(false)
    }

    fn cancelled(&mut self) -> Result<u32, String> {
        Ok(self.cancelled)
    }

    fn panic(&mut self, text: String) -> Result<(), String> {
        panic!("{text}");
    }

    fn end(&mut self, ending: Ending) -> Result<(), String> {
        match ending {
            Ending::Exits => {
                complain("it exits now");
                std::process::exit(7)
            }
            Ending::Aborts => std::process::abort(),
        }
    }

    fn say(&mut self, text: String) -> Result<(), String> {
        use std::io::Write as _;
        writeln!(std::io::stdout(), "printed {text}").map_err(|error| error.to_string())?;
        complain(&format!("complained {text}"));
        log::warn!("logged {text}");
        tracing::info!(text, "traced");
        Ok(())
    }

    fn leave(&mut self) -> Result<u32, String> {
        let mut sleeps = Command::new("/bin/sleep");
        sleeps.arg("3600").stdin(Stdio::null());
        Ok(sleeps.spawn().map_err(|error| error.to_string())?.id())
    }

    fn compute(&mut self) -> Result<(), String> {
        let mut number = 0_u64;
        loop {
            number = std::hint::black_box(number.wrapping_add(1));
        }
    }

    fn fill(&mut self, length: u32) -> Result<Vec<u8>, String> {
        Ok(vec![7; length as usize])
    }

    fn meet(&mut self, folder: String, count: u32) -> Result<(), String> {
        let here = Path::new(&folder).join(std::process::id().to_string());
        std::fs::write(here, "").map_err(|error| error.to_string())?;
        loop {
            let entries = std::fs::read_dir(&folder).map_err(|error| error.to_string())?;
            if entries.count() >= count as usize {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn allocate(&mut self, bytes: u64) -> Result<bool, String> {
        let bytes = usize::try_from(bytes).map_err(|error| error.to_string())?;
        Ok(Vec::<u8>::new().try_reserve_exact(bytes).is_ok())
    }

    fn open(&mut self, files: u32) -> Result<bool, String> {
        let open: Result<Vec<File>, _> = (0..files).map(|_| File::open("/dev/null")).collect();
        Ok(open.is_ok())
    }
}

fn complain(text: &str) {
    use std::io::Write as _;
    // There is nobody to tell if that fails.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn main() -> ExitCode {
    kokoro_satellite::run::<Worker>()
}
