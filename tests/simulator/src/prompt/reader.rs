//! What the readers of all dialects share: the members that are known, and what is done with each
//! mark.

use std::borrow::Cow;

use crate::json::{Json, Members};
use crate::prompt::{Source, Ttl};
use crate::provider::{Fields, Knobs, Names, Place, Scope, Surface, Take, Ttls};
use crate::refusal::{Breach, Path, Refusal};

pub(super) struct Reader<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) surface: &'a Surface,
    knobs: Knobs,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source<'a>, surface: &'a Surface) -> Self {
        Self { source, surface, knobs: (surface.knobs)(&source.model) }
    }

    fn names(&self) -> Option<&'static Names> {
        match self.surface.fields {
            Fields::Open => None,
            Fields::Closed(names) => Some(names),
        }
    }

    /// The members that a tool may have, if that is known.
    pub(super) fn tool_names(&self) -> Option<&'static [&'static str]> {
        self.names().map(|names| names.tool).filter(|names| !names.is_empty())
    }

    /// The members that a message may have, if that is known.
    pub(super) fn message_names(&self) -> Option<&'static [&'static str]> {
        self.names().map(|names| names.message).filter(|names| !names.is_empty())
    }

    /// The members that a block of this type may have, if that is known.
    pub(super) fn block_names(&self, kind: &str) -> Option<&'static [&'static str]> {
        let blocks = self.names()?.blocks;
        blocks.iter().find(|(other, _)| *other == kind).map(|(_, names)| *names)
    }

    /// Checks the members at the top of the body; returns the mark among them.
    pub(super) fn top_level(&self) -> Result<Option<Ttl>, Refusal> {
        let mut mark = None;
        for (name, value) in self.source.body.iter() {
            let path = Path::new(name);
            let take = match name {
                "cache_control" => {
                    if self.knobs.top_level_mark == Take::Honoured {
                        mark = self.ephemeral(value, &path)?;
                    }
                    self.knobs.top_level_mark
                }
                "prompt_cache_key" => self.knobs.cache_key,
                "prompt_cache_options" => self.knobs.cache_options,
                "prompt_cache_retention" => self.knobs.cache_retention,
                "model" if self.source.model_in_path => Take::Refused,
                "model" => Take::Honoured,
                _ => match self.names() {
                    Some(names) if !names.top.iter().any(|list| list.contains(&name)) => {
                        Take::Refused
                    }
                    _ => Take::Ignored,
                },
            };
            if take == Take::Refused {
                let retention = name == "prompt_cache_retention";
                let known = retention && self.knobs.cache_key == Take::Honoured;
                return Err(Refusal::new(
                    path,
                    if known { Breach::Unsupported } else { Breach::Extra },
                ));
            }
        }
        Ok(mark)
    }

    /// Checks the members of a tool, message, block or part; returns the mark among them. `None`
    /// knows no names.
    pub(super) fn members(
        &self,
        members: &Members<'_>,
        known: Option<&[&str]>,
        place: Place,
        path: &Path,
    ) -> Result<Option<Ttl>, Refusal> {
        let mut mark = None;
        for (name, value) in members.iter() {
            match name {
                "cache_control" => mark = self.mark(value, place, path)?.or(mark),
                "prompt_cache_breakpoint" => mark = self.breakpoint(value, place, path)?.or(mark),
                _ if known.is_some_and(|known| !known.contains(&name)) => {
                    return Err(Refusal::new(path.name(name), Breach::Extra));
                }
                _ => {}
            }
        }
        Ok(mark)
    }

    fn mark(&self, value: Json<'_>, place: Place, path: &Path) -> Result<Option<Ttl>, Refusal> {
        let own = path.name("cache_control");
        match (self.knobs.marks.take(place), place) {
            (Take::Honoured, _) => self.ephemeral(value, &own),
            (Take::Ignored, _) => Ok(None),
            (Take::Refused, Place::EmptyText | Place::Nested)
                if !self.knobs.marks.honoured.is_empty() =>
            {
                // Here the member itself is known, so none is no offence.
                if value.is_null() {
                    return Ok(None);
                }
                let empty = place == Place::EmptyText;
                let (path, words) =
                    if empty { (path.name("text"), EMPTY_TEXT) } else { (own, NESTED) };
                Err(Refusal::new(path, Breach::Rule(words.to_owned())))
            }
            (Take::Refused, _) => Err(Refusal::new(own, Breach::Extra)),
        }
    }

    fn breakpoint(
        &self,
        value: Json<'_>,
        place: Place,
        path: &Path,
    ) -> Result<Option<Ttl>, Refusal> {
        let own = path.name("prompt_cache_breakpoint");
        match self.knobs.breakpoints.take(place) {
            Take::Refused => return Err(Refusal::new(own, Breach::Extra)),
            Take::Ignored => return Ok(None),
            Take::Honoured if value.is_null() => return Ok(None),
            Take::Honoured => {}
        }
        if value.get("mode").and_then(Json::text).as_deref() != Some("explicit") {
            return Err(Refusal::new(own.name("mode"), Breach::Wrong("'explicit'")));
        }
        let ttl = value.get("ttl").map(|ttl| ttl.text().unwrap_or_default());
        match ttl.as_deref() {
            None | Some("30m") => Ok(Some(Ttl::ThirtyMinutes)),
            Some("12h") => Ok(Some(Ttl::TwelveHours)),
            Some(_) => Err(Refusal::new(own.name("ttl"), Breach::Wrong("'30m' or '12h'"))),
        }
    }

    /// Reads a mark that counts here.
    fn ephemeral(&self, value: Json<'_>, path: &Path) -> Result<Option<Ttl>, Refusal> {
        if value.is_null() {
            return Ok(None);
        }
        let Some(members) = value.members() else {
            return Err(Refusal::new(path.clone(), Breach::Wrong("a valid dictionary")));
        };
        match members.get("type").and_then(Json::text) {
            Some(kind) if kind == "ephemeral" => {}
            Some(kind) => {
                let words = format!(
                    "Input tag '{kind}' found using 'type' does not match any of the expected tags: 'ephemeral'"
                );
                return Err(Refusal::new(path.clone(), Breach::Rule(words)));
            }
            None => {
                let words = "Unable to extract tag using discriminator 'type'".to_owned();
                return Err(Refusal::new(path.clone(), Breach::Rule(words)));
            }
        }
        let mut ttl = Ttl::FiveMinutes;
        for (name, value) in members.iter() {
            let own = path.tag("ephemeral").name(name);
            match name {
                "type" => {}
                "ttl" => ttl = self.ttl(value, own)?,
                "scope" if self.knows_scope() => {}
                _ if self.knobs.scope == Scope::Ignored => {}
                _ => return Err(Refusal::new(own, Breach::Extra)),
            }
        }
        Ok(Some(ttl))
    }

    fn ttl(&self, value: Json<'_>, path: Path) -> Result<Ttl, Refusal> {
        match (self.knobs.ttl, value.text().as_deref()) {
            (Ttls::Unknown, _) => Err(Refusal::new(path, Breach::Extra)),
            (_, Some("5m")) => Ok(Ttl::FiveMinutes),
            (_, None) if value.is_null() => Ok(Ttl::FiveMinutes),
            (Ttls::Both, Some("1h")) => Ok(Ttl::OneHour),
            (Ttls::Both, _) => Err(Refusal::new(path, Breach::Wrong("'5m' or '1h'"))),
            (Ttls::FiveMinutes, _) => Err(Refusal::new(path, Breach::Wrong("'5m'"))),
        }
    }

    fn knows_scope(&self) -> bool {
        let betas = self.source.headers.get_all("anthropic-beta").iter();
        let mut betas =
            betas.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        self.knobs.scope == Scope::WithBeta && betas.any(|beta| beta.trim() == SCOPE_BETA)
    }

    /// Something that must be a list.
    pub(super) fn list<'j>(&self, name: &str) -> Result<Option<Vec<Json<'j>>>, Refusal>
    where
        'a: 'j,
    {
        let Some(value) = self.source.body.get(name) else { return Ok(None) };
        let wrong = || Refusal::new(Path::new(name), Breach::Wrong("a valid list"));
        value.items().ok_or_else(wrong).map(Some)
    }
}

/// The members of a value at `path` that must have some.
pub(super) fn object<'j>(json: Json<'j>, path: &Path) -> Result<Members<'j>, Refusal> {
    json.members().ok_or_else(|| Refusal::new(path.clone(), Breach::Wrong("a valid dictionary")))
}

/// A string member that must be there, of an object at `path`.
pub(super) fn required<'j>(
    members: &Members<'j>,
    name: &str,
    path: &Path,
) -> Result<Cow<'j, str>, Refusal> {
    match members.get(name) {
        None => Err(Refusal::new(path.name(name), Breach::Missing)),
        Some(value) => value
            .text()
            .ok_or_else(|| Refusal::new(path.name(name), Breach::Wrong("a valid string"))),
    }
}

const EMPTY_TEXT: &str = "cache_control cannot be set for empty text blocks";

/// As Copilot words it for Claude; Anthropic's own types allow such a mark, other clients'
/// libraries forbid it.
const NESTED: &str = "cache_control may not be specified within `tool_result.content`. Instead, place it directly on `tool_result`";

/// Sent by Claude Code where it scopes its marks.
const SCOPE_BETA: &str = "prompt-caching-scope-2026-01-05";
