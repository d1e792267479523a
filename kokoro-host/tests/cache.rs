//! Compiled code on disk: it is used by other processes, never trusted without proof, and never the reason why a load fails.

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use kokoro_host::{CacheStatistics, Engine, EngineBuilder, Primary, Val};
use support::wat;
use tempfile::TempDir;

/// A component whose `answer` is this number.
fn component(answer: u32) -> Vec<u8> {
    wat(&format!(
        r#"(component
            (core module $m (memory 1) (func (export "answer") (result i32) i32.const {answer}))
            (core instance $i (instantiate $m))
            (func (export "answer") (result u32) (canon lift (core func $i "answer"))))"#
    ))
}

/// Loads these components in an engine of its own, has them answer, and says what the cache has done.
async fn load_in(builder: EngineBuilder, answers: &[u32]) -> CacheStatistics {
    let engine = builder.build().unwrap();
    load_on(&engine, answers).await;
    engine.cache_statistics().expect("it has been asked for")
}

async fn load_on(engine: &Engine, answers: &[u32]) {
    let primary = Primary::builder().engine(engine).build().unwrap();
    for answer in answers {
        let name = format!("planet-{answer}");
        let report = primary.load_bytes(&name, component(*answer)).await.unwrap();
        assert_eq!(report.running().count(), 1, "{report}");
        let answered = primary.function(&name, "answer").unwrap().call(&[]).await.unwrap();
        assert_eq!(answered, [Val::U32(*answer)]);
    }
    primary.shutdown().await;
}

async fn load(folder: &Path, answers: &[u32]) -> CacheStatistics {
    load_in(Engine::builder().cache(folder), answers).await
}

/// What the cache is said to have done: loaded, compiled, rejected, written. And there was no problem.
fn done(statistics: &CacheStatistics) -> [u64; 4] {
    assert_eq!(statistics.problem, None);
    [statistics.loaded, statistics.compiled, statistics.rejected, statistics.written]
}

/// A folder that is not there yet, in one that is removed in the end.
fn place() -> (TempDir, PathBuf) {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("cache");
    (around, folder)
}

/// The files with code.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|end| end == "code")).collect();
    files.sort();
    files
}

/// A folder with the code of one component, and its file.
async fn one(answer: u32) -> (TempDir, PathBuf, PathBuf) {
    let (around, folder) = place();
    assert_eq!(done(&load(&folder, &[answer]).await), [0, 1, 0, 1]);
    let entry = entries(&folder).pop().unwrap();
    (around, folder, entry)
}

#[tokio::test]
async fn an_engine_has_no_cache_unless_asked() {
    assert_eq!(Engine::new().unwrap().cache_statistics(), None);
    assert_eq!(Engine::builder().build().unwrap().cache_statistics(), None);
}

#[tokio::test]
async fn what_was_compiled_is_loaded_the_next_time() {
    let (_around, folder) = place();
    assert_eq!(done(&load(&folder, &[1, 2]).await), [0, 2, 0, 2]);
    assert_eq!(done(&load(&folder, &[1, 2, 3]).await), [2, 1, 0, 1]);
    assert_eq!(done(&load(&folder, &[3, 2, 1]).await), [3, 0, 0, 0]);
}

#[tokio::test]
async fn what_cannot_be_compiled_is_not_kept() {
    let (_around, folder) = place();
    let engine = Engine::builder().cache(&folder).build().unwrap();
    let primary = Primary::builder().engine(&engine).build().unwrap();
    let invalid = wat(r#"(component (core module (func (result i32) unreachable)))"#);
    // The last instruction of the function becomes one that leaves nothing.
    let at = invalid.iter().rposition(|byte| *byte == 0x00).unwrap();
    let broken = [&invalid[..at], &[0x01], &invalid[at + 1..]].concat();
    let report = primary.load_bytes("broken", broken).await.unwrap();
    assert_eq!(report.running().count(), 0, "{report}");
    assert_eq!(done(&engine.cache_statistics().unwrap()), [0, 0, 0, 0]);
    assert!(entries(&folder).is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_or_write_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_around, folder, entry) = one(1).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("key")), 0o600);
    assert_eq!(mode(&entry), 0o600);
}

/// Says that the file is not used, and that what takes its place is.
async fn is_replaced(folder: &Path, what: &str) {
    assert_eq!(done(&load(folder, &[1]).await), [0, 1, 1, 1], "{what}");
    assert_eq!(done(&load(folder, &[1]).await), [1, 0, 0, 0], "after {what}");
}

#[tokio::test]
async fn a_damaged_file_is_compiled_anew_wherever_it_is_damaged() {
    let (_around, folder, entry) = one(1).await;
    let good = fs::read(&entry).unwrap();
    let header = 48;
    let all_over = (header..good.len()).step_by(good.len() / 40).chain([good.len() - 1]);
    for place in (0..header).chain(all_over) {
        let mut bad = fs::read(&entry).unwrap();
        bad[place] ^= 1;
        fs::write(&entry, bad).unwrap();
        is_replaced(&folder, &format!("a changed byte at {place} of {}", good.len())).await;
    }
}

#[tokio::test]
async fn a_file_of_another_length_is_compiled_anew() {
    let (_around, folder, entry) = one(1).await;
    let good = fs::read(&entry).unwrap();
    for length in [0, 1, 15, 16, 17, 47, 48, 49, good.len() / 2, good.len() - 1] {
        fs::write(&entry, &good[..length]).unwrap();
        is_replaced(&folder, &format!("an end at {length}")).await;
    }
    fs::write(&entry, [&good[..], &[0]].concat()).unwrap();
    is_replaced(&folder, "a byte too many").await;
}

#[tokio::test]
async fn code_of_another_component_is_not_run_under_this_name() {
    let (_around, folder, entry) = one(1).await;
    load(&folder, &[2]).await;
    let other = entries(&folder).into_iter().find(|file| *file != entry).unwrap();
    fs::copy(other, &entry).unwrap();
    is_replaced(&folder, "the code of another component").await;
}

#[tokio::test]
async fn code_that_was_sealed_with_another_key_is_not_run() {
    let (_around, folder, entry) = one(1).await;
    let (_other_around, other_folder, other) = one(1).await;
    assert_eq!(entry.file_name(), other.file_name());
    fs::copy(&other, &entry).unwrap();
    is_replaced(&folder, "code of another folder").await;
    // And with their key, the old ones of this folder are the foreign ones.
    fs::copy(other_folder.join("key"), folder.join("key")).unwrap();
    is_replaced(&folder, "another key").await;
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_replaced() {
    let (_around, folder, _) = one(1).await;
    let key = folder.join("key");
    for bad in [vec![], vec![7; 31], vec![7; 33], vec![7; 1 << 20]] {
        fs::write(&key, &bad).unwrap();
        is_replaced(&folder, &format!("a key of {} bytes", bad.len())).await;
        assert_eq!(fs::read(&key).unwrap().len(), 32);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_that_others_can_read_is_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_around, folder, _) = one(1).await;
    let key = folder.join("key");
    for mode in [0o644, 0o640, 0o620] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        is_replaced(&folder, "a key that others knew").await;
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// Says that the cache is not used, and why, and that everything runs all the same.
async fn is_not_used(folder: &Path, because: &str) {
    let mut statistics = load(folder, &[1, 2]).await;
    let problem = statistics.problem.take().expect("a problem");
    assert!(problem.contains(because), "{problem}");
    assert_eq!(statistics, CacheStatistics::default());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told_of_and_no_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    is_not_used(&file.path().join("cache"), "it cannot be made").await;
    is_not_used(file.path(), "it cannot be made").await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_is_not_its_users_alone_is_not_used() {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    for mode in [0o777, 0o770, 0o702, 0o1777] {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        is_not_used(folder.path(), "others may write into it").await;
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is put into it");
    }
    let folder = tempfile::tempdir().unwrap();
    match chown(folder.path(), Some(1), None) {
        Ok(()) => is_not_used(folder.path(), "it belongs to another user").await,
        // Only the superuser can give a folder away; to everybody else this one belongs to another.
        Err(_) => is_not_used(Path::new("/"), "it belongs to another user").await,
    }
}

#[tokio::test]
async fn a_key_that_is_no_file_is_told_of_and_no_error() {
    let (_around, folder) = place();
    fs::create_dir_all(folder.join("key")).unwrap();
    is_not_used(&folder, "its key can be neither read nor made").await;
}

#[tokio::test]
async fn a_folder_that_vanishes_is_told_of_and_no_error() {
    let (_around, folder) = place();
    let engine = Engine::builder().cache(&folder).build().unwrap();
    load_on(&engine, &[1]).await;
    fs::remove_dir_all(&folder).unwrap();
    load_on(&engine, &[1, 2, 3]).await;
    let statistics = engine.cache_statistics().unwrap();
    assert!(statistics.problem.as_ref().unwrap().contains("cannot be cached"), "{statistics:?}");
    assert_eq!((statistics.compiled, statistics.written), (4, 1));
    // With a file in its place it is no better.
    fs::write(&folder, "").unwrap();
    load_on(&engine, &[4]).await;
    let statistics = engine.cache_statistics().unwrap();
    assert_eq!((statistics.compiled, statistics.rejected, statistics.written), (5, 0, 1));
}

#[tokio::test]
async fn what_is_no_file_in_the_place_of_one_is_not_read() {
    let (_around, folder, entry) = one(1).await;
    // It would never end.
    #[cfg(unix)]
    {
        fs::remove_file(&entry).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &entry).unwrap();
        is_replaced(&folder, "a device").await;
        fs::remove_file(&entry).unwrap();
        assert!(Command::new("mkfifo").arg(&entry).status().unwrap().success());
        is_replaced(&folder, "a pipe").await;
    }
    fs::remove_file(&entry).unwrap();
    fs::create_dir(&entry).unwrap();
    let statistics = load(&folder, &[1]).await;
    assert_eq!((statistics.compiled, statistics.rejected, statistics.written), (1, 1, 0));
    assert!(statistics.problem.unwrap().contains("cannot be cached"));
}

#[cfg(unix)]
#[tokio::test]
async fn it_may_be_read_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_around, folder, _) = one(1).await;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    let statistics = load(&folder, &[1, 2]).await;
    assert_eq!((statistics.loaded, statistics.compiled, statistics.rejected), (1, 1, 0));
    // The superuser writes all the same.
    assert_eq!(statistics.written, u64::from(statistics.problem.is_none()));
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
}

/// Has the file last been used so many hours ago.
fn used(file: &Path, hours_ago: u64) {
    let file = File::options().write(true).open(file).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(hours_ago * 60 * 60)).unwrap();
}

#[tokio::test]
async fn what_was_not_used_for_the_longest_time_makes_room() {
    let (_around, folder) = place();
    let mut files = Vec::new();
    for answer in [1, 2, 3] {
        load(&folder, &[answer]).await;
        files.push(entries(&folder).into_iter().find(|file| !files.contains(file)).unwrap());
    }
    let size = files.iter().map(|file| fs::metadata(file).unwrap().len()).max().unwrap();
    let theirs = folder.join("notes.txt");
    fs::write(&theirs, vec![0; 1 << 20]).unwrap();
    used(&theirs, 1000);
    for (file, hours) in files.iter().zip([3, 4, 2]) {
        used(file, hours);
    }
    // The first is used again; for the fourth there is room if one goes.
    let builder = || Engine::builder().cache(&folder).cache_size(3 * size + size / 2);
    assert_eq!(load_in(builder(), &[1]).await.loaded, 1);
    let statistics = load_in(builder(), &[4]).await;
    assert_eq!((statistics.written, statistics.removed), (1, 1));
    assert_eq!(files.iter().map(|file| file.exists()).collect::<Vec<_>>(), [true, false, true]);
    assert!(theirs.exists(), "what the cache has not written is not its to remove");
    let statistics = load_in(builder(), &[1, 3, 4]).await;
    assert_eq!((statistics.loaded, statistics.compiled), (3, 0));
}

#[tokio::test]
async fn it_stays_within_its_size_while_more_is_written() {
    let (_around, folder, entry) = one(0).await;
    let size = fs::metadata(&entry).unwrap().len();
    let limit = 4 * size;
    let engine = Engine::builder().cache(&folder).cache_size(limit).build().unwrap();
    for answer in 1..20 {
        load_on(&engine, &[answer]).await;
        let used: u64 = entries(&folder).iter().map(|file| fs::metadata(file).unwrap().len()).sum();
        assert!(used <= limit, "{used} bytes of {limit}");
    }
    assert!(engine.cache_statistics().unwrap().removed >= 15);
}

#[tokio::test]
async fn code_that_is_larger_than_the_cache_is_not_kept() {
    let (_around, folder) = place();
    let statistics = load_in(Engine::builder().cache(&folder).cache_size(1000), &[1]).await;
    assert!(statistics.problem.unwrap().contains("more than the whole cache may have"));
    assert!(entries(&folder).is_empty());
    let (_around, folder, _) = one(1).await;
    assert_eq!(load_in(Engine::builder().cache(&folder).cache_size(1000), &[1]).await.rejected, 1);
}

#[tokio::test]
async fn what_somebody_began_to_write_and_never_finished_goes_after_a_day() {
    let (_around, folder, _) = one(1).await;
    let (old, new) = (folder.join(".unfinished-old"), folder.join(".unfinished-new"));
    for (file, hours) in [(&old, 25), (&new, 23)] {
        fs::write(file, "half of").unwrap();
        used(file, hours);
    }
    load(&folder, &[2]).await;
    assert_eq!((old.exists(), new.exists()), (false, true));
}

const ROLE: &str = "KOKORO_TEST_CACHE";

/// This test program as another process, which uses the cache in `folder`.
fn process(role: &str, folder: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "another_process", "--nocapture"]).env(ROLE, role).env("XDG_CACHE_HOME", folder);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn finished(process: Child) -> [u64; 4] {
    let output = process.wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let numbers = stderr.lines().find_map(|line| line.strip_prefix("cache: ")).unwrap_or_else(|| panic!("{stderr}"));
    let numbers: Vec<u64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// What such a process does. Without a role, which only [`process`] gives, there is nothing to do.
#[tokio::test]
async fn another_process() {
    let (Ok(role), Some(folder)) = (std::env::var(ROLE), std::env::var_os("XDG_CACHE_HOME")) else { return };
    let builder = match &*role {
        "user" => Engine::builder().cache_in_user_dir("some-application"),
        _ => Engine::builder().cache(folder),
    };
    let statistics = load_in(builder, &[1, 2, 3]).await;
    let numbers = done(&statistics).map(|number| number.to_string()).join(" ");
    use std::io::Write as _;
    writeln!(std::io::stderr(), "cache: {numbers}").unwrap();
}

#[tokio::test]
async fn processes_share_it() {
    let (_around, folder) = place();
    assert_eq!(finished(process("one", &folder)), [0, 3, 0, 3]);
    assert_eq!(finished(process("one", &folder)), [3, 0, 0, 0]);
    assert_eq!(done(&load(&folder, &[1, 2, 3]).await), [3, 0, 0, 0]);
}

#[tokio::test]
async fn processes_that_begin_at_once_agree_on_the_key_and_never_see_half_a_file() {
    for _ in 0..12 {
        let (_around, folder) = place();
        let processes: Vec<Child> = (0..3).map(|_| process("one", &folder)).collect();
        for process in processes {
            let [loaded, compiled, rejected, written] = finished(process);
            assert_eq!((loaded + compiled, rejected), (3, 0));
            assert_eq!(compiled, written);
        }
        assert_eq!(done(&load(&folder, &[1, 2, 3]).await), [3, 0, 0, 0]);
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files.len(), 4, "{files:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_users_caches_have_a_folder_for_each_application() {
    let around = tempfile::tempdir().unwrap();
    assert_eq!(finished(process("user", around.path())), [0, 3, 0, 3]);
    assert_eq!(entries(&around.path().join("some-application/compiled")).len(), 3);
}
