#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

#[test]
fn every_status_has_its_exit_code() {
    for (code, exit) in [
        (Code::Unauthenticated, 4),
        (Code::PermissionDenied, 4),
        (Code::InvalidArgument, 3),
        (Code::FailedPrecondition, 3),
        (Code::NotFound, 3),
        (Code::AlreadyExists, 3),
        (Code::Unavailable, 5),
        (Code::ResourceExhausted, 1),
        (Code::Internal, 1),
        (Code::Unknown, 1),
    ] {
        assert_eq!(Failure::from(Status::new(code, "m")).exit() as u8, exit, "{code:?}");
    }
}

#[test]
fn hostile_text_cannot_move_the_cursor() {
    let failure = Failure::fault("bad \u{1b}[2J name\nlikeness: all is well");
    assert!(!failure.for_people().contains('\u{1b}'));
    assert_eq!(failure.for_people().lines().count(), 1);
}

#[test]
fn a_refusal_speaks_for_itself() {
    let refusal =
        Refusal { code: "no_face".into(), message: "no face in the image".into(), ..Refusal::default() };
    let failure = Failure::from(details::tests::refused(Code::InvalidArgument, &refusal));
    assert_eq!(failure.for_people(), "likeness: refused (no_face): no face in the image");
    assert_eq!(failure.for_programs()["error"]["code"], "no_face");
}
