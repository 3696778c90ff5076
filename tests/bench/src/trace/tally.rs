//! What the accounts of every setup have served, request by request, and what that comes to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use simulator::Simulator;

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
}
