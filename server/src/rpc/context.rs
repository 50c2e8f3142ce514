//! What a call brings beside its message: the token, the time it allows.
use std::time::{Duration, Instant};

use likeness_proto::v1;
use tonic::{
    Extensions,
    codegen::http::HeaderMap,
    transport::{
        CertificateDer,
        server::{TcpConnectInfo, TlsConnectInfo},
    },
};

use crate::service::{Asked, ContextFields, Peer};

/// Token and deadline of one call.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) peer: Peer,
    pub(super) token: Option<String>,
    pub(super) deadline: Instant,
}

impl Arrived {
    /// Reads the headers. The client may ask for less time than `most`, never for more.
    pub(super) fn read(peer: Peer, headers: &HeaderMap, most: Duration) -> Arrived {
        let allowed = timeout(headers).map_or(most, |asked| asked.min(most));
        Arrived { peer, token: token(headers), deadline: Instant::now() + allowed }
    }

    pub(super) fn asked(
        self,
        rpc: &'static str,
        context: Option<v1::RequestContext>,
        request: Vec<u8>,
    ) -> Asked {
        Asked {
            peer: self.peer,
            rpc,
            token: self.token,
            context: fields(context),
            deadline: self.deadline,
            request,
        }
    }
}

/// How a call came in, as the transport says. TLS is told from plaintext by what the transport leaves; only plaintext that
/// says so is local.
pub(super) fn peer(extensions: &Extensions) -> Peer {
    peer_of(
        extensions.get::<TlsConnectInfo<TcpConnectInfo>>().map(TlsConnectInfo::peer_certs),
        extensions.get::<TcpConnectInfo>().is_some(),
    )
}

/// The same before the call is one of gRPC.
pub(super) fn http_peer(extensions: &tonic::codegen::http::Extensions) -> Peer {
    peer_of(
        extensions.get::<TlsConnectInfo<TcpConnectInfo>>().map(TlsConnectInfo::peer_certs),
        extensions.get::<TcpConnectInfo>().is_some(),
    )
}

type Certificates = std::sync::Arc<Vec<CertificateDer<'static>>>;

fn peer_of(tls: Option<Option<Certificates>>, plaintext: bool) -> Peer {
    match tls {
        Some(certificates) => certificates
            .as_ref()
            .and_then(|chain| chain.first())
            .map_or(Peer::Nobody, |own| Peer::Certificate(crate::tls::fingerprint(own))),
        None if plaintext => Peer::Local,
        None => Peer::Nobody,
    }
}

/// The bearer token in `authorization`.
pub(super) fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim().to_owned())
}

/// The context of a message; absent is the same as empty, so that the refusal names every field.
pub(super) fn fields(context: Option<v1::RequestContext>) -> ContextFields {
    let v1::RequestContext { system_name, reference_id, purpose_code, justification } =
        context.unwrap_or_default();
    ContextFields { system_name, reference_id, purpose_code, justification }
}

/// The time in `grpc-timeout`: at most eight digits and a unit.
pub(super) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("grpc-timeout")?.to_str().ok()?;
    let unit = value.chars().last()?;
    let digits = value.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        'H' => Some(Duration::from_secs(count * 3600)),
        'M' => Some(Duration::from_secs(count * 60)),
        'S' => Some(Duration::from_secs(count)),
        'm' => Some(Duration::from_millis(count)),
        'u' => Some(Duration::from_micros(count)),
        'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn a_bearer_token_is_read_and_nothing_else() {
        assert_eq!(token(&headers("authorization", "Bearer a.b.c")).as_deref(), Some("a.b.c"));
        assert_eq!(token(&headers("authorization", "bearer a.b.c")).as_deref(), Some("a.b.c"));
        for other in ["", "Bearer", "Bearer ", "Basic a.b.c", "a.b.c"] {
            assert_eq!(token(&headers("authorization", other)), None, "{other}");
        }
        assert_eq!(token(&HeaderMap::new()), None);
    }

    #[test]
    fn a_client_may_ask_for_less_time_and_not_for_more() {
        let most = Duration::from_secs(30);
        for (value, expected) in [
            ("5S", 5000),
            ("100m", 100),
            ("1H", 30_000),
            ("junk", 30_000),
            ("123456789S", 30_000),
            ("-1S", 30_000),
        ] {
            let arrived = Arrived::read(Peer::Local, &headers("grpc-timeout", value), most);
            let left = arrived.deadline.saturating_duration_since(Instant::now());
            let expected = Duration::from_millis(expected);
            assert!(left <= expected && left + Duration::from_secs(1) > expected, "{value}: {left:?}");
        }
    }
}
