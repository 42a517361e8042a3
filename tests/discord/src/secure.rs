//! HTTPS on loopback, as Discord's own address speaks it.
//!
//! Owns a certificate authority that lives as long as the stand-in, and a certificate of it for `discord.com`. A bot that
//! is told to trust that authority and to find `discord.com` at [`Secure::address`] speaks to the stand-in exactly as it
//! would to Discord, its own rate limiter included. A connection that fails its handshake is dropped.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring, version};
use tokio_rustls::server::TlsStream;

/// The name that the certificate is for.
const NAME: &str = "discord.com";
/// A handshake takes at most this long.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Where HTTPS is, and whom to trust for it.
#[derive(Debug, Clone)]
pub(crate) struct Secure {
    pub(crate) address: SocketAddr,
    /// The authority's certificate, in PEM.
    pub(crate) authority: String,
}

/// Connections after their handshake.
pub(crate) struct Secured {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Secured {
    /// Listens on a free loopback port.
    pub(crate) async fn bind() -> io::Result<(Secure, Self)> {
        let (authority, config) = certificates().map_err(io::Error::other)?;
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (send, ready) = mpsc::channel(64);
        tokio::spawn(async move {
            // Ends with the stand-in, which owns the receiving side.
            while !send.is_closed() {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = send.closed() => return,
                };
                let Ok((stream, peer)) = accepted else { continue };
                let (acceptor, send) = (acceptor.clone(), send.clone());
                tokio::spawn(async move {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        drop(send.send((stream, peer)).await);
                    }
                });
            }
        });
        Ok((Secure { address, authority }, Self { ready, address }))
    }
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// A new authority's certificate, and what a server of its name needs.
fn certificates() -> Result<(String, ServerConfig), Box<dyn std::error::Error + Send + Sync>> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let trusted = authority.self_signed(&key)?.pem();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![NAME.to_owned()])?.signed_by(&key, &issuer)?;
    let private = key.serialize_der().try_into().map_err(|why: &str| why.to_owned())?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((trusted, config))
}
