//! A real server on a real port: what never reaches an operation, and how it ends. Needs the default model pack.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use std::{fs, path::PathBuf, time::Duration};

use likeness_proto::v1::{
    self, enrolment_service_client::EnrolmentServiceClient, pool_service_client::PoolServiceClient,
    search_service_client::SearchServiceClient,
};
use prost::Message as _;
use tempfile::TempDir;
use tokio_stream::StreamExt as _;
use tonic::{
    Code, Request, Status,
    codegen::http,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use tower::ServiceExt as _;

use super::*;
use crate::{
    audit::{Entry, Outcome},
    init::{InitOptions, init},
    profile::Profile,
};

struct Place {
    _folder: TempDir,
    data: PathBuf,
    token: String,
    running: Running,
}

async fn serve_with(config: &str) -> Place {
    let folder = TempDir::new().unwrap();
    let report = init(&folder.path().join("data"), &InitOptions::default()).unwrap();
    let data = report.data_dir;
    fs::write(data.join("config.toml"), config).unwrap();
    let token = Profile::read(&report.profile).unwrap().token;
    let options = ServeOptions {
        data: data.clone(),
        listen: Some("127.0.0.1:0".parse().unwrap()),
        insecure_plaintext: false,
    };
    let running = start(&options).await.expect("the default model pack is needed: run `make setup`");
    Place { _folder: folder, data, token, running }
}

impl Place {
    async fn channel(&self) -> Channel {
        let ca = Certificate::from_pem(fs::read(self.data.join("tls/ca.pem")).unwrap());
        Endpoint::from_shared(format!("https://localhost:{}", self.running.address().port()))
            .unwrap()
            .tls_config(ClientTlsConfig::new().ca_certificate(ca).identity(self.identity()))
            .unwrap()
            .connect()
            .await
            .unwrap()
    }

    fn identity(&self) -> tonic::transport::Identity {
        let read = |name: &str| fs::read(self.data.join("tls").join(name)).unwrap();
        tonic::transport::Identity::from_pem(read("client.pem"), read("client.key"))
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        request
    }

    fn entries(&self) -> Vec<Entry> {
        self.running
            .service()
            .audit()
            .entries(0, 100_000)
            .unwrap()
            .into_iter()
            .map(|stored| stored.entry)
            .collect()
    }
}

fn context(purpose: &str) -> Option<v1::RequestContext> {
    Some(v1::RequestContext {
        system_name: "likeness-cli".to_owned(),
        reference_id: "ref-1".to_owned(),
        purpose_code: purpose.to_owned(),
        justification: "asked by a test".to_owned(),
    })
}

fn search(probe: Vec<u8>) -> v1::SearchRequest {
    v1::SearchRequest {
        context: context("criminal_investigation"),
        probe: probe.into(),
        source: Some(v1::ProbeSource {
            source_type: "cctv".to_owned(),
            acquired_under: "consent".to_owned(),
            investigation_ref: "OP-1".to_owned(),
            ..v1::ProbeSource::default()
        }),
        pools: vec!["cells".to_owned()],
        ..v1::SearchRequest::default()
    }
}

async fn make_pool(place: &Place, channel: Channel) {
    let message = v1::CreatePoolRequest {
        context: context("system_administration"),
        name: "cells".to_owned(),
        kind: v1::PoolKind::Custody.into(),
        rationale: "made by a test".to_owned(),
        ..v1::CreatePoolRequest::default()
    };
    let answer =
        PoolServiceClient::new(channel).create_pool(place.request(message)).await.unwrap().into_inner();
    assert!(answer.receipt.is_some());
}

/// The refusal and the recorded event of a status.
fn told(place: &Place, status: &Status) -> (v1::Refusal, Entry) {
    let refusal = status.metadata().get_bin("likeness-refusal-bin").expect("a refusal").to_bytes().unwrap();
    let refusal = v1::Refusal::decode(refusal).unwrap();
    let event = status.metadata().get("likeness-event-id").expect("an event").to_str().unwrap().to_owned();
    let entry =
        place.entries().into_iter().find(|entry| entry.event_id.to_string() == event).expect("recorded");
    assert!(!status.details().is_empty());
    (refusal, entry)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_reaches_an_operation_is_recorded() {
    let place = serve_with("[limits]\nmessage_bytes = 65536\nimage_bytes = 20000\n").await;
    let channel = place.channel().await;
    make_pool(&place, channel.clone()).await;

    let mut client = SearchServiceClient::new(channel.clone());
    let status = client.search(place.request(search(vec![7; 100_000]))).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let (refusal, entry) = told(&place, &status);
    assert_eq!((refusal.code.as_str(), entry.outcome), ("message_too_large", Some(Outcome::Rejected)));
    assert_eq!(entry.actor.unwrap().subject, "local operator");
    assert_eq!(entry.rpc, "likeness.v1.SearchService/Search");

    // A call that does not exist.
    let lost = channel.clone().map_request(|mut request: http::Request<_>| {
        let uri =
            request.uri().to_string().replace("/Search", "/Sweep").replace("SweepService", "SearchService");
        *request.uri_mut() = uri.parse().unwrap();
        request
    });
    let status = SearchServiceClient::new(lost).search(search(vec![])).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "{status:?}");
    let (refusal, entry) = told(&place, &status);
    assert_eq!((refusal.code.as_str(), entry.actor), ("no_such_call", None));

    // An image that is none: refused by the operation, with all fields.
    let status = client.search(place.request(search(vec![7; 1000]))).await.unwrap_err();
    let (refusal, entry) = told(&place, &status);
    assert_eq!((status.code(), refusal.code.as_str()), (Code::InvalidArgument, "unknown_format"));
    assert_eq!(entry.pool.unwrap().name, "cells");
    assert_eq!(entry.probe.unwrap().source_type.as_deref(), Some("cctv"));
    place.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_says_so_and_health_needs_no_token() {
    let place = serve_with("[limits]\nconcurrent_requests = 1\n").await;
    let channel = place.channel().await;
    make_pool(&place, channel.clone()).await;
    let calls: Vec<_> = (0..24)
        .map(|_| {
            let mut client = SearchServiceClient::new(channel.clone());
            // Long enough to be decoded for a while: a flat image without a face.
            let request = place.request(search(flat_bmp()));
            tokio::spawn(async move { client.search(request).await.unwrap_err() })
        })
        .collect();
    let mut codes = Vec::new();
    for call in calls {
        codes.push(call.await.unwrap().code());
    }
    assert!(codes.contains(&Code::ResourceExhausted), "{codes:?}");
    assert!(codes.contains(&Code::InvalidArgument), "{codes:?}");
    let busy = place.entries().into_iter().filter(|entry| entry.refusal.as_deref() == Some("busy")).count();
    assert!(busy > 0, "turned-away calls are recorded");

    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let answer =
        health.check(tonic_health::pb::HealthCheckRequest { service: SERVICES[1].to_owned() }).await.unwrap();
    assert_eq!(answer.into_inner().status(), tonic_health::pb::health_check_response::ServingStatus::Serving);
    place.running.stop().await.unwrap();
}

/// 3000 x 3000 grey pixels.
fn flat_bmp() -> Vec<u8> {
    let (side, row) = (1500_u32, 1500 * 3);
    let mut bytes = b"BM".to_vec();
    bytes.extend((54 + side * row).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(54_u32.to_le_bytes());
    bytes.extend(40_u32.to_le_bytes());
    bytes.extend(side.to_le_bytes());
    bytes.extend(side.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(24_u16.to_le_bytes());
    bytes.extend([0; 24]);
    bytes.resize(bytes.len() + (side * row) as usize, 120);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_stream_answers_each_item_in_order_and_ends_with_the_server() {
    let place = serve_with("").await;
    let channel = place.channel().await;
    make_pool(&place, channel.clone()).await;
    let item = |reference: &str| v1::EnrolRequest {
        subject_reference: "p".to_owned(),
        source_reference: reference.to_owned(),
        image: b"not an image".to_vec().into(),
        ..v1::EnrolRequest::default()
    };
    let mut first = item("a");
    first.context = context("record_management");
    first.pool = "cells".to_owned();
    let mut elsewhere = item("c");
    elsewhere.pool = "other".to_owned();
    let mut nameless = item("d");
    nameless.subject_reference.clear();
    let mut otherwise = item("e");
    otherwise.context = context("custody_record");
    let items = vec![first.clone(), item("b"), elsewhere, nameless, otherwise];

    let mut client = EnrolmentServiceClient::new(channel.clone());
    // Left open after the items: only the server ends it.
    let (hold, held) = tokio::sync::mpsc::channel::<v1::EnrolRequest>(1);
    let stream = tokio_stream::iter(items).chain(tokio_stream::wrappers::ReceiverStream::new(held));
    let mut answers = client.enrol_stream(place.request(stream)).await.unwrap().into_inner();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let answer = answers.message().await.unwrap().unwrap();
        assert!(answer.receipt.is_some());
        seen.push((answer.source_reference, answer.refusal.unwrap().code));
    }
    let expected = [
        ("a", "unknown_format"),
        ("b", "unknown_format"),
        ("c", "pool_differs"),
        ("d", "missing_field"),
        ("e", "context_differs"),
    ];
    assert_eq!(seen, expected.map(|(reference, code)| (reference.to_owned(), code.to_owned())));

    // Without a context, or for nobody, a stream does not begin.
    let status = client
        .enrol_stream(place.request(tokio_stream::iter([item("x")])))
        .await
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap_err();
    assert_eq!(told(&place, &status).0.code, "missing_field");
    let status = client
        .enrol_stream(tokio_stream::iter([first]))
        .await
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let status = client
        .enrol_stream(place.request(tokio_stream::iter([])))
        .await
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap_err();
    assert_eq!(told(&place, &status).0.code, "empty_stream");

    let Place { _folder: folder, data, token, running } = place;
    let stopped = tokio::spawn(running.stop());
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(
        status
            .metadata()
            .get_bin("likeness-refusal-bin")
            .map(|bytes| v1::Refusal::decode(bytes.to_bytes().unwrap()).unwrap().code)
            .as_deref(),
        Some("stopping")
    );
    drop((hold, answers, client, channel));
    tokio::time::timeout(Duration::from_secs(20), stopped).await.expect("it ends").unwrap().unwrap();
    // The data directory is free again.
    let options = ServeOptions {
        data: data.clone(),
        listen: Some("127.0.0.1:0".parse().unwrap()),
        insecure_plaintext: true,
    };
    let running = start(&options).await.unwrap();
    let place = Place { _folder: folder, data, token, running };
    assert!(place.entries().iter().any(|entry| entry.refusal.as_deref() == Some("stopping")));
    // Plaintext on loopback was asked for, and works.
    let address = format!("http://{}", place.running.address());
    let channel = Endpoint::from_shared(address).unwrap().connect().await.unwrap();
    let list = v1::ListPoolsRequest { context: context("system_administration") };
    let answer = PoolServiceClient::new(channel).list_pools(place.request(list)).await.unwrap().into_inner();
    assert_eq!(answer.pools[0].name, "cells");
    place.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn plaintext_beyond_loopback_and_foreign_folders_are_not_served() {
    let folder = TempDir::new().unwrap();
    let report = init(&folder.path().join("data"), &InitOptions::default()).unwrap();
    let mut options = ServeOptions {
        data: report.data_dir,
        listen: Some("0.0.0.0:0".parse().unwrap()),
        insecure_plaintext: true,
    };
    assert!(matches!(
        start(&options).await,
        Err(ServeError::Config(ConfigError::PlaintextBeyondLoopback { .. }))
    ));
    fs::write(options.data.join("config.toml"), "[limits]\nmesage_bytes = 1\n").unwrap();
    options.listen = None;
    assert!(matches!(start(&options).await, Err(ServeError::Config(ConfigError::Malformed(_)))));
    options.data = folder.path().to_path_buf();
    let Err(ServeError::Open(error)) = start(&options).await else {
        panic!("served a folder that is no data directory")
    };
    assert!(error.to_string().contains("likeness init"), "{error}");
}
