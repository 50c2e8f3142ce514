//! What passes, what is marked, what is refused.
use super::{Component, Image, Measure, QualityLimit, QualityPolicy, QualityReport, judge};
use crate::{quality::PolicyError, rejection::Rejection};

fn chip() -> Image {
    Image::from_rgb(1, 1, vec![0; 3]).unwrap()
}

fn measures() -> Vec<Measure> {
    let scalar = |component| match component {
        Component::Sharpness => 10,
        Component::HeadPoseYaw => 40,
        _ => 90,
    };
    Component::ALL.map(|component| Measure::new(component, 1.0, scalar(component))).to_vec()
}

fn limit(component: Option<Component>, refuse_below: Option<u8>, flag_below: Option<u8>) -> QualityLimit {
    QualityLimit { component, refuse_below, flag_below }
}

#[test]
fn an_empty_policy_lets_everything_pass() {
    let passed = judge(chip(), measures(), &QualityPolicy::new(vec![]).unwrap()).unwrap();
    assert!(passed.report().flags.is_empty());
    assert_eq!(passed.report().measures, measures());
    assert_eq!(passed.chip(), &chip());
}

#[test]
fn bounds_are_exclusive_and_name_what_they_hit() {
    let policy =
        |refuse, flag| QualityPolicy::new(vec![limit(Some(Component::Sharpness), refuse, flag)]).unwrap();
    assert!(judge(chip(), measures(), &policy(Some(10), None)).unwrap().report().flags.is_empty());
    assert_eq!(
        judge(chip(), measures(), &policy(Some(10), Some(11))).unwrap().report().flags,
        [Component::Sharpness]
    );
    let refused = judge(chip(), measures(), &policy(Some(11), Some(50))).expect_err("10 is below 11");
    let Rejection::QualityBelowPolicy { report, refused } = &refused else { panic!("{refused}") };
    assert_eq!(refused, &[Component::Sharpness]);
    assert_eq!(report.lowest().unwrap().component, Component::Sharpness);
    assert_eq!(report.of(Component::HeadPoseYaw).unwrap().scalar, 40);
}

#[test]
fn a_limit_without_a_component_bounds_the_lowest() {
    let policy = QualityPolicy::new(vec![
        limit(None, None, Some(20)),
        limit(Some(Component::Sharpness), None, Some(20)),
    ]);
    let passed = judge(chip(), measures(), &policy.unwrap()).unwrap();
    assert_eq!(passed.report().flags, [Component::Sharpness], "named once");
    let policy = QualityPolicy::new(vec![limit(None, Some(11), None)]).unwrap();
    let shown = judge(chip(), measures(), &policy).expect_err("10 is below 11").to_string();
    assert_eq!(shown, "the image's quality is below the pool's policy: sharpness");
}

#[test]
fn limits_that_cannot_be_meant_are_refused() {
    assert_eq!(QualityPolicy::new(vec![limit(None, Some(101), None)]), Err(PolicyError::OutOfRange(101)));
    assert_eq!(QualityPolicy::new(vec![limit(None, None, None)]), Err(PolicyError::Empty));
}

#[test]
fn policies_are_read_strictly() {
    let read = |text: &str| serde_json::from_str::<QualityPolicy>(text);
    let policy =
        read(r#"{"limits": [{"component": "head_pose_yaw", "flag_below": 50}, {"refuse_below": 5}]}"#)
            .unwrap();
    assert_eq!(policy.limits()[0], limit(Some(Component::HeadPoseYaw), None, Some(50)));
    assert_eq!(policy.limits()[1], limit(None, Some(5), None));
    assert!(read(r#"{"limits": [{"component": "head_pose_yaw", "flag_blow": 50}]}"#).is_err());
    assert!(read(r#"{"limits": [{"component": "beauty", "flag_below": 50}]}"#).is_err());
    assert!(read(r#"{"limits": [{"refuse_below": 101}]}"#).is_err());
    assert!(read(r#"{}"#).is_err(), "an absent list is not an empty one");
}

#[test]
fn policies_and_reports_survive_being_written() {
    let policy = QualityPolicy::default();
    assert_eq!(
        serde_json::from_str::<QualityPolicy>(&serde_json::to_string(&policy).unwrap()).unwrap(),
        policy
    );
    let report = QualityReport { measures: measures(), flags: vec![Component::HeadSize] };
    assert_eq!(
        serde_json::from_str::<QualityReport>(&serde_json::to_string(&report).unwrap()).unwrap(),
        report
    );
}

#[test]
fn names_are_those_of_the_serial_form() {
    for component in Component::ALL {
        assert_eq!(serde_json::to_string(&component).unwrap(), format!("\"{component}\""));
    }
}
