//! Where the vault's keys come from: a file that the first start makes (readable by its owner only), or a text from
//! the environment. Must never overwrite a key file: without its key a store is lost.

use super::{Vault, VaultError};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

impl Vault {
    /// Reads key text: 32 bytes as base64 or as 64 hex digits, one key a line (or separated by spaces), the newest first; `#` begins a
    /// comment line.
    pub fn from_text(text: &str) -> Result<Self, VaultError> {
        let words =
            text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
        let keys = words.map(decode).collect::<Result<Vec<_>, _>>()?;
        match keys.split_first() {
            Some((newest, older)) => Ok(Self::from_ring(*newest, older)),
            None => Err(VaultError::BadKey(
                "the key is empty: it must be 32 bytes as base64 or 64 hex digits".into(),
            )),
        }
    }

    /// Reads a key file.
    pub fn load(path: &Path) -> Result<Self, VaultError> {
        let text = std::fs::read_to_string(path).map_err(|source| file_error(path, source))?;
        Self::from_text(&text).map_err(|error| VaultError::BadKey(format!("{}: {error}", path.display())))
    }

    /// Reads the key file, or makes one (mode 0600) where there is none. `true` says that it was made: its path
    /// should be printed, because a backup of the store is worth nothing without it.
    pub fn load_or_create(path: &Path) -> Result<(Self, bool), VaultError> {
        if path.exists() {
            return Ok((Self::load(path)?, false));
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| file_error(path, source))?;
        }
        match create(path, &super::random()) {
            Ok(()) => Ok((Self::load(path)?, true)),
            // Another process was first: its key counts.
            Err(source) if source.kind() == ErrorKind::AlreadyExists => Ok((Self::load(path)?, false)),
            Err(source) => Err(file_error(path, source)),
        }
    }
}

/// Written whole and synced under another name before it gets its own: a crash leaves no half key, and a store is
/// never sealed with a key that a power cut takes away.
fn create(path: &Path, key: &[u8; 32]) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", hex::encode(&super::random()[..4])));
    let draft = Path::new(&name);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    let written =
        writeln!(file, "# Yishi: the store cannot be read without this key. Keep a copy elsewhere.")
            .and_then(|()| writeln!(file, "{}", STANDARD.encode(key)))
            .and_then(|()| file.sync_all())
            .and_then(|()| std::fs::hard_link(draft, path));
    // The draft has served, whatever happened.
    let removed = std::fs::remove_file(draft);
    written?;
    removed?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}

fn decode(word: &str) -> Result<[u8; 32], VaultError> {
    // 64 hex digits would be base64 too, but of 48 bytes.
    let bytes = match hex::decode(word) {
        Ok(bytes) if bytes.len() == 32 => Some(bytes),
        _ => STANDARD.decode(word).or_else(|_| STANDARD_NO_PAD.decode(word)).ok(),
    };
    // The text itself is not repeated: it may be most of a key.
    bytes
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .ok_or_else(|| VaultError::BadKey("a key must be 32 bytes as base64 or 64 hex digits".into()))
}

fn file_error(path: &Path, source: std::io::Error) -> VaultError {
    VaultError::File { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_first_start_makes_a_private_key_file_and_the_second_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/yishi.key");
        let (first, created) = Vault::load_or_create(&path).unwrap();
        assert!(created);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (second, created) = Vault::load_or_create(&path).unwrap();
        assert!(!created);
        assert_eq!(second.open(b"row", &first.seal(b"row", b"text")).unwrap(), b"text");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn two_starts_at_once_agree_on_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("yishi.key");
        let vaults: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Vault::load_or_create(&path).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert_eq!(vaults.iter().filter(|(_, created)| *created).count(), 1);
        let sealed = vaults[0].0.seal(b"row", b"text");
        assert!(vaults.iter().all(|(vault, _)| vault.open(b"row", &sealed).is_ok()));
    }

    #[test]
    fn a_bad_key_file_is_an_error_and_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("yishi.key");
        for text in ["", "# only a comment\n", "c2hvcnQ=", "not base64 at all!"] {
            std::fs::write(&path, text).unwrap();
            let message = Vault::load_or_create(&path).unwrap_err().to_string();
            assert!(message.contains("yishi.key") && message.contains("32 bytes"), "{message}");
            assert!(!message.contains("c2hvcnQ"), "{message}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert!(matches!(Vault::load(&folder.path().join("none")), Err(VaultError::File { .. })));
    }

    #[test]
    fn the_first_key_of_a_text_seals_and_the_others_open() {
        let (new, old) = (STANDARD.encode([2; 32]), STANDARD_NO_PAD.encode([1; 32]));
        let vault = Vault::from_text(&format!("# keys\n{new}\n{old}\n")).unwrap();
        assert!(vault.open(b"row", &Vault::from_key([1; 32]).seal(b"row", b"a")).is_ok());
        assert!(Vault::from_key([2; 32]).open(b"row", &vault.seal(b"row", b"a")).is_ok());
        assert!(Vault::from_text(&format!("{new} {old}")).is_ok());
    }

    #[test]
    fn a_key_from_the_environment_is_hex_digits() {
        let vault = Vault::from_text(&hex::encode([7; 32])).unwrap();
        assert_eq!(vault.open(b"row", &Vault::from_key([7; 32]).seal(b"row", b"a")).unwrap(), b"a");
        assert!(Vault::from_text(&hex::encode([7; 31])).is_err());
    }
}
