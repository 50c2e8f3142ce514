//! A corpus of bad images through the real service: a precise refusal each, no panic, bounded memory, an audit record.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use likeness_proto::v1::{
    EnrolRequest, SearchRequest, enrol_response::Outcome, enrolment_service_client::EnrolmentServiceClient,
    search_service_client::SearchServiceClient,
};
use likeness_tests::{
    client::{channel, context, source, token},
    faces,
    service::Service,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

fn encoded(image: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A PNG whose header claims `width` x `height` but which holds next to nothing.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, &byte| {
            (0..8).fold(
                crc ^ u32::from(byte),
                |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 },
            )
        })
    }
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(13u32.to_be_bytes());
    png.extend(&chunk);
    png.extend(crc(&chunk).to_be_bytes());
    // Empty data and an end, so that nothing but the claim is wrong with it.
    png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    png.extend(b"\0\0\0\0IEND\xaeB`\x82");
    png
}

/// Two synthetic faces side by side.
fn two_faces() -> Vec<u8> {
    let one = image::load_from_memory(&faces::plain(1, 0)).unwrap().to_rgb8();
    let two = image::load_from_memory(&faces::plain(2, 0)).unwrap().to_rgb8();
    let mut both = RgbImage::new(one.width() + two.width(), one.height().max(two.height()));
    image::imageops::overlay(&mut both, &one, 0, 0);
    image::imageops::overlay(&mut both, &two, i64::from(one.width()), 0);
    encoded(&both, ImageFormat::Png)
}

/// Name, bytes, the codes that would be a precise refusal.
fn corpus() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
    let good = faces::plain(3, 0);
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let junk: Vec<u8> = (0..10_000_000).map(|_| rng.random()).collect();
    let truncated = good[..good.len() / 3].to_vec();
    // A bomb: 12,000 x 12,000 flat pixels compress to almost nothing.
    let bomb = encoded(&RgbImage::from_pixel(12_000, 12_000, Rgb([1, 2, 3])), ImageFormat::Png);
    vec![
        ("empty", vec![], &["empty", "empty_image", "missing_field"]),
        ("truncated JPEG", truncated, &["undecodable", "no_face", "truncated"]),
        ("text", b"<html>not an image</html>".to_vec(), &["unknown_format"]),
        ("GIF", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;".to_vec(), &["unknown_format"]),
        ("1x1", encoded(&RgbImage::new(1, 1), ImageFormat::Png), &["too_small", "no_face"]),
        ("30,000 x 30,000 header", png_header(30_000, 30_000), &["too_many_pixels", "side_too_long"]),
        (
            "4,294,967,295 wide header",
            png_header(u32::MAX, 1),
            &["too_many_pixels", "side_too_long", "too_much_memory", "undecodable"],
        ),
        ("flat bomb", bomb, &["too_many_pixels", "side_too_long", "too_many_bytes"]),
        ("10 MB of junk", junk, &["unknown_format", "too_many_bytes"]),
        ("black", encoded(&RgbImage::new(400, 400), ImageFormat::Png), &["no_face"]),
        ("white", encoded(&RgbImage::from_pixel(400, 400, Rgb([255; 3])), ImageFormat::Bmp), &["no_face"]),
        ("two faces", two_faces(), &["several_faces"]),
    ]
}

#[tokio::test]
async fn every_bad_image_is_refused_precisely_and_recorded() {
    let service = Service::start();
    service.ok(&["pool", "create", "cells", "--kind", "custody"]);
    let channel = channel(&service).await;
    let mut enrolment = EnrolmentServiceClient::with_interceptor(channel.clone(), token(&service.data()))
        .max_encoding_message_size(64 << 20);
    let mut search = SearchServiceClient::with_interceptor(channel, token(&service.data()))
        .max_encoding_message_size(64 << 20);
    let entries = || service.json(&["audit", "verify", "--json"])["entries"].as_u64().unwrap();
    // Warm up, so that memory is compared like with like.
    let warm = EnrolRequest {
        context: Some(context("record_management", "REF")),
        pool: "cells".into(),
        subject_reference: "good".into(),
        source_reference: "good/0.jpg".into(),
        image: faces::plain(3, 0).into(),
        ..EnrolRequest::default()
    };
    assert_eq!(enrolment.enrol(warm).await.unwrap().into_inner().outcome(), Outcome::Enrolled);
    let memory = service.memory();

    for (name, bytes, codes) in corpus() {
        let before = entries();
        let request = EnrolRequest {
            context: Some(context("record_management", "REF")),
            pool: "cells".into(),
            subject_reference: name.replace(',', ""),
            source_reference: name.into(),
            image: bytes.clone().into(),
            ..EnrolRequest::default()
        };
        match enrolment.enrol(request).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                assert_eq!(answer.outcome(), Outcome::Refused, "{name} was enrolled");
                let refusal = answer.refusal.expect("a refusal says why");
                assert!(
                    codes.contains(&refusal.code.as_str()),
                    "{name}: `{}` is not one of {codes:?}: {}",
                    refusal.code,
                    refusal.message
                );
                assert!(refusal.message.len() > 10, "{name}: {}", refusal.message);
                if name == "two faces" {
                    assert_eq!(refusal.faces.len(), 2, "the boxes are returned");
                }
            }
            Err(status) => assert!(
                matches!(status.code(), tonic::Code::InvalidArgument | tonic::Code::OutOfRange),
                "{name}: {status:?}"
            ),
        }
        let probe = SearchRequest {
            context: Some(context("criminal_investigation", "REF")),
            probe: bytes.into(),
            source: Some(source()),
            selection: None,
            pools: vec!["cells".into()],
            candidate_list_length: 5,
            ..SearchRequest::default()
        };
        let status = search.search(probe).await.expect_err(name);
        assert!(
            matches!(status.code(), tonic::Code::InvalidArgument | tonic::Code::OutOfRange),
            "{name}: {status:?}"
        );
        assert!(entries() >= before + 2, "{name}: the refusals left no audit entries");
    }
    let grown = service.memory().saturating_sub(memory);
    assert!(grown < 400 << 20, "the server grew by {} MiB", grown >> 20);
    println!("report: bad images: server grew by {} MiB over the corpus", grown >> 20);

    // Still alive, and only the good image is there.
    let good = SearchRequest {
        context: Some(context("criminal_investigation", "REF")),
        probe: faces::plain(3, 1).into(),
        source: Some(source()),
        selection: None,
        pools: vec!["cells".into()],
        candidate_list_length: 5,
        ..SearchRequest::default()
    };
    let answer = search.search(good).await.unwrap().into_inner();
    assert_eq!(answer.candidates.len(), 1);
    assert_eq!(answer.candidates[0].subject_reference, "good");
    service.ok(&["audit", "verify"]);
    assert!(!service.server_log().contains("panicked"), "{}", service.server_log());
}
