//! Simulated LLM providers: each account listens on a port of its own, is as strict about requests
//! as the real provider, and has a real prefix cache, so that the numbers in an answer prove
//! whether its prompt was warm there.
//!
//! ```text
//! listen ─► serve: note the exchange, ─► route ─► ask ─┬► prompt: read, refuse
//!           fail it as asked                           ├► marks, cache: what is read and written
//!                                                      ├► answer: the text, as the provider writes it
//!           send: paced, compressed, cut ◄──── reply ◄─┘
//! ```
//!
//! | module | answers |
//! | --- | --- |
//! | `provider` | what does this provider take, refuse and cache? One file each |
//! | `prompt` | what does a request ask, piece by piece, and is it well formed? |
//! | `marks`, `cache` | which tokens are read, written, or neither? |
//! | `answer`, `reply`, `refusal` | what is said, and how? |
//! | `objects` | which files, tasks and stored responses live here? |
//! | `listen`, `serve`, `route`, `send`, `fault`, `pace` | how is it served, or not? |
//! | `control` | the same powers over HTTP |
//!
//! By hand:
//!
//! ```text
//! cargo run -p simulator -- --account a=anthropic@127.0.0.1:18001 --control 127.0.0.1:18000
//! curl 127.0.0.1:18001/v1/messages -d '{"model": "claude-opus-5", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}'
//! curl 127.0.0.1:18000/fail -d '{"account": "a", "fault": "529", "times": 2}'
//! curl 127.0.0.1:18000/received?account=a
//! ```
//!
//! Tokens are bytes divided by four, rounded up for each tool, block or part: a plain text of 4000
//! bytes has exactly 1000. Time is real time plus what [`Simulator::advance`] added.

mod account;
mod answer;
mod ask;
mod cache;
mod control;
mod exchange;
mod fault;
mod json;
mod listen;
mod marks;
mod objects;
mod pace;
mod prompt;
mod provider;
mod refusal;
mod reply;
mod route;
mod send;
mod serve;
mod simulator;

pub use account::Account;
pub use exchange::{Exchange, Recording, Usage};
pub use fault::Fault;
pub use pace::Pace;
pub use provider::Provider;
pub use simulator::Simulator;
