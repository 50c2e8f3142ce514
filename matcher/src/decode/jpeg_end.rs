//! Whether a JPEG file is complete.

/// True when the end-of-image marker follows the start of the scan.
///
/// The decoder fills missing rows with grey and says nothing; half a face must not be enrolled. Inside a scan the
/// marker's two bytes cannot occur otherwise (ISO/IEC 10918-1, B.1.1.5), and a preview image inside an application
/// segment, which has an end marker of its own, is skipped with its segment.
pub(super) fn is_present(jpeg: &[u8]) -> bool {
    scan_start(jpeg).is_some_and(|start| jpeg[start..].windows(2).rev().any(|pair| pair == [0xFF, 0xD9]))
}

/// Offset of the first start-of-scan segment.
fn scan_start(jpeg: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        while *jpeg.get(at)? != 0xFF {
            at += 1;
        }
        while *jpeg.get(at)? == 0xFF {
            at += 1;
        }
        let marker = *jpeg.get(at)?;
        at += 1;
        match marker {
            0xDA => return Some(at),
            // Without a length: stuffing, restart markers, start of image, temporary.
            0x00 | 0x01 | 0xD0..=0xD8 => {}
            0xD9 => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes([*jpeg.get(at)?, *jpeg.get(at + 1)?]));
                at = at.checked_add(length.max(2))?;
            }
        }
    }
}
