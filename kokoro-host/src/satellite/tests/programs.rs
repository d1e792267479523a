use sha2::{Digest as _, Sha256};

use super::*;
use crate::satellite::check_program;

fn check(program: &[u8], mode: u32, grant: impl FnOnce(SatelliteGrant) -> SatelliteGrant) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it");
    std::fs::write(&file, program).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    let path = file.display().to_string();
    check_program(&file, &grant(SatelliteGrant::program("it"))).map_err(|problem| problem.replace(&path, "IT"))
}

fn refused(program: &[u8], mode: u32, expected: expect_test::Expect) {
    expected.assert_eq(&check(program, mode, |grant| grant).unwrap_err().replace(SatelliteGrant::TARGET, "TARGET"));
}

#[test]
fn programs_that_cannot_run_are_told_apart() {
    let problem = check_program(Path::new("/nowhere/it"), &SatelliteGrant::program("it")).unwrap_err();
    expect_test::expect![[r#"
        its program is not there: `/nowhere/it`
          help: it belongs beside the component, in `PLANET.satellites/TARGET`"#]]
    .assert_eq(&problem.replace(SatelliteGrant::TARGET, "TARGET"));
    let grant = SatelliteGrant::program("it").file("/nowhere/it");
    let problem = check_program(Path::new("/nowhere/it"), &grant).unwrap_err();
    expect_test::expect![[r#"
        its program is not there: `/nowhere/it`
          help: the application says that it is there, by `SatelliteGrant::file`"#]]
    .assert_eq(&problem);
    let problem = check_program(Path::new("/tmp"), &SatelliteGrant::program("it")).unwrap_err();
    expect_test::expect!["its program `/tmp` is a folder"].assert_eq(&problem);
    refused(
        b"#!/bin/sh\n",
        0o644,
        expect_test::expect![[r#"
        its program `IT` is not executable
          help: `chmod +x` makes it so"#]],
    );
    refused(
        b"",
        0o755,
        expect_test::expect!["its program `IT` is neither a program nor a script that begins with `#!`"],
    );
    refused(
        b"echo hello\n",
        0o755,
        expect_test::expect!["its program `IT` is neither a program nor a script that begins with `#!`"],
    );
    refused(b"#!\n", 0o755, expect_test::expect!["its program `IT` begins with `#!` and names no interpreter"]);
    refused(
        b"\0asm\x0d\0\x01\0",
        0o755,
        expect_test::expect!["its program `IT` is neither a program nor a script that begins with `#!`"],
    );
    // `printf '#!/bin/sh\n' | sha256sum`
    let sha256 = check(b"#!/bin/sh\n", 0o755, |grant| grant).unwrap();
    assert_eq!(sha256, "a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf");
}

#[cfg(target_os = "linux")]
#[test]
fn programs_for_several_machines_are_told_by_all_of_them() {
    let mut universal = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2];
    for processor in [0x0100_0007_u32, 0x0100_000c] {
        universal.extend(processor.to_be_bytes());
        universal.extend([0; 16]);
    }
    let told = check(&universal, 0o755, |grant| grant).unwrap_err();
    let is = "is for another machine: it is Mach-O for processors of the type 0x1000007 and Mach-O for processors of the type 0x100000c";
    assert!(told.contains(is), "{told}");
    // A class of Java's.
    universal[7] = 65;
    let told = check(&universal, 0o755, |grant| grant).unwrap_err();
    assert_eq!(told, "its program `IT` is neither a program nor a script that begins with `#!`");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn programs_for_other_machines_are_told_apart() {
    let mut own = std::fs::read("/proc/self/exe").unwrap();
    own.truncate(1000);
    assert!(check(&own, 0o755, |grant| grant).is_ok());
    own[18] = 183;
    refused(
        &own,
        0o755,
        expect_test::expect![[r#"
        its program `IT` is for another machine: it is ELF, 64-bit, little-endian, for 64-bit ARM, and here runs ELF, 64-bit, little-endian, for x86-64
          help: build it for `TARGET`"#]],
    );
    own[4] = 1;
    own[18] = 40;
    refused(
        &own,
        0o755,
        expect_test::expect![[r#"
        its program `IT` is for another machine: it is ELF, 32-bit, little-endian, for 32-bit ARM, and here runs ELF, 64-bit, little-endian, for x86-64
          help: build it for `TARGET`"#]],
    );
}

#[test]
fn only_the_program_that_is_permitted_runs() {
    let program = b"#!/bin/sh\nexit 1\n";
    let sha256: String = Sha256::digest(program).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(check(program, 0o755, |grant| grant.sha256(SatelliteGrant::TARGET, &sha256)).as_ref(), Ok(&sha256));
    let problem =
        check(b"#!/bin/sh\nexit 2\n", 0o755, |grant| grant.sha256(SatelliteGrant::TARGET, &sha256)).unwrap_err();
    expect_test::expect!["the application permits another program: `IT` has the SHA-256 f004b40c754174ea11980965e2755c84a77693e27d7bcc874f95f94ecb764cbd, and 275239824e00e61b0a220e61a41791c7e9b4bd726f8b0c27077a338f8131c9dc is permitted"].assert_eq(&problem);
    let problem = check(program, 0o755, |grant| grant.sha256("m68k-unknown-linux-gnu", &sha256)).unwrap_err();
    expect_test::expect![[r#"
        the application permits it by its SHA-256, and names none for `TARGET`
          help: `SatelliteGrant::sha256` names it"#]]
    .assert_eq(&problem.replace(SatelliteGrant::TARGET, "TARGET"));
}

/// What a start fails with.
async fn unstarted(script: &str, grant: impl FnOnce(SatelliteGrant) -> SatelliteGrant) -> String {
    let case = Case::running(script, grant, limits(), restarts());
    let failure = case.add(1, 2).await.unwrap_err();
    assert_eq!(failure.kind(), "absent");
    let folder = case.folder.path().display().to_string();
    let told = failure.to_string().replace(&folder, "FOLDER");
    case.end().await;
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_system_does_not_start_is_told() {
    let script = "#!/bin/sh\nexit 1\n";
    expect_test::expect![
        "satellite `worker` of planet `native` cannot be started: its working directory `/nowhere` is not there"
    ]
    .assert_eq(&unstarted(script, |grant| grant.directory("/nowhere")).await);
    expect_test::expect![
        "satellite `worker` of planet `native` cannot be started: its working directory `/etc/passwd` is no folder"
    ]
    .assert_eq(&unstarted(script, |grant| grant.directory("/etc/passwd")).await);
    expect_test::expect!["satellite `worker` of planet `native` cannot be started: it is a script, and what executes it is not there: `/nowhere/python`"].assert_eq(&unstarted("#!/nowhere/python\n", |grant| grant).await);
    expect_test::expect!["satellite `worker` of planet `native` cannot be started: its arguments and its environment are more than the system passes to a program"]
        .assert_eq(&unstarted(script, |grant| grant.args(["x".repeat(1 << 20), "y".repeat(4 << 20)])).await);
}

/// A program of this machine that ends after its header, which the C library would hand to a shell.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_program_is_run_by_nobody() {
    let case = Case::of("");
    let mut own = std::fs::read("/proc/self/exe").unwrap();
    own.truncate(20);
    own.extend_from_slice(b"\necho shell >&2\n");
    std::fs::write(case.folder.path().join("worker"), own).unwrap();
    let failure = case.add(1, 2).await.unwrap_err();
    expect_test::expect!["satellite `worker` of planet `native` cannot be started: its program is damaged: the system does not know what it is"].assert_eq(&failure.to_string());
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_was_changed_does_not_start_again() {
    let sha256: String = Sha256::digest(peer::script()).iter().map(|byte| format!("{byte:02x}")).collect();
    let grant = |grant: SatelliteGrant| grant.env(peer::PEER, "").sha256(SatelliteGrant::TARGET, sha256);
    let case = Case::with(grant, limits(), restarts());
    let pid = case.pid().await;
    let file = case.folder.path().join("worker");
    write_program(&file, "#!/bin/sh\necho changed >&2\n");
    assert_eq!(case.pid().await, pid);
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid as i32).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
    gone(pid).await;
    let failure = loop {
        let failure = case.add(1, 2).await.unwrap_err();
        if failure.kind() == "absent" {
            break failure.to_string();
        }
    };
    assert!(failure.contains("the application permits another program"), "{failure}");
    write_program(&file, &peer::script());
    assert_ne!(case.pid().await, pid);
    case.end().await;
}
