//! What the accounts of every setup have served, request by request, and what that comes to.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use simulator::Simulator;

use super::requests::Request;
use super::setup::Plan;

/// What one account did for one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    pub account: String,
    pub input_tokens: u64,
    pub read_tokens: u64,
}

/// All that was served, by the name of the plan, each in the order of the trace.
#[derive(Clone, Default)]
pub struct Tally(Arc<Mutex<HashMap<String, Vec<Served>>>>);

impl Tally {
    /// Writes down what these accounts serve from now on.
    pub fn of(accounts: &Simulator) -> Self {
        let tally = Self::default();
        let served = tally.clone();
        accounts.watch(move |account, exchange| {
            let Some(usage) = exchange.usage else { return };
            let plan = account.rsplit_once("-account-").map_or(account, |(plan, _)| plan);
            served.lock().entry(plan.to_owned()).or_default().push(Served {
                account: account.to_owned(),
                input_tokens: usage.input,
                read_tokens: usage.read,
            });
        });
        tally
    }

    /// Returns what was served for a plan.
    pub fn served(&self, plan: &Plan) -> Vec<Served> {
        self.lock().get(&plan.name()).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Served>>> {
        self.0.lock().expect("a lock")
    }
}

/// Returns the tokens that were read from caches.
pub fn read_tokens(served: &[Served]) -> u64 {
    served.iter().map(|served| served.read_tokens).sum()
}

/// Returns the input tokens of the busiest account over the mean of all.
pub fn busiest(served: &[Served], accounts: usize) -> f64 {
    let mut tokens: HashMap<&str, u64> = HashMap::new();
    for served in served {
        *tokens.entry(&served.account).or_default() += served.input_tokens;
    }
    let most = tokens.values().max().copied().unwrap_or_default();
    most as f64 * accounts as f64 / tokens.values().sum::<u64>().max(1) as f64
}

/// What was bound to be lost while an account was away.
#[derive(Debug, Default, PartialEq)]
pub struct Loss {
    /// Conversations that it held and that went on meanwhile.
    pub conversations: usize,
    /// Tokens that their first turns elsewhere could not read there.
    pub tokens: u64,
}

/// Finds what nobody could have read: when a conversation goes on whose account is away, its first turn elsewhere is cold.
/// `usual` is what the same policy does when no account is away: it says who held what.
pub fn unavoidable<'r>(
    requests: &[Request],
    is_away: impl Fn(&Request) -> bool,
    away: &str,
    usual: &'r [Served],
    (oracle, served): (&'r [Served], &'r [Served]),
) -> Loss {
    let mut loss = Loss::default();
    let mut gone = HashSet::new();
    for (number, request) in requests.iter().enumerate() {
        let (Some(usual), Some(oracle), Some(served)) =
            (usual.get(number), oracle.get(number), served.get(number))
        else {
            break;
        };
        // The first block is everybody's, the second is the conversation's own.
        let Some(conversation) = request.blocks.get(1) else { continue };
        let held = usual.account.rsplit('-').next() == away.rsplit('-').next();
        if is_away(request) && held && gone.insert(*conversation) {
            let tokens = oracle.read_tokens.saturating_sub(served.read_tokens);
            loss.conversations += usize::from(tokens > 0);
            loss.tokens += tokens;
        }
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(account: &str, input_tokens: u64, read_tokens: u64) -> Served {
        Served { account: account.into(), input_tokens, read_tokens }
    }

    #[test]
    fn the_busiest_account_is_told_as_a_multiple_of_the_mean() {
        let served = [served("a", 30, 0), served("b", 10, 0)];
        assert_eq!(busiest(&served, 2), 1.5);
        assert_eq!(busiest(&served, 4), 3.0);
    }

    #[test]
    fn only_first_turns_of_what_the_account_held_are_bound_to_be_cold() {
        let request = |block| Request {
            at_ms: 0,
            input_tokens: 1024,
            output_tokens: 1,
            blocks: vec![0, block],
        };
        let requests = [request(1), request(1), request(2), request(3)];
        let usual = ["x-1", "x-1", "x-2", "x-1"].map(|account| served(account, 1024, 512));
        let oracle = [512, 512, 512, 0].map(|read| served("o-1", 1024, read));
        let away = [0, 100, 0, 0].map(|read| served("y-2", 1024, read));
        let loss = unavoidable(&requests, |_| true, "y-1", &usual, (&oracle, &away));
        assert_eq!(loss, Loss { conversations: 1, tokens: 512 });
    }
}
