//! Somebody who may enter, and the hash of a password (bcrypt, as `htpasswd -B` writes it).

use std::str::FromStr;

// About four seconds each; beyond, one guess would be a way to stop the server.
const COST_MAX: u32 = 16;

// About 50 ms.
const COST: u32 = 10;

/// Somebody who may enter.
///
/// ```
/// use sockeye::middleware::auth::User;
///
/// // A line of `htpasswd -B`.
/// let line = "ada:$2y$05$8vZrmDIkVdxVCSjXUzDJguMKCXlTpqR4rYFtGtYHF6sLZJtoALXl2";
/// assert!(line.parse::<User>().is_ok());
/// assert!("ada:lovelace".parse::<User>().is_err()); // No hash.
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub(super) name: String,
    pub(super) hash: String,
}

impl FromStr for User {
    type Err = String;

    /// `name:hash`, as a line of `htpasswd -B`. The error does not repeat what was read: it may be a password.
    fn from_str(text: &str) -> Result<User, String> {
        let (name, hash) = text.split_once(':').ok_or("expected USER:HASH")?;
        let parts: bcrypt::HashParts = hash
            .parse()
            .map_err(|_| "what follows the colon is no bcrypt hash")?;
        if name.is_empty() {
            return Err("there is no name before the colon".to_owned());
        }
        if parts.get_cost() > COST_MAX {
            return Err(format!(
                "its cost is {}; {COST_MAX} is the limit",
                parts.get_cost()
            ));
        }
        Ok(User {
            name: name.to_owned(),
            hash: hash.to_owned(),
        })
    }
}

impl User {
    /// Somebody whose password is known.
    ///
    /// # Errors
    ///
    /// As [`hash`]; or if the name is empty or holds a colon.
    ///
    /// ```
    /// use sockeye::middleware::auth::User;
    ///
    /// assert!(User::with_password("ada", "lovelace").is_ok());
    /// assert!(User::with_password("ada:b", "lovelace").is_err());
    /// ```
    pub fn with_password(name: &str, password: &str) -> Result<User, String> {
        if name.is_empty() || name.contains(':') {
            return Err("a name must not be empty or hold a colon".to_owned());
        }
        Ok(User {
            name: name.to_owned(),
            hash: hash(password)?,
        })
    }
}

/// The hash of a password, with a salt of its own.
///
/// # Errors
///
/// If the password is empty, holds a NUL or is longer than 72 bytes, which is where bcrypt ends.
///
/// ```
/// use sockeye::middleware::auth::{User, hash};
///
/// let line = format!("ada:{}", hash("lovelace")?); // For the file that `--auth-file` reads.
/// assert!(line.parse::<User>().is_ok());
/// # Ok::<(), String>(())
/// ```
pub fn hash(password: &str) -> Result<String, String> {
    if password.is_empty() {
        return Err("the password is empty".to_owned());
    }
    if password.contains('\0') {
        return Err("the password holds a NUL".to_owned());
    }
    bcrypt::non_truncating_hash(password, COST)
        .map_err(|_| "the password is longer than 72 bytes".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_bcrypts_and_affordable() {
        for line in [
            "alice",
            "alice:secret",
            ":x",
            "alice:$apr1$a$b",
            "alice:$2y$31$0123456789012345678901u0123456789012345678901234567890123",
        ] {
            let error = line.parse::<User>().unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(hash("").is_err() && hash(&"a".repeat(73)).is_err() && hash("a\0").is_err());
        let hash = hash("word").unwrap();
        assert!(format!("bob:{hash}").parse::<User>().is_ok());
    }
}
