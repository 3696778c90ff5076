//! What can be read at most while an account is away, worked out from the trace, by whatever kind of cache.
//!
//! When a conversation goes on whose account is away, its turn is cold wherever it goes, but for what other accounts hold of
//! its prompt. The others count as one here, and what comes back goes where most of its prompt is: no policy reads more.

use std::collections::HashMap;
use std::time::Duration;

use super::requests::{BLOCK_TOKENS, Request};

/// Simulated caches keep nothing of a shorter prompt.
const MINIMUM_TOKENS: usize = 1024;

/// A request, and what is known of it.
pub struct Known<'r> {
    pub request: &'r Request,
    /// Whether the account is away when it comes.
    pub is_away: bool,
    /// Whether the account would have got it, were it never away.
    pub is_its_own: bool,
    /// What one account that gets everything reads of it.
    pub oracle_tokens: u64,
}

/// What is bound to be lost.
#[derive(Debug, Default, PartialEq)]
pub struct Loss {
    /// Requests of which less could be read.
    pub requests: usize,
    pub tokens: u64,
}

/// Adds up what nobody could have read, where caches keep what is not used for so long.
pub fn unavoidable<'r>(trace: impl Iterator<Item = Known<'r>>, life: Duration) -> Loss {
    let mut caches = Caches { life_ms: life.as_millis() as u64, used_ms: Default::default() };
    let mut loss = Loss::default();
    for known in trace {
        let Known { request, is_away, is_its_own, oracle_tokens } = known;
        let own = if is_away { 0 } else { caches.depth(&[Side::Own], request) };
        let others = caches.depth(&[Side::Others], request);
        let reach = own.max(others);
        if reach < caches.depth(&[Side::Own, Side::Others], request) {
            let tokens = reach * BLOCK_TOKENS;
            let possible = if tokens < MINIMUM_TOKENS { 0 } else { tokens as u64 };
            let tokens = oracle_tokens.saturating_sub(possible);
            loss.requests += usize::from(tokens > 0);
            loss.tokens += tokens;
        }
        // The first block is everybody's, and says nothing.
        let goes_home = if own == others || reach < 2 { is_its_own } else { own > others };
        let goes_to_own = goes_home && !is_away;
        caches.keep(if goes_to_own { Side::Own } else { Side::Others }, request);
    }
    loss
}

/// Where a prompt is held.
#[derive(Clone, Copy)]
enum Side {
    /// At the account that is away for a while.
    Own,
    Others,
}

struct Caches {
    life_ms: u64,
    /// By side and block, when it was used last. Equal blocks follow equal blocks.
    used_ms: [HashMap<u32, u64>; 2],
}

impl Caches {
    /// Returns how many blocks of a prompt are held, each by one of these.
    fn depth(&self, sides: &[Side], request: &Request) -> usize {
        let is_live = |side: &Side, block: &u32| {
            let used = self.used_ms[*side as usize].get(block);
            used.is_some_and(|used| request.at_ms < used + self.life_ms)
        };
        let held = |block: &&u32| sides.iter().any(|side| is_live(side, block));
        request.blocks.iter().take_while(held).count()
    }

    fn keep(&mut self, side: Side, request: &Request) {
        let used = request.blocks.iter().map(|block| (*block, request.at_ms));
        self.used_ms[side as usize].extend(used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(300);

    /// Plays requests of four blocks, each as: seconds, whether the account is away, whether it is its own, the conversation.
    fn lost(trace: &[(u64, bool, bool, u32)]) -> Loss {
        let request = |(second, _, _, conversation): &(u64, bool, bool, u32)| Request {
            at_ms: second * 1000,
            input_tokens: 4 * BLOCK_TOKENS,
            output_tokens: 1,
            blocks: vec![0, conversation * 10, conversation * 10 + 1, conversation * 10 + 2],
        };
        let requests: Vec<Request> = trace.iter().map(request).collect();
        let known = requests.iter().zip(trace).map(|(request, (_, is_away, is_its_own, _))| {
            Known { request, is_away: *is_away, is_its_own: *is_its_own, oracle_tokens: 2048 }
        });
        unavoidable(known, LIFE)
    }

    #[test]
    fn only_the_first_turn_of_what_the_account_held_is_cold() {
        let before = [(0, false, true, 1), (0, false, false, 2), (0, false, true, 3)];
        let meanwhile = [(10, true, true, 1), (20, true, true, 1), (20, true, false, 2)];
        let after = [(200, false, true, 1), (200, false, true, 3)];
        let trace = [&before[..], &meanwhile, &after].concat();
        assert_eq!(lost(&trace), Loss { requests: 1, tokens: 2048 });
    }

    #[test]
    fn what_begins_meanwhile_and_what_has_expired_is_not_lost() {
        let begun = [(10, true, true, 1), (20, true, true, 1)];
        assert_eq!(lost(&begun), Loss::default());
        let expired = [(0, false, true, 1), (300, true, true, 1)];
        assert_eq!(lost(&expired), Loss::default());
    }

    #[test]
    fn what_others_hold_of_a_prompt_is_not_lost() {
        let request = |last| Request {
            at_ms: 0,
            input_tokens: 4 * BLOCK_TOKENS,
            output_tokens: 1,
            blocks: vec![0, 1, 2, last],
        };
        let requests = [request(3), request(4), request(3)];
        let known = requests.iter().zip([0, 1536, 2048]).map(|(request, oracle_tokens)| Known {
            request,
            is_away: oracle_tokens > 0,
            is_its_own: true,
            oracle_tokens,
        });
        // The second begins as the first, and is cold; the third finds elsewhere what the second has left there.
        assert_eq!(unavoidable(known, LIFE), Loss { requests: 2, tokens: 1536 + 512 });
    }
}
