//! A Satellite that the tests of `kokoro-satellite` start and talk to.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use kokoro_satellite::{log, tracing};
use shapes::{Colour, Many, Point, Rights, Shape};

kokoro_satellite::satellite! {
    state: Scratch,
    exports: ["scratch:run/work@0.1.0", "scratch:run/shapes@0.1.0"],
}

fn main() -> ExitCode {
    kokoro_satellite::run::<Scratch>()
}

#[derive(Debug, Default)]
struct Scratch {
    count: u32,
}

impl Drop for Scratch {
    #[expect(clippy::print_stdout, reason = "it is looked for there")]
    fn drop(&mut self) {
        println!("dropped after {}", self.count);
        log::info!("dropped");
    }
}

impl work::Guest for Scratch {
    fn add(&mut self, a: u32, b: u32) -> u32 {
        a + b
    }

    fn echo(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    fn count(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    fn panic(&mut self, message: String) {
        panic!("{message}");
    }

    fn panic_elsewhere(&mut self, message: String) {
        let thread = thread::spawn(move || -> () { panic!("{message}") });
        if let Err(panicked) = thread.join() {
            std::panic::resume_unwind(panicked);
        }
    }

    fn until_cancelled(&mut self) {
        log::info!("begun");
        while !kokoro_satellite::is_cancelled() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn forever(&mut self) {
        log::info!("begun");
        loop {
            thread::park();
        }
    }

    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is tried whether that does harm")]
    fn print(&mut self, text: String) {
        println!("{text}");
        eprintln!("{text}");
    }

    fn log(&mut self, text: String) {
        let _span = tracing::info_span!("span").entered();
        log::error!(target: "its::own", "{text}");
        tracing::warn!(number = 7, "{text}");
        log::info!("{text}");
        tracing::debug!("{text}");
        log::trace!("{text}");
    }

    fn log_from_threads(&mut self, threads: u32, lines: u32) {
        thread::scope(|scope| {
            for thread in 0..threads {
                scope.spawn(move || (0..lines).for_each(|line| log::info!("{thread} {line}")));
            }
        });
    }

    fn zeroes(&mut self, count: u32) -> Vec<u8> {
        vec![0; count as usize]
    }

    fn variable(&mut self, name: String) -> Option<String> {
        std::env::var(name).ok()
    }

    fn shell(&mut self, script: String) -> String {
        let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[expect(clippy::zombie_processes, reason = "it is tried what becomes of it")]
    fn leave_child(&mut self) {
        Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().expect("a child");
    }
}

impl shapes::Guest for Scratch {
    fn numbers(
        &mut self,
        a: bool,
        b: u8,
        c: i8,
        d: u16,
        e: i16,
        f: u32,
        g: i32,
        h: u64,
        i: i64,
        j: f32,
        k: f64,
        l: char,
    ) -> (bool, u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, char) {
        (a, b, c, d, e, f, g, h, i, j, k, l)
    }

    fn points(&mut self, of: Vec<Point>) -> Vec<Point> {
        of
    }

    fn shapes(&mut self, of: Vec<Shape>) -> Vec<Shape> {
        of
    }

    fn flags(&mut self, rights: Rights, many: Many) -> (Rights, Many) {
        (rights | Rights::TYPE, many | Many::GG)
    }

    fn nested(&mut self, of: Option<Result<(Colour, String), Vec<u8>>>) -> Option<Result<(Colour, String), Vec<u8>>> {
        of
    }

    fn self_(&mut self, loop_: Result<(), ()>) -> Result<(), String> {
        loop_.map_err(|()| "no".to_owned())
    }

    fn triple(&mut self, of: [u8; 3]) -> [u8; 3] {
        of
    }

    fn counts(&mut self, of: BTreeMap<String, u32>) -> BTreeMap<String, u32> {
        of
    }
}

#[cfg(test)]
mod tests {
    use kokoro_satellite::testing::{self, InProcess};
    use shapes::Guest as _;
    use work::Guest as _;

    use super::*;

    #[test]
    fn in_process_it_answers_as_in_a_process_of_its_own() {
        let mut scratch = testing::start::<Scratch>();
        assert_eq!(scratch.add(2, 3), 5);
        assert_eq!(scratch.echo(vec![7; 100_000]), [7; 100_000]);
        assert_eq!(scratch.self_(Err(())), Err("no".to_owned()));
        let shapes = vec![
            Shape::Nothing,
            Shape::Circle(7),
            Shape::Polygon(vec![Point { x: 1, y: -1 }]),
            Shape::Match(Colour::DeepBlue),
        ];
        assert_eq!(scratch.shapes(shapes.clone()), shapes);
        assert_eq!(scratch.flags(Rights::READ, Many::A), (Rights::READ | Rights::TYPE, Many::A | Many::GG));
        assert_eq!(scratch.counts([("a".to_owned(), 1)].into()), [("a".to_owned(), 1)].into());
        assert_eq!(scratch.nested(Some(Err(vec![1, 2]))), Some(Err(vec![1, 2])));
    }

    #[test]
    fn in_process_a_panic_begins_anew_as_well() {
        let mut scratch = testing::start::<Scratch>();
        assert_eq!((scratch.count(), scratch.count()), (1, 2));
        assert_eq!(InProcess::state(&mut scratch).count, 2);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scratch.panic("oh".to_owned())));
        assert_eq!(panicked.unwrap_err().downcast_ref::<String>().unwrap(), "oh");
        assert_eq!(scratch.count(), 1);
    }

    #[test]
    fn in_process_a_test_cancels() {
        let mut scratch = testing::start::<Scratch>();
        testing::cancelled(|| scratch.until_cancelled());
        assert!(!kokoro_satellite::is_cancelled());
    }
}
