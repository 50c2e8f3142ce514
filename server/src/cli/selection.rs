//! Which face is meant: `only`, `largest`, `index:N` or `box:LEFT,TOP,WIDTH,HEIGHT`.

use std::str::FromStr;

use likeness_proto::v1::{Box as WireBox, Face, FaceSelection, face_selection::Choice};

/// What `--select` said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Select {
    /// The image must hold exactly one face.
    #[default]
    Only,
    /// The largest face; recorded with the result.
    Largest,
    /// The face with this number in the list the service returned.
    Index(u32),
    /// The face that overlaps this rectangle most; left, top, width, height in pixels of the upright image.
    Rectangle([f32; 4]),
}

impl FromStr for Select {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "only" => Ok(Self::Only),
            None if text == "largest" => Ok(Self::Largest),
            Some(("index", number)) => number
                .parse()
                .map(Self::Index)
                .map_err(|_| format!("`{number}` is not a face number; write for example `index:0`")),
            Some(("box", sides)) => rectangle(sides).map(Self::Rectangle),
            _ => Err("write `only`, `largest`, `index:N` or `box:LEFT,TOP,WIDTH,HEIGHT`".to_owned()),
        }
    }
}

fn rectangle(text: &str) -> Result<[f32; 4], String> {
    let wrong = || {
        format!(
            "`{text}` is not a rectangle; write for example `box:120,80,64,64` (pixels of the upright image)"
        )
    };
    let sides = text
        .split(',')
        .map(|side| side.trim().parse())
        .collect::<Result<Vec<f32>, _>>()
        .map_err(|_| wrong())?;
    let [left, top, width, height] = sides.try_into().map_err(|_| wrong())?;
    let usable =
        [left, top, width, height].iter().all(|side| side.is_finite()) && width > 0.0 && height > 0.0;
    if usable { Ok([left, top, width, height]) } else { Err(wrong()) }
}

impl Select {
    /// The selection on the wire; absent means that the image must hold exactly one face.
    pub fn wire(self) -> Option<FaceSelection> {
        let choice = match self {
            Self::Only => return None,
            Self::Largest => Choice::Largest(true),
            Self::Index(index) => Choice::Index(index),
            Self::Rectangle([left, top, width, height]) => Choice::Box(WireBox { left, top, width, height }),
        };
        Some(FaceSelection { choice: Some(choice) })
    }
}

/// The numbered faces of a refusal and how to choose one, for a person.
pub fn how_to_choose(faces: &[Face], flag: &str) -> String {
    let mut table = super::output::table(["face", "left", "top", "width", "height", "detector score"]);
    for face in faces {
        let frame = face.r#box.unwrap_or_default();
        let cell = |value: f32| format!("{value:.0}");
        table.add_row([
            face.index.to_string(),
            cell(frame.left),
            cell(frame.top),
            cell(frame.width),
            cell(frame.height),
            format!("{:.2}", face.confidence),
        ]);
    }
    let first = faces.first().map_or(0, |face| face.index);
    format!(
        "{}\nSay which one is meant with `{flag}`: `index:{first}` (a number above), `box:LEFT,TOP,WIDTH,HEIGHT`, or `largest`.",
        table.trim_fmt()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read() {
        assert_eq!("only".parse(), Ok(Select::Only));
        assert_eq!("largest".parse(), Ok(Select::Largest));
        assert_eq!("index:3".parse(), Ok(Select::Index(3)));
        assert_eq!("box:1, 2.5,3,4".parse(), Ok(Select::Rectangle([1.0, 2.5, 3.0, 4.0])));
    }

    #[test]
    fn wrong_forms_say_how() {
        for wrong in
            ["", "first", "index:-1", "index:", "box:1,2,3", "box:1,2,3,0", "box:NaN,1,1,1", "box:1,2,3,4,5"]
        {
            assert!(wrong.parse::<Select>().is_err_and(|why| why.contains("write")), "{wrong}");
        }
    }

    #[test]
    fn choosing_is_explained() {
        let faces = [Face { r#box: None, confidence: 0.5, index: 2 }];
        assert!(how_to_choose(&faces, "--select").contains("`--select`: `index:2`"));
    }
}
