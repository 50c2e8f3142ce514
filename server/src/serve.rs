//! Serving: one port, TLS unless it is plainly said otherwise and the address is a loopback one, and a graceful end.
use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle},
};
use tonic::{
    service::Routes,
    transport::{Certificate, Identity, Server, ServerTlsConfig},
};

use crate::{
    audit::AuditLog,
    clock::{Clock, SystemClock},
    config::{Config, ConfigError, Listen},
    data::DataDir,
    rpc::{self, Desk, DoorLayer, SERVICES},
    service::{OpenError, Opening, Service},
    siem::{Feed, SiemError},
    tls::{self, TlsError},
};

mod incoming;
mod migrations;
mod recall;
mod retention;
mod signals;
#[cfg(test)]
mod tests;

/// Longest block of request headers, in bytes: a token and a little more.
const MAX_HEADER_BYTES: u32 = 32 * 1024;
/// A connection whose other end is gone is noticed after this long.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How often content is looked at for its retention time.
const HOUSEKEEPING: Duration = Duration::from_secs(24 * 3600);

/// What to serve and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// The data directory.
    pub data: PathBuf,
    /// Another address than the configured one.
    pub listen: Option<SocketAddr>,
    /// Without TLS; refused unless the address is a loopback one.
    pub insecure_plaintext: bool,
}

/// Why the server does not start, or ended badly.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Something of the data directory is not as it must be.
    #[error(transparent)]
    Open(#[from] Box<OpenError>),
    /// The address may not be served like this.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The certificate or key is missing.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The port cannot be had.
    #[error("cannot listen on `{address}`: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The transport failed, or does not take the certificate.
    #[error("the gRPC transport failed: {}", told(.0))]
    Transport(#[source] tonic::transport::Error),
    /// The feed of security events cannot work as configured.
    #[error(transparent)]
    Siem(#[from] SiemError),
    /// Reflection could not be set up.
    #[error("reflection cannot be set up: {0}")]
    Reflection(String),
    /// The operating system gave no threads or signals.
    #[error("cannot start: {0}")]
    System(#[source] io::Error),
    /// A task of the server broke off.
    #[error("the server broke off: {0}")]
    Broken(#[from] JoinError),
}

impl From<OpenError> for ServeError {
    fn from(error: OpenError) -> Self {
        ServeError::Open(Box::new(error))
    }
}

/// A server that accepts calls.
pub struct Running {
    address: SocketAddr,
    service: Arc<Service>,
    stop: watch::Sender<bool>,
    /// Only kept: dropping it ends the feed.
    feed: Option<Feed>,
    served: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The service behind it.
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Takes no more calls, lets the running ones end, and gives the data directory back.
    ///
    /// # Errors
    /// [`ServeError`] when the transport had failed.
    pub async fn stop(self) -> Result<(), ServeError> {
        self.stop.send_replace(true);
        let drain = self.service.config().limits.drain;
        let mut served = self.served;
        let ended = match tokio::time::timeout(drain, &mut served).await {
            Ok(ended) => ended?.map_err(ServeError::Transport),
            Err(_) => {
                tracing::warn!("calls were still running at the end of the drain time; they are cut off");
                served.abort();
                Ok(())
            }
        };
        // Waits for a thread, which may be waiting for its receiver.
        if let Some(feed) = self.feed {
            tokio::task::spawn_blocking(move || drop(feed)).await?;
        }
        // The lock goes with the last user of the service: give those that are just ending a moment.
        for _ in 0..100 {
            if Arc::strong_count(&self.service) == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        ended
    }

    /// Waits until the server ends by itself, which it does only when the transport fails.
    ///
    /// # Errors
    /// [`ServeError`] with the reason.
    pub async fn wait(&mut self) -> Result<(), ServeError> {
        (&mut self.served).await?.map_err(ServeError::Transport)
    }
}

/// Opens the data directory and starts to serve it, inside the caller's runtime (which must have more than one thread).
///
/// # Errors
/// [`ServeError`]; nothing is served then.
pub async fn start(options: &ServeOptions) -> Result<Running, ServeError> {
    start_by(options, Arc::new(SystemClock)).await
}

/// The same by another clock than the system's, to see what time brings about without waiting for it.
///
/// # Errors
/// As [`start`].
pub async fn start_by(options: &ServeOptions, clock: Arc<dyn Clock>) -> Result<Running, ServeError> {
    start_behind(options, clock, |log| log).await
}

/// The same with another audit log in front of the durable one; see [`Service::open_behind`].
///
/// # Errors
/// As [`start`].
async fn start_behind(
    options: &ServeOptions,
    clock: Arc<dyn Clock>,
    front: impl FnOnce(Arc<dyn AuditLog>) -> Arc<dyn AuditLog> + Send + 'static,
) -> Result<Running, ServeError> {
    let data = DataDir::at(&options.data);
    // Before anything slow: what may not be served must not look as if it were starting.
    if data.config().is_file() {
        let configured = Config::read(&data.config())?.listen;
        Listen::new(
            options.listen.unwrap_or(configured.address),
            configured.plaintext || options.insecure_plaintext,
        )?;
    }
    let opened = data.clone();
    let service = Arc::new(
        tokio::task::spawn_blocking(move || Service::open_behind(&opened, clock, Opening::Serve, front))
            .await??,
    );
    let configured = &service.config().listen;
    let listen = Listen::new(
        options.listen.unwrap_or(configured.address),
        configured.plaintext || options.insecure_plaintext,
    )?;
    let listener = tokio::net::TcpListener::bind(listen.address)
        .await
        .map_err(|source| ServeError::Listen { address: listen.address, source })?;
    let address = listener.local_addr().map_err(ServeError::System)?;

    let limits = &service.config().limits;
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .max_concurrent_streams(
            u32::try_from(limits.concurrent_requests.saturating_add(limits.concurrent_streams))
                .unwrap_or(u32::MAX),
        )
        // A message of a few MiB should not wait for many round trips.
        .initial_stream_window_size(1024 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024);
    if !listen.plaintext {
        let identity = tls::read(&data)?;
        // A caller without a certificate gets as far as being told so, and being recorded; see `service/systems.rs`.
        let tls = ServerTlsConfig::new()
            .identity(Identity::from_pem(identity.certificate, identity.key))
            .client_ca_root(Certificate::from_pem(tls::callers(&data)?))
            .client_auth_optional(true);
        server = server.tls_config(tls).map_err(ServeError::Transport)?;
    }

    let (health, health_service) = tonic_health::server::health_reporter();
    for name in std::iter::once("").chain(SERVICES) {
        health.set_service_status(name, tonic_health::ServingStatus::Serving).await;
    }
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(likeness_proto::DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(|error| ServeError::Reflection(error.to_string()))?;

    let feed = service.start_feed()?;
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(keep_house(Arc::clone(&service), stopping.clone()));
    tokio::spawn(migrations::carry_on(Arc::clone(&service), stopping.clone()));
    tokio::spawn(retention::keep_time(Arc::clone(&service), stopping.clone()));
    tokio::spawn(recall::keep_measured(Arc::clone(&service), stopping.clone()));
    let desk = Desk::new(&service, stopping.clone());
    let routes = rpc::add_to(Routes::new(health_service).add_service(reflection), &desk, &service);
    let incoming = incoming::connections(listener, limits.connections);
    let mut signal = stopping;
    let until = async move {
        // A dropped sender means the same: nobody is there who could stop it later.
        let _ = signal.wait_for(|stopping| *stopping).await;
        for name in std::iter::once("").chain(SERVICES) {
            health.set_service_status(name, tonic_health::ServingStatus::NotServing).await;
        }
    };
    let router = server.layer(DoorLayer::new(&service)).add_routes(routes);
    let served = tokio::spawn(router.serve_with_incoming_shutdown(incoming, until));
    tracing::info!(%address, tls = !listen.plaintext, "serving");
    Ok(Running { address, service, stop, feed, served })
}

/// Forgets old content and lifts protected views that are over, now and every day, until the server stops.
async fn keep_house(service: Arc<Service>, mut stopping: watch::Receiver<bool>) {
    loop {
        let working = Arc::clone(&service);
        match tokio::task::spawn_blocking(move || working.lift_ended_protections()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(
                ?error,
                "protected views that are over could not be lifted; it is tried again tomorrow"
            ),
            Err(error) => tracing::error!(%error, "lifting protected views broke off"),
        }
        let working = Arc::clone(&service);
        match tokio::task::spawn_blocking(move || working.forget_old_content()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "old content could not be forgotten; it is tried again tomorrow")
            }
            Err(error) => tracing::error!(%error, "forgetting old content broke off"),
        }
        let working = Arc::clone(&service);
        match tokio::task::spawn_blocking(move || working.forget_old_entries()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "old entries could not be forgotten; it is tried again tomorrow")
            }
            Err(error) => tracing::error!(%error, "forgetting old entries broke off"),
        }
        // A dropped sender ends the wait like a stop.
        if tokio::time::timeout(HOUSEKEEPING, stopping.wait_for(|stopping| *stopping)).await.is_ok() {
            return;
        }
    }
}

/// Serves until SIGINT or SIGTERM, in a runtime of its own; returns when the running calls have ended.
///
/// `ready` is called once, with the address and whether TLS is on, when calls are accepted.
///
/// # Errors
/// [`ServeError`] when it does not start, or ended badly.
pub fn run(options: &ServeOptions, ready: impl FnOnce(SocketAddr, bool)) -> Result<(), ServeError> {
    run_behind(options, |log| log, ready)
}

/// The same with another audit log in front of the durable one; see [`Service::open_behind`].
///
/// # Errors
/// As [`run`].
pub fn run_behind(
    options: &ServeOptions,
    front: impl FnOnce(Arc<dyn AuditLog>) -> Arc<dyn AuditLog> + Send + 'static,
    ready: impl FnOnce(SocketAddr, bool),
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("likeness-rpc")
        .build()
        .map_err(ServeError::System)?;
    let ended = runtime.block_on(async {
        // Before the port is open: a signal that comes during the start is not lost.
        let asked_to_stop = signals::stop().map_err(ServeError::System)?;
        let mut running = start_behind(options, Arc::new(SystemClock), front).await?;
        let plaintext = running.service.config().listen.plaintext || options.insecure_plaintext;
        ready(running.address(), !plaintext);
        tokio::select! {
            () = asked_to_stop => {
                tracing::info!("stopping: running calls may end");
                running.stop().await
            }
            ended = running.wait() => ended,
        }
    });
    // Work that outlived the drain time is not waited for; what it had not recorded is closed at the next start.
    runtime.shutdown_timeout(Duration::from_secs(5));
    ended
}

/// An error and its causes: the transport's own text says nothing.
fn told(error: &tonic::transport::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
