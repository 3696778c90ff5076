//! From the blocks of a trace to conversations: who said what, and the text itself.
//!
//! A trace says that two prompts begin with the same blocks, not where a turn ends. But the prompt of a follow-up is the
//! earlier prompt, its answer, and something new; the lengths of the first two are known. So a request that shares all whole
//! blocks of an earlier one, and is long enough for its answer as well, is its follow-up, and the turns of both agree to the
//! byte. One that shares less takes over the turns that lie in the shared blocks, as after an edit.

use std::collections::HashMap;
use std::ops::Range;

use super::requests::{BLOCK_TOKENS, Request};

/// Bytes of a token: what simulated accounts count.
pub const TOKEN_BYTES: usize = 4;

/// Who says a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The first block, which all requests of a trace share.
    System,
    User,
    Assistant,
}

/// A turn, as the tokens of the prompt that it takes.
pub type Turn = (Speaker, Range<usize>);

/// A request as a conversation.
#[derive(Debug)]
pub struct Conversation {
    pub turns: Vec<Turn>,
}

/// What the requests so far have said.
#[derive(Default)]
pub struct History {
    /// By a block, the latest request whose last whole block that is.
    ends: HashMap<u32, Past>,
    /// By a block, the first request that had it, whole or not.
    firsts: HashMap<u32, Past>,
    /// How blocks begin whose first tokens are those of another, shorter one.
    heads: HashMap<u32, Head>,
}

#[derive(Clone)]
struct Past {
    input_tokens: usize,
    output_tokens: usize,
    turns: std::rc::Rc<Vec<Turn>>,
    last_block: u32,
}

#[derive(Clone, Copy)]
struct Head {
    block: u32,
    tokens: usize,
}

impl History {
    /// Finds the turns of the next request.
    pub fn add(&mut self, request: &Request) -> Conversation {
        let known = request.blocks.iter().take_while(|block| self.firsts.contains_key(block));
        let known = known.count();
        let turns = match self.parent(request) {
            Some((shared, parent)) => {
                let next = request.blocks[shared];
                if parent.input_tokens > shared * BLOCK_TOKENS && next != parent.last_block {
                    let tokens = parent.input_tokens - shared * BLOCK_TOKENS;
                    let head = Head { block: parent.last_block, tokens };
                    self.heads.entry(next).or_insert(head);
                }
                let answered = parent.input_tokens + parent.output_tokens.max(1);
                // The new turn has a token at least, whatever the template took.
                let answered = answered.min(request.input_tokens - 1);
                let mut turns = parent.turns.to_vec();
                turns.push((Speaker::Assistant, parent.input_tokens..answered));
                turns.push((Speaker::User, answered..request.input_tokens));
                turns
            }
            None => self.branch(request, known),
        };
        let past = Past {
            input_tokens: request.input_tokens,
            output_tokens: request.output_tokens,
            turns: std::rc::Rc::new(turns),
            last_block: *request.blocks.last().unwrap_or(&0),
        };
        for block in &request.blocks[known..] {
            self.firsts.insert(*block, past.clone());
        }
        if let [.., whole, _] = request.blocks[..] {
            self.ends.insert(whole, past.clone());
        }
        Conversation { turns: past.turns.to_vec() }
    }

    /// Finds the request that this one follows, and how many whole blocks it had.
    fn parent(&self, request: &Request) -> Option<(usize, Past)> {
        // The first block is everybody's; more than that must be shared.
        (2..request.blocks.len()).rev().find_map(|shared| {
            let past = self.ends.get(&request.blocks[shared - 1])?;
            let next = request.blocks[shared];
            // The text of a block that is known does not change any more.
            let fits = !self.firsts.contains_key(&next)
                || next == past.last_block
                || self.heads.get(&next).is_some_and(|head| head.block == past.last_block);
            let is_answered =
                past.input_tokens + past.output_tokens <= request.input_tokens + SLACK;
            let longer = request.input_tokens > past.input_tokens + 1;
            (fits && is_answered && longer).then(|| (shared, past.clone()))
        })
    }

    /// Takes over the turns of the request that had the last shared block first.
    fn branch(&self, request: &Request, known: usize) -> Vec<Turn> {
        let shared = (known * BLOCK_TOKENS).min(request.input_tokens - 1);
        let before = known.checked_sub(1).and_then(|last| self.firsts.get(&request.blocks[last]));
        let mut turns: Vec<Turn> = before.map_or_else(Vec::new, |before| {
            let inside = before.turns.iter().take_while(|(_, tokens)| tokens.end <= shared);
            inside.cloned().collect()
        });
        while turns.last().is_some_and(|(speaker, _)| *speaker == Speaker::User) {
            turns.pop();
        }
        if turns.is_empty() && request.input_tokens > BLOCK_TOKENS {
            turns.push((Speaker::System, 0..BLOCK_TOKENS));
        }
        let from = turns.last().map_or(0, |(_, tokens)| tokens.end);
        turns.push((Speaker::User, from..request.input_tokens));
        turns
    }

    /// Writes the text of a request, four bytes a token, as it stands between the quotes of a JSON string.
    pub fn text(&self, request: &Request) -> Vec<u8> {
        let mut text = Vec::with_capacity(request.blocks.len() * BLOCK_TOKENS * TOKEN_BYTES);
        for (number, block) in request.blocks.iter().enumerate() {
            let tokens = (request.input_tokens - number * BLOCK_TOKENS).min(BLOCK_TOKENS);
            self.write(*block, 0..tokens, &mut text);
        }
        text
    }

    /// Writes some tokens of a block.
    fn write(&self, block: u32, tokens: Range<usize>, text: &mut Vec<u8>) {
        let mut from = tokens.start;
        if let Some(head) = self.heads.get(&block)
            && from < head.tokens
        {
            self.write(head.block, from..head.tokens.min(tokens.end), text);
            from = head.tokens.min(tokens.end);
        }
        let own = own_text(block);
        text.extend_from_slice(&own[from * TOKEN_BYTES..tokens.end * TOKEN_BYTES]);
    }
}

/// How many tokens a prompt may have less than its predecessor and that one's answer, and still follow it: an answer's end
/// mark is not part of a prompt.
const SLACK: usize = 2;

/// Returns the text of a whole block, the same for the same block.
fn own_text(block: u32) -> [u8; BLOCK_TOKENS * TOKEN_BYTES] {
    // Escapes are as frequent as in prose, and never cut in two: a token is a whole one of these.
    const TOKENS: &[&[u8; 4]; 32] = &[
        b"the ", b"a se", b"rver", b" is ", b"read", b"ing ", b"of t", b"he f", b"ile ", b"and ",
        b"then", b" it ", b"goes", b" on,", b" so ", b"what", b" we ", b"have", b" in ", b"mind",
        b" can", b"not ", b"be k", b"ept.", b" It ", b"was ", b"made", b" for", b" all", b" us.",
        b"\\n  ", b"ends",
    ];
    let mut text = [0; BLOCK_TOKENS * TOKEN_BYTES];
    let mut state = u64::from(block).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for tokens in text.chunks_mut(TOKEN_BYTES * 8) {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let mut bits = state.wrapping_mul(0x2545_F491_4F6C_DD1D);
        for token in tokens.chunks_mut(TOKEN_BYTES) {
            bits >>= 5;
            token.copy_from_slice(TOKENS[(bits & 31) as usize]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(input_tokens: usize, output_tokens: usize, blocks: &[u32]) -> Request {
        Request { at_ms: 0, input_tokens, output_tokens, blocks: blocks.to_vec() }
    }

    #[test]
    fn a_follow_up_has_the_turns_of_what_it_follows() {
        let mut history = History::default();
        let first = request(1100, 200, &[0, 1, 2]);
        let second = request(1400, 10, &[0, 1, 3]);
        assert_eq!(
            history.add(&first).turns,
            [(Speaker::System, 0..512), (Speaker::User, 512..1100)]
        );
        assert_eq!(
            history.add(&second).turns,
            [
                (Speaker::System, 0..512),
                (Speaker::User, 512..1100),
                (Speaker::Assistant, 1100..1300),
                (Speaker::User, 1300..1400),
            ]
        );
        let (first, second) = (history.text(&first), history.text(&second));
        assert_eq!((first.len(), second.len()), (1100 * 4, 1400 * 4));
        assert!(second.starts_with(&first));
    }

    #[test]
    fn an_edit_takes_over_the_turns_before_it() {
        let mut history = History::default();
        history.add(&request(1100, 500, &[0, 1, 2]));
        history.add(&request(2000, 10, &[0, 1, 3, 4]));
        let edited = history.add(&request(1590, 10, &[0, 1, 3, 5]));
        assert_eq!(edited.turns.len(), 2, "1100..1600 was not shared to its end: {edited:?}");
        let other = history.add(&request(600, 10, &[0, 6]));
        assert_eq!(other.turns, [(Speaker::System, 0..512), (Speaker::User, 512..600)]);
    }

    #[test]
    fn short_prompts_have_no_system() {
        let mut history = History::default();
        assert_eq!(history.add(&request(300, 1, &[0])).turns, [(Speaker::User, 0..300)]);
    }
}
