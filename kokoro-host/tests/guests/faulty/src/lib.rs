//! A Planet (plugin) that fails in every way there is.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what becomes of printed lines is tested")]

use std::time::Duration;

kokoro_guest::planet! {
    state: Faulty,
    exports: ["test:guests/faults@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Faulty {
    memory: Vec<Vec<u8>>,
}

impl faults::Guest for Faulty {
    fn well(&mut self) -> String {
        "well".to_owned()
    }

    fn panic(&mut self, message: String) {
        panic!("{message}");
    }

    fn panic_text(&mut self, message: String) -> Result<(), String> {
        panic!("{message}");
    }

    fn panic_failure(&mut self, message: String) -> Result<(), faults::Failure> {
        panic!("{message}");
    }

    fn spin(&mut self) {
        loop {
            std::hint::black_box(0);
        }
    }

    fn spin_text(&mut self) -> Result<(), String> {
        self.spin();
        Ok(())
    }

    fn sleep(&mut self, milliseconds: u32) {
        std::thread::sleep(Duration::from_millis(milliseconds.into()));
    }

    fn exit(&mut self) {
        std::process::exit(1);
    }

    fn allocate(&mut self, mebibytes: u32) -> u32 {
        for _ in 0..mebibytes {
            self.memory.push(vec![1; 1 << 20]);
        }
        self.memory.len() as u32
    }

    #[expect(unconditional_recursion, reason = "it uses up the stack")]
    fn recurse(&mut self, depth: u64) -> u64 {
        self.recurse(std::hint::black_box(depth + 1)) + 1
    }

    fn surroundings(&mut self) -> Vec<String> {
        let arguments = std::env::args().map(|argument| format!("argument {argument}"));
        let variables = std::env::vars().map(|(name, _)| format!("variable {name}"));
        let root = std::fs::read_dir("/").into_iter().flatten().map(|_| "directory".to_owned());
        arguments.chain(variables).chain(root).collect()
    }

    fn speak(&mut self) {
        kokoro_guest::log::warn!("through log");
        kokoro_guest::tracing::info!(answer = 42, "through tracing");
        println!("to standard output");
        eprintln!("to standard error");
    }
}
