//! In which order the conversations take their turns, and when an upstream fails. The same each time.

/// How many turns each conversation takes.
pub const TURNS: usize = 4;

/// The turn before which the upstream of the first conversation is switched off.
const FAILING_TURN: usize = 3;

/// How many turns are taken until it is back: some that need it and some that do not.
const OUTAGE_TURNS: usize = 7;

/// One step of a script; conversations are meant by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A conversation takes its next turn.
    Turn(usize),
    /// The upstream that served this conversation last is switched off.
    Kill(usize),
    /// That upstream is back.
    Heal,
}

/// Returns the steps of so many conversations. In each round all take a turn, in another order.
pub fn script(conversations: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for turn in 1..=TURNS {
        let mut round = shuffled(conversations, turn as u64);
        if turn != FAILING_TURN {
            steps.extend(round.into_iter().map(Step::Turn));
            continue;
        }
        round.retain(|conversation| *conversation != 0);
        steps.push(Step::Kill(0));
        steps.push(Step::Turn(0));
        let later = round.split_off((OUTAGE_TURNS - 1).min(round.len()));
        steps.extend(round.into_iter().map(Step::Turn));
        steps.push(Step::Heal);
        steps.extend(later.into_iter().map(Step::Turn));
    }
    steps
}

/// Shuffles 0..n (Fisher and Yates), with the same random numbers for the same seed.
fn shuffled(n: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut state = seed;
    for last in (1..n).rev() {
        // Knuth's constants for a 64-bit linear congruential generator; only its high bits are random enough.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(last, (state >> 33) as usize % (last + 1));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_conversation_takes_all_its_turns() {
        let steps = script(12);
        for conversation in 0..12 {
            assert_eq!(
                steps.iter().filter(|step| **step == Step::Turn(conversation)).count(),
                TURNS
            );
        }
    }

    #[test]
    fn the_upstream_is_killed_before_the_first_conversation_needs_it_and_healed_later() {
        let steps = script(12);
        let kill = steps.iter().position(|step| *step == Step::Kill(0)).unwrap();
        assert_eq!(steps[kill + 1], Step::Turn(0));
        assert_eq!(steps[kill + 1 + OUTAGE_TURNS], Step::Heal);
    }

    #[test]
    fn rounds_differ() {
        assert_ne!(shuffled(12, 1), shuffled(12, 2));
    }
}
