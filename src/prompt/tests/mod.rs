mod facts;
mod prefix;

use std::rc::Rc;

use super::*;

fn ids() -> Rc<[String]> {
    ["previous_response_id", "prompt_cache_key"].map(String::from).into()
}

fn read_cut(dialect: Dialect, windows: &[&[u8]]) -> Result<Findings, Unread> {
    let mut reader = Reader::new(dialect, ids());
    for window in windows {
        reader.push(window)?;
    }
    reader.finish()
}

fn read(dialect: Dialect, body: &str) -> Findings {
    read_cut(dialect, &[body.as_bytes()]).unwrap()
}

fn prefix(dialect: Dialect, body: &str) -> Prefix {
    read(dialect, body).prefix
}

const MESSAGES: &str = r#"{"model": "claude-opus-4-8", "stream":true,
 "messages":[
  {"role":"user","content":"hello"},
  {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},
    {"type":"tool_use","id":"t1","name":"f","input":{"cache_control":1}}]},
  {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[
      {"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]},
    {"type":"text","text":"  ","cache_control":{"ttl":"1h","type":"ephemeral","scope":"global"}}],
   "cache_control":null}],
 "system":[{"type":"text","text":"be brief","cache_control":{"type":"ephemeral","ttl":"5m"}}],
 "tools":[{"name":"f","input_schema":{"type":"object","properties":{"cache_control":{}}}}],
 "cache\u005fcontrol":{"type":"ephemeral"}, "prompt_cache_key":"k1"}"#;

const CHAT: &str = r#"{"messages":[{"role":"system","content":"be brief"},
 {"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}}],"role":"user"},
 {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
   "function":{"name":"f","arguments":"{}"},"cache_control":{"type":"ephemeral"}}]},
 {"role":"tool","tool_call_id":"c","content":"r"}],
 "tools":[{"type":"function","function":{"name":"f","cache_control":{"type":"ephemeral"}}}],
 "stream":true,"stream_options":{}}"#;

const RESPONSES: &str = r#"{"model":"gpt-5.6","instructions":"be brief","previous_response_id":"resp_1",
 "input":[{"type":"message","role":"user","id":"msg_1","cache_control":{"type":"ephemeral"},
   "content":[{"type":"input_text","text":"a","prompt_cache_breakpoint":{"mode":"explicit"}}]},
  {"type":"function_call","name":"f","arguments":"{}","call_id":"c"},
  {"type":"function_call_output","call_id":"c","output":"r"}],
 "prompt_cache_options":{"mode":"implicit","ttl":"12h"},"prompt_cache_retention":"24h"}"#;
