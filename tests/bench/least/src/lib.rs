//! The least that a filter must do to Envoy to steer, shape and account prompts, without any thought of its own.
//!
//! It holds a request, takes its body out once, window by window, sets the headers that routes match on and leaves a note
//! for the second stage. That edits the body near its end where it is long, as an injected mark in the last message does.
//! On the way back the answer is held, taken out and given an explaining header, or taken out event by event. Nothing is
//! parsed, digested, remembered, looked up or counted: whatever Warmpath costs above this is its own work.

#![cfg(target_arch = "wasm32")]

use proxy_wasm::hostcalls::{
    get_buffer, get_map_bytes, get_property, set_buffer, set_map_value, set_property,
};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, MapType};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Root { is_shape: false }));
}}

const WINDOW_BYTES: usize = 65_536;
/// As long as the facts of a prompt of a few blocks.
const NOTE_BYTES: usize = 240;
/// Shorter prompts are not cached, so they get no mark.
const SHORTEST_EDITED: usize = 8_000;
/// How far in front of the body's end the edit is.
const BEHIND_EDIT: usize = 100;
const EDIT: &[u8] = br#","cache_control":{"type":"ephemeral"}"#;
const NOTE: &str = "least.note";

struct Root {
    is_shape: bool,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        let text = String::from_utf8_lossy(&configuration).replace(' ', "");
        self.is_shape = text.contains(r#""stage":"shape""#);
        true
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(if self.is_shape {
            Box::new(Shape { length: 0 })
        } else {
            Box::new(Route { offset: 0, is_stream: false })
        })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Route {
    offset: usize,
    is_stream: bool,
}

/// A call that Envoy never refuses here; if it did, the measurement would be void.
fn done<T>(call: Result<T, proxy_wasm::types::Status>) -> T {
    call.expect("Envoy refused a call")
}

impl Context for Route {}

impl HttpContext for Route {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        done(get_map_bytes(MapType::HttpRequestHeaders));
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        while self.offset < size {
            let length = (size - self.offset).min(WINDOW_BYTES);
            let window = done(get_buffer(BufferType::HttpRequestBody, self.offset, length));
            self.offset += window.map_or(length, |window| window.len());
        }
        if !end_of_stream {
            return Action::Pause;
        }
        let mut note = vec![0; NOTE_BYTES];
        note[..8].copy_from_slice(&(self.offset as u64).to_le_bytes());
        done(set_property(vec![NOTE], Some(&note)));
        for (name, value) in [("x-warmpath-dialect", "messages"), ("x-warmpath-hash", "12345")] {
            done(set_map_value(MapType::HttpRequestHeaders, name, Some(value)));
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        let headers = done(get_map_bytes(MapType::HttpResponseHeaders));
        let kind = headers.iter().find(|(name, _)| name == "content-type");
        self.is_stream = kind.is_some_and(|(_, kind)| kind.starts_with(b"text/event-stream"));
        if self.is_stream { Action::Continue } else { Action::Pause }
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if self.is_stream {
            done(get_buffer(BufferType::HttpResponseBody, 0, size));
            return Action::Continue;
        }
        if !end_of_stream {
            return Action::Pause;
        }
        done(get_buffer(BufferType::HttpResponseBody, 0, size));
        done(set_map_value(MapType::HttpResponseHeaders, "x-warmpath", Some("prefix;read=20480")));
        Action::Continue
    }
}

struct Shape {
    /// Of the body that is to be edited.
    length: usize,
}

impl Context for Shape {}

impl HttpContext for Shape {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let note = done(get_property(vec![NOTE])).and_then(|note| note.first_chunk().copied());
        let length = u64::from_le_bytes(note.unwrap_or_default()) as usize;
        if length > SHORTEST_EDITED {
            self.length = length;
            let length = (length + EDIT.len()).to_string();
            done(set_map_value(MapType::HttpRequestHeaders, "content-length", Some(&length)));
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, _: bool) -> Action {
        let length = core::mem::take(&mut self.length);
        if length == 0 {
            return Action::Continue;
        }
        // The route stage has held it, so all of it comes at once.
        assert_eq!(size, length);
        let reach = length - BEHIND_EDIT;
        let head = done(get_buffer(BufferType::HttpRequestBody, 0, reach)).unwrap_or_default();
        // In two calls, for a copy less of all that stays.
        done(set_buffer(BufferType::HttpRequestBody, 0, reach, EDIT));
        done(set_buffer(BufferType::HttpRequestBody, 0, 0, &head));
        Action::Continue
    }
}
