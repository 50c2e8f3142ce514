//! The default pack's detector in two parts computes what the whole computes on ONNX Runtime.
use std::time::Duration;

use likeness_matcher::{
    fault::Network,
    pipeline::Models,
    runtime::{Inference as _, PoolSize, SessionPool, Tensor},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::installed::{library, pack};

const ONE: PoolSize = PoolSize { sessions: 1, queue: 1, wait: Duration::from_secs(30) };
/// In the numbers that the network gives for a cell, which lie between about -20 and 20. A hundredth of that in the score
/// moves it by less than 0.0003.
const ROUNDING: f32 = 1e-3;

#[test]
fn two_parts_compute_what_the_whole_computes() {
    let pack = pack();
    assert!(pack.detector_in_two().is_some(), "the default pack's detector comes apart");
    let whole = SessionPool::start(&library(), Network::Detector, pack.detector_onnx(), ONE).unwrap();
    let used = Models::load(&pack, &library(), ONE).unwrap().detector;
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut farthest = 0.0_f32;
    for [rows, columns] in [[32, 32], [64, 32], [32, 96], [224, 192], [608, 480], [608, 608]] {
        let values = (0..3 * rows * columns).map(|_| rng.random_range(-0.46..0.62)).collect();
        let image = Tensor::new(vec![1, 3, rows, columns], values).unwrap();
        let (expected, found) = (whole.run(&image).unwrap(), used.run(&image).unwrap());
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!((&found.name, found.tensor.shape()), (&expected.name, expected.tensor.shape()));
            let pairs = found.tensor.values().iter().zip(expected.tensor.values());
            farthest = pairs.map(|(a, b)| (a - b).abs()).fold(farthest, f32::max);
        }
    }
    println!("report: detector in two parts: farthest from ONNX Runtime alone {farthest:e}");
    assert!(farthest < ROUNDING, "{farthest}");
}

#[test]
fn images_of_other_sizes_are_faults() {
    let used = Models::load(&pack(), &library(), ONE).unwrap().detector;
    for shape in
        [vec![1, 3, 40, 32], vec![1, 3, 0, 32], vec![2, 3, 32, 32], vec![1, 1, 32, 32], vec![3, 32, 32]]
    {
        let count = shape.iter().product();
        let image = Tensor::new(shape.clone(), vec![0.1; count]).unwrap();
        // A machine without the kernel's instructions leaves this to ONNX Runtime, which takes a batch and odd sides.
        if pack().detector_in_two().is_some() && used.input()[0] == Some(1) {
            assert!(used.run(&image).is_err(), "{shape:?}");
        }
    }
}
