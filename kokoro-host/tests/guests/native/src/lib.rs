//! A Planet (plugin) that has a Satellite do everything.

use desk::{Ending, Size, Surroundings};

kokoro_guest::planet! {
    state: Native,
    exports: ["test:guests/desk@0.1.0"],
    satellites: ["test:guests/work@0.1.0" in "worker"],
    wit: "../wit",
}

#[derive(Default)]
struct Native {
    calls: u32,
}

impl desk::Guest for Native {
    fn add(&mut self, a: u32, b: u32) -> u32 {
        self.calls += 1;
        work::add(a, b)
    }

    fn echo(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        self.calls += 1;
        work::echo(&bytes)
    }

    fn halve(&mut self, size: Option<Size>) -> Result<Size, String> {
        work::halve(size)
    }

    fn look(&mut self) -> Result<Surroundings, String> {
        work::look()
    }

    fn sleep(&mut self, millis: u32) -> Result<bool, String> {
        work::sleep(millis)
    }

    fn cancelled(&mut self) -> Result<u32, String> {
        work::cancelled()
    }

    fn panic(&mut self, text: String) -> Result<(), String> {
        work::panic(&text)
    }

    fn end(&mut self, ending: Ending) -> Result<(), String> {
        work::end(ending)
    }

    fn say(&mut self, text: String) -> Result<(), String> {
        work::say(&text)
    }

    fn leave(&mut self) -> Result<u32, String> {
        work::leave()
    }

    fn compute(&mut self) -> Result<(), String> {
        work::compute()
    }

    fn fill(&mut self, length: u32) -> Result<Vec<u8>, String> {
        work::fill(length)
    }

    fn meet(&mut self, folder: String, count: u32) -> Result<(), String> {
        work::meet(&folder, count)
    }

    fn allocate(&mut self, bytes: u64) -> Result<bool, String> {
        work::allocate(bytes)
    }

    fn open(&mut self, files: u32) -> Result<bool, String> {
        work::open(files)
    }

    fn calls(&mut self) -> u32 {
        self.calls
    }

    fn crash(&mut self) {
        panic!("as it was asked to");
    }
}
