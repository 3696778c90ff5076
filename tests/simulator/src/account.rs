//! An account at a provider: what is asked for, and what it knows while it runs.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::answer::Serial;
use crate::cache::Store;
use crate::exchange::{Exchange, Recording};
use crate::fault::{Fault, Faults};
use crate::objects::Objects;
use crate::pace::Pace;
use crate::provider::{Provider, Rules};

/// An account to simulate.
#[derive(Clone, Debug)]
pub struct Account {
    pub name: String,
    pub provider: Provider,
    /// Whether answers are compressed for clients that accept gzip.
    pub gzip: bool,
}

impl Account {
    pub fn new(name: impl Into<String>, provider: Provider) -> Self {
        Self { name: name.into(), provider, gzip: false }
    }

    #[must_use]
    pub fn with_gzip(self) -> Self {
        Self { gzip: true, ..self }
    }
}

/// What all accounts have in common.
pub(crate) struct Shared {
    start: Instant,
    advanced: AtomicU64,
    recording: Mutex<Recording>,
    watcher: Mutex<Option<Watcher>>,
}

pub(crate) type Watcher = Box<dyn Fn(&str, &Exchange) + Send>;

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            advanced: AtomicU64::new(0),
            recording: Mutex::default(),
            watcher: Mutex::default(),
        }
    }

    /// The time of the caches.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed() + Duration::from_millis(self.advanced.load(Ordering::SeqCst))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.advanced.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }

    pub(crate) fn recording(&self) -> Recording {
        *lock(&self.recording)
    }

    pub(crate) fn record(&self, recording: Recording) {
        *lock(&self.recording) = recording;
    }

    pub(crate) fn watch(&self, watcher: Watcher) {
        *lock(&self.watcher) = Some(watcher);
    }
}

/// An account that runs.
pub(crate) struct Running {
    pub(crate) account: Account,
    pub(crate) rules: &'static Rules,
    pub(crate) shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) objects: Objects,
    pub(crate) faults: Faults,
    pub(crate) pace: Pace,
    /// Shared with the exchanges that are still going on.
    records: Vec<Arc<Mutex<Exchange>>>,
    exchanges: u64,
}

/// An exchange that has begun.
pub(crate) struct Begun {
    /// Takes what is learned later.
    pub(crate) record: Arc<Mutex<Exchange>>,
    pub(crate) serial: Serial,
    /// One that keeps the answer away.
    pub(crate) fault: Option<Fault>,
    pub(crate) pace: Pace,
}

impl Running {
    pub(crate) fn new(account: Account, shared: Arc<Shared>) -> Self {
        let rules = account.provider.rules();
        Self { account, rules, shared, state: Mutex::default() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Notes an exchange. What is in force when it can be seen in the records is what it meets.
    pub(crate) fn begin(&self, exchange: Exchange) -> Begun {
        let mut state = self.state();
        let fails = |fault| matches!(fault, Fault::Status(_) | Fault::Reset | Fault::Stall);
        let fault = state.faults.take(fails);
        let record = Arc::new(Mutex::new(Exchange { fault, ..exchange }));
        if self.shared.recording() != Recording::Nothing {
            state.records.push(record.clone());
        }
        state.exchanges += 1;
        let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let serial = Serial::new(&self.account.name, state.exchanges, created);
        Begun { record, serial, fault, pace: state.pace }
    }

    /// Tells the watcher of an exchange that is decided.
    pub(crate) fn decided(&self, record: &Mutex<Exchange>) {
        if let Some(watcher) = &*lock(&self.shared.watcher) {
            watcher(&self.account.name, &lock(record));
        }
    }

    pub(crate) fn received(&self) -> Vec<Exchange> {
        self.state().records.iter().map(|record| lock(record).clone()).collect()
    }

    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.store.clear();
        state.objects.clear();
        state.records.clear();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account.fmt(formatter)
    }
}

/// A panic elsewhere leaves nothing half done here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
