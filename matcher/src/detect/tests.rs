#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod decoders;
mod merging;

use std::sync::Mutex;

use super::{BoundingBox, Detector, Found, Normalise};
use crate::{
    decode::Image,
    fault::Fault,
    runtime::{Inference, Output, Side, Tensor},
};
use likeness_models::Colour;

/// A network that answers by a rule, and remembers the shapes it was asked with.
struct Fake<F> {
    input: Vec<Side>,
    answer: F,
    asked: Mutex<Vec<Vec<usize>>>,
}

impl<F: Fn(&Tensor) -> Vec<Output> + Send + Sync> Inference for Fake<F> {
    fn input(&self) -> &[Side] {
        &self.input
    }

    fn run(&self, input: &Tensor) -> Result<Vec<Output>, Fault> {
        self.asked.lock().unwrap().push(input.shape().to_vec());
        Ok((self.answer)(input))
    }
}

fn fake<F: Fn(&Tensor) -> Vec<Output> + Send + Sync>(input: [Side; 4], answer: F) -> Fake<F> {
    Fake { input: input.to_vec(), answer, asked: Mutex::default() }
}

fn output(name: &str, shape: &[usize], values: Vec<f32>) -> Output {
    Output { name: name.to_owned(), tensor: Tensor::new(shape.to_vec(), values).expect("a shape that fits") }
}

#[test]
fn bytes_become_the_numbers_that_the_network_was_trained_on() {
    let image = Image::from_rgb(2, 1, vec![10, 20, 30, 40, 50, 60]).unwrap();
    let mut planes = vec![f32::NAN; 3 * 3 * 2];
    Normalise::new(Colour::Rgb, [10.0, 20.0, 30.0], 10.0).fill(&image, &mut planes, 3, 2);
    assert_eq!(&planes[0..6], [0.0, 3.0, -1.0, -1.0, -1.0, -1.0], "red, padded with black");
    assert_eq!(&planes[12..18], [0.0, 3.0, -3.0, -3.0, -3.0, -3.0], "blue");

    let bgr = Normalise::new(Colour::Bgr, [0.0, 10.0, 0.0], 1.0);
    let mut values = [f32::NAN; 6];
    bgr.fill_mirrored(&image, &mut values);
    assert_eq!(values, [60.0, 30.0, 40.0, 10.0, 40.0, 10.0], "blue first, mirrored");
    let mut values = [f32::NAN; 9];
    bgr.fill(&image, &mut values, 3, 1);
    assert_eq!(
        values,
        [30.0, 60.0, 0.0, 10.0, 40.0, -10.0, 10.0, 40.0, 0.0],
        "blue first, padded with black"
    );

    let (mut planes, line) = ([f32::NAN; 12], [[1.0, 2.0, 3.0, f32::NAN], [5.0, 6.0, 7.0, f32::NAN]]);
    let normalise = Normalise::new(Colour::Rgb, [0.0; 3], 2.0);
    normalise.fill_row(&line, &mut planes, 2, 1);
    normalise.fill_row(&[[0.0; 4]; 2], &mut planes, 2, 0);
    assert_eq!(planes, [0.0, 0.0, 0.5, 2.5, 0.0, 0.0, 1.0, 3.0, 0.0, 0.0, 1.5, 3.5]);
}

#[test]
fn boxes_know_their_overlap() {
    let area = |left, width| BoundingBox { left, top: 0.0, width, height: 10.0 };
    assert_eq!(area(0.0, 10.0).overlap(&area(0.0, 10.0)), 1.0);
    assert_eq!(area(0.0, 10.0).overlap(&area(10.0, 10.0)), 0.0);
    assert_eq!(area(0.0, 10.0).overlap(&area(5.0, 10.0)), 1.0 / 3.0);
    assert!(area(0.0, f32::NAN).clipped(5, 5).is_none());
    assert!(area(20.0, 5.0).clipped(10, 10).is_none());
    assert_eq!(area(-5.0, 10.0).clipped(100, 100), Some(area(0.0, 5.0)));
}
