//! Inputs of the fuzz targets: some bytes that choose, then what is read.

use std::sync::LazyLock;

use super::{answer, json, request};
use crate::plugin::DIALECTS;
use crate::plugin::Dialect;
use crate::plugin::answer::{Purpose, Usage};
use crate::plugin::prompt::Upstream;
use crate::random::Random;

static UPSTREAMS: LazyLock<[Vec<Upstream>; 3]> = LazyLock::new(|| DIALECTS.map(request::upstreams));

/// The dialect, the upstream, how it is cut; the body.
pub fn request(input: &[u8]) {
    let Some(([dialect, upstream, cut], body)) = input.split_first_chunk() else { return };
    let dialect = usize::from(*dialect) % DIALECTS.len();
    let upstreams = &UPSTREAMS[dialect];
    let upstream = &upstreams[usize::from(*upstream) % upstreams.len()];
    request::request(DIALECTS[dialect], upstream, body, &mut Random::new(u64::from(*cut)));
}

/// The dialect, the convention, the purpose, how it is cut; the answer.
pub fn answer(input: &[u8]) {
    let Some(([dialect, usage, purpose, cut], body)) = input.split_first_chunk() else { return };
    let dialects = [Dialect::Messages, Dialect::Chat, Dialect::Responses, Dialect::Objects];
    let usages = [Usage::Standard, Usage::Relay, Usage::ReasoningApart, Usage::CompletionFromTotal];
    let purposes =
        [None, Some(Purpose::Read), Some(Purpose::Rewrite), Some(Purpose::RewriteAndSwallow)];
    let dialect = dialects[usize::from(*dialect) % 4];
    let usage = usages[usize::from(*usage) % 4];
    let mut random = Random::new(u64::from(*cut));
    match purposes[usize::from(*purpose) % 4] {
        None => answer::answer(dialect, usage, body, &mut random),
        Some(purpose) => {
            answer::stream(dialect, usage, purpose, body, &mut random);
            answer::stream_is_passed_on(dialect, usage, body);
        }
    }
}

/// How it is cut; the text.
pub fn json(input: &[u8]) {
    let Some((cut, text)) = input.split_first() else { return };
    let judged = json::agree(text, &mut Random::new(u64::from(*cut)));
    assert_eq!(judged, Ok(()));
}
