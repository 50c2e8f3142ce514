//! Places images in frames: the face filling the frame, or the whole image with its faces outlined.

use likeness_proto::v1::{Box as WireBox, Face};
use maud::{Markup, html};

use crate::cli::picture::Shown;

/// How much of the image around a face is shown, in face sizes.
const MARGIN: f32 = 1.5;

/// Positions of the image in a square frame, in per cent of the frame's side.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Placed {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

/// The whole image, as large as fits.
fn whole_placed(width: f32, height: f32) -> Placed {
    let side = width.max(height);
    let (width, height) = (width / side * 100.0, height / side * 100.0);
    Placed { left: (100.0 - width) / 2.0, top: (100.0 - height) / 2.0, width, height }
}

/// The image scaled and moved so that the face fills the frame.
fn face_placed(width: f32, height: f32, face: &WireBox) -> Placed {
    let side = face.width.max(face.height) * MARGIN;
    if !(side.is_finite() && side >= 1.0) {
        return whole_placed(width, height);
    }
    let left = face.left + face.width / 2.0 - side / 2.0;
    let top = face.top + face.height / 2.0 - side / 2.0;
    let share = 100.0 / side;
    Placed { left: -left * share, top: -top * share, width: width * share, height: height * share }
}

/// The style that lets the page switch between face and whole image without a script.
fn style(shown: &Shown, face: Option<&Face>) -> String {
    let (width, height) = (shown.width as f32, shown.height as f32);
    let whole = whole_placed(width, height);
    let near =
        face.and_then(|face| face.r#box.as_ref()).map_or(whole, |frame| face_placed(width, height, frame));
    let write = |prefix: &str, p: Placed| {
        format!(
            "--{prefix}l:{:.3}%;--{prefix}t:{:.3}%;--{prefix}w:{:.3}%;--{prefix}h:{:.3}%;",
            p.left, p.top, p.width, p.height
        )
    };
    write("f", near) + &write("w", whole)
}

/// A square frame around `content`.
fn square(shown: &Shown, face: Option<&Face>, content: &Markup) -> Markup {
    html! {
        div.frame {
            div.canvas style=(style(shown, face)) {
                (content)
                (outlines(shown, face.map(std::slice::from_ref).unwrap_or_default(), face.map(|face| face.index), false))
            }
        }
    }
}

/// The probe's face, from the pixels the page holds once.
pub fn probe(shown: Option<&Shown>, face: Option<&Face>) -> Markup {
    match shown {
        None => missing("The probe cannot be shown here."),
        Some(shown) => square(
            shown,
            face,
            &html! { div.pixels.probe-pixels role="img" aria-label="Face in the probe" {} },
        ),
    }
}

/// A candidate's face.
pub fn reference(shown: &Shown, face: Option<&Face>, label: &str) -> Markup {
    square(shown, face, &html! { img.pixels src=(super::data_uri(shown)) alt=(label); })
}

/// An empty frame that says why it is empty.
pub fn missing(why: &str) -> Markup {
    html! { div.frame.empty { p { (why) } } }
}

/// The whole image with every face outlined; numbered when a choice matters, the chosen one emphasised.
pub fn whole(shown: Option<&Shown>, faces: &[Face], chosen: Option<u32>) -> Markup {
    let Some(shown) = shown else {
        return missing("The probe cannot be shown here.");
    };
    let label = match faces.len() {
        0 | 1 => "The probe".to_owned(),
        many => format!("The probe, with {many} faces outlined"),
    };
    html! {
        div.whole style=(format!("aspect-ratio:{}/{};max-width:calc(72vh*{:.4})", shown.width, shown.height, f64::from(shown.width) / f64::from(shown.height.max(1)))) {
            img src=(super::data_uri(shown)) alt=(label);
            (outlines(shown, faces, chosen, faces.len() > 1))
        }
    }
}

fn outlines(shown: &Shown, faces: &[Face], chosen: Option<u32>, numbered: bool) -> Markup {
    let size = shown.width.max(shown.height) as f32;
    html! {
        svg viewBox=(format!("0 0 {} {}", shown.width, shown.height)) preserveAspectRatio="none" aria-hidden="true" {
            @for face in faces {
                @if let Some(b) = &face.r#box {
                    g class=(if chosen == Some(face.index) { "chosen" } else { "other" }) {
                        rect.under x=(b.left) y=(b.top) width=(b.width) height=(b.height) {}
                        rect.over x=(b.left) y=(b.top) width=(b.width) height=(b.height) {}
                        @if numbered {
                            @let letter = (b.height * 0.3).clamp(size * 0.025, size * 0.06);
                            text x=(b.left + letter * 0.2) y=(b.top + letter) font-size=(letter) stroke-width=(letter * 0.18) { (face.index) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_face_fills_the_frame() {
        let face = WireBox { left: 90.0, top: 40.0, width: 20.0, height: 20.0 };
        let placed = face_placed(200.0, 100.0, &face);
        // The face's centre (100, 50) lands in the middle of the frame.
        assert!((placed.left + 100.0 * placed.width / 200.0 - 50.0).abs() < 1e-3);
        assert!((placed.top + 50.0 * placed.height / 100.0 - 50.0).abs() < 1e-3);
        // And its width is 1 / MARGIN of the frame.
        assert!((20.0 * placed.width / 200.0 - 100.0 / MARGIN).abs() < 1e-3);
    }

    #[test]
    fn a_nonsense_face_shows_the_whole_image() {
        for side in [0.0, f32::NAN, f32::INFINITY, -5.0] {
            let face = WireBox { left: 0.0, top: 0.0, width: side, height: side };
            assert_eq!(face_placed(200.0, 100.0, &face), whole_placed(200.0, 100.0));
        }
    }
}
