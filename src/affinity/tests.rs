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
                "o":{{"provider":"openai","pin_endpoint":true}}}}}}"#
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
        choice.pin.map(|pin| (["a", "b", "o"][pin.upstream], pin.by))
    }
}

#[test]
fn sources_come_in_their_order() {
    let mut world = World::new();
    let served = Served { upstream: upstream_digest("a"), endpoint: None };
    let first = Asked { messages: vec!["hi"], ..asked() };
    let memory = world.choose(&first).memory;
    let issued = memory.issue(&world.keys, served, NOW).unwrap();
    world.serve(&Asked { session: Some("s"), ..asked() }, "b", "msg_session");
    world.serve(&asked(), "a", "msg_a");
    world.serve(&Asked { fields: vec![(2, "f")], ..asked() }, "b", "msg_field");
    world.serve(&first, "a", "msg_prefix");
    let mut all = Asked {
        request_id: Some(issued),
        response_id: Some("msg_session"),
        fields: vec![(2, "f")],
        session: Some("s"),
        messages: vec!["hi", "more"],
        ..asked()
    };
    assert_eq!(world.pin(&all), Some(("a", By::RequestId)));
    all.request_id = None;
    assert_eq!(world.pin(&all), Some(("b", By::ResponseId)));
    all.response_id = Some("msg_unknown");
    assert_eq!(world.pin(&all), Some(("b", By::Field)));
    all.fields.clear();
    assert_eq!(world.pin(&all), Some(("b", By::Session)));
    all.session = None;
    assert_eq!(world.pin(&all), Some(("a", By::Prefix)));
    all.messages = vec!["other"];
    assert_eq!(world.pin(&all), None);
}

#[test]
fn callers_and_models_are_apart() {
    let mut world = World::new();
    let mine = Asked { session: Some("s"), messages: vec!["hi"], ..asked() };
    world.serve(&mine, "a", "msg_1");
    let theirs = Asked { key: "key-2", response_id: Some("msg_1"), ..mine.clone() };
    assert_eq!(world.pin(&theirs), None);
    let other_model =
        Asked { model: "claude-haiku-4-5", response_id: Some("msg_1"), ..mine.clone() };
    assert_eq!(world.pin(&other_model), None);
    // Each model of a session has its own home.
    world.serve(&other_model, "b", "msg_2");
    assert_eq!(world.pin(&other_model), Some(("b", By::Session)));
    assert_eq!(world.pin(&mine), Some(("a", By::Session)));
}

#[test]
fn the_credential_alone_is_no_key() {
    let mut world = World::new();
    world.serve(&asked(), "a", "msg_1");
    assert_eq!(world.pin(&asked()), None);
}

#[test]
fn an_id_stays_where_its_answer_was_made() {
    let mut world = World::new();
    world.serve(&asked(), "a", "resp_1");
    let follow = Asked { fields: vec![(0, "resp_1")], ..asked() };
    assert_eq!(world.serve(&follow, "b", "resp_2"), Some(("a", By::Field)));
    assert_eq!(world.pin(&follow), Some(("a", By::Field)));
}

#[test]
fn previous_responses_pin_hard_whatever_the_model() {
    let mut world = World::new();
    world.serve(&asked(), "a", "resp_1");
    let follow = Asked { fields: vec![(0, "resp_1")], model: "claude-haiku-4-5", ..asked() };
    let pin = world.choose(&follow).pin.unwrap();
    assert_eq!((pin.strength, pin.by), (Strength::Hard, By::Field));
    let soft = Asked { fields: vec![(3, "resp_1")], ..asked() };
    assert_eq!(world.choose(&soft).pin.unwrap().strength, Strength::Soft);
    // Not made here, but carried and served before.
    let unknown = Asked { fields: vec![(1, "task_9")], ..asked() };
    assert_eq!(world.serve(&unknown, "b", "x"), None);
    assert_eq!(world.choose(&unknown).pin.unwrap().strength, Strength::Hard);
}

#[test]
fn what_an_answer_said_is_where_it_was_said() {
    let mut world = World::new();
    world.serve(&asked(), "a", "rs_1");
    world.serve(&asked(), "b", "rs_2");
    let pinned = |world: &mut World, items: &[&'static str]| {
        let pin = world.choose(&Asked { items: items.to_vec(), ..asked() }).pin?;
        assert_eq!((pin.strength, pin.by), (Strength::Hard, By::Field));
        Some(["a", "b", "o"][pin.upstream])
    };
    assert_eq!(pinned(&mut world, &["rs_1"]), Some("a"));
    assert_eq!(pinned(&mut world, &["rs_1", "rs_2"]), Some("b"), "the latest counts");
    assert_eq!(pinned(&mut world, &["rs_1", "rs_2", "rs_of_others"]), Some("b"));
    assert_eq!(pinned(&mut world, &["rs_of_others"]), None);
}

#[test]
fn state_of_one_account_outdoes_whatever_else_a_request_says() {
    let mut world = World::new();
    world.serve(&asked(), "a", "resp_1");
    world.serve(&Asked { session: Some("s"), ..asked() }, "b", "resp_2");
    let says = Asked { response_id: Some("resp_2"), session: Some("s"), ..asked() };
    assert_eq!(world.pin(&says), Some(("b", By::ResponseId)));
    for both in [
        Asked { fields: vec![(0, "resp_1")], ..says.clone() },
        Asked { items: vec!["resp_1"], ..says.clone() },
    ] {
        let pin = world.choose(&both).pin.unwrap();
        assert_eq!((pin.upstream, pin.strength, pin.by), (0, Strength::Hard, By::Field));
    }
}

#[test]
fn objects_are_found_by_path() {
    let mut world = World::new();
    let made = Asked { dialect: Some(Dialect::Objects), model: "", path: "/v1/videos", ..asked() };
    assert_eq!(world.serve(&made, "o", "video_1"), None);
    let poll = Asked { path: "/v1/videos/video_1/content?x=1", ..made.clone() };
    let pin = world.choose(&poll).pin.unwrap();
    assert_eq!((pin.upstream, pin.strength, pin.by), (2, Strength::Hard, By::Object));
    let task = Asked { fields: vec![(1, "video_1")], model: "any", ..asked() };
    assert_eq!(world.pin(&task), None, "openai does not speak messages");
    assert_eq!(world.pin(&Asked { path: "/v1/videos/video_2", ..made }), None);
}

#[test]
fn entries_live_as_long_as_they_are_used() {
    let mut world = World::new();
    let session = Asked { session: Some("s"), ..asked() };
    world.serve(&session, "a", "msg_1");
    for _ in 0..5 {
        world.now += 299;
        assert_eq!(world.serve(&session, "a", "msg_2"), Some(("a", By::Session)));
    }
    world.now += 300;
    assert_eq!(world.pin(&session), None);
    // An id that is used is renewed.
    let by_id = Asked { response_id: Some("msg_2"), ..asked() };
    world.now = NOW + 5 * 299 + 299;
    assert_eq!(world.serve(&by_id, "a", "msg_3"), Some(("a", By::ResponseId)));
    world.now += 299;
    assert_eq!(world.pin(&by_id), Some(("a", By::ResponseId)));
}

#[test]
fn issued_ids_expire_and_are_read_by_other_processes() {
    let mut world = World::new();
    let served = Served { upstream: upstream_digest("b"), endpoint: None };
    let memory = world.choose(&asked()).memory;
    let back = Asked { request_id: memory.issue(&world.keys, served, NOW), ..asked() };
    let mut replica = World::new();
    assert_eq!(replica.pin(&back), Some(("b", By::RequestId)));
    assert_eq!(replica.pin(&Asked { key: "key-2", ..back.clone() }), None);
    assert_eq!(replica.pin(&Asked { model: "other", ..back.clone() }), None);
    replica.now += 300;
    assert_eq!(replica.pin(&back), None);
}

#[test]
fn a_vanished_upstream_is_no_holder() {
    let mut world = World::new();
    let asked = Asked { session: Some("s"), messages: vec!["hi"], ..asked() };
    world.serve(&asked, "gone", "msg_1");
    let choice = world.choose(&asked);
    assert!(choice.pin.is_none() && choice.is_stale);
}

#[test]
fn the_longest_live_prefix_wins() {
    let mut world = World::new();
    let turn = |messages: &[&'static str]| Asked { messages: messages.to_vec(), ..asked() };
    world.serve(&turn(&["1"]), "a", "m");
    assert_eq!(world.serve(&turn(&["1", "2"]), "a", "m"), Some(("a", By::Prefix)));
    // A failover: the longer one is known there, the shorter ones still at home.
    assert_eq!(world.serve(&turn(&["1", "2", "3"]), "b", "m"), Some(("a", By::Prefix)));
    assert_eq!(world.pin(&turn(&["1", "2", "3", "4"])), Some(("b", By::Prefix)));
    assert_eq!(world.pin(&turn(&["1", "2", "x"])), Some(("a", By::Prefix)));
    assert_eq!(world.pin(&turn(&["1", "x"])), Some(("a", By::Prefix)));
    assert_eq!(world.pin(&turn(&["x"])), None);
}

#[test]
fn what_an_upstream_held_that_is_gone_hides_no_shorter_prefix() {
    let mut world = World::new();
    let turn = |messages: &[&'static str]| Asked { messages: messages.to_vec(), ..asked() };
    world.serve(&turn(&["1"]), "a", "m");
    world.serve(&turn(&["1", "2"]), "gone", "m");
    assert_eq!(world.pin(&turn(&["1", "2", "3"])), Some(("a", By::Prefix)));
    assert!(world.choose(&turn(&["1", "2", "3"])).is_stale);
    // Once it was served again, the longer one is known there.
    world.serve(&turn(&["1", "2", "3"]), "b", "m");
    assert_eq!(world.pin(&turn(&["1", "2", "3", "4"])), Some(("b", By::Prefix)));
}

#[test]
fn a_message_that_grows_is_followed_where_it_went() {
    let mut world = World::new();
    let grown = |bytes: usize| Asked { messages: vec!["x".repeat(bytes).leak()], ..asked() };
    world.serve(&grown(5000), "a", "m");
    // A failover: its end is no beginning of the next one, which is found by what both share.
    assert_eq!(world.serve(&grown(5200), "b", "m"), Some(("a", By::Prefix)));
    assert_eq!(world.serve(&grown(5400), "b", "m"), Some(("b", By::Prefix)));
    // Those who branch off before that are still at home.
    assert_eq!(world.pin(&grown(3000)), Some(("a", By::Prefix)));
}

#[test]
fn what_cached_nothing_is_taken_back() {
    let mut world = World::new();
    let turn = |messages: &[&'static str]| Asked { messages: messages.to_vec(), ..asked() };
    world.serve(&turn(&["1"]), "a", "m");
    let asked = turn(&["1", "2"]);
    let mut memory = world.choose(&asked).memory;
    world.learn(&mut memory, "b", "m");
    assert_eq!(world.pin(&asked), Some(("b", By::Prefix)));
    let mut table = Table::new(&mut world.slots, world.config.affinity.entries, world.now);
    memory.take_back(&mut table);
    assert_eq!(world.pin(&asked), Some(("a", By::Prefix)));
}

#[test]
fn lifetimes_follow_the_cache() {
    let mut world = World::new();
    let asked = Asked { messages: vec!["1", "2"], ..asked() };
    let mut memory = world.choose(&asked).memory;
    let served = Served { upstream: upstream_digest("a"), endpoint: None };
    let mut table = Table::new(&mut world.slots, world.config.affinity.entries, world.now);
    // The first message ends before byte 60, the second behind it.
    memory.learn_prefix(&mut table, served, Lifetimes { seconds: 300, hour_until: 40 }, NOW + 100);
    world.now = NOW + 299;
    assert_eq!(world.pin(&asked), Some(("a", By::Prefix)));
    world.now = NOW + 301;
    assert_eq!(world.pin(&asked), Some(("a", By::Prefix)), "by the first message");
    world.now = NOW + 3601;
    assert_eq!(world.pin(&asked), None);
}

#[test]
fn endpoints_are_pinned_where_that_is_wanted() {
    let mut world = World::new();
    let endpoint = "10.0.0.7:8000".parse().unwrap();
    for (name, dialect, expected) in
        [("o", Dialect::Chat, Some(endpoint)), ("a", Dialect::Messages, None)]
    {
        let asked = Asked { session: Some("s"), dialect: Some(dialect), ..asked() };
        let memory = world.choose(&asked).memory;
        let served = Served { upstream: upstream_digest(name), endpoint: Some(endpoint) };
        let mut table = Table::new(&mut world.slots, world.config.affinity.entries, world.now);
        memory.learn_ids(&mut table, served, 300, NOW);
        assert_eq!(world.choose(&asked).pin.unwrap().endpoint, expected);
    }
}

#[test]
fn same_inputs_same_choice() {
    let asked = Asked { session: Some("s"), messages: vec!["1", "2"], ..asked() };
    let run = || {
        let mut world = World::new();
        world.serve(&asked, "b", "m");
        world.pin(&asked)
    };
    assert_eq!(run(), run());
    assert_eq!(run(), Some(("b", By::Session)));
}

#[test]
fn the_opener_places_a_conversation_the_same_everywhere() {
    let opener_of = |key: &str, model: &str, body: &str| {
        let mut reader = Reader::new(Dialect::Messages, [].into());
        reader.push(body.as_bytes()).unwrap();
        let caller = Caller::new([("x-api-key", key.as_bytes())].into_iter());
        opener(&caller, model, &reader.finish().unwrap().prefix)
    };
    let body = r#"{"system":"s","messages":[{"role":"user","content":"hi"}]}"#;
    // Pinned: another value sends every conversation to another place when a replica is upgraded.
    assert_eq!(opener_of("k", "m", body), opener_of("k", "m", body));
    let later = r#"{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"user","content":"more"}],"system":"s"}"#;
    assert_eq!(opener_of("k", "m", later), opener_of("k", "m", body));
    assert_ne!(opener_of("k2", "m", body), opener_of("k", "m", body));
    assert_ne!(opener_of("k", "m2", body), opener_of("k", "m", body));
}

#[test]
fn a_million_ids_leave_memory_flat() {
    let mut world = World::with(r#""affinity":{"entries":1024}"#);
    let served = Served { upstream: upstream_digest("a"), endpoint: None };
    let memory = world.choose(&asked()).memory;
    for id in 0..100_000u32 {
        let mut table = Table::new(&mut world.slots, 1024, world.now);
        memory.learn_answer(&world.keys, &mut table, served, &id.to_le_bytes(), 300, NOW);
    }
    assert_eq!(world.slots.slots.len(), 128);
}
