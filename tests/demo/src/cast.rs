//! Who talks, and how their clients behave. Most set nothing but the base URL.

use e2e::client::Call;
use e2e::prompt::Dialect;
use e2e::{Answer, Conversation};

/// One conversation and its client.
pub struct Member {
    pub name: &'static str,
    pub conversation: Conversation,
    habit: Habit,
    last_id: Option<String>,
}

/// What a client sends beside the prompt.
#[derive(Clone, Copy)]
enum Habit {
    /// Nothing.
    Plain,
    /// A session header, always the same.
    Session,
    /// The id of the last answer.
    ResponseId,
}

impl Member {
    fn new(name: &'static str, conversation: Conversation, habit: Habit) -> Self {
        Self { name, conversation, habit, last_id: None }
    }

    /// Adds to a request what this client sends beside the prompt.
    pub fn dress(&self, call: Call) -> Call {
        let call = call.header("x-api-key", "a-key-of-the-demo");
        match (self.habit, &self.last_id) {
            (Habit::Session, _) => call.header("x-session-id", self.name),
            (Habit::ResponseId, Some(id)) => call.header("x-response-id", id),
            (Habit::Plain | Habit::ResponseId, _) => call,
        }
    }

    /// Takes an answer to what was asked last.
    pub fn hear(&mut self, answer: &Answer) {
        self.conversation.hear(answer);
        self.last_id = Some(answer.id());
    }
}

/// A dozen conversations: ten with Claude, of which half mark their prompts as coding agents do, and two in chat. They are the
/// same each time.
pub fn dozen() -> Vec<Member> {
    let names =
        ["ada", "ben", "cleo", "dan", "eva", "finn", "gus", "hana", "ivo", "june", "kim", "lou"];
    let member = |(seed, name): (u64, &'static str)| {
        let plain = |dialect| Conversation::new(dialect, seed);
        match name {
            "kim" | "lou" => Member::new(name, plain(Dialect::Chat), Habit::Plain),
            "ivo" => Member::new(name, plain(Dialect::Messages), Habit::Session),
            "june" => Member::new(name, plain(Dialect::Messages), Habit::ResponseId),
            _ if seed % 2 == 0 => {
                Member::new(name, plain(Dialect::Messages).marking(), Habit::Plain)
            }
            _ => Member::new(name, plain(Dialect::Messages).streaming(), Habit::Plain),
        }
    };
    (1..).zip(names).map(member).collect()
}
