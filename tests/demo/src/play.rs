//! Plays a script through a gateway and prints a line per turn.

use e2e::Gateway;
use simulator::Fault;

use crate::cast::{self, Member};
use crate::script::{Step, script};
use crate::table::{self, Row};
use crate::totals::Totals;

/// Plays the dozen conversations.
pub async fn play(gateway: &Gateway) -> Totals {
    let mut show = Show { gateway, totals: Totals::default(), killed: None };
    let mut cast: Vec<Player> = cast::dozen()
        .into_iter()
        .map(|member| Player { member, turn: 0, at: String::new() })
        .collect();
    println!("{}", table::head());
    for step in script(cast.len()) {
        match step {
            Step::Turn(player) => show.turn(&mut cast[player]).await,
            Step::Kill(player) => show.kill(&cast[player]),
            Step::Heal => show.heal(),
        }
    }
    show.totals
}

struct Player {
    member: Member,
    turn: usize,
    /// The upstream that served the last turn.
    at: String,
}

struct Show<'a> {
    gateway: &'a Gateway,
    totals: Totals,
    killed: Option<String>,
}

impl Show<'_> {
    async fn turn(&mut self, player: &mut Player) {
        let Player { member, turn, at } = player;
        *turn += 1;
        member.conversation.ask(question_bytes(*turn));
        let answer = member.dress(self.gateway.send(&member.conversation)).await;
        if answer.status != 200 {
            self.totals.failed_requests += 1;
            announce(&format!("{}, turn {turn}: failed with {}", member.name, answer.status));
            return;
        }
        member.hear(&answer);
        let (went_to, exchange) = self.gateway.exchange(&answer);
        let usage = exchange.usage.unwrap_or_default();
        self.totals.add(&usage);
        let why = table::why(&answer.explanation(), &went_to);
        let (conversation, turn) = (member.name, *turn);
        let row = Row { conversation, turn, went_to: &went_to, why: &why, usage };
        println!("{}", table::row(&row));
        *at = went_to;
    }

    fn kill(&mut self, player: &Player) {
        if player.at.is_empty() {
            return; // All its turns have failed, which the totals say.
        }
        self.gateway.providers.fail(&player.at, Fault::Refused);
        announce(&format!("{} is switched off: it served {} last", player.at, player.member.name));
        self.killed = Some(player.at.clone());
    }

    fn heal(&mut self) {
        if let Some(upstream) = self.killed.take() {
            self.gateway.providers.heal(&upstream);
            announce(&format!("{upstream} is back"));
        }
    }
}

fn announce(event: &str) {
    println!("{}", table::mark(event));
}

/// The user's first turn carries the task, later ones carry less or, with the results of tools, more: from 2 to 8 KB.
fn question_bytes(turn: usize) -> usize {
    2_000 + 2_000 * (turn % 4)
}
