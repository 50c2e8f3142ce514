//! Blocks side by side: empty at first, apart from each other, gone without a trace.

use super::*;

const EMPTY: Weights =
    Weights { scale: [0.0; BAND_ROWS], residual: [f32::NEG_INFINITY; BAND_ROWS], norm: [1.0; BAND_ROWS] };

#[test]
fn bands_begin_empty_and_do_not_overlap() {
    for (count, steps, aside) in [(1, 1, 0), (3, 2, 8), (5, 33, 1)] {
        let mut bands = Ground::new(count + 1, Shape { steps, aside }).cut(count, EMPTY);
        for band in 0..count {
            assert!(bands.codes(band).iter().all(|step| step.0 == Step::ZERO.0));
            assert!(bands.aside(band).iter().all(|step| step.0 == Step::ZERO.0));
            assert_eq!((bands.codes(band).len(), bands.aside(band).len()), (QUARTERS * steps, aside));
            assert_eq!(bands.weights(band).residual, EMPTY.residual);
            bands.codes_mut(band).fill(Step([band as u8 + 1; size_of::<Step>()]));
            let (codes, aside) = bands.halves_mut(band);
            assert!(codes.iter().all(|step| step.0[0] == band as u8 + 1));
            aside.fill(Step([band as u8 + 101; size_of::<Step>()]));
            bands.weights_mut(band).scale = [band as f32 + 0.5; BAND_ROWS];
        }
        // From another thread: what `Sync` promises.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for band in 0..count {
                    assert!(bands.codes(band).iter().flat_map(|step| step.0).all(|c| c == band as u8 + 1));
                    let mut aside = bands.aside(band).iter().flat_map(|step| step.0);
                    assert!(aside.all(|code| code == band as u8 + 101));
                    assert_eq!(bands.weights(band).scale, [band as f32 + 0.5; BAND_ROWS]);
                    assert_eq!(bands.weights(band).norm, EMPTY.norm);
                }
            });
        });
    }
}

#[test]
fn blocks_of_full_size_lie_side_by_side_and_each_is_zeroed_when_it_goes() {
    let shape = Shape { steps: 2, aside: 3 };
    let mut ground = Ground::new(2, shape);
    let small = ground.cut(1, EMPTY);
    let mut blocks: Vec<Bands> = (0..BLOCKS + 1).map(|_| ground.cut(2, EMPTY)).collect();
    for (number, block) in blocks.iter_mut().enumerate() {
        for band in 0..2 {
            let (codes, aside) = block.halves_mut(band);
            codes.fill(Step([number as u8 + 1; size_of::<Step>()]));
            aside.fill(Step([number as u8 + 101; size_of::<Step>()]));
        }
    }
    for (number, pair) in blocks.windows(2).enumerate() {
        let follows = |first: fn(&Bands) -> NonNull<Step>, steps: usize| {
            first(&pair[0]).addr().get() + 2 * steps * size_of::<Step>() == first(&pair[1]).addr().get()
        };
        assert_eq!(follows(|bands| bands.first, shape.run()), number + 1 < BLOCKS, "after block {number}");
        assert_eq!(follows(|bands| bands.aside, shape.aside), number + 1 < BLOCKS, "after block {number}");
    }
    let blank = |bands: &Bands, band| {
        bands.codes(band).iter().chain(bands.aside(band)).all(|step| step.0 == Step::ZERO.0)
    };
    assert!(blank(&small, 0));
    // Any order of going, and what stays is unharmed; the region outlives its ground.
    drop(ground);
    let (last, first) = (blocks.pop(), blocks.remove(0));
    drop(last);
    let region = first._region.clone();
    drop(first);
    for (number, block) in blocks.iter().enumerate() {
        assert!(block.codes(1).iter().all(|step| step.0 == [number as u8 + 2; size_of::<Step>()]));
        assert!(block.aside(1).iter().all(|step| step.0 == [number as u8 + 102; size_of::<Step>()]));
    }
    let left = Bands { first: region.first, aside: region.aside, bands: 2, shape, _region: region };
    assert!(blank(&left, 0) && blank(&left, 1));
}

#[test]
fn what_fills_pages_begins_with_one() {
    for (bands, steps, aside, aligned) in [
        (62, 128, 0, true),
        (62 * BLOCKS, 128, 0, true),
        (234, 32, 0, true),
        (8, 32, 0, false),
        (122 * BLOCKS, 64, 256, true),
    ] {
        let shape = Shape { steps, aside };
        let bytes = bands * (shape.run() + aside) * size_of::<Step>();
        assert_eq!(alignment(bytes) == PAGE, aligned, "{bands} bands of {steps} steps");
        let region = Region::new(bands, shape);
        let start = region.first.addr().get();
        assert!(start.is_multiple_of(alignment(bytes)));
        assert_eq!(region.aside.addr().get(), start + bands * shape.run_bytes());
        assert!(start + bytes <= region.allocated.addr().get() + region.layout.size());
    }
}
