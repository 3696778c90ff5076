//! What the system knows of a running Envoy: processor time and memory.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A process to measure.
#[derive(Clone, Debug)]
pub struct Process {
    folder: PathBuf,
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Resident now.
    pub now: u64,
    /// The most that was resident since [`Process::forget_peak`].
    pub peak: u64,
}

impl Process {
    /// Finds the process that listens at an address of this machine.
    ///
    /// # Panics
    ///
    /// When there is none, or its files cannot be read.
    pub fn listening_at(address: SocketAddr) -> Self {
        let inode = inode(address).unwrap_or_else(|| panic!("nobody listens at {address}"));
        let socket = PathBuf::from(format!("socket:[{inode}]"));
        let holds = |folder: &PathBuf| {
            let files = fs::read_dir(folder.join("fd")).into_iter().flatten().flatten();
            files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|to| to == socket))
        };
        let entries = fs::read_dir("/proc").expect("/proc: this needs Linux").flatten();
        // By their numbers alone: `self` is one of them once more.
        let processes = entries.filter(|entry| {
            entry.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit())
        });
        let folder = processes.map(|process| process.path()).find(holds);
        Self { folder: folder.unwrap_or_else(|| panic!("no process listens at {address}")) }
    }

    /// Returns its number, for those who want to look into it with a profiler.
    pub fn id(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Returns the processor time that all of its threads have used: user and system time together, as in `stat`, but in
    /// nanoseconds instead of ticks of 10 ms.
    pub fn cpu(&self) -> Duration {
        let threads = fs::read_dir(self.folder.join("task")).expect("a running process").flatten();
        let nanoseconds = threads.filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    pub fn memory(&self) -> Memory {
        let text = fs::read_to_string(self.folder.join("status")).expect("a running process");
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
            Some(kilobytes * 1024)
        };
        Memory {
            now: field("VmRSS:").unwrap_or_default(),
            peak: field("VmHWM:").unwrap_or_default(),
        }
    }

    /// Begins a new peak of memory.
    pub fn forget_peak(&self) {
        // 5 resets the peak of the resident set, proc(5).
        let _ = fs::write(self.folder.join("clear_refs"), "5");
    }

    /// Returns the resident bytes of the memories of Wasm machines: V8 reserves many gigabytes of addresses behind each, so a
    /// mapping with such a neighbour is one.
    pub fn wasm_memories(&self) -> Vec<u64> {
        const RESERVED: u64 = 3 << 30;
        let text = fs::read_to_string(self.folder.join("smaps")).unwrap_or_default();
        let mappings = mappings(&text);
        let pairs = mappings.windows(2).filter_map(|pair| {
            let [one, next] = pair else { return None };
            let reserved = next.rights.starts_with("---") && next.end - next.start > RESERVED;
            (one.rights.starts_with("rw") && one.end == next.start && reserved)
                .then_some(one.resident)
        });
        pairs.collect()
    }
}

struct Mapping<'t> {
    start: u64,
    end: u64,
    rights: &'t str,
    resident: u64,
}

fn mappings(text: &str) -> Vec<Mapping<'_>> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(first), second) = (words.next(), words.next().unwrap_or_default()) else {
            continue;
        };
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let range = first.split_once('-').and_then(|(start, end)| Some((hex(start)?, hex(end)?)));
        if let Some((start, end)) = range {
            mappings.push(Mapping { start, end, rights: second, resident: 0 });
        } else if first == "Rss:"
            && let Some(last) = mappings.last_mut()
        {
            last.resident = second.parse::<u64>().unwrap_or_default() * 1024;
        }
    }
    mappings
}

/// Finds the inode of a listening socket in the kernel's table.
fn inode(address: SocketAddr) -> Option<String> {
    const LISTEN: &str = "0A";
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let port = format!(":{:04X}", address.port());
    let line = table.lines().find(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next().is_some_and(|local| local.ends_with(&port)) && words.nth(1) == Some(LISTEN)
    });
    line?.split_whitespace().nth(9).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_found_by_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let process = Process::listening_at(listener.local_addr().unwrap());
        assert_eq!(process.folder, PathBuf::from(format!("/proc/{}", std::process::id())));
        assert!(process.cpu() > Duration::ZERO && process.memory().now > 100_000);
    }
}
