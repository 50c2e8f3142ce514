//! Two pools that differ in one protected person only: one hides them, the other never held them.
#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc, reason = "used by tests only")]
use std::fs;

use likeness_proto::v1::{enrolment_service_client::EnrolmentServiceClient, *};
use tonic::{Status, transport::Channel};

use crate::{
    auditing::{auditing, enrol, search},
    client::{Token, channel, context, token_for},
    service::Service,
};

/// The person that is hidden.
pub const HIDDEN: u32 = 7;
/// The others, in both pools.
pub const OTHERS: [u32; 4] = [1, 2, 3, 4];

/// A mark as these tests set it.
#[must_use]
pub fn mark(view: ProtectedView) -> Option<Protection> {
    Some(Protection {
        view: view.into(),
        owner: "Witness Care Unit".into(),
        reason: "a witness, moved in October".into(),
        review_due: "2028-01-01".into(),
        ends_on: String::new(),
    })
}

/// Two pools: `hides` holds the hidden person, `lacks` never did.
pub struct Scene {
    /// The server.
    pub service: Service,
    /// A connection to it.
    pub channel: Channel,
    /// Keeps records and pools; has not the right to see protected views.
    pub enroller: Token,
    /// Has that right.
    pub holder: Token,
    /// Searches and keeps records without that right.
    pub searcher: Token,
    /// The hidden person's id.
    pub subject: String,
    /// Their image's id.
    pub image: String,
}

impl Scene {
    /// Enrols everybody, and hides one of them.
    pub async fn new(view: ProtectedView) -> Scene {
        let mut service = Service::init();
        let config = service.data().join("config.toml");
        let text = fs::read_to_string(&config).unwrap();
        let to_file = text.replace("sink = \"none\"", "sink = \"file\"");
        fs::write(&config, to_file.replace("file = \"\"", "file = \"events.jsonl\"")).unwrap();
        service.serve();
        let channel = channel(&service).await;
        // By their own tokens: the operator has every role, and with it the right to see protected views.
        let enroller = token_for(&service, "clerk-1", "local", &["enroller", "pool_admin"]);
        let searcher = token_for(&service, "officer-1", "local", &["searcher", "reviewer", "enroller"]);
        let holder = token_for(
            &service,
            "keeper-1",
            "local",
            &["searcher", "reviewer", "enroller", "protected_viewer"],
        );
        let mut enrolling = EnrolmentServiceClient::with_interceptor(channel.clone(), enroller.clone());
        let mut kept = None;
        for pool in ["hides", "lacks"] {
            service.ok(&["pool", "create", pool, "--kind", "custody"]);
            for person in OTHERS {
                enrolling.enrol(enrol(person, pool)).await.unwrap();
            }
        }
        kept.replace(enrolling.enrol(enrol(HIDDEN, "hides")).await.unwrap().into_inner());
        let kept = kept.unwrap();
        let scene = Scene {
            service,
            channel,
            enroller,
            holder,
            searcher,
            subject: kept.subject_id,
            image: kept.image_id,
        };
        scene.put(mark(view)).await.unwrap();
        scene
    }

    /// Sets the mark of the hidden person, as the holder.
    pub async fn put(&self, protection: Option<Protection>) -> Result<ProtectResponse, Status> {
        let request = ProtectRequest {
            context: Some(context("record_management", "PROT-1")),
            pool: "hides".into(),
            subject: Some(protect_request::Subject::SubjectId(self.subject.clone())),
            protection,
        };
        let mut client = protection_service_client::ProtectionServiceClient::with_interceptor(
            self.channel.clone(),
            self.holder.clone(),
        );
        client.protect(request).await.map(tonic::Response::into_inner)
    }

    /// Searches one pool for the hidden person.
    pub async fn search(&self, token: &Token, pool: &str, length: u32) -> SearchResponse {
        let mut client =
            search_service_client::SearchServiceClient::with_interceptor(self.channel.clone(), token.clone());
        let request = SearchRequest { candidate_list_length: length, ..search(&[pool]) };
        client.search(request).await.unwrap().into_inner()
    }

    /// Reads a subject by id.
    pub async fn subject(&self, token: &Token, pool: &str, id: &str) -> Result<GetSubjectResponse, Status> {
        let request = GetSubjectRequest {
            context: Some(context("record_management", "REF-1")),
            pool: pool.into(),
            subject: Some(get_subject_request::Subject::SubjectId(id.into())),
        };
        let mut client = subject_service_client::SubjectServiceClient::with_interceptor(
            self.channel.clone(),
            token.clone(),
        );
        client.get_subject(request).await.map(tonic::Response::into_inner)
    }

    /// Reads the hidden person by reference.
    pub async fn by_reference(&self, token: &Token, pool: &str) -> Result<GetSubjectResponse, Status> {
        let reference = format!("p{HIDDEN}");
        let request = GetSubjectRequest {
            context: Some(context("record_management", "REF-1")),
            pool: pool.into(),
            subject: Some(get_subject_request::Subject::SubjectReference(reference)),
        };
        let mut client = subject_service_client::SubjectServiceClient::with_interceptor(
            self.channel.clone(),
            token.clone(),
        );
        client.get_subject(request).await.map(tonic::Response::into_inner)
    }

    /// Reads an image.
    pub async fn image(&self, token: &Token, pool: &str, id: &str) -> Result<GetImageResponse, Status> {
        let request = GetImageRequest {
            context: Some(context("record_management", "REF-1")),
            pool: pool.into(),
            image_id: id.into(),
        };
        let mut client =
            image_service_client::ImageServiceClient::with_interceptor(self.channel.clone(), token.clone());
        client.get_image(request).await.map(tonic::Response::into_inner)
    }

    /// Takes an image out of search.
    pub async fn take_out(&self, token: &Token, pool: &str, id: &str) -> Result<SetEnrolledResponse, Status> {
        let request = SetEnrolledRequest {
            context: Some(context("record_management", "REF-1")),
            pool: pool.into(),
            image_id: id.into(),
            enrolled: false,
        };
        let mut client = EnrolmentServiceClient::with_interceptor(self.channel.clone(), token.clone());
        client.set_enrolled(request).await.map(tonic::Response::into_inner)
    }

    /// Collects what is held about a subject.
    pub async fn collect(
        &self,
        token: &Token,
        pool: &str,
        id: &str,
    ) -> Result<CollectSubjectResponse, Status> {
        let request = CollectSubjectRequest {
            context: Some(context("subject_access", "SAR-1")),
            pool: pool.into(),
            subject_id: id.into(),
            recipient: "the person".into(),
        };
        let mut client = auditing(self.channel.clone(), token.clone());
        client.collect_subject(request).await.map(tonic::Response::into_inner)
    }
}
