//! From the facts of a prompt and what an upstream accepts to the edits that make it legal there
//! and cached there.
//!
//! Pure: facts in, edits out; the bytes of the body are never seen here, and what is not named by
//! an edit stays. Shaping is idempotent, and a body that is already right gets no edit. Which
//! upstream it is for is decided elsewhere.

mod cut;
mod fields;
mod inject;
mod plan;
mod write;

use crate::prompt::{Member, Prompt, Ttl};
use crate::provider::Accepts;
use crate::splice::Edit;

/// What a request is shaped for.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    pub accepts: Accepts,
    pub policy: Policy,
    /// No injected mark on a prefix shorter than this, in tokens.
    pub min_tokens: u32,
    /// The upstream's name of the model, where it differs from the client's.
    pub model: Option<&'a str>,
    /// The `prompt_cache_key` to set where the client set none.
    pub cache_key: Option<&'a str>,
    /// Whether the request has the beta header for `scope`.
    pub scope_beta: bool,
    /// Whether to ask for usage in a chat stream.
    pub ask_usage: bool,
}

/// What becomes of marks, as far as the upstream takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The client's marks, made legal.
    Keep,
    /// None.
    Strip,
    /// As keep; where the client set none, some are placed, with this lifetime.
    Inject(Ttl),
}

/// Why a body was changed; each is one rule, and a label of the metric `edits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A mark went: the upstream takes none, or none of that kind or there.
    Strip,
    /// A mark on the whole request became one on a block, or went because it would be refused.
    TopLevel,
    /// A mark became the upstream's equivalent.
    Convert,
    /// A mark went to the nearest place that can carry one.
    Move,
    /// A mark went: it was one of more than four.
    Cap,
    /// A lifetime of an hour behind one of five minutes became five minutes.
    Order,
    /// A `ttl` went that the upstream does not know.
    Ttl,
    /// A `scope` went that the upstream does not know.
    Scope,
    /// A mark was placed.
    Inject,
    /// A top-level member about caching went that the upstream does not take.
    Field,
    /// `prompt_cache_key` was set.
    CacheKey,
    /// The model got the upstream's name for it.
    Model,
    /// `stream_options.include_usage` was set.
    Usage,
}

impl Rule {
    /// Every rule, in the order of their bits.
    pub const ALL: [Self; 13] = [
        Self::Strip,
        Self::TopLevel,
        Self::Convert,
        Self::Move,
        Self::Cap,
        Self::Order,
        Self::Ttl,
        Self::Scope,
        Self::Inject,
        Self::Field,
        Self::CacheKey,
        Self::Model,
        Self::Usage,
    ];

    /// Its name in metrics and headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strip => "strip",
            Self::TopLevel => "top_level",
            Self::Convert => "convert",
            Self::Move => "move",
            Self::Cap => "cap",
            Self::Order => "order",
            Self::Ttl => "ttl",
            Self::Scope => "scope",
            Self::Inject => "inject",
            Self::Field => "field",
            Self::CacheKey => "cache_key",
            Self::Model => "model",
            Self::Usage => "usage",
        }
    }
}

/// How a body is to be changed, and what that makes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shaping {
    /// In the order of the bytes, not overlapping.
    pub edits: Vec<Edit>,
    /// One entry for each change, in the order in which the rules made them.
    pub rules: Vec<Rule>,
    /// Whether the body as sent carries a mark.
    pub marked: bool,
    /// Offset in the client's body up to which its marks ask for an hour; 0 if none does.
    pub hour_until: u32,
    /// Whether the usage chunk of a chat stream was asked for here, not by the client.
    pub asked_usage: bool,
}

impl Shaping {
    /// Bytes of a body of `length` bytes after the edits.
    pub fn length(&self, length: u32) -> u64 {
        self.edits.iter().fold(u64::from(length), |length, edit| {
            length.saturating_sub(u64::from(edit.remove)) + edit.insert.len() as u64
        })
    }

    fn cut(&mut self, member: Member, rule: Rule, cuts: &mut Vec<Member>) {
        self.rules.push(rule);
        cuts.push(member);
    }
}

/// Shapes the prompt for the target.
pub fn shape(prompt: &Prompt, target: &Target<'_>) -> Shaping {
    let mut shaping = Shaping::default();
    let mut cuts = Vec::new();
    let plan = plan::marks(prompt, target);
    write::marks(prompt, target, &plan, &mut shaping, &mut cuts);
    fields::fields(prompt, target, &mut shaping, &mut cuts);
    shaping.edits.extend(cut::members(cuts));
    shaping.edits.sort_by_key(|edit| edit.at);
    debug_assert!(shaping.edits.is_sorted_by(|one, two| one.at + one.remove <= two.at));
    shaping
}

#[cfg(test)]
mod tests;
