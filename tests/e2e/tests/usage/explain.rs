//! The header that explains an answer, as a structured field.

use e2e::prompt::Dialect;
use e2e::{Answer, Bootstrap, Gateway};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use simulator::Fault;

use crate::asked;

/// The members of the header; strings as they are, integers with their number.
fn members(answer: &Answer) -> Vec<(String, String)> {
    let header = answer.header("x-warmpath").expect("an explanation");
    let dictionary: Dictionary = Parser::new(header).parse().expect("a dictionary of RFC 9651");
    let value = |entry: &ListEntry| match entry {
        ListEntry::Item(item) => match &item.bare_item {
            BareItem::String(text) => text.as_str().to_owned(),
            BareItem::Integer(number) => i64::from(*number).to_string(),
            other => panic!("{other:?} is neither a string nor an integer"),
        },
        ListEntry::InnerList(list) => panic!("{list:?} is a list"),
    };
    dictionary.iter().map(|(key, entry)| (key.to_string(), value(entry))).collect()
}

fn keys(members: &[(String, String)]) -> Vec<&str> {
    members.iter().map(|(key, _)| key.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_says_what_was_done_and_why() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    let chat = gateway.send(&asked(Dialect::Chat, 1)).await;
    let usage = gateway.exchange(&chat).1.usage.expect("usage");
    let told = members(&chat);
    // OpenAI's older models do not tell what they write.
    assert_eq!(keys(&told), ["by", "upstream", "edits", "attempts", "input", "read"]);
    let values: Vec<&str> = told.iter().map(|(_, value)| value.as_str()).collect();
    let numbers = [usage.input, usage.read].map(|number| number.to_string());
    assert_eq!(values[..4], ["none", "openai-a", "cache_key", "1"]);
    assert_eq!(values[4..], numbers);

    let mut conversation = asked(Dialect::Messages, 1);
    let first = gateway.send(&conversation).await;
    let home = gateway.served(&first);
    // Answers for messages are not held, so that their headers go before the counts are known.
    assert_eq!(keys(&members(&first)), ["by", "upstream", "edits", "attempts"]);
    conversation.hear(&first);
    conversation.ask(100);
    gateway.providers.fail(&home, Fault::Status(503));
    let told = members(&gateway.send(&conversation.streaming()).await);
    assert_eq!(keys(&told), ["by", "upstream", "pinned", "edits", "attempts"]);
    assert_eq!((&*told[0].1, &*told[2].1, &*told[4].1), ("prefix", &*home, "2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn upstreams_may_have_any_name() {
    let provider = e2e::Scripted::start(e2e::Reply::json("{}")).await;
    let mut bootstrap = Bootstrap::explaining();
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us", "openai-a"] {
        bootstrap = bootstrap.point(upstream, provider.address());
    }
    let name = "outbound|443||api.openai.com";
    let gateway = Gateway::start(bootstrap.rename("openai-a", name)).await;
    let answer = gateway.post("/v1/chat/completions", &crate::chat()).await;
    assert_eq!(members(&answer)[1], ("upstream".to_owned(), name.to_owned()));
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_exchanges_total", &[("upstream", name)]), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_explained_unless_asked_for() {
    let gateway = Gateway::warm().await;
    let answer = gateway.send(&asked(Dialect::Messages, 1)).await;
    assert_eq!((answer.status, answer.header("x-warmpath")), (200, None));
}
