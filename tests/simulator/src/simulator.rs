//! The accounts that run together, and what can be done to them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use crate::account::{Account, Running, Shared};
use crate::answer::Script;
use crate::control;
use crate::exchange::{Exchange, Recording};
use crate::fault::Fault;
use crate::listen::{Port, Service};
use crate::pace::Pace;
use crate::serve::serve;

/// Simulated accounts on threads of their own, so that a test may block as it likes. Dropping it
/// stops everything.
pub struct Simulator {
    core: Arc<Core>,
    control: Port,
    runtime: Option<Runtime>,
}

/// What the library and the control API do things to.
pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    pub(crate) tenants: Vec<Tenant>,
}

/// An account and its port.
pub(crate) struct Tenant {
    pub(crate) running: Arc<Running>,
    pub(crate) port: Port,
}

impl Simulator {
    /// Gives each account, and the control API, a free port of the loopback address.
    pub async fn start(accounts: Vec<Account>) -> io::Result<Self> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_at(accounts.into_iter().map(|account| (account, any)).collect(), any).await
    }

    pub async fn start_at(
        accounts: Vec<(Account, SocketAddr)>,
        control: SocketAddr,
    ) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("simulator")
            .enable_all()
            .build()?;
        let started = {
            let _inside = runtime.enter();
            Core::open(accounts).and_then(|core| {
                let core = Arc::new(core);
                let control = Port::open(control, control::Control(core.clone()))?;
                Ok((core, control))
            })
        };
        match started {
            Ok((core, control)) => Ok(Self { core, control, runtime: Some(runtime) }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// # Panics
    /// As all that take one: if there is no such account.
    pub fn address(&self, account: &str) -> SocketAddr {
        self.tenant(account).port.address
    }

    pub fn control(&self) -> SocketAddr {
        self.control.address
    }

    /// The exchanges of an account in the order in which they arrived, those that go on included.
    pub fn received(&self, account: &str) -> Vec<Exchange> {
        self.tenant(account).running.received()
    }

    /// Lets every exchange fail until healed.
    pub fn fail(&self, account: &str, fault: Fault) {
        self.tenant(account).fail(fault, None);
    }

    pub fn fail_times(&self, account: &str, fault: Fault, times: u32) {
        self.tenant(account).fail(fault, Some(times));
    }

    pub fn heal(&self, account: &str) {
        self.tenant(account).heal();
    }

    /// Lets this time pass for the caches of all accounts.
    pub fn advance(&self, by: Duration) {
        self.core.shared.advance(by);
    }

    /// Empties the caches, the objects and the records of all accounts.
    pub fn forget(&self) {
        self.core.forget();
    }

    pub fn pace(&self, account: &str, pace: Pace) {
        self.tenant(account).running.state().pace = pace;
    }

    pub fn record(&self, recording: Recording) {
        self.core.shared.record(recording);
    }

    /// Calls back with the account's name for every exchange whose outcome is decided, before it is
    /// answered.
    pub fn watch(&self, watcher: impl Fn(&str, &Exchange) + Send + 'static) {
        self.core.shared.watch(Box::new(watcher));
    }

    fn tenant(&self, account: &str) -> &Tenant {
        match self.core.tenant(account) {
            Some(tenant) => tenant,
            None => panic!("no account {account:?} is simulated"),
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for tenant in &self.core.tenants {
            tenant.port.close();
        }
        self.control.close();
        if let Some(runtime) = self.runtime.take() {
            // Not waiting: this may be dropped inside another runtime.
            runtime.shutdown_background();
        }
    }
}

impl Core {
    fn open(accounts: Vec<(Account, SocketAddr)>) -> io::Result<Self> {
        let shared = Arc::new(Shared::new());
        let tenants = accounts.into_iter().map(|(account, address)| {
            let running = Arc::new(Running::new(account, shared.clone()));
            let port = Port::open(address, At(running.clone()))?;
            Ok(Tenant { running, port })
        });
        let tenants = tenants.collect::<io::Result<_>>()?;
        Ok(Self { shared, tenants })
    }

    pub(crate) fn tenant(&self, account: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.running.account.name == account)
    }

    pub(crate) fn forget(&self) {
        for tenant in &self.tenants {
            tenant.running.forget();
        }
    }
}

impl Tenant {
    pub(crate) fn fail(&self, fault: Fault, times: Option<u32>) {
        self.running.state().faults.set(fault, times);
        match fault {
            Fault::Refused => self.port.close(),
            _ => self.port.reopen(),
        }
    }

    pub(crate) fn heal(&self) {
        self.running.state().faults.heal();
        self.port.reopen();
    }
}

/// Serves the requests of one account.
#[derive(Clone)]
struct At(Arc<Running>);

impl Service<Script> for At {
    fn call(
        &self,
        request: Request<Incoming>,
        reset: Arc<Notify>,
    ) -> impl Future<Output = Result<Response<Script>, hyper::Error>> + Send + 'static {
        serve(self.0.clone(), request, reset)
    }
}
