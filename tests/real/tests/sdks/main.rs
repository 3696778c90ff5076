//! What the official SDKs for Python expose of the usage of every provider's answers, through real Envoy, plain and streaming.
//!
//! The answers are the golden ones, each from an upstream that counts as its provider does. What an SDK exposes is written down
//! again in every dialect, with the SDK's own types, and sent as an answer once more: it ends where it began.

mod answers;
mod asker;

use std::fmt::Write;

use asker::{Asker, Order};
use e2e::{Bootstrap, Gateway, Reply, Scripted};
use serde_json::{Value, json};

/// The dialects, and an upstream that answers in each with counts that need no reading between the lines.
const DIALECTS: [(&str, &str); 3] =
    [("messages", "anthropic"), ("chat", "openai"), ("responses", "openai")];

#[tokio::test(flavor = "multi_thread")]
async fn sdks_expose_what_was_counted() {
    let scene = Scene::start().await;
    let mut asker = Asker::start();
    let fixtures = answers::golden();
    let mut wrong = String::new();
    let mut seen = 0;
    for fixture in &fixtures {
        scene.scripted.say(fixture.reply());
        let exposed = scene.ask(&mut asker, &fixture.dialect, fixture.is_stream, &fixture.provider);
        if let Err(complaint) = fixture.compare(&exposed) {
            writeln!(wrong, "{}: {complaint}", fixture.path).expect("a text grows");
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    println!("{} with {seen} answers: every count is the one that was counted", asker.versions);
}

#[tokio::test(flavor = "multi_thread")]
async fn round_trips_through_every_dialect_end_where_they_began() {
    let scene = Scene::start().await;
    let mut asker = Asker::start();
    let mut wrong = String::new();
    let mut trips = 0;
    for fixture in answers::golden().iter().filter(|fixture| fixture.tells_usage()) {
        scene.scripted.say(fixture.reply());
        let began = scene.ask(&mut asker, &fixture.dialect, fixture.is_stream, &fixture.provider);
        for (dialect, upstream) in DIALECTS {
            scene
                .scripted
                .say(Reply::json(answers::answer(dialect, &began["forms"][dialect]).to_string()));
            let there = scene.ask(&mut asker, dialect, false, upstream);
            // And home again, in the dialect that it came in.
            let home = &there["forms"][&fixture.dialect];
            scene.scripted.say(Reply::json(answers::answer(&fixture.dialect, home).to_string()));
            let upstream = DIALECTS.iter().find(|(dialect, _)| **dialect == *fixture.dialect);
            let back =
                scene.ask(&mut asker, &fixture.dialect, false, upstream.expect("a dialect").1);
            for (step, exposed) in [("there", &there), ("back", &back)] {
                if same(&exposed["counts"]) != same(&began["counts"]) {
                    let (got, expected) = (&exposed["counts"], &began["counts"]);
                    writeln!(
                        wrong,
                        "{} {step} by {dialect}: {expected} became {got}",
                        fixture.path
                    )
                    .expect("a text grows");
                }
            }
            trips += 1;
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    println!("{}: {trips} round trips ended where they began", asker.versions);
}

/// What every dialect can tell: only messages know of lifetimes, and not every answer says them.
fn same(counts: &Value) -> Value {
    let mut counts = counts.clone();
    if let Some(members) = counts.as_object_mut() {
        members.retain(|name, _| !name.starts_with("write_"));
    }
    counts
}

/// Envoy in front of a provider that says what it is told to say, under the name of every provider.
struct Scene {
    gateway: Gateway,
    scripted: Scripted,
}

impl Scene {
    async fn start() -> Self {
        let scripted = Scripted::start(Reply::json("{}")).await;
        let port = scripted.address().port();
        let (mut upstreams, mut clusters) = (String::new(), String::new());
        for provider in answers::providers() {
            writeln!(
                upstreams,
                r#"                        "{provider}": {{"provider": "{provider}"}},"#
            )
            .expect("a text grows");
            writeln!(
                clusters,
                "  - {{name: {provider}, type: STATIC, load_assignment: {{cluster_name: {provider}, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]}}]}}}}"
            )
            .expect("a text grows");
        }
        let bootstrap = Bootstrap::shipped()
            .replace("\n  clusters:\n", &format!("\n  clusters:\n{clusters}"))
            .replace_both("\"upstreams\": {\n", &format!("\"upstreams\": {{\n{upstreams}"))
            .steered();
        Self { gateway: Gateway::scripted(bootstrap, &scripted).await, scripted }
    }

    fn ask(&self, asker: &mut Asker, dialect: &str, is_stream: bool, upstream: &str) -> Value {
        asker.ask(&Order {
            base: format!("http://{}", self.gateway.envoy.address("gateway")),
            dialect,
            is_stream,
            headers: json!({ "upstream": upstream }),
        })
    }
}
