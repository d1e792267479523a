//! What `tracing` is told of calls and of changes.

mod support;

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use kokoro_host::Primary;
use support::{LifeCycle, guest, primary_with, relay::Relay};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

/// Writes down the spans of Kokoro when they end, each with those that it is in.
#[derive(Debug, Default, Clone)]
struct Spans(Arc<Mutex<Vec<String>>>);

/// The fields of one span.
#[derive(Debug, Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {field}={value}");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        values.record(context.span(id).unwrap().extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        if !span.metadata().target().starts_with("kokoro") {
            return;
        }
        let mut line = "  ".repeat(span.scope().count() - 1);
        let _ = write!(line, "{}:{}", span.name(), span.extensions().get::<Fields>().unwrap().0);
        self.0.lock().unwrap().push(line);
    }
}

impl Spans {
    /// What has been written down since this was asked last.
    fn told(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join("\n")
    }
}

/// One test with one subscriber for the whole process: what is first met by a thread without one, while another thread sets its own,
/// may stay unheard there.
#[tokio::test]
async fn calls_and_changes_are_spans() {
    let spans = Spans::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(spans.clone())).unwrap();
    calls(&spans).await;
    changes(&spans).await;
}

async fn calls(spans: &Spans) {
    let primary = primary_with(support::without_restarts(), &["faulty", "extra", "relay"]).await;
    spans.told();
    let relay = primary.get::<Relay>().unwrap();
    assert_eq!(relay.double(2).await.unwrap(), Some(4));
    expect_test::expect![[r#"
          call: planet=extra interface=test:guests/extra@0.1.0 function=double outcome=answered
        call: planet=relay interface=test:guests/relay@0.1.0 function=double outcome=answered"#]]
    .assert_eq(&spans.told());
    relay.text("on purpose").await.unwrap();
    expect_test::expect![[r#"
          call: planet=faulty interface=test:guests/faults@0.1.0 function=panic-text outcome=crashed
        call: planet=relay interface=test:guests/relay@0.1.0 function=text outcome=answered"#]]
    .assert_eq(&spans.told());
    primary.function("test:guests/extra", "name").unwrap().call(&[]).await.unwrap();
    expect_test::expect!["call: planet=extra interface=test:guests/extra@0.1.0 function=name outcome=answered"]
        .assert_eq(&spans.told());
    primary.shutdown().await;
    spans.told();
}

async fn changes(spans: &Spans) {
    let primary = Primary::builder().build().unwrap();
    primary.load_bytes("extra", guest("extra")).await.unwrap();
    expect_test::expect!["start: planet=extra outcome=running"].assert_eq(&spans.told());
    primary.reload("extra").bytes(guest("extra")).await.unwrap();
    expect_test::expect![[r#"
          start: planet=extra outcome=running
          stop: planet=extra outcome=stopped
        reload: planet=extra outcome=running"#]]
    .assert_eq(&spans.told());
    let fails = LifeCycle { start: "unreachable", ..LifeCycle::default() }.component();
    primary.reload("extra").bytes(fails).await.unwrap_err();
    expect_test::expect![[r#"
          start: planet=extra outcome=crashed
        reload: planet=extra outcome=while it was started"#]]
    .assert_eq(&spans.told());
    primary.restart("extra").await.unwrap();
    expect_test::expect![[r#"
        stop: planet=extra outcome=stopped
        start: planet=extra outcome=running"#]]
    .assert_eq(&spans.told());
    primary.unload("extra").await.unwrap();
    expect_test::expect!["stop: planet=extra outcome=stopped"].assert_eq(&spans.told());
    primary.load_bytes("unready", guest("unready")).await.unwrap();
    expect_test::expect!["start: planet=unready outcome=crashed"].assert_eq(&spans.told());
}
