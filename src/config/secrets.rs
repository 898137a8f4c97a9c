//! Secrets are named in the file and read from the environment or from a file of their own. Must never take a
//! literal, and never show what it read.

use super::reader::Section;
use crate::model::Private;
use std::path::Path;

/// What may be said of a secret's form.
pub(super) const FORM: &str = "\"env:NAME\" or \"file:PATH\"";
/// Nobody's secret is longer: a larger file is the wrong file.
const LARGEST: u64 = 64 << 10;

/// Where secrets come from.
pub(super) enum Secrets<'e> {
    /// For serving: they must be there.
    Resolve {
        /// The environment.
        env: &'e dyn Fn(&str) -> Option<String>,
        /// Relative paths count from here.
        base: &'e Path,
    },
    /// For a lint on another machine: only their form is checked.
    Skip,
}

impl Secrets<'_> {
    /// The secret that a key names; `None` where it is missing or (reported) wrong.
    pub(super) fn read<'r>(&self, section: &Section<'r, '_>, key: &'r str) -> Option<Private<String>> {
        let named = section.text(key)?;
        let at = section.place(key);
        let fail = |message: String| {
            section.problem(at, message);
            None
        };
        let path = &section.path;
        if let Some(name) = named.strip_prefix("env:") {
            let right = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !right || name.is_empty() || name.as_bytes()[0].is_ascii_digit() {
                return fail(format!(
                    "`{path}.{key}` must name a variable by letters, digits and _, such as \"env:SF_CHECKWORD\""
                ));
            }
            let Self::Resolve { env, .. } = self else { return Some(Private::default()) };
            return match env(name).filter(|value| !value.trim().is_empty()) {
                Some(value) => Some(Private::new(value.trim().to_owned())),
                None => fail(format!("`{path}.{key}`: the environment variable {name} is not set")),
            };
        }
        if let Some(file) = named.strip_prefix("file:").map(str::trim) {
            if file.is_empty() {
                return fail(format!("`{path}.{key}` must be {FORM}"));
            }
            let Self::Resolve { base, .. } = self else { return Some(Private::default()) };
            return match read_file(&base.join(file)) {
                Ok(value) => Some(Private::new(value)),
                Err(why) => fail(format!("`{path}.{key}`: the file {file} {why}")),
            };
        }
        fail(format!("`{path}.{key}` must be {FORM}: secrets are not written into this file"))
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| format!("cannot be read ({error})"))?;
    if !size.is_file() || size.len() > LARGEST {
        return Err(format!("is not a file of at most {LARGEST} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read ({error})"))?;
    match text.trim() {
        "" => Err("is empty".to_owned()),
        secret => Ok(secret.to_owned()),
    }
}
