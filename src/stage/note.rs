//! What the stages leave for each other, as properties of the request.
//!
//! Properties and not headers: headers are shared between attempts, and a client could send them.

use serde::{Deserialize, Serialize};

use crate::prompt::Prompt;
use crate::shape::Rule;

/// From the route stage to the shape stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Request {
    /// The facts of the body, and the key of the conversation.
    Prompt(Prompt, ConversationKey),
    /// This host cannot hold requests.
    Unheld,
    /// The route stage has left the request alone, and counts why. So it says of one that the clock
    /// frees, too.
    LeftAlone,
}

/// A digest that is the same for every request of a conversation, in every process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ConversationKey(pub(super) u128);

impl ConversationKey {
    /// As providers are told it: 40 visible characters, where 64 are allowed.
    pub(super) fn text(self) -> String {
        format!("{KEY_BEGIN}{:031x}", self.0 & (u128::MAX >> 4))
    }

    /// Whether this is how it is told.
    pub(super) fn is(self, value: &[u8]) -> bool {
        value.starts_with(KEY_BEGIN.as_bytes()) && value == self.text().as_bytes()
    }
}

const KEY_BEGIN: &str = "warmpath-";

/// From the shape stage of one attempt to that of the next, and to the route stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempt {
    /// The content length that it set.
    pub(super) length: u64,
    /// The length of the body that it was given.
    pub(super) given: u64,
    /// The rules that changed the body, as bits.
    pub(super) rules: u16,
    pub(super) asked_usage: bool,
    /// How long the provider keeps what it caches of this request, in seconds.
    pub(super) lifetime_seconds: u32,
    /// Up to this offset in the client's body, an hour.
    pub(super) hour_until: u32,
    /// Digest of the name of the upstream that it shaped for, if the shape stage knows it.
    pub(super) upstream: Option<u64>,
}

impl Attempt {
    pub(super) fn rules(&self) -> impl Iterator<Item = Rule> {
        let bits = self.rules;
        Rule::ALL.into_iter().filter(move |rule| bits & bit(*rule) != 0)
    }
}

/// The bit of a rule.
pub(super) fn bit(rule: Rule) -> u16 {
    1 << rule as u16
}

pub(super) fn write<T: Serialize>(note: &T) -> Vec<u8> {
    // As much as a prompt of a few blocks takes; growing from nothing would copy it five times.
    postcard::to_extend(note, Vec::with_capacity(512)).unwrap_or_default()
}

/// Reads a note; one that another version of the plugin left is none.
pub(super) fn read<T: for<'n> Deserialize<'n>>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{Attempt, ConversationKey, Request, bit, read, write};
    use crate::shape::Rule;

    #[test]
    fn notes_come_back_as_they_were() {
        let attempt = Attempt {
            length: 1 << 40,
            rules: bit(Rule::Strip) | bit(Rule::Usage),
            upstream: Some(u64::MAX),
            ..Attempt::default()
        };
        assert_eq!(read::<Attempt>(&write(&attempt)), Some(attempt.clone()));
        assert_eq!(attempt.rules().collect::<Vec<_>>(), [Rule::Strip, Rule::Usage]);
        assert_eq!(read::<Request>(&write(&Request::Unheld)), Some(Request::Unheld));
        assert_eq!(read::<Request>(b"\xff\xff"), None);
        assert_eq!(read::<Request>(b""), None);
    }

    #[test]
    fn keys_are_short_enough_for_every_provider() {
        for key in [0, 1, u128::MAX] {
            let text = ConversationKey(key).text();
            assert_eq!(text.len(), 40);
            assert!(ConversationKey(key).is(text.as_bytes()));
            assert!(!ConversationKey(key ^ 1).is(text.as_bytes()));
        }
    }
}
