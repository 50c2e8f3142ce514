//! A real `likeness` server in a process of its own, and a client of it.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use likeness_proto::v1::enrolment_service_client::EnrolmentServiceClient;
use likeness_proto::v1::pool_service_client::PoolServiceClient;
use likeness_proto::v1::protection_service_client::ProtectionServiceClient;
use likeness_proto::v1::retention_service_client::RetentionServiceClient;
use likeness_proto::v1::search_service_client::SearchServiceClient;
use likeness_proto::v1::subject_service_client::SubjectServiceClient;
use likeness_proto::v1::{CreatePoolRequest, ListPoolsRequest, PoolKind, RequestContext};
use likeness_server::profile::Profile;
use tempfile::TempDir;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::{Interceptor, interceptor::InterceptedService};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

/// Longest wait for the server to answer; it loads its pools first.
const START: Duration = Duration::from_secs(1800);

/// The server's own message limit.
const MESSAGE_BYTES: usize = 16 << 20;

/// The pool that is measured.
pub const POOL: &str = "bench";

/// A data folder and the server that serves it.
pub struct Server {
    /// Removed with the server, when the folder is not the user's.
    _temporary: Option<TempDir>,
    data: PathBuf,
    child: Child,
    /// From its start until it answered: loading its pools, for the most part.
    pub start: Duration,
}

impl Server {
    /// Serves `data`, which is made when it does not exist; without one, a folder that is removed afterwards.
    ///
    /// # Errors
    /// When the `likeness` program is not beside this one, or the server does not start.
    pub fn start(data: Option<&Path>) -> anyhow::Result<Self> {
        Self::start_as(data, |likeness| {
            let mut command = Command::new(likeness);
            command.arg("serve");
            command
        })
    }

    /// The same by another command than `likeness serve`; `--data` is added to it.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_as(data: Option<&Path>, serve: impl FnOnce(&Path) -> Command) -> anyhow::Result<Self> {
        let temporary = if data.is_none() {
            Some(tempfile::Builder::new().prefix("likeness-bench-").tempdir()?)
        } else {
            None
        };
        let data = match (data, &temporary) {
            (Some(data), _) => data.to_path_buf(),
            (None, Some(folder)) => folder.path().join("data"),
            (None, None) => bail!("no folder for the server"),
        };
        let likeness = std::env::current_exe()?.with_file_name("likeness");
        ensure!(likeness.is_file(), "`{}` is not there; build it with `make setup`", likeness.display());
        if !data.join("config.toml").is_file() {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let made = Command::new(&likeness)
                .args(["init", "--no-pull", "--listen", &format!("127.0.0.1:{port}")])
                .arg(&data)
                .output()?;
            ensure!(
                made.status.success(),
                "`likeness init` failed: {}",
                String::from_utf8_lossy(&made.stderr)
            );
        }
        let profile = Profile::read(&data.join("profile.toml"))?;
        let log = File::create(data.with_extension("log"))?;
        let mut child = serve(&likeness)
            .arg("--data")
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let port = profile
            .server
            .rsplit(':')
            .next()
            .and_then(|port| port.parse::<u16>().ok())
            .context("no port in the profile")?;
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(ended) = child.try_wait()? {
                let log = std::fs::read_to_string(data.with_extension("log")).unwrap_or_default();
                bail!("the server ended with {ended}: {log}");
            }
            ensure!(began.elapsed() < START, "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { _temporary: temporary, data, child, start: began.elapsed() })
    }

    /// A connection of its own.
    ///
    /// # Errors
    /// When the server does not accept it.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::to(&self.data).await
    }

    /// Resident memory of the server in MiB, where the system tells.
    #[must_use]
    pub fn memory_mib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
    }
}

impl Drop for Server {
    /// Asks it to stop; if it does not within half a minute, ends it.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(30)
            && !matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
        {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Adds the bearer token.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// One client's TLS connection.
#[derive(Clone)]
pub struct Connection {
    channel: Channel,
    bearer: Bearer,
    system_name: String,
}

type Link = InterceptedService<Channel, Bearer>;

impl Connection {
    /// A connection to the server of this data folder, wherever it runs.
    ///
    /// # Errors
    /// When the server does not accept it.
    pub async fn to(data: &Path) -> anyhow::Result<Self> {
        let profile = Profile::read(&data.join("profile.toml"))?;
        let authority = std::fs::read(data.join("tls").join("ca.pem"))?;
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority));
        if let (Some(certificate), Some(key)) = (&profile.certificate, &profile.key) {
            tls = tls.identity(Identity::from_pem(std::fs::read(certificate)?, std::fs::read(key)?));
        }
        let channel =
            Endpoint::from_shared(profile.server)?.tcp_nodelay(true).tls_config(tls)?.connect().await?;
        let bearer = format!("Bearer {}", profile.token).parse()?;
        Ok(Self { channel, bearer: Bearer(bearer), system_name: profile.system_name })
    }

    /// Why a request is made.
    #[must_use]
    pub fn context(&self, purpose: &str) -> RequestContext {
        RequestContext {
            system_name: self.system_name.clone(),
            reference_id: "BENCH-1".to_owned(),
            purpose_code: purpose.to_owned(),
            justification: "measuring how fast the service answers".to_owned(),
        }
    }

    /// Searches.
    #[must_use]
    pub fn search(&self) -> SearchServiceClient<Link> {
        SearchServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    /// Enrols.
    #[must_use]
    pub fn enrolment(&self) -> EnrolmentServiceClient<Link> {
        EnrolmentServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    /// The same connection with another person's token.
    ///
    /// # Errors
    /// When the token is not a header value.
    pub fn as_person(&self, token: &str) -> anyhow::Result<Self> {
        Ok(Self { bearer: Bearer(format!("Bearer {token}").parse()?), ..self.clone() })
    }

    /// Reads subjects.
    #[must_use]
    pub fn subject(&self) -> SubjectServiceClient<Link> {
        SubjectServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// Asks how long records are kept.
    #[must_use]
    pub fn retention(&self) -> RetentionServiceClient<Link> {
        RetentionServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// Puts subjects under protected views.
    #[must_use]
    pub fn protection(&self) -> ProtectionServiceClient<Link> {
        ProtectionServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// Searchable images in the pool [`POOL`], which is made when it is not there.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn pool(&self) -> anyhow::Result<u64> {
        self.pool_of(POOL, PoolKind::Custody).await
    }

    /// The same for any pool.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn pool_of(&self, name: &str, kind: PoolKind) -> anyhow::Result<u64> {
        let mut pools = PoolServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone());
        let context = Some(self.context("system_administration"));
        let listed = pools.list_pools(ListPoolsRequest { context: context.clone() }).await?.into_inner();
        if let Some(pool) = listed.pools.iter().find(|pool| pool.name == name) {
            return Ok(pool.images_enrolled);
        }
        let request = CreatePoolRequest {
            context,
            name: name.to_owned(),
            kind: kind.into(),
            rationale: "synthetic persons, to measure the service with".to_owned(),
            purposes: Vec::new(),
            quality_policy: Vec::new(),
        };
        pools.create_pool(request).await?;
        Ok(0)
    }
}
