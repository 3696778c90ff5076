//! What Warmpath saves: a trace of requests, played through real Envoy to simulated accounts with real prefix caches, and
//! what part of it is read from caches under each policy.
//!
//! ```text
//! requests ─► history: turns, text ─► prompt: bodies ─► setup: Envoy and accounts, one per policy ─► tokens read
//! ```
//!
//! Every setup plays every request, each in the order of the trace and one after the other, all setups at the same time and
//! on one clock, the trace's.

mod bound;
mod clock;
mod history;
mod prompt;
mod requests;
mod setup;
mod tally;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use e2e::fleet::Policy;
use simulator::{Account, Provider, Recording, Simulator};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::report::{Table, note, progress, title};
use bound::{Known, Loss, unavoidable};
use clock::{Clock, Preload};
use history::History;
use prompt::{Form, Kind, Marks, body};
use requests::Request;
use setup::{AWAY, Plan, Setup};
use tally::{Tally, busiest, read_tokens};

const MARKED: Kind = Kind {
    name: "marks, set by the client (Anthropic, 5 minutes)",
    provider: Provider::Anthropic,
    life: Duration::from_secs(300),
    upstream: r#""provider": "anthropic", "marks": "inject""#,
    path: "/v1/messages",
    model: "claude-sonnet-4-5",
    form: Form::Conversation,
    marks: Marks::Client,
};
const UNMARKED: Kind =
    Kind { name: "marks, set by nobody (Anthropic, 5 minutes)", marks: Marks::Nobody, ..MARKED };
/// Qwen's automatic cache has the minimum and the steps of OpenAI's, but a life of five minutes.
const TURNS: Kind = Kind {
    name: "automatic, turn by turn (Qwen, 5 minutes)",
    provider: Provider::Qwen,
    life: Duration::from_secs(300),
    upstream: r#""provider": "qwen""#,
    path: "/v1/chat/completions",
    model: "qwen3-max",
    form: Form::Conversation,
    marks: Marks::Nobody,
};
const ONE_MESSAGE: Kind = Kind {
    name: "automatic, all in one message (Qwen, 5 minutes)",
    form: Form::OneMessage,
    ..TURNS
};
const KEYED: Kind = Kind {
    name: "automatic, turn by turn, with prompt_cache_key (OpenAI, 10 minutes)",
    provider: Provider::OpenAi,
    life: Duration::from_secs(600),
    upstream: r#""provider": "openai", "cache_key": "set""#,
    model: "gpt-5.1",
    ..TURNS
};
const KINDS: [Kind; 5] = [MARKED, UNMARKED, TURNS, ONE_MESSAGE, KEYED];

/// Plays the trace in a process of its own, whose Envoys have the trace's clock.
pub fn run() {
    if clock::is_applied() {
        return play_all();
    }
    let preload = Preload::new();
    let own = std::env::current_exe().expect("the path of this program");
    let mut command = Command::new(own);
    command.arg("trace");
    preload.apply(&mut command);
    let status = command.status().expect("this program again");
    assert!(status.success(), "the trace was not played to its end: {status}");
}

fn play_all() {
    let recorded = std::env::var_os("TRACE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let requests = match &recorded {
        Some(path) => requests::read(path),
        None => requests::make(),
    };
    title("Trace: input tokens read from caches, as a part of what one account would read");
    let tokens: usize = requests.iter().map(|request| request.input_tokens).sum();
    let span = requests.last().map_or(0, |request| request.at_ms) / 1000;
    note(&format!(
        "{} requests in {} min with {:.1} million input tokens, {}.",
        requests.len(),
        span / 60,
        tokens as f64 / 1e6,
        recorded.map_or("made up (TRACE=path plays a recorded one)".into(), |path| format!(
            "from {}",
            path.display()
        )),
    ));
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let wanted = std::env::var("CASE").unwrap_or_default();
    for kind in KINDS.iter().filter(|kind| kind.name.contains(&wanted)) {
        println!();
        runtime.block_on(play(kind, &requests));
    }
    println!();
    note(
        "In brackets: input tokens of the busiest account over the mean. 100 %: the same accounts as one, through the same \
         plugin. Every request is sent, at its full length, a token as four bytes. Turns are found by the lengths of prompts \
         and answers. Requests follow one another: what the trace has at the same time is sent in its order. No client \
         header but a credential, the same for all.",
    );
    note(
        "The clock is the trace's, for the caches and for the plugin (Envoy's wall clock is moved). Answers are short and \
         come at once; a recorded answer is in the prompt of its follow-up.",
    );
}

async fn play(kind: &Kind, requests: &[Request]) {
    let plans = setup::plans();
    let names = |plan: &Plan| plan.account_names();
    let accounts = plans.iter().flat_map(names).map(|name| Account::new(name, kind.provider));
    let accounts = Simulator::start(accounts.collect()).await.expect("simulated accounts");
    accounts.record(Recording::Nothing);
    let tally = Tally::of(&accounts);
    let mut setups = Vec::new();
    for plan in plans {
        progress(&format!("trace, {}: starting {}", kind.name, plan.name()));
        setups.push(Setup::start(plan, kind, &accounts).await);
    }
    let mut clock = Clock::new();
    let mut history = History::default();
    let last_ms = requests.last().map_or(0, |request| request.at_ms);
    let away = away_from(requests);
    let mut told = Instant::now();
    for burst in requests.chunk_by(|one, next| one.at_ms == next.at_ms) {
        let at = Duration::from_millis(burst[0].at_ms);
        clock.set(at, &accounts);
        let bodies: Vec<Bytes> = burst
            .iter()
            .map(|request| {
                let conversation = history.add(request);
                body(kind, &conversation, &history.text(request)).into()
            })
            .collect();
        let mut playing = JoinSet::new();
        for mut setup in setups.drain(..) {
            setup.go_away_and_come_back(at, away, &accounts);
            let bodies = bodies.clone();
            playing.spawn(async move {
                setup.send(&bodies).await;
                setup
            });
        }
        setups = playing.join_all().await;
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            progress(&format!("trace, {}: {} of {} s", kind.name, at.as_secs(), last_ms / 1000));
        }
    }
    report(kind, requests, &setups, &tally);
}

/// When an account goes away.
fn away_from(requests: &[Request]) -> Duration {
    Duration::from_millis(requests.last().map_or(0, |request| request.at_ms) / 3)
}

const FOUR: Plan = Plan { accounts: 4, ..Plan::ORACLE };
const ONE_AWAY: Plan = Plan { away: true, ..FOUR };

fn report(kind: &Kind, requests: &[Request], setups: &[Setup], tally: &Tally) {
    let find = |plan: &Plan| setups.iter().find(|setup| setup.plan == *plan);
    let oracle = tally.served(&Plan::ORACLE);
    let possible = read_tokens(&oracle).max(1) as f64;
    let input: u64 = oracle.iter().map(|served| served.input_tokens).sum();
    let all = possible / input.max(1) as f64 * 100.0;
    note(&format!("{}: one account reads {all:.1} % of all input tokens.", kind.name));
    let cell = |plan: Plan| {
        let Some(setup) = find(&plan) else { return "-".to_string() };
        let served = tally.served(&plan);
        let share = read_tokens(&served) as f64 / possible * 100.0;
        let errors = match setup.errors {
            0 => String::new(),
            errors => format!(", {errors} errors"),
        };
        format!("{share:.1} % ({:.2}){errors}", busiest(&served, plan.accounts))
    };
    let mut table = Table::new(&["", "2 accounts", "4 accounts", "8 accounts"]);
    let policies = [
        ("plain Envoy, by weights", Policy::Plain),
        ("hash of the opener alone", Policy::Opener),
        ("Warmpath", Policy::Warmpath),
    ];
    for (name, policy) in policies {
        let cells = setup::ACCOUNTS.map(|accounts| cell(Plan { policy, accounts, ..Plan::ORACLE }));
        table.row([name.to_string()].into_iter().chain(cells));
    }
    for (name, plan) in [
        ("Warmpath, one away for 100 s", ONE_AWAY),
        ("Warmpath, three Envoys", Plan { envoys: 3, ..FOUR }),
    ] {
        table.row([name.into(), String::new(), cell(plan)]);
    }
    print!("{table}");
    if let Some(away) = find(&ONE_AWAY) {
        tell_away(away.errors, &unavoidable_loss(kind, requests, tally), tally);
    }
    for complaint in setups.iter().filter_map(|setup| setup.complaint.as_ref()) {
        note(&format!("An error: {complaint}"));
    }
}

/// Says how much was read while one account was away, of what could be read at most.
fn tell_away(errors: usize, loss: &Loss, tally: &Tally) {
    let oracle = read_tokens(&tally.served(&Plan::ORACLE)).max(1);
    let read = read_tokens(&tally.served(&ONE_AWAY));
    let possible = oracle.saturating_sub(loss.tokens).max(1);
    let part = |tokens: u64, of: u64| tokens as f64 / of as f64 * 100.0;
    note(&format!(
        "With one away {:.2} % was read; at most {:.2} % was possible, of which that is {:.2} %: {} requests whose prompt it \
         held came meanwhile, and had to be cold elsewhere. Client errors: {errors}.",
        part(read, oracle),
        part(possible, oracle),
        part(read, possible),
        loss.requests,
    ));
}

fn unavoidable_loss(kind: &Kind, requests: &[Request], tally: &Tally) -> Loss {
    let from = away_from(requests);
    let number = |account: &str| account.rsplit('-').next().map(str::to_owned);
    let leaver = number(&ONE_AWAY.leaver());
    let (usual, oracle) = (tally.served(&FOUR), tally.served(&Plan::ORACLE));
    let known = requests.iter().zip(usual.iter().zip(&oracle)).map(|(request, (usual, oracle))| {
        let at = Duration::from_millis(request.at_ms);
        Known {
            request,
            is_away: at >= from && at < from + AWAY,
            is_its_own: number(&usual.account) == leaver,
            oracle_tokens: oracle.read_tokens,
        }
    });
    unavoidable(known, kind.life)
}
