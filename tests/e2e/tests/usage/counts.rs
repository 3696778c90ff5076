//! The metrics: every token of every answer, once.

use std::sync::Arc;
use std::time::Duration;

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway, Stats};
use http::Method;
use simulator::{Exchange, Fault, Usage};
use tokio::task::JoinSet;

const CONVERSATIONS: u64 = 96;
const TURNS: u64 = 24;
const UPSTREAMS: [&str; 4] = ["anthropic-a", "anthropic-b", "bedrock-us", "openai-a"];

/// Conversations in every dialect, plain and streamed, marked or not.
fn conversation(seed: u64) -> Conversation {
    let dialects = [Dialect::Messages, Dialect::Chat, Dialect::Messages, Dialect::Responses];
    let dialect = dialects[seed as usize % 4];
    let conversation = Conversation::new(dialect, seed);
    let conversation = if seed.is_multiple_of(3) { conversation.streaming() } else { conversation };
    let marks = seed.is_multiple_of(5) && dialect == Dialect::Messages;
    if marks { conversation.marking() } else { conversation }
}

/// Takes all turns of a conversation, with a request between them that is none of ours.
async fn talk(gateway: Arc<Gateway>, seed: u64) {
    let client = if seed.is_multiple_of(2) { gateway.http2() } else { gateway.client() };
    let mut conversation = conversation(seed);
    for _ in 0..TURNS {
        conversation.ask(200);
        let answer = client.post(conversation.path(), &conversation.body).await;
        conversation.hear(&answer);
        client.call(Method::GET, "/v1/models").await;
    }
}

/// One account fails again and again for a few requests, which are then served elsewhere.
async fn fail_now_and_then(gateway: Arc<Gateway>) {
    loop {
        gateway.providers.fail_times("anthropic-a", Fault::Status(529), 3);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_token_is_counted_once() {
    let gateway = Arc::new(Gateway::start(Bootstrap::shipped().workers(2)).await);
    let failing = tokio::spawn(fail_now_and_then(gateway.clone()));
    let talks: JoinSet<()> = (0..CONVERSATIONS).map(|seed| talk(gateway.clone(), seed)).collect();
    talks.join_all().await;
    failing.abort();
    let stats = gateway.envoy.stats().await;
    let mut answers = 0;
    let mut faults = 0;
    for upstream in UPSTREAMS {
        let received = gateway.providers.received(upstream);
        faults += received.iter().filter(|exchange| exchange.fault.is_some()).count() as u64;
        let served: Vec<Usage> =
            received.iter().filter_map(|exchange: &Exchange| exchange.usage).collect();
        tokens_are_those_of(&stats, upstream, &served);
        let exchanges = stats.sum("warmpath_exchanges_total", &[("upstream", upstream)]);
        assert_eq!(exchanges, served.len() as u64, "{upstream}");
        answers += exchanges;
    }
    assert_eq!(answers, CONVERSATIONS * TURNS);
    assert!(faults > 0, "no account has failed");
    let follow_ups = CONVERSATIONS * (TURNS - 1);
    assert_eq!(stats.sum("warmpath_exchanges_total", &[("by", "prefix")]), follow_ups);
    let pins = |outcome| stats.sum("warmpath_pins_total", &[("outcome", outcome)]);
    assert_eq!(pins("kept") + pins("moved"), follow_ups);
    assert!(pins("moved") <= faults, "{} moved by {faults} faults", pins("moved"));
    assert_eq!(stats.sum("warmpath_skips_total", &[]), 0);
}

fn tokens_are_those_of(stats: &Stats, upstream: &str, served: &[Usage]) {
    let counted =
        |kind| stats.sum("warmpath_tokens_total", &[("upstream", upstream), ("kind", kind)]);
    let told = |count: fn(&Usage) -> u64| served.iter().map(count).sum::<u64>();
    assert_eq!(counted("input"), told(|usage| usage.uncached), "{upstream}");
    assert_eq!(counted("read"), told(|usage| usage.read), "{upstream}");
    assert_eq!(counted("write_5m"), told(|usage| usage.write_5m), "{upstream}");
    assert_eq!(counted("write_1h"), told(|usage| usage.write_1h), "{upstream}");
    assert_eq!(counted("output"), told(|usage| usage.output), "{upstream}");
    assert_eq!(counted("write"), 0, "what the split tells is not counted twice");
}
