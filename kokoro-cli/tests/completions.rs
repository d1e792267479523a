//! `kokoro completions`

mod support;

use support::kokoro;

#[test]
fn the_scripts_of_all_shells_know_every_command() {
    let help = kokoro(["--help"]).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"build") && commands.contains(&"run"), "{commands:?}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = kokoro(["completions", shell]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let missing: Vec<&&str> = commands.iter().filter(|command| !run.stdout.contains(**command)).collect();
        assert!(missing.is_empty(), "{shell}: {missing:?}");
    }
    assert_eq!(kokoro(["completions", "tcsh"]).code, Some(2));
}
