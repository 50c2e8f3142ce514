//! Syslog messages (RFC 5424) over TCP (RFC 6587, octet counting) or TLS (RFC 5425).
//!
//! The protocol has no acknowledgement. A message counts as arrived when the connection is still sound some seconds after it was
//! written; whatever was written later than that is sent again after a failure.

use super::SiemError;
use super::event::Event;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Facility 13, log audit.
const FACILITY: u8 = 13;
/// How long a written message is not yet trusted to have arrived.
const SETTLED: Duration = Duration::from_secs(3);
/// Longest wait for the receiver to take something.
const PATIENCE: Duration = Duration::from_secs(10);

/// One receiver.
pub(super) struct Syslog {
    address: String,
    tls: Option<Arc<ClientConfig>>,
    host: String,
    connection: Option<Connection>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

struct Connection {
    stream: Stream,
    /// When which position was written.
    written: VecDeque<(Instant, u64)>,
}

impl Syslog {
    pub(super) fn new(address: &str, ca: Option<&Path>) -> Result<Self, SiemError> {
        let tls = ca.map(trusting).transpose()?;
        let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
        let name: String = name.trim().chars().filter(char::is_ascii_graphic).take(255).collect();
        let host = if name.is_empty() { "-".to_owned() } else { name };
        Ok(Self { address: address.to_owned(), tls, host, connection: None })
    }

    pub(super) fn connect(&mut self) -> Result<(), SiemError> {
        self.connection = None;
        let connection = self.connected().map_err(|source| self.failed(source))?;
        self.connection = Some(connection);
        Ok(())
    }

    fn connected(&self) -> io::Result<Connection> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in self.address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(socket) => return self.over(socket),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn over(&self, socket: TcpStream) -> io::Result<Connection> {
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let stream = match &self.tls {
            None => Stream::Plain(socket),
            Some(config) => {
                let name = self.address.rsplit_once(':').map_or(self.address.as_str(), |(name, _)| name);
                let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(name).map_err(io::Error::other)?;
                let tls = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
                let mut stream = StreamOwned::new(tls, socket);
                // The handshake now, so that a receiver that is not ours is told nothing.
                while stream.conn.is_handshaking() {
                    stream.conn.complete_io(&mut stream.sock)?;
                }
                Stream::Tls(Box::new(stream))
            }
        };
        Ok(Connection { stream, written: VecDeque::new() })
    }

    pub(super) fn send(&mut self, events: &[Event], position: u64) -> Result<(), SiemError> {
        let messages: String = events.iter().map(|event| self.message(event)).collect();
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let sent = connection.stream.write(messages.as_bytes());
        if !events.is_empty() {
            connection.written.push_back((Instant::now(), position));
        }
        sent.map_err(|source| self.failed(source))
    }

    /// `MSG-LEN SP SYSLOG-MSG`.
    fn message(&self, event: &Event) -> String {
        let priority = u16::from(FACILITY) * 8 + u16::from(event.severity);
        let (process, host) = (std::process::id(), &self.host);
        let message =
            format!("<{priority}>1 {} {host} likeness {process} {} - {}", event.time, event.kind, event.line);
        format!("{} {message}", message.len())
    }

    pub(super) fn confirmed(&mut self) -> Result<Option<u64>, SiemError> {
        let Some(connection) = &mut self.connection else { return Ok(None) };
        if let Err(source) = connection.stream.still_open() {
            return Err(self.failed(source));
        }
        let mut confirmed = None;
        while let Some((at, position)) = connection.written.front() {
            if at.elapsed() < SETTLED {
                break;
            }
            confirmed = Some(*position);
            connection.written.pop_front();
        }
        Ok(confirmed)
    }

    fn failed(&mut self, source: io::Error) -> SiemError {
        self.connection = None;
        SiemError::Receiver { to: self.address.clone(), source }
    }
}

impl Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Plain(socket) => socket.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    /// A receiver never says anything: what can be read is its end, an error, or what TLS itself sends.
    fn still_open(&mut self) -> io::Result<()> {
        self.socket().set_nonblocking(true)?;
        let looked = self.look();
        self.socket().set_nonblocking(false)?;
        match looked {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            looked => looked,
        }
    }

    fn look(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(socket) => match socket.peek(&mut [0])? {
                0 => Err(ErrorKind::ConnectionAborted.into()),
                _ => Ok(()),
            },
            Stream::Tls(stream) => loop {
                if stream.conn.read_tls(&mut stream.sock)? == 0 {
                    return Err(ErrorKind::ConnectionAborted.into());
                }
                let state = stream.conn.process_new_packets().map_err(io::Error::other)?;
                if state.peer_has_closed() || state.plaintext_bytes_to_read() > 0 {
                    return Err(ErrorKind::ConnectionAborted.into());
                }
            },
        }
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => &stream.sock,
        }
    }
}

fn trusting(ca: &Path) -> Result<Arc<ClientConfig>, SiemError> {
    let wrong = |why: String| SiemError::Authority { file: ca.display().to_string(), why };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(ca).map_err(|error| wrong(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("it holds no certificate".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
