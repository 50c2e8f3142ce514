//! What happens when the runtime or a network is not what it should be.
use std::time::Duration;

use likeness_matcher::{
    Fault, Matcher, MatcherOptions,
    fault::Network,
    runtime::{Inference as _, PoolSize, SessionPool},
};

use crate::installed::{library, matcher, pack};

const ONE: PoolSize = PoolSize { sessions: 1, queue: 1, wait: Duration::from_secs(30) };

#[test]
fn a_missing_or_broken_library_is_a_fault_with_its_path() {
    let missing = std::env::temp_dir().join("no-such-folder").join("libonnxruntime.so");
    let refused = Matcher::open(&pack(), &missing, &MatcherOptions::default()).err().unwrap();
    assert!(matches!(&refused, Fault::Runtime { path, .. } if *path == missing), "{refused}");
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("libonnxruntime.so");
    std::fs::write(&broken, b"not a library").unwrap();
    let refused = Matcher::open(&pack(), &broken, &MatcherOptions::default()).err().unwrap();
    assert!(matches!(refused, Fault::Runtime { .. }), "{refused}");
    // A failure leaves nothing behind: the right library still loads.
    matcher(1);
}

#[test]
fn a_second_library_is_refused_and_the_first_goes_on() {
    let first = matcher(1);
    let folder = tempfile::tempdir().unwrap();
    let second = folder.path().join("libonnxruntime.so");
    std::fs::write(&second, b"another").unwrap();
    let refused = Matcher::open(&pack(), &second, &MatcherOptions::default()).err().unwrap();
    assert!(matches!(refused, Fault::RuntimeDiffers { .. }), "{refused}");
    matcher(1);
    assert_eq!(first.dimension(), 128);
}

#[test]
fn a_broken_network_is_a_fault_that_names_it() {
    let refused = SessionPool::start(&library(), Network::Embedder, b"not a model", ONE).err().unwrap();
    assert!(matches!(refused, Fault::Model { network: Network::Embedder, .. }), "{refused}");
}

#[test]
fn no_session_is_no_matcher() {
    let options = MatcherOptions { sessions: 0, ..MatcherOptions::default() };
    let refused = Matcher::open(&pack(), &library(), &options).err().unwrap();
    assert!(matches!(refused, Fault::Options(_)), "{refused}");
}

#[test]
fn a_tensor_of_the_wrong_shape_is_a_fault_and_the_session_lives_on() {
    let pack = pack();
    let pool = SessionPool::start(&library(), Network::Embedder, pack.embedder_onnx(), ONE).unwrap();
    let tensor = |side: usize| {
        likeness_matcher::runtime::Tensor::new(vec![1, 3, side, side], vec![0.1; 3 * side * side]).unwrap()
    };
    let refused = pool.run(&tensor(10)).err().unwrap();
    assert!(matches!(refused, Fault::Inference { network: Network::Embedder, .. }), "{refused}");
    assert_eq!(pool.run(&tensor(150)).unwrap()[0].tensor.values().len(), 128);
}

#[test]
fn a_session_in_use_is_waited_for_only_so_long_and_only_by_so_many() {
    let pack = pack();
    let start = |size| SessionPool::start(&library(), Network::Embedder, pack.embedder_onnx(), size).unwrap();
    let tensor = || likeness_matcher::runtime::Tensor::new(vec![1, 3, 150, 150], vec![0.1; 67_500]).unwrap();
    let (impatient, full) =
        (start(PoolSize { wait: Duration::ZERO, ..ONE }), start(PoolSize { queue: 0, ..ONE }));
    let right = impatient.run(&tensor()).unwrap();
    // Eight callers and one session: each gets the right answer or is told at once why not.
    for (pool, refused) in
        [(&impatient, Fault::Deadline { waited: Duration::ZERO }), (&full, Fault::Busy { waiting: 0 })]
    {
        let answers: Vec<_> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| pool.run(&tensor()))).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        assert!(answers.iter().any(Result::is_ok));
        for answer in answers {
            match answer {
                // Equal inputs give equal outputs.
                Ok(outputs) => assert_eq!(outputs, right),
                Err(fault) => assert_eq!(fault, refused),
            }
        }
    }
}
