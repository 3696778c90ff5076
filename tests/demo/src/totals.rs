//! What all turns came to: how much of the input was read from caches, and what it cost.

use simulator::Usage;

use crate::table::grouped;

/// The sums over the turns of a play.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    pub input_tokens: u64,
    pub read_tokens: u64,
    /// In the price of one uncached input token.
    pub cost: f64,
    pub failed_requests: u64,
}

impl Totals {
    /// Adds a turn that was answered.
    pub fn add(&mut self, usage: &Usage) {
        self.input_tokens += usage.input;
        self.read_tokens += usage.read;
        self.cost += cost(usage);
    }

    /// Returns which part of the input was read from a cache, from 0 to 1.
    pub fn read_share(&self) -> f64 {
        self.read_tokens as f64 / self.input_tokens.max(1) as f64
    }
}

/// Prices as most providers have them, of one token: uncached 1, read 0.1, written 1.25 for five or thirty minutes, 2 for an
/// hour, 2.5 for twelve.
fn cost(usage: &Usage) -> f64 {
    let prices = [
        (usage.uncached, 1.0),
        (usage.read, 0.1),
        (usage.write_5m + usage.write_30m, 1.25),
        (usage.write_1h, 2.0),
        (usage.write_12h, 2.5),
    ];
    prices.iter().map(|(tokens, price)| *tokens as f64 * price).sum()
}

/// Returns both totals side by side.
pub fn compare(plain: &Totals, warm: &Totals) -> String {
    let share = |totals: &Totals| format!("{:.1} %", totals.read_share() * 100.0);
    let cost = |totals: &Totals| grouped(totals.cost.round() as u64);
    let lines = [
        ["", "plain Envoy", "with Warmpath"].map(String::from),
        ["input tokens".into(), grouped(plain.input_tokens), grouped(warm.input_tokens)],
        ["of these read from a cache".into(), share(plain), share(warm)],
        ["cost of the input, in uncached tokens".into(), cost(plain), cost(warm)],
        [
            "failed requests".into(),
            plain.failed_requests.to_string(),
            warm.failed_requests.to_string(),
        ],
    ];
    let line = |[what, plain, warm]: &[String; 3]| format!("{what:<38}  {plain:>12}  {warm:>14}\n");
    let lines: String = lines.iter().map(line).collect();
    let saved = (1.0 - warm.cost / plain.cost.max(1.0)) * 100.0;
    format!("{lines}\nThe same input cost {saved:.0} % less.\n")
}

/// By how much the input must be cheaper, of what it costs without Warmpath. Far above what another spread of the conversations
/// or the two in chat, which have one account and gain nothing, could explain.
const LEAST_SAVED: f64 = 0.20;

/// How many times the share that is read from caches without Warmpath must be reached with it.
const LEAST_READ: f64 = 1.5;

/// Says what is not as good as it must be; nothing if all is.
pub fn shortfalls(plain: &Totals, warm: &Totals) -> Vec<String> {
    let mut shortfalls = Vec::new();
    if plain.failed_requests + warm.failed_requests > 0 {
        shortfalls.push("a request failed".into());
    }
    if warm.cost > plain.cost * (1.0 - LEAST_SAVED) {
        shortfalls.push(format!("the input costs less by not even {:.0} %", LEAST_SAVED * 100.0));
    }
    // Shares are compared without a division, whose rounding would tell equal ones apart.
    let reads = |one: &Totals, other: &Totals| one.read_tokens as f64 * other.input_tokens as f64;
    if reads(warm, plain) < reads(plain, warm) * LEAST_READ || warm.read_tokens == 0 {
        shortfalls.push(format!("not even {LEAST_READ} times as much is read from caches"));
    }
    shortfalls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_token_has_its_price() {
        let mut totals = Totals::default();
        totals.add(&Usage { input: 1000, uncached: 1000, ..Usage::default() });
        totals.add(&Usage { input: 1000, read: 1000, ..Usage::default() });
        totals.add(&Usage { input: 1000, write: 1000, write_5m: 1000, ..Usage::default() });
        totals.add(&Usage { input: 1000, write: 1000, write_1h: 1000, ..Usage::default() });
        assert_eq!(
            totals,
            Totals { input_tokens: 4000, read_tokens: 1000, cost: 4350.0, failed_requests: 0 }
        );
        assert_eq!(totals.read_share(), 0.25);
    }

    #[test]
    fn a_demo_that_is_hardly_better_falls_short() {
        let totals = |read_tokens, cost| Totals {
            input_tokens: 1000,
            read_tokens,
            cost,
            failed_requests: 0,
        };
        let plain = totals(400, 1000.0);
        let count = |warm: Totals| shortfalls(&plain, &warm).len();
        assert_eq!(count(totals(600, 800.0)), 0);
        assert_eq!(count(totals(599, 800.0)), 1);
        assert_eq!(count(totals(600, 801.0)), 1);
        assert_eq!(count(Totals { failed_requests: 1, ..totals(600, 800.0) }), 1);
        assert_eq!(count(plain), 2);
        assert_eq!(shortfalls(&totals(0, 0.0), &totals(0, 0.0)).len(), 1);
    }
}
