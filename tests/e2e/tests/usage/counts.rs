//! The metrics: every token of every answer, once.

use std::sync::Arc;

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway};
use simulator::Usage;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn every_token_is_counted_once() {
    let gateway = Arc::new(Gateway::start(Bootstrap::shipped().workers(2)).await);
    let mut conversations = JoinSet::new();
    for seed in 0..32 {
        let gateway = gateway.clone();
        conversations.spawn(async move {
            let dialect = [Dialect::Messages, Dialect::Chat, Dialect::Messages, Dialect::Responses]
                [seed as usize % 4];
            let mut conversation = Conversation::new(dialect, seed);
            if seed % 3 == 0 {
                conversation = conversation.streaming();
            }
            if seed % 5 == 0 && dialect == Dialect::Messages {
                conversation = conversation.marking();
            }
            let client = if seed % 2 == 0 { gateway.http2() } else { gateway.client() };
            for _ in 0..8 {
                conversation.ask(1_000);
                let answer = client.post(conversation.path(), &conversation.body).await;
                conversation.hear(&answer);
            }
        });
    }
    while let Some(conversation) = conversations.join_next().await {
        conversation.expect("a conversation");
    }
    let stats = gateway.envoy.stats().await;
    let mut answers = 0;
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us", "openai-a"] {
        let mut told = Usage::default();
        for exchange in gateway.providers.received(upstream) {
            let usage = exchange.usage.expect("usage");
            told.uncached += usage.uncached;
            told.read += usage.read;
            told.write_5m += usage.write_5m;
            told.write_1h += usage.write_1h;
            told.output += usage.output;
            answers += 1;
        }
        let counted =
            |kind| stats.sum("warmpath_tokens_total", &[("upstream", upstream), ("kind", kind)]);
        assert_eq!(counted("input"), told.uncached, "{upstream}");
        assert_eq!(counted("read"), told.read, "{upstream}");
        assert_eq!(counted("write_5m"), told.write_5m, "{upstream}");
        assert_eq!(counted("write_1h"), told.write_1h, "{upstream}");
        assert_eq!(counted("output"), told.output, "{upstream}");
        assert_eq!(counted("write"), 0, "what the split tells is not counted twice");
    }
    assert_eq!(answers, 32 * 8);
    assert_eq!(stats.sum("warmpath_exchanges_total", &[]), answers);
    assert_eq!(stats.sum("warmpath_exchanges_total", &[("by", "prefix")]), 32 * 7);
    assert_eq!(stats.sum("warmpath_pins_total", &[("outcome", "kept")]), 32 * 7);
}
