//! What a Satellite's process does, seen from its application.
#![cfg(unix)]

mod support;

use std::process::{Command, Stdio};

use kokoro_satellite::protocol::{Call, Carried, Level, MAGIC, MOST_FRAME, MOST_INLINE, ToSatellite, VERSION, Welcome};
use support::{MOST, PROGRAM, Process, TOKEN, start_with_files};

const SIGKILL: i32 = 9;

#[test]
fn it_says_who_it_is_and_what_it_serves() {
    let (process, hello) = Process::start();
    assert_eq!((&*hello.magic, hello.protocol, &*hello.token), (MAGIC, VERSION, TOKEN));
    let served: Vec<_> = hello
        .interfaces
        .iter()
        .flat_map(|interface| {
            interface
                .functions
                .iter()
                .map(|function| format!("{} {}: {}", interface.name, function.name, function.signature))
        })
        .collect();
    assert_eq!(served[0], "scratch:run/work@0.1.0 add: func(u32, u32) -> u32");
    for function in [
        "work@0.1.0 count: func() -> u32",
        "work@0.1.0 until-cancelled: func()",
        "shapes@0.1.0 points: func(list<record{x: s16, y: s16}>) -> list<record{x: s16, y: s16}>",
        "shapes@0.1.0 self: func(result) -> result<_, string>",
        "shapes@0.1.0 triple: func(list<u8, 3>) -> list<u8, 3>",
        "shapes@0.1.0 counts: func(map<string, u32>) -> map<string, u32>",
        "shapes@0.1.0 nested: func(option<result<tuple<enum{red, green, deep-blue}, string>, list<u8>>>) -> \
         option<result<tuple<enum{red, green, deep-blue}, string>, list<u8>>>",
        "shapes@0.1.0 shapes: func(list<variant{nothing, circle(u32), polygon(list<record{x: s16, y: s16}>), \
         match(enum{red, green, deep-blue})}>) -> list<variant{nothing, circle(u32), \
         polygon(list<record{x: s16, y: s16}>), match(enum{red, green, deep-blue})}>",
    ] {
        let function = format!("scratch:run/{function}");
        assert!(served.contains(&function), "{function} in {served:#?}");
    }
    let flags = served.iter().find(|function| function.contains(" flags: ")).unwrap();
    assert!(flags.contains("func(flags{read, write, type}, flags{a, b, c, "), "{flags}");
    drop(process);
}

#[test]
fn calls_are_answered_and_the_state_stays() {
    let mut process = Process::welcome(Level::Error);
    assert_eq!(process.call::<u32>("add", &(2_u32, 3_u32)), 5);
    assert_eq!([(); 3].map(|()| process.call::<u32>("count", &())), [1, 2, 3]);
    assert_eq!(process.end().code, Some(0));
}

#[test]
fn values_of_any_size_come_back_as_they_were() {
    let mut process = Process::welcome(Level::Error);
    for size in [0, 1, MOST_INLINE - 5, MOST_INLINE - 4, MOST_INLINE - 3, MOST_INLINE, 1 << 20, 12 << 20, 3, 2 << 20] {
        let bytes: Vec<u8> = (0..size).map(|place| (place / 7) as u8).collect();
        assert!(process.call::<Vec<u8>>("echo", &(bytes.clone(),)) == bytes, "{size} bytes");
    }
    assert_eq!(process.end().code, Some(0));
}

#[test]
fn values_of_all_kinds_come_back_as_they_were() {
    let mut process = Process::welcome(Level::Error);
    let numbers = (true, u8::MAX, i8::MIN, 1_u16, -2_i16, 3_u32, -4_i32, u64::MAX, i64::MIN, 0.5_f32, -1.5_f64, 'ß');
    let back: (bool, u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, char) = process.call("numbers", &numbers);
    assert_eq!(back, numbers);
    let line = vec![(1_i16, -1_i16), (2, -2)];
    assert_eq!(process.call::<Vec<(i16, i16)>>("points", &(line.clone(),)), line);
    // read and the 33rd of many, to which it adds type and the 33rd again.
    let rights = process.call::<(u8, [u8; 8])>("flags", &(0b001_u8, [1_u8, 0, 0, 0, 0, 0, 0, 0]));
    assert_eq!(rights, (0b101, [1, 0, 0, 0, 1, 0, 0, 0]));
    let nested = Some(Ok::<_, Vec<u8>>((2_u8, "deep blue".to_owned())));
    assert_eq!(process.call::<Option<Result<(u8, String), Vec<u8>>>>("nested", &(nested.clone(),)), nested);
    assert_eq!(process.call::<Result<(), String>>("self", &(Err::<(), ()>(()),)), Err("no".to_owned()));
    assert_eq!(process.call::<[u8; 3]>("triple", &([1_u8, 2, 3],)), [1, 2, 3]);
    let counts = vec![("a".to_owned(), 1_u32)];
    assert_eq!(process.call::<Vec<(String, u32)>>("counts", &(counts.clone(),)), counts);
    drop(process);
}

#[test]
fn a_panic_is_an_answer_and_the_next_call_finds_a_new_state() {
    let mut process = Process::welcome(Level::Error);
    assert_eq!([(); 2].map(|()| process.call::<u32>("count", &())), [1, 2]);
    let message = process.try_call::<()>("panic", &("oh no".to_owned(),)).unwrap_err();
    assert!(message.starts_with("panicked at ") && message.ends_with(": oh no"), "{message}");
    assert!(message.contains("src/main.rs:"), "{message}");
    assert_eq!(process.call::<u32>("count", &()), 1);
    let message = process.try_call::<()>("panic-elsewhere", &("on a thread".to_owned(),)).unwrap_err();
    assert!(message.contains("src/main.rs:") && message.ends_with(": on a thread"), "{message}");
    let message = process.try_call::<()>("panic", &("x".repeat(20_000),)).unwrap_err();
    assert!(message.len() <= 8 << 10 && message.ends_with("x [..]"), "{}", message.len());
    let ended = process.end();
    assert_eq!(ended.code, Some(0));
    // As without us: the default hook prints it.
    assert!(ended.stderr.contains("oh no"), "{}", ended.stderr);
    assert_eq!(ended.stdout.lines().next(), Some("dropped after 2"));
}

#[test]
fn a_cancelled_call_sees_it_and_the_next_one_does_not() {
    let mut process = Process::welcome(Level::Info);
    let call = process.begin("until-cancelled", &());
    assert_eq!(process.logs().message, "begun");
    process.cancel(call);
    assert_eq!(process.answer(call), Ok(Vec::new()));

    // Cancelled before it has begun.
    process.cancel(call + 1);
    let call = process.begin("until-cancelled", &());
    assert_eq!(process.answer(call), Ok(Vec::new()));

    // Cancelled when it is over already.
    let call = process.begin("add", &(1_u32, 2_u32));
    process.answer(call).unwrap();
    process.cancel(call);
    let call = process.begin("until-cancelled", &());
    process.cancel(call);
    assert_eq!(process.answer(call), Ok(Vec::new()));
    assert_eq!(process.end().code, Some(0));
}

#[test]
fn the_end_of_the_socket_between_calls_ends_it_in_order() {
    let mut process = Process::welcome(Level::Info);
    process.call::<u32>("count", &());
    let ended = process.end();
    assert_eq!((ended.code, ended.signal), (Some(0), None), "{ended:?}");
    assert_eq!(ended.stdout, "dropped after 1\n");
    assert_eq!(ended.logs.last().map(|log| &*log.message), Some("dropped"));

    // Before the first call, and before it was welcome.
    assert_eq!(Process::welcome(Level::Error).end().code, Some(0));
    assert_eq!(Process::start().0.end().code, Some(0));
}

#[test]
fn the_end_of_the_application_ends_it_and_its_group_in_the_middle_of_a_call() {
    let mut process = Process::welcome(Level::Info);
    process.call::<()>("leave-child", &());
    process.begin("forever", &());
    assert_eq!(process.logs().message, "begun");
    process.abandon();
    // The child has our standard output, too, so this waits for it to end.
    let ended = process.ended();
    assert_eq!(ended.signal, Some(SIGKILL), "{ended:?}");
}

#[test]
fn what_is_printed_does_no_harm() {
    let mut process = Process::welcome(Level::Error);
    process.call::<()>("print", &("\u{1}\0\0\0garbage".to_owned(),));
    assert_eq!(process.call::<u32>("add", &(2_u32, 3_u32)), 5);
    let ended = process.end();
    assert!(ended.stdout.starts_with("\u{1}\0\0\0garbage\n"), "{ended:?}");
    assert!(ended.stderr.starts_with("\u{1}\0\0\0garbage\n"), "{ended:?}");
}

#[test]
fn what_is_logged_is_told_down_to_the_level_that_is_wanted() {
    let mut process = Process::welcome(Level::Info);
    process.call::<()>("log", &("words".to_owned(),));
    let logs: Vec<_> = process.logs.drain(..).map(|log| (log.level, log.target, log.message)).collect();
    let target = "kokoro_satellite_scratch";
    assert_eq!(
        logs,
        [
            (Level::Error, "its::own".to_owned(), "words".to_owned()),
            (Level::Warn, target.to_owned(), "words number=7".to_owned()),
            (Level::Info, target.to_owned(), "words".to_owned()),
        ]
    );

    let mut process = Process::welcome(Level::Trace);
    process.call::<()>("log", &("ä".repeat(100_000),));
    assert_eq!(process.logs.len(), 5);
    for log in &process.logs {
        assert!(log.message.len() <= 8 << 10 && log.message.ends_with("ä [..]"), "{}", log.message.len());
    }
}

#[test]
fn lines_of_many_threads_come_whole() {
    let mut process = Process::welcome(Level::Info);
    process.call::<()>("log-from-threads", &(8_u32, 200_u32));
    let mut lines: Vec<_> = process.logs.iter().map(|log| log.message.clone()).collect();
    lines.sort();
    let mut expected: Vec<_> = (0..8).flat_map(|thread| (0..200).map(move |line| format!("{thread} {line}"))).collect();
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn a_result_that_is_too_large_is_answered_by_its_size() {
    let mut process = Process::welcome(Level::Error);
    let message = process.try_call::<Vec<u8>>("zeroes", &(20_u32 << 20,)).unwrap_err();
    assert_eq!(message, format!("{} bytes", (20 << 20) + 4));
    // What it has begun to write is given back at once.
    assert!(process.answers_have() <= 8 << 20, "{}", process.answers_have());
    assert_eq!(process.call::<Vec<u8>>("zeroes", &(1_u32 << 20,)), vec![0; 1 << 20]);
}

#[cfg(target_os = "linux")]
#[test]
fn want_of_addresses_is_an_error_for_the_call_where_it_cannot_be_helped() {
    let mut process = Process::welcome(Level::Error);
    assert_eq!(process.call::<Vec<u8>>("zeroes", &(100_000_u32,)), vec![0; 100_000]);
    process.bound_addresses(8 << 20);
    // The result has room, and its map has not.
    assert_eq!(process.call::<Vec<u8>>("zeroes", &(5_u32 << 20,)), vec![0; 5 << 20]);
    // The arguments have none at all.
    let message = process.try_call::<Vec<u8>>("echo", &(vec![7_u8; 12 << 20],)).unwrap_err();
    let expected = format!("there is no memory for its arguments of {} bytes: ", (12 << 20) + 4);
    assert!(message.starts_with(&expected), "{message}");
    assert_eq!(process.call::<Vec<u8>>("echo", &(vec![7_u8; 100_000],)), vec![7; 100_000]);
    assert_eq!(process.end().code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn children_get_neither_the_token_nor_the_open_files() {
    let mut process = Process::welcome(Level::Error);
    assert_eq!(process.call::<Option<String>>("variable", &("KOKORO_SATELLITE".to_owned(),)), None);
    let script = "echo ${KOKORO_SATELLITE-no token}; for i in 3 4 5 6; do [ -e /proc/self/fd/$i ] && echo $i; done";
    assert_eq!(process.call::<String>("shell", &(script.to_owned(),)), "no token\n");
}

#[test]
fn by_hand_it_says_in_one_sentence_what_it_is() {
    for argument in [&[][..], &["--help"]] {
        let output = Command::new(PROGRAM).args(argument).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "kokoro-satellite-scratch is a Satellite of a Planet (plugin): it serves `scratch:run/work@0.1.0` and \
             `scratch:run/shapes@0.1.0` to that one alone, is started by the application that loads it, and belongs into \
             PLANET.satellites/TARGET/ beside PLANET.wasm\n"
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_token_without_the_files_is_an_error_that_says_so() {
    for (files, what) in [
        ("3<&- 4<&- 5<&- 6<&-", "Bad file descriptor"),
        ("3</dev/null 4</dev/null 5</dev/null 6</dev/null", "it is a CharacterDevice, and should be a RegularFile"),
    ] {
        let output = start_with_files(files);
        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(what) && message.contains("`KOKORO_SATELLITE` is for them alone"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

/// Lets a process hear something, and gives what it says before it ends with 1.
fn complaint(is_welcome: bool, say: impl FnOnce(&mut Process)) -> String {
    let mut process = if is_welcome { Process::welcome(Level::Error) } else { Process::start().0 };
    say(&mut process);
    assert_eq!(process.next(), None);
    let ended = process.ended();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let (what, help) = ended.stderr.split_once("\n  help: ").expect("a sentence and help");
    assert_eq!(help, "rebuild this program and the application with the same version of Kokoro\n");
    what.strip_prefix("the application does not speak the protocol of satellites: ")
        .expect("who is to blame")
        .to_owned()
}

#[test]
fn what_the_application_may_not_say_ends_it_with_a_sentence() {
    let call = |number, function, arguments| ToSatellite::Call(Call { number, function, arguments });
    let two = || Carried::Inline(kokoro_value::to_bytes(&(1_u32, 2_u32)));
    let welcome = ToSatellite::Welcome(Welcome { planet: "planet".to_owned(), most: MOST, level: Level::Info });

    let said = complaint(true, |process| process.write(&u32::MAX.to_le_bytes()));
    assert_eq!(said, format!("a frame says that it has 4294967295 bytes; it may have 1 to {MOST_FRAME}"));
    let said = complaint(true, |process| process.write(&[1, 0, 0, 0, 9]));
    assert!(said.starts_with("a frame is no message: "), "{said}");
    assert_eq!(complaint(false, |process| process.say(&call(0, 0, two()))), "a call came before the welcome");
    assert_eq!(complaint(true, |process| process.say(&welcome)), "a second welcome");
    assert_eq!(complaint(true, |process| process.say(&call(0, 99, two()))), "there is no function 99");
    let said = complaint(true, |process| process.say(&call(0, 0, Carried::Inline(vec![1]))));
    assert!(said.starts_with("the arguments are not of the function's types: "), "{said}");
    let said = complaint(true, |process| process.say(&call(0, 0, Carried::Inline(vec![0; 9]))));
    assert!(said.contains("1 bytes are left over"), "{said}");
    let said = complaint(true, |process| process.say(&call(0, 1, Carried::Shared(MOST + 1))));
    assert_eq!(said, format!("arguments of {} bytes, of at most {MOST}", MOST + 1));
    let said = complaint(true, |process| process.say(&call(0, 1, Carried::Shared(1 << 20))));
    assert!(said.starts_with("arguments of 1048576 bytes cannot be read: "), "{said}");
    let said = complaint(true, |process| {
        assert_eq!(process.call::<u32>("add", &(2_u32, 3_u32)), 5);
        process.say(&call(0, 0, two()));
    });
    assert_eq!(said, "call 0 comes after call 0");
}

#[test]
fn half_a_frame_and_the_end_is_no_orderly_end() {
    let said = complaint(true, |process| {
        process.write(&[10, 0, 0, 0, 1]);
        process.close();
    });
    assert_eq!(said, "it ended within a frame");
}
