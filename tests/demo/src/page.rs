//! Two plays side by side as one page for browsers: a lane for each conversation, a box for each turn, coloured by the account
//! that served it and filled by the share that was read from its cache. All is in the one file, and no script is needed.

use std::fmt::Write;

use simulator::Usage;

use crate::played::{Outage, Outcome, Played, Turn};
use crate::table::grouped;

const STYLE: &str = include_str!("page.css");

/// Returns the page.
pub fn page(plain: &Played, warm: &Played) -> String {
    let (before, after) = (plain.totals(), warm.totals());
    let saved = (1.0 - after.cost / before.cost.max(1.0)) * 100.0;
    let accounts = accounts(plain, warm);
    let legend: String = accounts
        .iter()
        .enumerate()
        .map(|(index, name)| format!("<li class=\"a{index}\"><i></i>{name}</li>"))
        .collect();
    let panels = [("Plain Envoy", plain), ("With Warmpath", warm)];
    let most = before.cost.max(after.cost);
    let panels: String =
        panels.iter().map(|(title, played)| panel(title, played, &accounts, most)).collect();
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Warmpath: {turns} turns, without and with it</title>
<style>
{STYLE}</style>
<header>
<h1>The same input for <em>{saved:.0}&nbsp;% less</em></h1>
<p>{conversations} conversations, {turns} turns, {input} tokens, {accounts} accounts with a prompt cache each. A box is a turn: its colour is the account
that served it, and it is filled as far as its prompt was <b>read from that account’s cache</b>.</p>
<ul class="legend">{legend}<li class="cold"><i></i>cold</li><li class="half"><i></i>half warm</li><li class="warm"><i></i>warm</li></ul>
</header>
<main>{panels}
</main>
<footer>Written by <code>make demo</code>. The providers are simulated; tokens and caches are theirs. One account is switched off in the third
round. Point at a box for its figures.</footer>
</html>
"#,
        turns = warm.turns.len(),
        input = grouped(after.input_tokens),
        accounts = accounts.len(),
        conversations = conversations(warm).len(),
    )
}

fn panel(title: &str, played: &Played, accounts: &[&str], most: f64) -> String {
    let totals = played.totals();
    let failed_requests = totals.failed_requests;
    let share = totals.read_share() * 100.0;
    let cost = grouped(totals.cost.round() as u64);
    let axis = Axis::of(played);
    let outages: String = played.outages.iter().map(|outage| shade(outage, &axis)).collect();
    let lanes: String =
        conversations(played).iter().map(|name| lane(name, played, accounts, &axis)).collect();
    format!(
        r#"
<section class="panel" aria-label="{title}">
<h2>{title}</h2>
<dl>
<div><dt>read from a cache</dt><dd>{share:.0}&nbsp;%</dd><meter max="100" value="{share:.1}"></meter></div>
<div><dt>cost, in uncached tokens</dt><dd>{cost}</dd><meter class="cost" max="{most:.0}" value="{cost_value:.0}"></meter></div>
<div><dt>failed requests</dt><dd>{failed_requests}</dd></div>
</dl>
<div class="lanes">{outages}{lanes}
</div>
</section>"#,
        cost_value = totals.cost,
    )
}

fn lane(name: &str, played: &Played, accounts: &[&str], axis: &Axis) -> String {
    let turns = played.turns.iter().enumerate().filter(|(_, turn)| turn.conversation == name);
    let turns: Vec<(usize, &Turn)> = turns.collect();
    let mut track = String::new();
    for pair in turns.windows(2) {
        let [(from, before), (to, after)] = pair else { continue };
        let stays = upstream(before) == upstream(after);
        let (left, right) = (axis.left(*from) + BOX_PERCENT, axis.left(*to));
        let class = if stays { "stays" } else { "moves" };
        let width = (right - left).max(0.0);
        _ = write!(track, "<b class=\"{class}\" style=\"left:{left:.2}%;width:{width:.2}%\"></b>");
    }
    track.extend(turns.iter().map(|(step, turn)| cell(turn, accounts, axis.left(*step))));
    format!(
        "\n<div class=\"lane\"><span class=\"name\">{name}</span><div class=\"track\">{track}</div></div>"
    )
}

/// A turn as a box, with what is shown when it is pointed at.
fn cell(turn: &Turn, accounts: &[&str], left: f64) -> String {
    let Turn { conversation, number, outcome } = turn;
    let side = if left > 50.0 { " end" } else { "" };
    let (class, share, told) = match outcome {
        Outcome::Failed { status } => ("failed".into(), 0.0, format!("failed with {status}")),
        Outcome::Served { went_to, why, usage } => {
            let Usage { input, read, write, .. } = *usage;
            let account = accounts.iter().position(|name| name == went_to).unwrap_or_default();
            let share = 100.0 * read as f64 / input.max(1) as f64;
            let [input, read, write] = [input, read, write].map(grouped);
            let told = format!(
                "{went_to}: {why}<br>{input} tokens, {read} from the cache ({share:.0}&nbsp;%), {write} written"
            );
            (format!("a{account}"), share, told)
        }
    };
    format!(
        "<div class=\"turn {class}{side}\" tabindex=\"0\" style=\"left:{left:.2}%;--share:{share:.1}%\"><span role=\"tooltip\"><strong>{conversation}, turn {number}</strong><br>{told}</span></div>"
    )
}

/// The time in which an upstream was off.
fn shade(outage: &Outage, axis: &Axis) -> String {
    let (left, right) = (axis.left(outage.turns.start), axis.left(outage.turns.end));
    let width = right - left;
    format!(
        "\n<div class=\"lane outage\"><span class=\"name\"></span><div class=\"track\"><div class=\"off\" style=\"left:{left:.2}%;width:{width:.2}%\"><span>{} is off</span></div></div></div>",
        outage.upstream
    )
}

/// Width of a box, in percent of its lane.
const BOX_PERCENT: f64 = 11.0;

/// Time from left to right. All conversations take a turn in each round, so that rounds are columns; inside, boxes stand by
/// their order.
struct Axis {
    per_round: usize,
    rounds: usize,
}

impl Axis {
    fn of(played: &Played) -> Self {
        let per_round = conversations(played).len().max(1);
        Self { per_round, rounds: played.turns.len().div_ceil(per_round).max(1) }
    }

    /// Returns where a turn begins, in percent.
    fn left(&self, step: usize) -> f64 {
        let column = 100.0 / self.rounds as f64;
        let (round, order) = (step / self.per_round, step % self.per_round);
        // A little less than there is, so that columns do not touch.
        let room = column - BOX_PERCENT - 0.8;
        round as f64 * column + room * order as f64 / (self.per_round.max(2) - 1) as f64
    }
}

/// Returns the names in alphabetical order, which is that of the cast.
fn conversations(played: &Played) -> Vec<&'static str> {
    sorted(played.turns.iter().map(|turn| turn.conversation))
}

fn accounts<'a>(plain: &'a Played, warm: &'a Played) -> Vec<&'a str> {
    sorted(plain.turns.iter().chain(&warm.turns).filter_map(upstream))
}

fn upstream(turn: &Turn) -> Option<&str> {
    match &turn.outcome {
        Outcome::Served { went_to, .. } => Some(went_to),
        Outcome::Failed { .. } => None,
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played() -> Played {
        let turn = |conversation, number, outcome| Turn { conversation, number, outcome };
        let served = |went_to: &str, read| Outcome::Served {
            went_to: went_to.into(),
            why: "new, by weight".into(),
            usage: Usage { input: 2000, read, ..Usage::default() },
        };
        let turns = vec![
            turn("ada", 1, served("one", 0)),
            turn("ben", 1, Outcome::Failed { status: 503 }),
            turn("ben", 2, served("one", 500)),
            turn("ada", 2, served("two", 1000)),
        ];
        Played { turns, outages: vec![Outage { upstream: "one".into(), turns: 1..2 }] }
    }

    #[test]
    fn every_turn_is_a_box_in_its_lane() {
        let page = page(&played(), &played());
        let count = |text: &str| page.matches(text).count();
        assert_eq!((count("class=\"lane\""), count("class=\"turn ")), (4, 8));
        assert_eq!(
            (count("turn failed"), count("failed with 503"), count("one is off")),
            (2, 2, 2)
        );
        assert_eq!((count("--share:50.0%"), count("class=\"moves\"")), (2, 4));
    }

    #[test]
    fn nothing_is_fetched() {
        let page = page(&played(), &played());
        for outside in ["http://", "https://", "url(", "<script", "<link", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn rounds_do_not_overlap() {
        let axis = Axis { per_round: 12, rounds: 4 };
        assert!((0..47).all(|step| axis.left(step) < axis.left(step + 1)));
        assert!(
            (1..4).all(|round| axis.left(12 * round - 1) + BOX_PERCENT < axis.left(12 * round))
        );
    }
}
