//! A name server, for bootstraps that reach their upstreams by name: it says what the test has told it, and knows nothing else.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Answers questions for IPv4 addresses, over UDP.
pub struct Names {
    address: SocketAddr,
    table: Arc<Mutex<Table>>,
    serving: JoinHandle<()>,
}

type Table = BTreeMap<String, Vec<Ipv4Addr>>;

impl Names {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = socket.local_addr().expect("an address");
        let table = Arc::<Mutex<Table>>::default();
        let serving = tokio::spawn(serve(socket, table.clone()));
        Self { address, table, serving }
    }

    /// Gives a name these addresses, from now on.
    pub fn set(&self, name: &str, addresses: &[Ipv4Addr]) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.insert(name.into(), addresses.into());
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(socket: UdpSocket, table: Arc<Mutex<Table>>) {
    let mut question = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut question).await {
        let answer = {
            let table = table.lock().unwrap_or_else(PoisonError::into_inner);
            answer(&question[..length], &table)
        };
        if let Some(answer) = answer {
            // Whoever asked may be gone.
            _ = socket.send_to(&answer, from).await;
        }
    }
}

/// Answers a question as RFC 1035 says; none to what is no question.
fn answer(question: &[u8], table: &Table) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    const ADDRESS: [u8; 2] = [0, 1];
    let mut name = Vec::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*question.get(at)?);
        let label = question.get(at + 1..at + 1 + length)?;
        at += 1 + length;
        if length == 0 {
            break;
        }
        name.push(String::from_utf8_lossy(label).to_ascii_lowercase());
    }
    let kind = question.get(at..at + 2)?;
    let known = table.get(&name.join("."));
    let addresses = known.filter(|_| kind == ADDRESS).map(Vec::as_slice).unwrap_or_default();
    // An answer, recursion asked for and done; what is not known does not exist.
    let flags = if known.is_some() { [0x81, 0x80] } else { [0x81, 0x83] };
    let counts = [0, 1, 0, u8::try_from(addresses.len()).ok()?, 0, 0, 0, 0];
    let mut answer = [&question[..2], &flags, &counts, question.get(HEADER..at + 4)?].concat();
    for address in addresses {
        // The name of the question, an address of the internet, for a second.
        answer.extend([0xc0, HEADER as u8, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_answered_with_its_addresses() {
        let table = Table::from([("api.test".into(), vec![Ipv4Addr::new(127, 0, 0, 9)])]);
        let question = |name: &[u8], kind: u8| {
            [&[7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], name, &[0, kind, 0, 1]].concat()
        };
        let known = answer(&question(b"\x03API\x04test\0", 1), &table).unwrap();
        assert_eq!((&known[..4], known[7]), (&[7, 7, 0x81, 0x80][..], 1));
        assert!(known.ends_with(&[0, 4, 127, 0, 0, 9]));
        let other_kind = answer(&question(b"\x03api\x04test\0", 28), &table).unwrap();
        assert_eq!((other_kind[3], other_kind[7]), (0x80, 0));
        let unknown = answer(&question(b"\x04test\0", 1), &table).unwrap();
        assert_eq!((unknown[3], unknown[7]), (0x83, 0));
        assert_eq!(answer(b"\x07\x07", &table), None);
    }
}
