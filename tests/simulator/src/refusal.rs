//! What is wrong with a request, and where. How a provider words it is its own: see the `refuse` of
//! each file in `provider/`.

use std::fmt::Write;

/// The place of a value in a request body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Name(String),
    Index(usize),
    /// The variant of a union that was tried, which some validators put into their paths:
    /// `messages.0.content.2.thinking`.
    Tag(String),
}

impl Path {
    pub(crate) fn new(name: &str) -> Self {
        Self::default().name(name)
    }

    pub(crate) fn name(&self, name: &str) -> Self {
        self.with(Step::Name(name.to_owned()))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    pub(crate) fn tag(&self, tag: &str) -> Self {
        self.with(Step::Tag(tag.to_owned()))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// `messages.0.content.2.thinking.cache_control`: as pydantic writes a location.
    pub(crate) fn dotted(&self) -> String {
        let steps = self.0.iter().map(|step| match step {
            Step::Name(name) | Step::Tag(name) => name.clone(),
            Step::Index(index) => index.to_string(),
        });
        steps.collect::<Vec<_>>().join(".")
    }

    /// `messages[0].content[2].cache_control`: as JavaScript would address it; tags are left out.
    pub(crate) fn bracketed(&self) -> String {
        let mut text = String::new();
        for step in &self.0 {
            match step {
                Step::Name(name) if text.is_empty() => text.push_str(name),
                Step::Name(name) => _ = write!(text, ".{name}"),
                Step::Index(index) => _ = write!(text, "[{index}]"),
                Step::Tag(_) => {}
            }
        }
        text
    }
}

/// Why a request is not served.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) path: Path,
    pub(crate) breach: Breach,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Breach {
    /// The body is no JSON text; what the parser said.
    NotJson(String),
    /// A member that must be there is not.
    Missing,
    /// Another kind of value was expected, described as in `a valid list`.
    Wrong(&'static str),
    /// A member that is not known here.
    Extra,
    /// A member that is known, but not to this model.
    Unsupported,
    /// A rule of this provider, in its own words.
    Rule(String),
    /// An object that does not exist at this account.
    NotFound(String),
    /// No such endpoint.
    NoRoute,
    /// A status that was asked for through `Fault::Status`.
    Failing(u16),
}

impl Refusal {
    pub(crate) fn new(path: Path, breach: Breach) -> Self {
        Self { path, breach }
    }

    /// A rule that is said without a place.
    pub(crate) fn rule(words: impl Into<String>) -> Self {
        Self::new(Path::default(), Breach::Rule(words.into()))
    }

    /// The status of most providers for this; some answer 422 where the most answer 400.
    pub(crate) fn status(&self) -> u16 {
        match self.breach {
            Breach::NotFound(_) | Breach::NoRoute => 404,
            Breach::Failing(status) => status,
            _ => 400,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_in_both_ways() {
        let block = Path::new("messages").index(13).name("content").index(0).tag("thinking");
        let path = block.name("cache_control");
        assert_eq!(path.dotted(), "messages.13.content.0.thinking.cache_control");
        assert_eq!(path.bracketed(), "messages[13].content[0].cache_control");
    }
}
