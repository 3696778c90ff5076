//! Remembers the latest answers to questions that come again and again.

use core::cell::RefCell;
use core::fmt;

/// How many answers are remembered. Callers and upstreams that are busy at a time are fewer.
const PLACES: usize = 64;

/// Answers by their questions, each at the place that its question has; what comes to a place that is
/// taken pushes out what was there.
pub(super) struct Memo<Q, A>(RefCell<[Option<(Q, A)>; PLACES]>);

impl<Q, A> Default for Memo<Q, A> {
    fn default() -> Self {
        Self(RefCell::new([const { None }; PLACES]))
    }
}

/// Neither questions nor answers are for logs.
impl<Q, A> fmt::Debug for Memo<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

impl<Q: PartialEq, A: Clone> Memo<Q, A> {
    /// The answer to a question whose digest is `digest`: the remembered one, or else a new one.
    pub(super) fn get(&self, question: Q, digest: u64, answer: impl FnOnce() -> A) -> A {
        let mut places = self.0.borrow_mut();
        let Some(place) = places.get_mut((digest % PLACES as u64) as usize) else {
            return answer();
        };
        match place {
            Some((known, remembered)) if *known == question => remembered.clone(),
            _ => {
                let answer = answer();
                *place = Some((question, answer.clone()));
                answer
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Memo, PLACES};

    #[test]
    fn an_answer_is_asked_for_once_until_it_is_pushed_out() {
        let memo = Memo::default();
        let mut asked = Vec::new();
        for question in [1, 1, 2, 1 + PLACES as u64, 1, 2] {
            let answer = memo.get(question, question, || {
                asked.push(question);
                question * 10
            });
            assert_eq!(answer, question * 10);
        }
        assert_eq!(asked, [1, 2, 1 + PLACES as u64, 1]);
    }
}
