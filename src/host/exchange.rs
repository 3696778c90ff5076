//! One exchange, or one attempt of it: callbacks in, effects out.

use std::rc::Rc;

use log::debug;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::abi::{self, Buffer, Map, Refused};
use super::root::Worker;
use crate::affinity::{Conflict, Store};
use crate::config::Stage;
use crate::stage::{Effect, End, Flow, Headers, Host, Property, Route, Shape, Step};

pub(super) struct Exchange {
    context: u32,
    worker: Option<Rc<Worker>>,
    role: Role,
}

enum Role {
    Route(Route),
    Shape(Shape),
    /// The plugin is not configured; Envoy does not start with it.
    None,
}

impl Exchange {
    pub(super) fn new(context: u32, worker: Option<Rc<Worker>>) -> Self {
        let role = match &worker {
            None => Role::None,
            Some(worker) => match worker.plugin.config.stage {
                Stage::Route | Stage::Both => Role::Route(Route::new(Rc::clone(&worker.plugin))),
                Stage::Shape => Role::Shape(Shape::new(Rc::clone(&worker.plugin))),
            },
        };
        Self { context, worker, role }
    }

    /// Carries out a step in a callback of these headers and this body.
    fn carry_out(&self, step: Step, map: Map, buffer: Buffer) -> Action {
        for effect in step.effects {
            self.effect(effect, map, buffer);
        }
        match step.flow {
            Flow::Continue => Action::Continue,
            Flow::Pause => Action::Pause,
        }
    }

    fn effect(&self, effect: Effect, map: Map, buffer: Buffer) {
        let (call, done) = match effect {
            Effect::SetHeader(name, value) => ("set header", abi::set_header(map, &name, &value)),
            Effect::RemoveHeader(name) => ("remove header", abi::remove_header(map, &name)),
            Effect::SetProperty(property, value) => {
                ("set property", abi::set_property(path(property), &value))
            }
            Effect::ReplaceBody { length, bytes } => {
                ("replace body", abi::replace_buffer(buffer, length, &bytes))
            }
            Effect::Reply { status, body } => ("reply", abi::reply(status, &body)),
            Effect::Count(metric, by) => {
                if let Some(worker) = &self.worker {
                    worker.count(metric, by);
                }
                return;
            }
            Effect::TellUnheld => {
                if let Some(worker) = &self.worker {
                    worker.tell_unheld();
                }
                return;
            }
        };
        if let Err(Refused(status)) = done {
            debug!("{call}: refused with status {status}");
        }
    }

    /// A callback for the body, or its end, of a request.
    fn request_came(&mut self, call: impl FnOnce(&mut Role, &mut Calls) -> Step) -> Action {
        if let Some(worker) = &self.worker {
            match (worker.arrived(self.context), &mut self.role) {
                (Some(at_ms), Role::Route(route)) => route.freed(at_ms),
                (Some(at_ms), Role::Shape(shape)) => shape.freed(at_ms),
                (None, role) if role.waits() => worker.hold_works(),
                _ => {}
            }
        }
        let step = call(&mut self.role, &mut Calls(Buffer::Request));
        self.carry_out(step, Map::Request, Buffer::Request)
    }
}

impl Role {
    fn waits(&self) -> bool {
        match self {
            Self::Route(route) => route.waits(),
            Self::Shape(shape) => shape.waits(),
            Self::None => false,
        }
    }
}

fn end(end_of_stream: bool) -> End {
    if end_of_stream { End::Closed } else { End::Open }
}

impl Context for Exchange {
    fn on_done(&mut self) -> bool {
        if let Some(worker) = &self.worker {
            worker.arrived(self.context);
        }
        true
    }
}

impl HttpContext for Exchange {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        let Some(worker) = &self.worker else { return Action::Continue };
        let Ok(all) = abi::headers(Map::Request) else { return Action::Continue };
        let pairs = abi::pairs(&all);
        let headers = Headers::new(&pairs);
        let (hold, end) = (worker.hold(), end(end_of_stream));
        let mut calls = Calls(Buffer::Request);
        let step = match &mut self.role {
            Role::Route(route) => route.request_headers(&headers, end, hold, &mut calls),
            Role::Shape(shape) => shape.request_headers(&headers, end, hold, &mut calls),
            Role::None => return Action::Continue,
        };
        if self.role.waits() {
            worker.wait(self.context);
        }
        self.carry_out(step, Map::Request, Buffer::Request)
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        let end = end(end_of_stream);
        self.request_came(|role, calls| match role {
            Role::Route(route) => route.request_body(size, end, calls),
            Role::Shape(shape) => shape.request_body(size, end, calls),
            Role::None => Step::default(),
        })
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.request_came(|role, calls| match role {
            Role::Route(route) => route.request_trailers(calls),
            Role::Shape(shape) => shape.request_trailers(calls),
            Role::None => Step::default(),
        })
    }

    fn on_http_response_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        let Role::Route(route) = &mut self.role else { return Action::Continue };
        let Ok(all) = abi::headers(Map::Response) else { return Action::Continue };
        let pairs = abi::pairs(&all);
        let headers = Headers::new(&pairs);
        let mut calls = Calls(Buffer::Response);
        let step = route.response_headers(&headers, end(end_of_stream), &mut calls);
        self.carry_out(step, Map::Response, Buffer::Response)
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        let Role::Route(route) = &mut self.role else { return Action::Continue };
        let step = route.response_body(size, end(end_of_stream), &mut Calls(Buffer::Response));
        self.carry_out(step, Map::Response, Buffer::Response)
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        let Role::Route(route) = &mut self.role else { return Action::Continue };
        let step = route.response_trailers(&mut Calls(Buffer::Response));
        self.carry_out(step, Map::Response, Buffer::Response)
    }

    fn on_log(&mut self) {
        if let Role::Route(route) = &mut self.role {
            for effect in route.done(&mut Calls(Buffer::Response)) {
                self.effect(effect, Map::Response, Buffer::Response);
            }
        }
    }
}

/// The calls that the core makes meanwhile, in a callback of this body.
struct Calls(Buffer);

impl Store for Calls {
    fn get(&mut self, slot: u32) -> Option<(Vec<u8>, u32)> {
        abi::shared(&slot_key(slot))
    }

    fn set(&mut self, slot: u32, value: &[u8], version: Option<u32>) -> Result<(), Conflict> {
        abi::set_shared(&slot_key(slot), value, version).map_err(|_| Conflict)
    }
}

impl Host for Calls {
    fn now_ms(&self) -> u64 {
        abi::now_ms()
    }

    fn property(&self, property: Property) -> Option<Vec<u8>> {
        abi::property(path(property))
    }

    fn window(&self, from: usize, length: usize) -> Option<Vec<u8>> {
        abi::buffer(self.0, from, length).ok()
    }
}

fn slot_key(slot: u32) -> String {
    ["warmpath.slot.", &slot.to_string()].concat()
}

/// The path of a property, its parts separated by NUL.
pub(super) fn path(property: Property) -> &'static str {
    match property {
        Property::Request => "warmpath.request",
        Property::Attempt => "warmpath.attempt",
        Property::Cluster => "xds\0cluster_name",
        Property::Upstream => "xds\0upstream_host_metadata\0filter_metadata\0warmpath\0upstream",
        // Istio: of a ServiceEntry its host, of a Service its full name.
        Property::Service => "xds\0cluster_metadata\0filter_metadata\0istio\0services\x000\0host",
        // Envoy Gateway: the resource that a `backendRefs` names; of the cluster, only where Backends are merged.
        Property::Resource => {
            "xds\0cluster_metadata\0filter_metadata\0envoy-gateway\0resources\x000\0name"
        }
        Property::Backend => {
            "xds\0upstream_host_locality_metadata\0filter_metadata\0envoy-gateway\0resources\x000\0name"
        }
        Property::Address => "upstream\0address",
        Property::Attempts => "upstream\0request_attempt_count",
    }
}
