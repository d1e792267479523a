use std::io::Seek as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use super::*;

/// A file as it is where none can be mapped.
fn unsealed() -> Memory {
    Memory::of(tempfile::tempfile().unwrap())
}

fn both() -> [Memory; 2] {
    [Memory::new().unwrap(), unsealed()]
}

fn read(memory: &Memory, length: usize) -> io::Result<Vec<u8>> {
    let mut read = vec![9; 100];
    memory.read(length, &mut read).map(|()| read)
}

#[test]
fn what_is_written_is_read_and_no_more_than_is_there() {
    for memory in both() {
        memory.write(b"hello").unwrap();
        assert_eq!(read(&memory, 5).unwrap(), b"hello");
        assert_eq!(read(&memory, 0).unwrap(), b"");
        let end = memory.file().metadata().unwrap().len() as usize;
        assert!(read(&memory, end + 1).is_err());
        assert!(read(&memory, usize::MAX).is_err());
    }
}

#[test]
fn a_value_may_come_piece_by_piece_and_be_mended() {
    let pieces: Vec<Vec<u8>> =
        [3, 0, 70_000, 1, 65_535, 100, 3 << 20, 5].iter().zip(1..).map(|(length, fill)| vec![fill; *length]).collect();
    for memory in both() {
        for _ in 0..2 {
            let mut expected = pieces.concat();
            let mut filling = memory.fill();
            for (index, piece) in pieces.iter().enumerate() {
                filling.put(piece).unwrap();
                if index == 3 {
                    filling.replace(1, &[7, 7, 7]).unwrap();
                }
            }
            assert_eq!(filling.length(), expected.len());
            assert_eq!(filling.finish().unwrap(), expected.len());
            expected[1..4].fill(7);
            assert!(read(&memory, expected.len()).unwrap() == expected);
        }
    }
}

#[test]
fn much_memory_is_given_back_and_can_be_had_again() {
    for memory in both() {
        for fill in 1..3 {
            memory.write(&vec![fill; 20 << 20]).unwrap();
            memory.give_back(20 << 20);
            let has = memory.file().metadata().unwrap().blocks() * 512;
            assert!(has <= KEPT as u64, "{has}");
        }
        assert!(read(&memory, KEPT).unwrap().iter().all(|byte| *byte == 2));
    }
}

#[test]
fn a_reader_who_is_trusted_looks_at_it_in_place() {
    for memory in both() {
        // SAFETY: nobody writes while the bytes are looked at.
        #[expect(unsafe_code, reason = "that is what is tested")]
        let mut reader = unsafe { Trusted::new(memory.file().try_clone().unwrap()) };
        for value in [&b"one"[..], b"", &[5; 100_000], &vec![6; 5 << 20]] {
            memory.write(value).unwrap();
            assert!(reader.bytes(value.len()).unwrap() == value);
        }
        assert!(reader.bytes(64 << 20).is_err());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_stranger_cannot_take_mapped_memory_away() {
    let memory = Memory::new().unwrap();
    memory.write(&[1; 1 << 20]).unwrap();
    let mut strangers = memory.file().try_clone().unwrap();
    assert!(strangers.set_len(0).is_err());
    assert!(rustix::fs::fcntl_add_seals(&strangers, rustix::fs::SealFlags::WRITE).is_err());
    // A hole is all that he can make.
    let hole = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
    rustix::fs::fallocate(&strangers, hole, 4096, 1 << 19).unwrap();
    let read = read(&memory, 1 << 20).unwrap();
    assert_eq!((read[4095], read[4096], read[4095 + (1 << 19)], read[4096 + (1 << 19)]), (1, 0, 0, 1));
    memory.write(&[2; 1 << 20]).unwrap();
    assert!(self::read(&memory, 1 << 20).unwrap().iter().all(|byte| *byte == 2));
    // Who makes it longer has it longer, for both.
    strangers.write_all_at(b"!", 3 << 20).unwrap();
    strangers.rewind().unwrap();
    assert_eq!(self::read(&memory, (3 << 20) + 1).unwrap().last(), Some(&b'!'));
}

#[cfg(target_os = "linux")]
#[test]
fn what_changes_while_it_is_copied_is_any_bytes_and_no_harm() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let memory = Memory::new().unwrap();
    memory.write(&[1; 300_000]).unwrap();
    let strangers = memory.file().try_clone().unwrap();
    let done = AtomicBool::new(false);
    let hole = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                strangers.write_all_at(&[2; 300_000], 0).unwrap();
                rustix::fs::fallocate(&strangers, hole, 8192, 100_000).unwrap();
                assert!(strangers.set_len(0).is_err());
            }
        });
        for _ in 0..300 {
            assert!(memory.reaches(300_000));
            let mut copied = vec![9; 299_000];
            memory.copy(1_000, &mut copied).unwrap();
            assert!(copied.iter().all(|byte| *byte <= 2));
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn only_what_is_mapped_is_copied_from_the_middle() {
    let [mapped, plain] = both();
    for memory in [&mapped, &plain] {
        memory.write(b"hello").unwrap();
    }
    let mut copied = [0; 3];
    if cfg!(target_os = "linux") {
        assert!(mapped.reaches(5));
        mapped.copy(2, &mut copied).unwrap();
        assert_eq!(copied, *b"llo");
        let end = mapped.file().metadata().unwrap().len() as usize;
        assert!(!mapped.reaches(end + 1) && !mapped.reaches(usize::MAX));
        assert!(mapped.copy(end - 2, &mut copied).is_err());
        assert!(mapped.copy(usize::MAX, &mut copied).is_err());
    }
    assert!(!plain.reaches(5));
    assert!(plain.copy(2, &mut copied).is_err());
}
