//! The top-level members: those about caching, the model, and the usage option.

use super::write::at_top;
use super::{Rule, Shaping, Target};
use crate::dialect::{Dialect, FieldKind};
use crate::prompt::{Member, Prompt, UsageOption};
use crate::provider::Marks;
use crate::splice::Edit;

/// Writes the edits for the top-level members; members to cut go to `cuts`.
pub(super) fn fields(
    prompt: &Prompt,
    target: &Target<'_>,
    shaping: &mut Shaping,
    cuts: &mut Vec<Member>,
) {
    let accepts = &target.accepts;
    for field in &prompt.fields {
        let taken = match field.kind {
            FieldKind::CacheKey => accepts.cache_key,
            FieldKind::CacheRetention => accepts.cache_retention,
            FieldKind::CacheOptions => {
                let known = field.ttl.is_none_or(|ttl| accepts.cache_ttls.contains(&ttl));
                // Without breakpoints, explicit ones alone would mean none.
                let kept = matches!(accepts.marks, Marks::Breakpoints | Marks::Ignored);
                accepts.cache_options && known && (kept || !field.explicit)
            }
        };
        if !taken {
            shaping.cut(field.member, Rule::Field, cuts);
        }
    }
    let has_key = prompt.fields.iter().any(|field| field.kind == FieldKind::CacheKey);
    if let (Some(key), true, false) = (target.cache_key, accepts.cache_key, has_key) {
        shaping.rules.push(Rule::CacheKey);
        let member = format!("\"prompt_cache_key\":{},", serde_json::Value::from(key));
        shaping.edits.push(at_top(prompt, member));
    }
    if let (Some(name), Some(model)) = (target.model, &prompt.model)
        && name != model.name
    {
        shaping.rules.push(Rule::Model);
        let value = serde_json::Value::from(name).to_string();
        let span = model.value;
        shaping.edits.push(Edit::new(span.start, span.length(), value, (span.start, b'"')));
    }
    if prompt.dialect == Dialect::Chat && prompt.stream && target.ask_usage && accepts.usage_option
    {
        ask_usage(prompt, shaping);
    }
}

/// Asks for usage in a chat stream, unless the client says what it wants.
fn ask_usage(prompt: &Prompt, shaping: &mut Shaping) {
    let edit = match prompt.usage_option {
        UsageOption::Set(_) => return,
        UsageOption::Absent => {
            at_top(prompt, r#""stream_options":{"include_usage":true},"#.to_owned())
        }
        UsageOption::Null(span) => {
            Edit::new(span.start, span.length(), r#"{"include_usage":true}"#, (span.start, b'n'))
        }
        UsageOption::Open { inside, empty } => {
            let member = if empty { r#""include_usage":true"# } else { r#""include_usage":true,"# };
            Edit::new(inside, 0, member, (inside.saturating_sub(1), b'{'))
        }
    };
    shaping.rules.push(Rule::Usage);
    shaping.edits.push(edit);
    shaping.asked_usage = true;
}
