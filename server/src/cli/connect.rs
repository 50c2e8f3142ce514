//! Reaches the server of a profile: TLS against its own authority, the person's token on every call.

use std::time::Duration;

use likeness_proto::v1::{
    audit_service_client::AuditServiceClient, backup_service_client::BackupServiceClient,
    comparison_service_client::ComparisonServiceClient, decision_service_client::DecisionServiceClient,
    deletion_application_service_client::DeletionApplicationServiceClient,
    deletion_list_service_client::DeletionListServiceClient,
    enrolment_service_client::EnrolmentServiceClient, image_service_client::ImageServiceClient,
    operating_point_service_client::OperatingPointServiceClient,
    pool_migration_service_client::PoolMigrationServiceClient, pool_service_client::PoolServiceClient,
    protection_service_client::ProtectionServiceClient, retention_service_client::RetentionServiceClient,
    search_service_client::SearchServiceClient, subject_service_client::SubjectServiceClient,
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use super::{
    failure::{Exit, Failure, chain},
    profile::Profile,
};

/// Largest message either way: the server's own limit, 16 MiB.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// How long a single call may take before the server gives it up.
const CALL_DEADLINE: Duration = Duration::from_secs(60);

const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// Adds the bearer token to every call.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// The transport under every client.
pub type Link = InterceptedService<Channel, Bearer>;

/// One open connection of one person.
#[derive(Clone)]
pub struct Connection {
    channel: Channel,
    bearer: Bearer,
}

/// A client of one service, with the message limits set.
macro_rules! client {
    ($(#[$doc:meta])* $name:ident, $client:ident) => {
        $(#[$doc])*
        pub fn $name(&self) -> $client<Link> {
            $client::with_interceptor(self.channel.clone(), self.bearer.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES)
        }
    };
}

impl Connection {
    /// Connects to the server of `profile`.
    ///
    /// # Errors
    /// Nothing answers there, its certificate is not the profile's authority's, or the token is not a header value.
    pub async fn open(profile: &Profile) -> Result<Self, Failure> {
        let mut endpoint = endpoint(profile.server.clone())?;
        if let Some(pem) = &profile.authority {
            let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
            if let Some((certificate, key)) = &profile.identity {
                tls = tls.identity(Identity::from_pem(certificate, key));
            }
            endpoint = endpoint.tls_config(tls).map_err(|error| {
                Failure::usage(format!(
                    "the certificates of `{}` cannot be used: {}",
                    profile.path.display(),
                    chain(&error)
                ))
            })?;
        }
        let bearer = MetadataValue::try_from(format!("Bearer {}", profile.token)).map_err(|_| {
            Failure::usage(format!(
                "`token` in `{}` holds characters that no token has",
                profile.path.display()
            ))
        })?;
        let channel =
            endpoint.connect().await.map_err(|error| unreachable_server(profile, &chain(&error)))?;
        Ok(Self { channel, bearer: Bearer(bearer) })
    }

    client!(
        /// Searches.
        search, SearchServiceClient
    );
    client!(
        /// Compares two images.
        comparison, ComparisonServiceClient
    );
    client!(
        /// Enrols, and takes out of search.
        enrolment, EnrolmentServiceClient
    );
    client!(
        /// Makes and lists pools.
        pool, PoolServiceClient
    );
    client!(
        /// Approves, lists and revokes operating points.
        operating_point, OperatingPointServiceClient
    );
    client!(
        /// Moves pools to another algorithm.
        migration, PoolMigrationServiceClient
    );
    client!(
        /// Puts subjects under protected views.
        protection, ProtectionServiceClient
    );
    client!(
        /// Records and lists decisions about candidates.
        decision, DecisionServiceClient
    );
    client!(
        /// Reads subjects.
        subject, SubjectServiceClient
    );
    client!(
        /// Reads and proves the audit log.
        audit, AuditServiceClient
    );
    client!(
        /// Makes backups.
        backup, BackupServiceClient
    );
    client!(
        /// Keeps, withdraws and erases records.
        retention, RetentionServiceClient
    );
    client!(
        /// Receives, decides and counts applications for deletion.
        application, DeletionApplicationServiceClient
    );
    client!(
        /// Makes, hands over and follows lists for forces.
        deletion_list, DeletionListServiceClient
    );
    client!(
        /// Reads images.
        image, ImageServiceClient
    );
}

/// A request with the deadline of a single call.
pub fn call<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_DEADLINE);
    request
}

fn endpoint(address: String) -> Result<Endpoint, Failure> {
    let endpoint = Endpoint::from_shared(address)
        .map_err(|error| Failure::usage(format!("not a server address: {error}")))?;
    Ok(endpoint
        .connect_timeout(CONNECT_DEADLINE)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20))
        .user_agent(concat!("likeness/", env!("CARGO_PKG_VERSION")))
        .unwrap_or_else(|_| Endpoint::from_static("http://[::]")))
}

fn unreachable_server(profile: &Profile, why: &str) -> Failure {
    let failure =
        Failure::new(Exit::Unreachable, format!("no server answers at `{}`: {why}", profile.server));
    if why.contains("certificate") {
        return failure.advise(format!(
            "the certificate there was not made by the authority named in `{}`; use the profile that belongs to that server",
            profile.path.display()
        ));
    }
    failure.advise("start it with `likeness serve --data DIR`, or correct `server` in the profile")
}
