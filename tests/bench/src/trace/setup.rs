//! One policy at work: an Envoy or several, accounts of its own behind them, and what came of it.

use std::time::Duration;

use bytes::Bytes;
use e2e::fleet::{Policy, bootstrap};
use e2e::{Client, Envoy};
use serde_json::Value;
use simulator::{Fault, Simulator};

use super::prompt::Kind;

/// How many accounts policies are compared with.
pub const ACCOUNTS: [usize; 3] = [2, 4, 8];
/// How long an account is away, of the trace's time.
pub const AWAY: Duration = Duration::from_secs(100);

/// What is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub policy: Policy,
    pub accounts: usize,
    /// Requests alternate between them.
    pub envoys: usize,
    /// Whether one account refuses connections for a while.
    pub away: bool,
}

impl Plan {
    /// One account that gets everything.
    pub const ORACLE: Self = Self { policy: Policy::Warmpath, accounts: 1, envoys: 1, away: false };

    pub fn name(&self) -> String {
        let Self { policy, accounts, envoys, away } = self;
        let away = if *away { "-away" } else { "" };
        format!("{policy:?}-{accounts}-{envoys}{away}").to_lowercase()
    }

    /// The account that goes away, where one does.
    pub fn leaver(&self) -> String {
        self.account_names().swap_remove(self.accounts / 2)
    }

    pub fn account_names(&self) -> Vec<String> {
        (1..=self.accounts).map(|number| format!("{}-account-{number}", self.name())).collect()
    }
}

/// Returns what is compared.
pub fn plans() -> Vec<Plan> {
    let policies = [Policy::Plain, Policy::Opener, Policy::Warmpath];
    let compared = policies
        .into_iter()
        .flat_map(|policy| ACCOUNTS.map(|accounts| Plan { policy, accounts, ..Plan::ORACLE }));
    let more = [
        Plan::ORACLE,
        Plan { accounts: 4, away: true, ..Plan::ORACLE },
        Plan { accounts: 4, envoys: 3, ..Plan::ORACLE },
    ];
    // PLAN=away plays what tells of an account that is away, PLAN=warmpath-4 that and three Envoys; each with what it is
    // compared with.
    let wanted = std::env::var("PLAN").unwrap_or_default();
    let needed = |plan: &Plan| [Plan::ORACLE, Plan { accounts: 4, ..Plan::ORACLE }].contains(plan);
    compared.chain(more).filter(|plan| needed(plan) || plan.name().contains(&wanted)).collect()
}

pub struct Setup {
    pub plan: Plan,
    path: &'static str,
    /// Stop when this is dropped.
    _envoys: Vec<Envoy>,
    clients: Vec<Client>,
    sent: usize,
    /// Requests that were not answered with 200.
    pub errors: usize,
    /// What the first of them got.
    pub complaint: Option<String>,
    is_away: bool,
}

impl Setup {
    pub async fn start(plan: Plan, kind: &Kind, providers: &Simulator) -> Self {
        let names = plan.account_names().into_iter();
        let accounts: Vec<_> = names.map(|name| (name.clone(), providers.address(&name))).collect();
        let mut envoys = Vec::new();
        for _ in 0..plan.envoys {
            envoys.push(Envoy::start(bootstrap(plan.policy, &accounts, kind.upstream)).await);
        }
        let clients = envoys.iter().map(|envoy| Client::new(envoy.address("gateway"))).collect();
        Self {
            plan,
            path: kind.path,
            _envoys: envoys,
            clients,
            sent: 0,
            errors: 0,
            complaint: None,
            is_away: false,
        }
    }

    /// Sends some requests, one after the other.
    pub async fn send(&mut self, bodies: &[Bytes]) {
        for body in bodies {
            let client = &self.clients[self.sent % self.clients.len()];
            self.sent += 1;
            let call =
                client.post(self.path, &Value::Null).header("authorization", "Bearer sk-trace");
            let complaint = match call.body(body.clone()).try_send().await {
                Ok(answer) if answer.status == 200 => continue,
                Ok(answer) => format!("{} {}", answer.status, answer.text()),
                Err(error) => error,
            };
            self.errors += 1;
            self.complaint.get_or_insert(complaint);
        }
    }

    /// Where an account is to be away from a time on, takes it away and brings it back.
    pub fn go_away_and_come_back(&mut self, now: Duration, from: Duration, accounts: &Simulator) {
        let is_away = self.plan.away && now >= from && now < from + AWAY;
        let name = self.plan.leaver();
        match (self.is_away, is_away) {
            (false, true) => accounts.fail(&name, Fault::Refused),
            (true, false) => accounts.heal(&name),
            _ => {}
        }
        self.is_away = is_away;
    }
}
