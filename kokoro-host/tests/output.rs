//! What Planets (plugins) log and print reaches the application's `tracing`, with their name and level.

mod support;

use support::{Kept, faults::Faults, primary};

#[tokio::test]
async fn logged_and_printed_lines_arrive() {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_ansi(false).without_time();
    tracing::subscriber::set_global_default(subscriber.with_writer(kept.clone()).finish()).unwrap();
    let primary = primary(&["faulty"]).await;
    primary.get::<Faults>().unwrap().speak().await.unwrap();
    let text = kept.text();
    for (level, part) in [
        ("WARN", "through log planet=\"faulty\" module=\"faulty\""),
        ("INFO", "through tracing answer=42 planet=\"faulty\" module=\"faulty\""),
        ("INFO", "to standard output planet=\"faulty\" stream=\"stdout\""),
        ("WARN", "to standard error planet=\"faulty\" stream=\"stderr\""),
    ] {
        let line = text.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no `{part}` in\n{text}"));
        assert!(line.trim_start().starts_with(level), "{line}");
    }
}
