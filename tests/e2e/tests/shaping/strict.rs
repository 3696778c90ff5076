//! Whatever a client marks, no provider refuses what it gets for it.

use serde_json::{Value, json};

use crate::{CHAT, CLAUDES, MESSAGES, block, injecting, keeping, mark, request};

/// Chooses, the same in every run.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        // Knuth's constants for a 64-bit linear congruential generator; its high bits are random enough.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn is(&mut self, one_in: u64) -> bool {
        self.roll(one_in) == 0
    }

    /// A mark of any kind, or none.
    fn mark(&mut self, mut value: Value) -> Value {
        if self.is(2) {
            value["cache_control"] = match self.roll(6) {
                0 => Value::Null,
                1 => json!({"type": "ephemeral", "ttl": "5m"}),
                2 | 3 => json!({"ttl": "1h", "type": "ephemeral"}),
                4 => json!({"type": "ephemeral", "scope": "global"}),
                _ => mark(),
            };
        }
        value
    }

    /// A request for messages with marks anywhere.
    fn messages(&mut self) -> Value {
        let mut body = request(vec![]);
        let models =
            ["claude-sonnet-4-5", "claude-opus-5", "claude-sonnet-4-20250514", "claude-opus-4-6"];
        body["model"] = json!(models[self.roll(4) as usize]);
        for section in ["tools", "system"] {
            let members = body[section].as_array_mut().expect("a list");
            members.iter_mut().for_each(|member| *member = self.mark(member.take()));
        }
        let mut turns = Vec::new();
        for number in 0..1 + self.roll(4) {
            let question = vec![
                self.mark(block(number)),
                self.mark(json!({"type": "text", "text": ""})),
                self.mark(block(7)),
            ];
            let thought = json!({"type": "thinking", "thinking": "hm", "signature": "s"});
            let call = json!({"type": "tool_use", "id": format!("t{number}"), "name": "a", "input": {"cache_control": 1}});
            let result = vec![self.mark(block(8)), block(9)];
            let result = json!({"type": "tool_result", "tool_use_id": format!("t{number}"), "content": result});
            turns.push(self.mark(json!({"role": "user", "content": question})));
            let said = vec![self.mark(thought), self.mark(call)];
            turns.push(self.mark(json!({"role": "assistant", "content": said})));
            turns.push(json!({"role": "user", "content": [self.mark(result), self.mark(block(number + 20))]}));
        }
        body["messages"] = json!(turns);
        if self.is(3) {
            body["prompt_cache_key"] = json!("k");
        }
        self.mark(body)
    }

    /// A request for chat with marks anywhere.
    fn chat(&mut self) -> Value {
        let mut turns = Vec::new();
        for role in ["system", "user", "assistant", "user"] {
            let part = if self.is(3) {
                json!({"type": "text", "text": "hi", "prompt_cache_breakpoint": {"mode": "explicit"}})
            } else {
                self.mark(json!({"type": "text", "text": "hi"}))
            };
            let message = if self.is(4) {
                json!({"role": role, "content": "hi"})
            } else {
                json!({"role": role, "content": [part]})
            };
            turns.push(self.mark(message));
        }
        let tool = json!({"type": "function", "function": self.mark(json!({"name": "a", "parameters": {}}))});
        let model = ["gpt-4o", "gpt-5.1", "gpt-5.6", "gpt-6"][self.roll(4) as usize];
        let mut body = json!({"model": model, "tools": [self.mark(tool)], "messages": turns});
        for (name, value) in [
            ("prompt_cache_retention", json!("24h")),
            ("prompt_cache_options", json!({"mode": "implicit", "ttl": "30m"})),
            ("prompt_cache_options", Value::Null),
            ("stream", json!(true)),
            ("stream_options", json!({})),
        ] {
            if self.is(3) && (name != "stream_options" || body["stream"] == true) {
                body[name] = value;
            }
        }
        self.mark(body)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_shaped_request_is_refused() {
    let mut dice = Dice(7);
    let mut asked = 0;
    for gateway in [keeping().await, injecting().await] {
        for _ in 0..60 {
            let messages = dice.messages();
            let mut calls: Vec<_> = CLAUDES
                .iter()
                .map(|(_, upstream)| (*upstream, MESSAGES, messages.clone()))
                .collect();
            calls.push(("openai-a", CHAT, dice.chat()));
            for (upstream, path, body) in calls {
                let call = gateway.post(path, &body).header("upstream", upstream);
                let beta = if dice.is(2) { "prompt-caching-scope-2026-01-05" } else { "other" };
                let answer = call.header("anthropic-beta", beta).await;
                assert_eq!(answer.status, 200, "{upstream}: {}: {body}", answer.text());
                asked += 1;
            }
        }
        let stats = gateway.envoy.stats().await;
        assert_eq!(stats.sum("warmpath_skips_total", &[]), 0);
    }
    assert_eq!(asked, 2 * 60 * 4);
}
