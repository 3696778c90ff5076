//! Runs simulated accounts until it is interrupted.

use std::io;
use std::net::SocketAddr;
use std::str::FromStr;

use clap::Parser;
use simulator::{Account, Exchange, Provider, Recording, Simulator};
use tokio::signal::unix::{SignalKind, signal};

/// Simulated LLM providers, as strict as the real ones, with a prefix cache per account
#[derive(Parser)]
struct Arguments {
    /// An account, as in anthropic-a=anthropic@127.0.0.1:18001; may be given several times
    #[arg(long = "account", value_name = "NAME=PROVIDER@ADDRESS", required = true)]
    accounts: Vec<Place>,
    /// Where the control API listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// Compress answers for clients that accept gzip
    #[arg(long)]
    gzip: bool,
    /// Remember no bodies, for long runs
    #[arg(long)]
    lean: bool,
}

#[derive(Clone)]
struct Place {
    account: Account,
    address: SocketAddr,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('=').and_then(|(name, rest)| Some((name, rest.split_once('@')?)));
        let (name, (provider, address)) = parts.ok_or("expected NAME=PROVIDER@ADDRESS")?;
        let provider: Provider = provider.parse()?;
        let address = address.parse().map_err(|error| format!("{address:?}: {error}"))?;
        Ok(Self { account: Account::new(name, provider), address })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let gzip = arguments.gzip;
    let accounts = arguments.accounts.into_iter().map(|place| {
        let account = if gzip { place.account.with_gzip() } else { place.account };
        (account, place.address)
    });
    let accounts: Vec<_> = accounts.collect();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let simulator = Simulator::start_at(accounts.clone(), arguments.control).await?;
    // All is ready before the addresses are told: who has read them may send, and interrupt.
    simulator.watch(|account, exchange| println!("{account} {}", line(exchange)));
    if arguments.lean {
        simulator.record(Recording::Usage);
    }
    for (account, _) in &accounts {
        println!(
            "{} ({}) http://{}",
            account.name,
            account.provider,
            simulator.address(&account.name)
        );
    }
    println!("control http://{}", simulator.control());

    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// What happened, and nothing of what was said: prompts are not to be shown.
fn line(exchange: &Exchange) -> String {
    let mut line = match exchange.status {
        0 => exchange.fault.map(|fault| fault.to_string()).unwrap_or_default(),
        status => status.to_string(),
    };
    if let Some(usage) = exchange.usage {
        line += &format!(" input {} read {} written {}", usage.input, usage.read, usage.write);
    }
    line
}
