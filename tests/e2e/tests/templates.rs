//! Every shipped bootstrap on every Envoy that it is for: conversations stay, and survive the upstream that holds them.

use std::collections::BTreeSet;

use e2e::prompt::Dialect;
use e2e::versions::{REFRESHED_RETRIES, SKIPPED_MEMBERS, TEMPLATES, Template};
use e2e::{Answer, Bootstrap, Conversation, Envoy, Gateway, eventually};
use simulator::Fault;

/// The plugin's own limit.
const LONGEST: usize = 8 << 20;

const UPSTREAMS: [&str; 3] = ["anthropic-a", "anthropic-b", "bedrock-us"];

fn explaining(template: &Template) -> Bootstrap {
    Bootstrap::template(template).configure(r#""explain": true"#)
}

async fn start(template: &Template) -> Gateway {
    println!("{}", template.file);
    Gateway::start(explaining(template)).await
}

/// A conversation of one turn, and the upstream that holds it.
async fn warm(gateway: &Gateway, seed: u64) -> (Conversation, String) {
    let mut conversation = Conversation::new(Dialect::Messages, seed);
    let answer = gateway.turn(&mut conversation, 3_000).await;
    (conversation, gateway.served(&answer))
}

fn is_told(gateway: &Gateway, answer: &Answer) -> bool {
    answer.explanation()["upstream"] == gateway.served(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_stays_and_another_may_go_elsewhere() {
    for template in Template::applying() {
        let gateway = start(template).await;
        let mut homes = BTreeSet::new();
        for seed in 0..12 {
            let (mut conversation, home) = warm(&gateway, seed).await;
            for _ in 0..2 {
                let answer = gateway.turn(&mut conversation, 1_000).await;
                assert_eq!(
                    (gateway.served(&answer), is_told(&gateway, &answer)),
                    (home.clone(), true)
                );
                let usage = gateway.exchange(&answer).1.usage.expect("usage");
                assert!(usage.read > usage.write, "it is warm there: {usage:?}");
            }
            homes.insert(home);
        }
        assert!(homes.len() > 1, "twelve conversations at {homes:?}");
        let stats = gateway.envoy.stats().await;
        assert_eq!(stats.sum("warmpath_pins_total", &[("outcome", "kept")]), 24);
        assert_eq!(stats.sum("warmpath_exchanges_total", &[("upstream", "unknown")]), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_warm_upstream_dies_and_the_one_that_served_is_remembered() {
    for template in Template::applying() {
        let gateway = start(template).await;
        let statuses = [429, 500, 503, 529].map(Fault::Status);
        for (seed, fault) in statuses.into_iter().chain([Fault::Refused, Fault::Reset]).enumerate()
        {
            let (mut conversation, home) = warm(&gateway, seed as u64).await;
            gateway.providers.fail(&home, fault);
            let answer = gateway.turn(&mut conversation, 1_000).await;
            let refuge = gateway.served(&answer);
            assert_ne!(refuge, home, "{fault}");
            assert!(is_told(&gateway, &answer), "{fault}: {:?}", answer.explanation());
            assert_eq!(answer.explanation()["pinned"], home, "{fault}");
            // Shaped anew: marks are set for the upstream that served, and it has cached the prompt.
            assert!(gateway.exchange(&answer).1.usage.expect("usage").write > 1_000, "{fault}");
            gateway.providers.heal(&home);
            let next = gateway.turn(&mut conversation, 1_000).await;
            assert_eq!((gateway.served(&next), &next.explanation()["attempts"][..]), (refuge, "1"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_upstream_is_tried_before_a_client_sees_an_error() {
    for template in Template::applying() {
        let gateway = start(template).await;
        for alive in UPSTREAMS {
            let others = UPSTREAMS.iter().filter(|upstream| **upstream != alive);
            others.clone().for_each(|upstream| gateway.providers.fail(upstream, Fault::Refused));
            for seed in 0..4 {
                assert_eq!(warm(&gateway, seed).await.1, alive);
            }
            others.for_each(|upstream| gateway.providers.heal(upstream));
        }
    }
}

/// Two Envoys that know nothing of each other, and a conversation that neither remembers.
#[tokio::test(flavor = "multi_thread")]
async fn envoys_agree_where_a_new_conversation_goes() {
    for template in Template::applying() {
        let one = start(template).await;
        let other = one.beside(explaining(template)).await;
        let mut homes = BTreeSet::new();
        for seed in 0..20 {
            let (_, home) = warm(&one, seed).await;
            assert_eq!(warm(&other, seed).await.1, home, "{} {seed}", template.file);
            homes.insert(home);
        }
        assert_eq!(homes.len(), UPSTREAMS.len(), "all have a share: {homes:?}");
        // And where it goes when that place is down.
        one.providers.fail(&homes.pop_first().expect("three homes"), Fault::Status(503));
        for seed in 20..40 {
            assert_eq!(warm(&one, seed).await.1, warm(&other, seed).await.1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_request_is_read_and_retried() {
    for template in Template::applying() {
        let gateway = start(template).await;
        let (mut conversation, home) = warm(&gateway, 1).await;
        conversation.ask(0);
        let missing = LONGEST - conversation.body.to_string().len();
        conversation.body["messages"][2]["content"] = "x".repeat(missing).into();
        for fault in [Fault::Status(503), Fault::Refused] {
            gateway.providers.fail(&home, fault);
            let answer = gateway.send(&conversation).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.explanation()["by"], "prefix");
            assert_ne!(gateway.served(&answer), home);
            gateway.providers.heal(&home);
            gateway.providers.forget();
        }
        assert_eq!(gateway.envoy.stats().await.skips("body_too_large"), 0);
    }
}

/// What each file's first lines say of an upstream that is known to be down.
#[tokio::test(flavor = "multi_thread")]
async fn an_unhealthy_upstream_costs_no_more_than_is_said() {
    const CHECKS: &str = "health_checks: [{timeout: 5s, interval: 0.1s, no_traffic_interval: 0.1s, unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {}}]";
    const STRICT: &str = "common_lb_config: {healthy_panic_threshold: {value: 0}}";
    let strict = format!("{CHECKS}\n{STRICT}");
    for template in Template::applying() {
        let cases = match template.file {
            // Weights do not ask for health: it is tried, and then another.
            "envoy.yaml" => vec![(CHECKS, (200, "2"))],
            "composite.yaml" => {
                let skipped = if SKIPPED_MEMBERS.applies() { 200 } else { 503 };
                vec![(CHECKS, (200, "2")), (&*strict, (skipped, "1"))]
            }
            _ => vec![(CHECKS, (200, "1"))],
        };
        for (members, expected) in cases {
            println!("{}: {members}", template.file);
            assert_eq!(unhealthy(template, members).await, (expected.0, expected.1.into()));
        }
    }
}

/// Asks a pinned question when its upstream is known to be down; returns the status, and the attempts that were made.
async fn unhealthy(template: &Template, members: &str) -> (u16, String) {
    let checked = UPSTREAMS
        .iter()
        .fold(explaining(template), |bootstrap, upstream| bootstrap.cluster(upstream, members));
    let gateway = Gateway::start(checked).await;
    let (mut conversation, home) = warm(&gateway, 1).await;
    gateway.providers.fail(&home, Fault::Refused);
    eventually(async || {
        match gateway.envoy.stats().await.counter(&format!("cluster.{home}.membership_healthy")) {
            0 => Ok(()),
            healthy => Err(format!("{healthy} hosts of {home} are healthy")),
        }
    })
    .await;
    conversation.ask(1_000);
    let answer = gateway.send(&conversation).await;
    (answer.status, answer.explanation()["attempts"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_starts_on_the_envoys_that_it_is_for_and_on_no_older_one() {
    for template in Template::applying() {
        start(template).await;
    }
    let providers = Template { file: "providers.yaml", from: REFRESHED_RETRIES.version };
    for template in TEMPLATES.iter().chain([&providers]).filter(|template| !template.applies()) {
        let log = Envoy::refusal(Bootstrap::template(template)).await;
        // A prefix of credentials came with 1.37.
        let reason =
            ["refresh_cluster_on_retry", "composite.v3.ClusterConfig", "header_value_prefix"];
        assert!(
            log.iter().any(|line| reason.iter().any(|reason| line.contains(reason))),
            "{}: {log:#?}",
            template.file
        );
    }
}

/// A file that is shipped is a file that is started: here, in `self_hosted.rs` or in `credentials/`.
#[test]
fn every_shipped_bootstrap_is_under_test() {
    let started = TEMPLATES.iter().map(|template| template.file);
    let others = ["self-hosted.yaml", "providers.yaml", "providers-aggregate.yaml"];
    let known: BTreeSet<String> = started.chain(others).map(String::from).collect();
    let folder = std::fs::read_dir(e2e::bootstrap::root().join("envoy")).expect("a folder");
    let bootstraps = folder.flatten().filter(|entry| {
        // Others cannot be read as a text, or are for other programs.
        std::fs::read_to_string(entry.path()).is_ok_and(|text| text.contains("\nstatic_resources:"))
    });
    let names = bootstraps.filter_map(|entry| entry.file_name().into_string().ok());
    assert_eq!(names.collect::<BTreeSet<_>>(), known);
}

/// All that has nothing to do with failover is the same text in every template.
#[test]
fn templates_differ_only_in_failover() {
    let part = |template: &Template, from: &str, to: &str| {
        let text =
            std::fs::read_to_string(e2e::bootstrap::root().join("envoy").join(template.file));
        let text = text.expect("a shipped file");
        let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from}"));
        rest.split_once(to).unwrap_or_else(|| panic!("no {to}")).0.to_owned()
    };
    let parts = [
        ("\nadmin:", "  - name: gateway\n"),
        ("    filter_chains:\n", "              # Twice the plugin's"),
        ("              # Chat, responses, files", "\n\n  # The endpoint's metadata"),
    ];
    for (from, to) in parts {
        let newest = part(&TEMPLATES[0], from, to);
        for template in &TEMPLATES[1..] {
            // What is told per connection on Envoy 1.36 is told per virtual host on others.
            let to = match (template.file, to) {
                ("aggregate.yaml", "              # Twice the plugin's") => {
                    "              # No provider is told"
                }
                (_, "\n\n  # The endpoint's metadata") => "\n\n  clusters:\n",
                (_, to) => to,
            };
            assert_eq!(part(template, from, to), newest, "{}", template.file);
        }
    }
}
