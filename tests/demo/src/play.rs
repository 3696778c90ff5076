//! Plays a script through a gateway and prints a line per turn.

use e2e::Gateway;
use simulator::Fault;

use crate::cast::{self, Member};
use crate::played::{Outage, Outcome, Played, Turn};
use crate::script::{Step, script};
use crate::table;

/// Plays the dozen conversations.
pub async fn play(gateway: &Gateway) -> Played {
    let mut show = Show { gateway, played: Played::default(), killed: None };
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
    show.played
}

struct Player {
    member: Member,
    turn: usize,
    /// The upstream that served the last turn.
    at: String,
}

struct Show<'a> {
    gateway: &'a Gateway,
    played: Played,
    /// The upstream that is off, and the number of turns before that.
    killed: Option<(String, usize)>,
}

impl Show<'_> {
    async fn turn(&mut self, player: &mut Player) {
        player.turn += 1;
        let conversation = player.member.name;
        let outcome = self.outcome(player).await;
        let turn = Turn { conversation, number: player.turn, outcome };
        println!("{}", table::row(&turn));
        self.played.turns.push(turn);
    }

    async fn outcome(&self, player: &mut Player) -> Outcome {
        let Player { member, turn, at } = player;
        member.conversation.ask(question_bytes(*turn));
        let answer = member.dress(self.gateway.send(&member.conversation)).await;
        if answer.status != 200 {
            return Outcome::Failed { status: answer.status };
        }
        member.hear(&answer);
        let (went_to, exchange) = self.gateway.exchange(&answer);
        at.clone_from(&went_to);
        let why = table::why(&answer.explanation(), &went_to);
        Outcome::Served { went_to, why, usage: exchange.usage.unwrap_or_default() }
    }

    fn kill(&mut self, player: &Player) {
        if player.at.is_empty() {
            return; // All its turns have failed, which the totals say.
        }
        self.gateway.providers.fail(&player.at, Fault::Refused);
        announce(&format!("{} is switched off: it served {} last", player.at, player.member.name));
        self.killed = Some((player.at.clone(), self.played.turns.len()));
    }

    fn heal(&mut self) {
        if let Some((upstream, first)) = self.killed.take() {
            self.gateway.providers.heal(&upstream);
            announce(&format!("{upstream} is back"));
            self.played.outages.push(Outage { upstream, turns: first..self.played.turns.len() });
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
