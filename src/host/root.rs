//! The plugin in one worker: its configuration, its counters, and the requests that it holds.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hashbrown::HashMap;
use log::{error, info};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel};

use super::abi::{self, Refused};
use super::exchange::{Exchange, path};
use crate::affinity::{KEY_BYTES, Keys};
use crate::config::{Config, Stage};
use crate::metrics::{self, Metric};
use crate::stage::{Hold, Plugin, left_alone_note};

/// Where the key of this process is, the same for all workers.
const KEY: &str = "warmpath.key";
/// How often held requests are looked at, as a part of the time that they may be held: a request
/// is freed at most a quarter late.
const TICKS_PER_HOLD: u32 = 4;

/// The root context.
#[derive(Default)]
pub(super) struct Root {
    worker: Option<Rc<Worker>>,
}

/// What all exchanges of a worker share.
pub(super) struct Worker {
    pub(super) plugin: Rc<Plugin>,
    counters: Vec<Option<u32>>,
    /// Requests that are held with nothing of their body here, and the last tick before that.
    held: RefCell<HashMap<u32, u64>>,
    /// Ticks so far: the time for what is asked too often to ask Envoy for it.
    ticks: Cell<u64>,
    /// Requests that the clock has freed, and when.
    freed: RefCell<HashMap<u32, u64>>,
    hold: Cell<Hold>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        if let Ok(level) = proxy_wasm::hostcalls::get_log_level() {
            proxy_wasm::set_log_level(match level {
                LogLevel::Critical => LogLevel::Error,
                level => level,
            });
        }
        let text = abi::buffer(abi::Buffer::Configuration, 0, size).unwrap_or_default();
        let config = match Config::parse(&text) {
            Ok(config) => config,
            Err(problems) => {
                for problem in problems {
                    error!("{problem}");
                }
                return false;
            }
        };
        let Some(random) = process_key() else {
            error!("the host gives no random key");
            return false;
        };
        info!("{}", config.summary());
        let names = metrics::names(&config);
        let worker = Worker {
            counters: names.iter().map(|name| abi::define_counter(name).ok()).collect(),
            held: RefCell::default(),
            ticks: Cell::default(),
            freed: RefCell::default(),
            hold: Cell::new(Hold::Unknown),
            plugin: Rc::new(Plugin::new(
                config.clone(),
                Keys::new(&random, &config.affinity.secrets),
            )),
        };
        worker.define();
        if let Err(refused) = abi::tick_every(config.limits.hold_ms.div_ceil(TICKS_PER_HOLD)) {
            error!("the host sets no clock: {refused:?}");
            return false;
        }
        self.worker = Some(Rc::new(worker));
        true
    }

    fn on_tick(&mut self) {
        if let Some(worker) = &self.worker {
            worker.free_late();
        }
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Exchange::new(context, self.worker.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Worker {
    /// Touches every counter, so that it shows before its first event.
    fn define(&self) {
        for counter in self.counters.iter().flatten() {
            let _ = abi::increment(*counter, 0);
        }
    }

    pub(super) fn count(&self, metric: Metric, by: u64) {
        let index = metric.index(self.plugin.config.upstreams.len());
        if let Some(Some(counter)) = self.counters.get(index) {
            let _ = abi::increment(*counter, by);
        }
    }

    pub(super) fn hold(&self) -> Hold {
        self.look_for_unheld();
        self.hold.get()
    }

    /// A body has come while its request was held.
    pub(super) fn hold_works(&self) {
        if self.hold.get() == Hold::Unknown {
            self.hold.set(Hold::Works);
        }
    }

    /// Says once per process that the host does not hold requests.
    pub(super) fn tell_unheld(&self) {
        self.hold.set(Hold::Missing);
        if abi::set_shared(self.unheld(), b"1", None).is_ok() {
            error!(
                "this host does not hold requests: set `allow_on_headers_stop_iteration: true` in \
                 the `config` of this filter (envoy.extensions.wasm.v3.PluginConfig); until then \
                 no prompt is read, so nothing is pinned by prompt or shaped"
            );
        }
    }

    /// The key that is there once the host was seen not to hold requests for this stage.
    fn unheld(&self) -> &'static str {
        match self.plugin.config.stage {
            Stage::Route | Stage::Both => "warmpath.unheld.route",
            Stage::Shape => "warmpath.unheld.shape",
        }
    }

    /// Asks what other workers have seen, as long as this one has seen nothing.
    fn look_for_unheld(&self) {
        if self.hold.get() == Hold::Unknown && abi::shared(self.unheld()).is_some() {
            self.hold.set(Hold::Missing);
        }
    }

    pub(super) fn wait(&self, context: u32) {
        self.held.borrow_mut().insert(context, self.ticks.get());
    }

    /// A held request waits no longer. When the clock freed it, if it did.
    pub(super) fn arrived(&self, context: u32) -> Option<u64> {
        self.held.borrow_mut().remove(&context);
        self.freed.borrow_mut().remove(&context)
    }

    /// Lets those go on that have been held for too long with nothing of their body here.
    fn free_late(&self) {
        let ticks = self.ticks.get() + 1;
        self.ticks.set(ticks);
        // The first of them came when a part of its time was over already.
        let late = |since: u64| ticks - since > u64::from(TICKS_PER_HOLD);
        let held = self.held.borrow();
        let late = held.iter().filter(|(_, since)| late(**since)).map(|(context, _)| *context);
        let late: Vec<u32> = late.collect();
        drop(held);
        for context in late {
            self.held.borrow_mut().remove(&context);
            if self.free(context).is_ok() {
                self.freed.borrow_mut().insert(context, abi::now_ms());
            }
        }
    }

    fn free(&self, context: u32) -> Result<(), Refused> {
        abi::turn_to(context)?;
        if self.plugin.config.stage != Stage::Shape {
            let (property, note) = left_alone_note();
            // Without it the next stage holds the request once more; that is no reason to hold it here.
            let _ = abi::set_property(path(property), &note);
        }
        abi::resume_request()
    }
}

/// The key of this process: whoever comes first makes it, all workers use it.
fn process_key() -> Option<[u8; KEY_BYTES]> {
    if abi::shared(KEY).is_none() {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).ok()?;
        match abi::set_shared(KEY, &key, None) {
            Ok(()) | Err(abi::CAS_MISMATCH) => {}
            Err(_) => return None,
        }
    }
    let (key, _) = abi::shared(KEY)?;
    key.try_into().ok()
}
