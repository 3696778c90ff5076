//! Reads a request in Anthropic's dialect.

use crate::json::{Json, Members};
use crate::prompt::piece::{Section, unmarked};
use crate::prompt::reader::{Reader, object, required};
use crate::prompt::{Piece, Prompt, Source};
use crate::provider::{Place, Surface, Take};
use crate::refusal::{Breach, Path, Refusal};

pub(crate) fn read(source: &Source<'_>, surface: &Surface) -> Result<Prompt, Refusal> {
    let reader = Reader::new(source, surface);
    let mut prompt = Prompt { top_level: reader.top_level()?, ..Prompt::default() };
    if !source.counting {
        prompt.most_output = Some(most_output(&source.body)?);
    }
    prompt.reasoning = source.body.get("thinking").is_some_and(|thinking| {
        thinking.get("type").and_then(Json::text).is_some_and(|kind| kind != "disabled")
    });
    reader.tools(&mut prompt)?;
    reader.system(&mut prompt)?;
    reader.messages(&mut prompt)?;
    prompt.invalidate(&surface.invalidators, &source.body);
    Ok(prompt)
}

impl Reader<'_> {
    fn tools(&self, prompt: &mut Prompt) -> Result<(), Refusal> {
        for (index, tool) in self.list("tools")?.unwrap_or_default().into_iter().enumerate() {
            let path = Path::new("tools").index(index);
            let tool = object(tool, &path)?;
            required(&tool, "name", &path)?;
            let kind = tool.get("type").and_then(Json::text).unwrap_or("custom".into());
            let mark = self.members(&tool, self.tool_names(), Place::Tool, &path.tag(&kind))?;
            let mut bytes = Vec::new();
            unmarked(&tool, &[], &mut bytes);
            let section = Section::Tools;
            prompt.pieces.push(Piece {
                section,
                seal: "tool".into(),
                bytes,
                mark,
                can_carry: true,
                path,
            });
        }
        Ok(())
    }

    fn system(&self, prompt: &mut Prompt) -> Result<(), Refusal> {
        let Some(system) = self.source.body.get("system") else { return Ok(()) };
        let path = Path::new("system");
        if let Some(text) = system.quoted() {
            if !text.is_empty() {
                prompt.pieces.push(Piece::text(Section::System, "system", text, path));
            }
            return Ok(());
        }
        let Some(blocks) = system.items() else {
            return Err(Refusal::new(path, Breach::Wrong("a valid string or list")));
        };
        for (index, block) in blocks.into_iter().enumerate() {
            let path = path.index(index);
            let block = object(block, &path)?;
            let text = required(&block, "text", &path)?;
            let place = if text.trim().is_empty() { Place::EmptyText } else { Place::System };
            let mark = self.members(&block, self.block_names("text"), place, &path)?;
            let billing = index == 0 && text.starts_with("x-anthropic-billing-header:");
            if !(billing && self.surface.billing_block == Take::Ignored) {
                let piece = Piece::block(Section::System, "system", &block, mark, path);
                prompt.pieces.push(Piece { can_carry: place == Place::System, ..piece });
            }
        }
        Ok(())
    }

    fn messages(&self, prompt: &mut Prompt) -> Result<(), Refusal> {
        let path = Path::new("messages");
        let Some(messages) = self.list("messages")? else {
            return Err(Refusal::new(path, Breach::Missing));
        };
        if messages.is_empty() {
            let words = "at least one message is required".to_owned();
            return Err(Refusal::new(path, Breach::Rule(words)));
        }
        for (index, message) in messages.into_iter().enumerate() {
            self.message(prompt, message, &path.index(index))?;
        }
        Ok(())
    }

    fn message(&self, prompt: &mut Prompt, message: Json<'_>, path: &Path) -> Result<(), Refusal> {
        let message = object(message, path)?;
        let role = required(&message, "role", path)?;
        if !["user", "assistant", "system"].contains(&&*role) {
            return Err(Refusal::new(path.name("role"), Breach::Wrong("'user' or 'assistant'")));
        }
        self.members(&message, self.message_names(), Place::Message, path)?;
        let path = path.name("content");
        let Some(content) = message.get("content") else {
            return Err(Refusal::new(path, Breach::Missing));
        };
        let mut cue = Some(String::new());
        if let Some(text) = content.quoted() {
            cue = content.text().map(|text| text.into_owned());
            prompt.pieces.push(Piece::text(Section::Messages, &role, text, path));
        } else {
            let Some(blocks) = content.items() else {
                return Err(Refusal::new(path, Breach::Wrong("a valid string or list")));
            };
            for (index, block) in blocks.into_iter().enumerate() {
                match self.block(prompt, &role, block, path.index(index))? {
                    Spoken::Text(text) => _ = cue.as_mut().map(|cue| cue.push_str(&text)),
                    Spoken::ToolResult => cue = None,
                    Spoken::Other => {}
                }
            }
        }
        match &*role {
            "user" => prompt.cue = cue,
            "assistant" => prompt.cue = None,
            // Claude Code puts such a message after the user's.
            _ => {}
        }
        Ok(())
    }

    fn block(
        &self,
        prompt: &mut Prompt,
        role: &str,
        block: Json<'_>,
        path: Path,
    ) -> Result<Spoken, Refusal> {
        let block = object(block, &path)?;
        let Some(kind) = block.get("type").and_then(Json::text) else {
            let words = "Unable to extract tag using discriminator 'type'".to_owned();
            return Err(Refusal::new(path, Breach::Rule(words)));
        };
        let tagged = path.tag(&kind);
        let (place, spoken) = match &*kind {
            "thinking" | "redacted_thinking" => (Place::Thinking, Spoken::Other),
            "text" => {
                let text = required(&block, "text", &tagged)?;
                let empty = text.trim().is_empty();
                (
                    if empty { Place::EmptyText } else { Place::Text },
                    Spoken::Text(text.into_owned()),
                )
            }
            "tool_result" => (Place::Part, Spoken::ToolResult),
            _ => (Place::Part, Spoken::Other),
        };
        // A path names the variant where the schema is broken, not where a rule beyond it is.
        let named = if place == Place::EmptyText { &path } else { &tagged };
        let mark = self.members(&block, self.block_names(&kind), place, named)?;
        if let Some(inner) =
            block.get("content").and_then(Json::items).filter(|_| kind == "tool_result")
        {
            for (index, item) in inner.into_iter().enumerate() {
                let path = tagged.name("content").index(index);
                self.members(&object(item, &path)?, None, Place::Nested, &path)?;
            }
        }
        let piece = Piece::block(Section::Messages, role, &block, mark, path);
        let can_carry = !matches!(place, Place::Thinking | Place::EmptyText);
        prompt.pieces.push(Piece { can_carry, ..piece });
        Ok(spoken)
    }
}

/// What a block says to the model, as far as its answer depends on it.
enum Spoken {
    Text(String),
    ToolResult,
    Other,
}

/// 0 only warms the cache, and is not allowed where something must come back.
fn most_output(body: &Members<'_>) -> Result<u64, Refusal> {
    let path = Path::new("max_tokens");
    let value = body.get("max_tokens").ok_or(Refusal::new(path.clone(), Breach::Missing))?;
    let number =
        value.number().ok_or(Refusal::new(path.clone(), Breach::Wrong("a valid integer")))?;
    let streams = body.get("stream").is_some_and(Json::is_true);
    let thinks = body.get("thinking").and_then(|thinking| thinking.get("type")?.text());
    if number == 0 && (streams || thinks.as_deref() == Some("enabled")) {
        let words = "max_tokens of 0 is not supported with stream or enabled thinking".to_owned();
        return Err(Refusal::new(path, Breach::Rule(words)));
    }
    Ok(number)
}
