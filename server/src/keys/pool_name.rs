//! The name of a pool: safe as a folder name, on a command line and in an audit entry.

/// Longest name, in characters.
const LONGEST: usize = 63;

/// Name of a pool: 1 to 63 characters of `a-z`, `0-9`, `_` and `-`, starting with a letter or digit.
///
/// So it can be a file name on every system and cannot be a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PoolName(String);

/// The text cannot be a pool name.
#[derive(Debug, thiserror::Error)]
#[error(
    "not a pool name: use 1 to 63 characters of `a-z`, `0-9`, `_` and `-`, starting with a letter or digit"
)]
pub struct PoolNameError;

impl PoolName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as bytes, for associated data.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Display for PoolName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for PoolName {
    type Err = PoolNameError;

    fn from_str(text: &str) -> Result<Self, PoolNameError> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let starts_well = text.bytes().next().is_some_and(letter);
        let continues_well = text.bytes().all(|byte| letter(byte) || byte == b'_' || byte == b'-');
        if starts_well && continues_well && text.len() <= LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(PoolNameError)
        }
    }
}

impl TryFrom<String> for PoolName {
    type Error = PoolNameError;

    fn try_from(text: String) -> Result<Self, PoolNameError> {
        text.parse()
    }
}

impl From<PoolName> for String {
    fn from(name: PoolName) -> String {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_be_paths() {
        for good in ["a", "custody", "missing-2026_north", "0", &"x".repeat(63)] {
            assert!(good.parse::<PoolName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "A", "-x", "_x", "a.b", "é", "a b", "a\n", &"x".repeat(64)] {
            assert!(bad.parse::<PoolName>().is_err(), "{bad:?}");
        }
    }
}
