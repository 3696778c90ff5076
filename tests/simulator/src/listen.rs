//! The port of an account: it can be closed, so that connecting is refused, and opened again where
//! it was.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as Socket};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use socket2::{Domain, SockRef, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc as commands};
use tokio::task::JoinSet;

/// A port in use. Dropping it closes the port and every connection.
pub(crate) struct Port {
    pub(crate) address: SocketAddr,
    commands: commands::UnboundedSender<(Command, mpsc::Sender<()>)>,
}

#[derive(Clone, Copy)]
enum Command {
    Open,
    Close,
}

/// Answers one request; the notification ends its connection with a TCP RST.
pub(crate) trait Service<B>: Clone + Send + Sync + 'static {
    fn call(
        &self,
        request: Request<Incoming>,
        reset: Arc<Notify>,
    ) -> impl Future<Output = Result<Response<B>, hyper::Error>> + Send + 'static;
}

impl Port {
    /// Must be called inside the runtime that is to serve.
    pub(crate) fn open<B>(address: SocketAddr, service: impl Service<B>) -> io::Result<Self>
    where
        B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
    {
        // Bound but not listening, it keeps the port ours while that is closed.
        let reserved = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        reserved.set_reuse_address(true)?;
        reserved.set_reuse_port(true)?;
        reserved.bind(&address.into())?;
        let bound = reserved.local_addr()?.as_socket();
        let address = bound.ok_or(io::Error::other("no address of the internet"))?;
        let listener = listen(address)?;
        let (sender, mut receiver) = commands::unbounded_channel::<(Command, mpsc::Sender<()>)>();
        tokio::spawn(async move {
            let _reserved = reserved;
            let mut open = Some((listener, JoinSet::new()));
            loop {
                let command = match &mut open {
                    None => receiver.recv().await,
                    Some((listener, connections)) => tokio::select! {
                        command = receiver.recv() => command,
                        accepted = listener.accept() => {
                            match accepted {
                                Ok((stream, _)) => _ = connections.spawn(connection(stream, service.clone())),
                                // Out of file descriptors, say: others may be closed meanwhile.
                                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                            }
                            while connections.try_join_next().is_some() {}
                            continue;
                        }
                    },
                };
                let Some((command, done)) = command else { return };
                match command {
                    Command::Close => open = None,
                    Command::Open if open.is_some() => {}
                    // The port is reserved, so this fails only where listening as such does.
                    Command::Open => {
                        open = listen(address).ok().map(|listener| (listener, JoinSet::new()))
                    }
                }
                _ = done.send(());
            }
        });
        Ok(Self { address, commands: sender })
    }

    /// From its return on, connecting is refused; open connections are dropped.
    pub(crate) fn close(&self) {
        self.command(Command::Close);
    }

    pub(crate) fn reopen(&self) {
        self.command(Command::Open);
    }

    fn command(&self, command: Command) {
        let (done, wait) = mpsc::channel();
        if self.commands.send((command, done)).is_ok() {
            // An error says that the task has ended, and the port with it.
            _ = wait.recv();
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(Socket::from(socket))
}

async fn connection<B>(stream: TcpStream, service: impl Service<B>)
where
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    // Small events must not wait for one another.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    // The stream itself goes to hyper; this is the same socket, to be closed after it.
    let Ok(socket) = SockRef::from(&stream).try_clone() else { return };
    let reset = Arc::new(Notify::new());
    let serve = service_fn(|request| service.call(request, reset.clone()));
    let builder = Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), serve);
    tokio::select! {
        // A client that breaks off is no trouble of ours.
        _ = connection => {}
        () = reset.notified() => { _ = socket.set_linger(Some(Duration::ZERO)); }
    }
}
