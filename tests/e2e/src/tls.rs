//! TLS in front of simulated accounts: certificates for the names of real providers, from an authority that exists for one
//! test, and ports that speak for no other name.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// Signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A port that ends TLS and hands on what it hears. Dropping it closes the port and every connection.
pub struct Front {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority for one test");
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// Returns what those need who are to trust this authority.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Starts a port that speaks for this name, over HTTP/2 or HTTP/1.1 as the client likes, with a certificate for
    /// `certified`, which is the same name unless the port is an impostor's.
    pub async fn front(&self, name: &str, certified: &str, behind: SocketAddr) -> Front {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let acceptor = TlsAcceptor::from(Arc::new(self.config(name, certified)));
        Front { address, serving: tokio::spawn(accept(listener, acceptor, behind)) }
    }

    fn config(&self, name: &str, certified: &str) -> ServerConfig {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([certified.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate").der().clone();
        let provider = Arc::new(ring::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key in PKCS #8");
        let certified_key =
            CertifiedKey::from_der(vec![certificate], key, &provider).expect("a fitting key");
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions that it knows")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Speaker { name: name.into(), key: certified_key.into() }));
        config.alpn_protocols = vec![b"h2".into(), b"http/1.1".into()];
        config
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Front {
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Has a certificate for those who ask for this name, and for nobody else.
#[derive(Debug)]
struct Speaker {
    name: String,
    key: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Speaker {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        (hello.server_name()? == self.name).then(|| self.key.clone())
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, behind: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, acceptor.clone(), behind));
        while connections.try_join_next().is_some() {}
    }
}

/// An account that refuses connections is asked first, so that its front fails as early as it can.
async fn connection(stream: TcpStream, acceptor: TlsAcceptor, behind: SocketAddr) {
    let Ok(mut inside) = TcpStream::connect(behind).await else { return };
    for socket in [&stream, &inside] {
        socket.set_nodelay(true).expect("a socket option");
    }
    // Whoever breaks off, here or there, is no trouble of the front's.
    let Ok(mut outside) = acceptor.accept(stream).await else { return };
    _ = copy_bidirectional(&mut outside, &mut inside).await;
}
