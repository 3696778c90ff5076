//! What a prompt itself pins.

use super::*;

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
