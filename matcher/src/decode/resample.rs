//! An image, or a part of it, at another size.
use std::cell::RefCell;

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images};

use super::Image;

thread_local! {
    /// Keeps its intermediate buffers.
    static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
}

/// A part of an image in pixels; the top left corner of the image is 0, 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Region {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Image {
    /// The whole image at `width` x `height` pixels.
    pub(crate) fn resampled(&self, size: [u32; 2]) -> Self {
        self.part_resampled(None, size)
    }

    /// The region (all of the image when none is given) at `width` x `height` pixels.
    ///
    /// Every source pixel counts when shrinking, so that fine patterns do not turn into false coarse ones.
    /// A region that is not inside the image, or a size of 0, gives a black image.
    pub(super) fn part_resampled(&self, region: Option<Region>, [width, height]: [u32; 2]) -> Self {
        let mut resized = Self::unwritten(width, height);
        let Region { left, top, width: across, height: down } = region.unwrap_or(Region {
            left: 0.0,
            top: 0.0,
            width: f64::from(self.width()),
            height: f64::from(self.height()),
        });
        let shrinks = across > f64::from(width) || down > f64::from(height);
        let filter = if shrinks { FilterType::Hamming } else { FilterType::Bilinear };
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(filter))
            .crop(left, top, across, down)
            .use_alpha(false);
        let from = images::ImageRef::new(self.width(), self.height(), self.pixels(), PixelType::U8x3);
        let to = images::Image::from_slice_u8(width, height, resized.pixels_mut(), PixelType::U8x3);
        let written = match (from, to) {
            (Ok(from), Ok(mut to)) => {
                RESIZER.with_borrow_mut(|resizer| resizer.resize(&from, &mut to, &options)).is_ok()
            }
            _ => false,
        };
        if !written {
            // A region outside the image, or a size of 0.
            resized.pixels_mut().fill(0);
        }
        resized
    }
}
