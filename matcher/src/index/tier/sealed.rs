//! Templates on disk, sealed: the second tier of pools that are larger than memory.
//!
//! One file for the whole index, without a name (it was never linked, or is unlinked before the first write), so
//! that nothing is left of it once the process ends, however it ends. Every template in it is sealed on its own with
//! ChaCha20-Poly1305 (RFC 8439) under a key that is drawn when the index is made and lies in memory only: what a disk
//! keeps of the file's blocks afterwards is noise. The number that makes the nonce is never used twice; the slot is
//! authenticated, so templates cannot change places unnoticed.
//!
//! Opening one template of 512 values costs about as much as reading 40 KiB of codes, and a search opens tens to
//! hundreds: nothing beside a scan of the pool. Reads are positioned reads and not a memory map: a disk that fails
//! is then an error of one search, where a map would end the process, and pages that were read are the kernel's to
//! take back.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce, Tag};
use zeroize::{Zeroize as _, Zeroizing};

use super::Tier;
use crate::index::IndexFault;

/// Bytes of the number that makes a nonce, kept before each template.
const NUMBER: usize = 8;

/// Bytes of the authentication tag, kept after each template.
const TAG: usize = 16;

/// The file that holds the templates of all blocks of an index.
pub(in crate::index) struct SealedFile {
    file: File,
    cipher: ChaCha20Poly1305,
    dimension: usize,
    slots: AtomicU64,
    numbers: AtomicU64,
}

impl SealedFile {
    /// An empty file in this folder, and a key for it.
    ///
    /// # Errors
    /// [`IndexFault::Engine`]: the folder takes no file, or the system gives no random numbers.
    pub(in crate::index) fn create(folder: &Path, dimension: usize) -> Result<Self, IndexFault> {
        let file = tempfile::tempfile_in(folder).map_err(|error| failed("cannot be made", &error))?;
        let mut key = Zeroizing::new([0_u8; 32]);
        getrandom::fill(key.as_mut_slice())
            .map_err(|error| failed("gets no key", &io::Error::other(error.to_string())))?;
        let cipher = ChaCha20Poly1305::new(&Key::from(*key));
        Ok(Self { file, cipher, dimension, slots: AtomicU64::new(0), numbers: AtomicU64::new(0) })
    }

    fn record(&self) -> usize {
        NUMBER + self.dimension * size_of::<f32>() + TAG
    }

    fn offset(&self, slot: u64) -> u64 {
        slot * self.record() as u64
    }

    fn read(&self, slot: u64, into: &mut [f32]) -> Result<(), IndexFault> {
        let mut record = Record(vec![0_u8; self.record()]);
        let Record(record) = &mut record;
        self.file
            .read_exact_at(record, self.offset(slot))
            .map_err(|error| failed("cannot be read", &error))?;
        let (number, rest) = record.split_at_mut(NUMBER);
        let (sealed, tag) = rest.split_at_mut(self.dimension * size_of::<f32>());
        let tag: [u8; TAG] = tag.try_into().map_err(|_| IndexFault::Inconsistent)?;
        self.cipher
            .decrypt_inout_detached(&nonce(number), &slot.to_le_bytes(), sealed.into(), &Tag::from(tag))
            .map_err(|_| {
                failed("was changed by somebody else", &io::Error::from(io::ErrorKind::InvalidData))
            })?;
        let (values, _) = sealed.as_chunks::<4>();
        for (value, bytes) in into.iter_mut().zip(values) {
            *value = f32::from_le_bytes(*bytes);
        }
        Ok(())
    }

    fn write(&self, slot: u64, template: &[f32]) -> Result<(), IndexFault> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        let mut record = Zeroizing::new(Vec::with_capacity(self.record()));
        record.extend_from_slice(&number);
        record.extend(template.iter().flat_map(|value| value.to_le_bytes()));
        let tag = self
            .cipher
            .encrypt_inout_detached(&nonce(&number), &slot.to_le_bytes(), (&mut record[NUMBER..]).into())
            .map_err(|_| IndexFault::Inconsistent)?;
        record.extend_from_slice(&tag);
        self.file
            .write_all_at(&record, self.offset(slot))
            .map_err(|error| failed("cannot be written", &error))
    }

    fn erase(&self, slot: u64) -> Result<(), IndexFault> {
        let nothing = vec![0_u8; self.record()];
        self.file
            .write_all_at(&nothing, self.offset(slot))
            .map_err(|error| failed("cannot be written", &error))
    }
}

/// A record on its way out of the file. Overwritten when it is dropped, as a whole and not, as `zeroize` does, byte by byte:
/// a search opens a thousand of them.
struct Record(Vec<u8>);

impl Drop for Record {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&self.0);
    }
}

/// Never the same twice under one key: numbers only rise, and the key is the file's own.
fn nonce(number: &[u8]) -> Nonce {
    let mut nonce = [0_u8; 12];
    nonce[..NUMBER].copy_from_slice(number);
    Nonce::from(nonce)
}

fn failed(what: &str, error: &io::Error) -> IndexFault {
    IndexFault::Engine { message: format!("the sealed file of full-precision templates {what} ({error})") }
}

/// The part of a [`SealedFile`] that belongs to one block.
pub(in crate::index) struct SealedTier {
    file: Arc<SealedFile>,
    first: u64,
}

impl SealedTier {
    /// Room for so many templates at the end of the file, which grows when they are written.
    pub(in crate::index) fn new(file: Arc<SealedFile>, slots: usize) -> Self {
        let first = file.slots.fetch_add(slots as u64, Ordering::Relaxed);
        Self { file, first }
    }

    fn at(&self, slot: usize) -> u64 {
        self.first + slot as u64
    }
}

impl Tier for SealedTier {
    fn read<'a>(&'a self, slot: usize, scratch: &'a mut [f32]) -> Result<&'a [f32], IndexFault> {
        if let Err(fault) = self.file.read(self.at(slot), scratch) {
            scratch.zeroize();
            return Err(fault);
        }
        Ok(scratch)
    }

    fn write(&mut self, slot: usize, template: &[f32]) -> Result<(), IndexFault> {
        self.file.write(self.at(slot), template)
    }

    fn erase(&mut self, slot: usize) -> Result<(), IndexFault> {
        self.file.erase(self.at(slot))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn file() -> Arc<SealedFile> {
        Arc::new(SealedFile::create(&std::env::temp_dir(), 3).unwrap())
    }

    fn bytes(file: &SealedFile) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(file.file.metadata().unwrap().len()).unwrap()];
        file.file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    #[test]
    fn templates_come_back_bit_for_bit_and_never_lie_open() {
        let file = file();
        let (mut first, mut second) = (SealedTier::new(file.clone(), 2), SealedTier::new(file.clone(), 2));
        let template = [1.5, -0.0, f32::MIN_POSITIVE / 2.0];
        first.write(1, &template).unwrap();
        second.write(0, &template).unwrap();
        let mut scratch = [9.0; 3];
        for tier in
            [first.read(1, &mut scratch).unwrap().to_vec(), second.read(0, &mut [0.0; 3]).unwrap().to_vec()]
        {
            assert_eq!(tier.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), template.map(f32::to_bits));
        }
        let (open, held) = (1.5_f32.to_le_bytes(), bytes(&file));
        assert!(!held.windows(4).any(|window| window == open), "a value lies open");
        // The same template under the same key: no two records are alike.
        assert_ne!(held[file.record()..2 * file.record()], held[2 * file.record()..]);
    }

    #[test]
    fn every_changed_byte_is_an_error_and_records_cannot_change_places() {
        let file = file();
        let mut tier = SealedTier::new(file.clone(), 2);
        tier.write(0, &[1.0, 2.0, 3.0]).unwrap();
        tier.write(1, &[4.0, 5.0, 6.0]).unwrap();
        let held = bytes(&file);
        for at in 0..file.record() {
            file.file.write_all_at(&[held[at] ^ 1], at as u64).unwrap();
            let mut scratch = [0.0; 3];
            assert!(matches!(tier.read(0, &mut scratch), Err(IndexFault::Engine { .. })), "byte {at}");
            assert_eq!(scratch, [0.0; 3]);
            file.file.write_all_at(&held[at..=at], at as u64).unwrap();
        }
        file.file.write_all_at(&held[file.record()..], 0).unwrap();
        assert!(tier.read(0, &mut [0.0; 3]).is_err());
    }

    #[test]
    fn what_is_erased_is_zeros_and_what_was_never_written_is_an_error() {
        let file = file();
        let mut tier = SealedTier::new(file.clone(), 4);
        tier.write(2, &[1.0, 2.0, 3.0]).unwrap();
        tier.erase(2).unwrap();
        assert!(bytes(&file).iter().all(|byte| *byte == 0));
        assert!(tier.read(2, &mut [0.0; 3]).is_err());
        assert!(tier.read(3, &mut [0.0; 3]).is_err());
    }

    #[test]
    fn a_folder_that_is_not_there_is_named_as_the_cause() {
        let folder = std::env::temp_dir().join("no such folder of a sealed tier");
        let fault = SealedFile::create(&folder, 3).err().unwrap();
        assert!(fault.to_string().contains("cannot be made"), "{fault}");
    }
}
