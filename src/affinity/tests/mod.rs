//! Choosing and learning, over a table in memory.

mod ids;
mod prefixes;

use super::table::tests::Memory as Slots;
use super::*;
use crate::config::Config;
use crate::prompt::Reader;

const NOW: u32 = 1_700_000_000;

/// A process with its table.
struct World {
    config: Config,
    keys: Keys,
    slots: Slots,
    now: u32,
}

/// A request, before it is borrowed from.
#[derive(Clone, Default)]
struct Asked {
    key: &'static str,
    model: &'static str,
    request_id: Option<String>,
    response_id: Option<&'static str>,
    path: &'static str,
    fields: Vec<(usize, &'static str)>,
    items: Vec<&'static str>,
    session: Option<&'static str>,
    messages: Vec<&'static str>,
    dialect: Option<Dialect>,
}

fn asked() -> Asked {
    Asked { key: "key-1", model: "claude-opus-5", ..Asked::default() }
}

impl World {
    fn new() -> Self {
        Self::with(r#""affinity":{"secrets":["0123456789abcdef"]}"#)
    }

    fn with(member: &str) -> Self {
        let text = format!(
            r#"{{"stage":"route",{member},"upstreams":{{"a":{{"provider":"anthropic"}},"b":{{"provider":"bedrock"}},
                "o":{{"provider":"openai","pin_endpoint":true}},"c":{{"provider":"anthropic"}}}}}}"#
        );
        let config = Config::parse(text.as_bytes()).unwrap();
        let keys = Keys::new(&[7; KEY_BYTES], &config.affinity.secrets);
        Self { config, keys, slots: Slots::default(), now: NOW }
    }

    fn choose(&mut self, asked: &Asked) -> Choice {
        let body = format!(
            r#"{{"messages":[{}]}}"#,
            asked
                .messages
                .iter()
                .map(|text| format!(r#"{{"role":"user","content":"{text}"}}"#))
                .collect::<Vec<_>>()
                .join(",")
        );
        let mut reader = Reader::new(Dialect::Messages, [].into());
        reader.push(body.as_bytes()).unwrap();
        let prefix = reader.finish().unwrap().prefix;
        let fields: Vec<(usize, Vec<u8>)> =
            asked.fields.iter().map(|(index, id)| (*index, id.as_bytes().to_vec())).collect();
        let items: Vec<Vec<u8>> = asked.items.iter().map(|id| id.as_bytes().to_vec()).collect();
        let sessions: Vec<Vec<u8>> =
            asked.session.iter().map(|id| id.as_bytes().to_vec()).collect();
        let request = Request {
            dialect: asked.dialect.unwrap_or(Dialect::Messages),
            caller: Caller::new([("x-api-key", asked.key.as_bytes())].into_iter()),
            model: asked.model,
            request_id: asked.request_id.as_ref().map(String::as_bytes),
            response_id: asked.response_id.map(str::as_bytes),
            path: asked.path.as_bytes(),
            fields: &fields,
            items: &items,
            sessions: &sessions,
            prefix: (!asked.messages.is_empty()).then_some(&prefix),
        };
        let mut table = Table::new(&mut self.slots, self.config.affinity.entries, self.now);
        choose(&request, &self.config, &self.keys, &mut table, self.now)
    }

    /// Chooses, and is served at `name` with the answer `id`; returns what pinned where.
    fn serve(&mut self, asked: &Asked, name: &str, id: &str) -> Option<(&'static str, By)> {
        let mut choice = self.choose(asked);
        self.learn(&mut choice.memory, name, id);
        self.told(&choice)
    }

    fn learn(&mut self, memory: &mut Memory, name: &str, id: &str) {
        let served = Served { upstream: upstream_digest(name), endpoint: None };
        let ttl = self.config.affinity.ttl_seconds;
        let mut table = Table::new(&mut self.slots, self.config.affinity.entries, self.now);
        memory.learn_ids(&mut table, served, ttl, self.now);
        memory.learn_prefix(
            &mut table,
            served,
            Lifetimes { seconds: 300, hour_until: 0 },
            self.now,
        );
        memory.learn_answer(&self.keys, &mut table, served, id.as_bytes(), ttl, self.now);
    }

    fn pin(&mut self, asked: &Asked) -> Option<(&'static str, By)> {
        let choice = self.choose(asked);
        self.told(&choice)
    }

    fn told(&self, choice: &Choice) -> Option<(&'static str, By)> {
        choice.pin.map(|pin| (["a", "b", "o", "c"][pin.upstream], pin.by))
    }
}
