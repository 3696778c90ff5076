//! The simulator as a client sees it, over sockets.

mod automatic;
mod binary;
mod claude;
mod claude_answers;
mod claude_cache;
mod faults;
mod http2;
mod objects;
mod openai;
mod providers;
mod refusals;
mod support;
mod usage;
