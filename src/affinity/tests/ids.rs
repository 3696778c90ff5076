//! What ids, sessions and objects pin.

use super::*;

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

/// Claude Code asks for titles and the like beside the conversation, in the same session.
#[test]
fn a_session_goes_with_its_conversation_when_its_account_dies() {
    let talk = Asked { session: Some("s"), messages: vec!["hi"], ..asked() };
    let follow_up = Asked { messages: vec!["hi", "more"], ..talk.clone() };
    let beside = Asked { messages: vec!["a title, please"], ..talk.clone() };
    for talk_is_first in [true, false] {
        let mut world = World::new();
        world.serve(&talk, "c", "msg_1");
        let mut of_talk = world.choose(&follow_up);
        let mut of_beside = world.choose(&beside);
        assert_eq!(world.told(&of_beside), Some(("c", By::Session)));
        let mut answers = [(&mut of_talk.memory, "a"), (&mut of_beside.memory, "b")];
        if !talk_is_first {
            answers.reverse();
        }
        for (memory, upstream) in answers {
            world.learn(memory, upstream, "msg_2");
        }
        assert_eq!(world.pin(&follow_up), Some(("a", By::Session)), "{talk_is_first}");
    }
    // What has no prefix to lose still takes the session along from where it was pinned.
    let mut world = World::new();
    world.serve(&beside, "c", "msg_1");
    let other = Asked { messages: vec!["another title"], ..beside };
    assert_eq!(world.serve(&other, "b", "msg_2"), Some(("c", By::Session)));
    assert_eq!(world.pin(&Asked { messages: vec!["a third"], ..other }), Some(("b", By::Session)));
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
fn endpoints_are_pinned_where_that_is_wanted() {
    let mut world = World::new();
    let endpoint = "10.0.0.7:8000".parse().unwrap();
    for (name, dialect, expected) in
        [("o", Dialect::Chat, Some(endpoint)), ("a", Dialect::Messages, None)]
    {
        let asked = Asked { session: Some("s"), dialect: Some(dialect), ..asked() };
        let mut memory = world.choose(&asked).memory;
        let served = Served { upstream: upstream_digest(name), endpoint: Some(endpoint) };
        let mut table = Table::new(&mut world.slots, world.config.affinity.entries, world.now);
        memory.learn_ids(&mut table, served, 300, NOW);
        assert_eq!(world.choose(&asked).pin.unwrap().endpoint, expected);
    }
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
