//! The law of marks that Claude's endpoints and their relays share: how many, in which order, and
//! what a mark at the top of the body stands for. platform.claude.com, prompt caching, read
//! 2026-08-22.

use crate::cache::MOST_MARKS;
use crate::prompt::{Prompt, Ttl};
use crate::provider::Excess;
use crate::refusal::{Breach, Path, Refusal};

/// Puts the top-level mark where it counts, then judges all marks, unless excess ones are dropped.
pub(crate) fn settle(prompt: &mut Prompt, excess: Excess) -> Result<(), Refusal> {
    for mark in prompt.pieces.iter_mut().filter_map(|piece| piece.mark.as_mut()) {
        // Written as one of OpenAI's breakpoints: relays take it for a mark, but not its lifetime.
        if !matches!(mark, Ttl::FiveMinutes | Ttl::OneHour) {
            *mark = Ttl::FiveMinutes;
        }
    }
    if let Some(ttl) = prompt.top_level {
        place(prompt, ttl)?;
    }
    if excess == Excess::Dropped {
        return Ok(());
    }
    let count = prompt.pieces.iter().filter(|piece| piece.mark.is_some()).count();
    if count > MOST_MARKS {
        return Err(Refusal::rule(format!(
            "A maximum of {MOST_MARKS} blocks with cache_control may be provided. Found {count}."
        )));
    }
    let mut shorter = false;
    for piece in &prompt.pieces {
        match piece.mark {
            Some(Ttl::OneHour) if shorter => {
                let path = piece.path.name("cache_control").name("ttl");
                return Err(Refusal::new(path, Breach::Rule(ORDER.to_owned())));
            }
            Some(Ttl::FiveMinutes) => shorter = true,
            _ => {}
        }
    }
    Ok(())
}

/// The automatic mark stands on the last block that can carry one; without any it is none.
fn place(prompt: &mut Prompt, ttl: Ttl) -> Result<(), Refusal> {
    let Some(last) = prompt.pieces.iter_mut().rfind(|piece| piece.can_carry) else { return Ok(()) };
    match last.mark {
        Some(own) if own != ttl => {
            let words = "the last cacheable block already has a cache_control with a different ttl";
            Err(Refusal::new(Path::new("cache_control"), Breach::Rule(words.to_owned())))
        }
        _ => {
            last.mark = Some(ttl);
            Ok(())
        }
    }
}

const ORDER: &str = "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.";
