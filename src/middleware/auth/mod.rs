//! Basic authentication (RFC 7617): a name and a password, held as bcrypt hashes.
//!
//! Hashing is slow on purpose, so it is done once: each user's password is remembered once it was right, by a
//! digest under keys that only this process knows. Hashes are computed one after the other, few may wait for their
//! turn, and an address that keeps being wrong waits: for its answers, a second longer each time, and beyond that it is
//! told to wait (429). Waiting holds no thread. It does not slow down a right password, nor users who have been let in once.

mod user;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

pub use user::{User, hash};

use crate::handler::Handler;
use crate::message::{Request, Response, StatusCode};
use crate::middleware::{Next, Wrap};
use crate::sync::unpoisoned;

// How many wrong passwords an address may try at once; each is forgiven after a second.
const FAILURES_MAX: f64 = 5.0;

// How many more are answered, each when it is forgiven, so that an address has as many answers held back at most.
const FAILURES_HELD_MAX: f64 = 5.0;

// How many answers are held back in all: each takes one of the connections.
const HELD_MAX: usize = 256;

// How many requests may wait for a hash; beyond, a thread is worth more.
const WAITING_MAX: usize = 12;

// How many addresses are kept count of.
const ADDRESSES_MAX: usize = 4096;

/// Lets only `users` in to `inside`. Others are answered 401, 429 or 503, before their body is read.
///
/// ```
/// use sockeye::middleware::auth::{User, authenticated};
/// use sockeye::{Handler, Request, Router, StatusCode};
///
/// let users = vec![User::with_password("ada", "lovelace")?];
/// let site = authenticated(users, Router::new().get("/", |_| "welcome\n"));
/// assert_eq!(site.handle(&Request::get("/")).status(), StatusCode::UNAUTHORIZED);
/// # Ok::<(), String>(())
/// ```
pub fn authenticated(users: Vec<User>, inside: impl Handler) -> impl Handler {
    let authenticator = Authenticator {
        remembered: Mutex::new(vec![None; users.len()]),
        users,
        keys: [RandomState::new(), RandomState::new()],
        hashing: Mutex::default(),
        waiting: AtomicUsize::new(0),
        guesses: Mutex::default(),
    };
    let guard = move |request: &Request, next: Next<'_>| match authenticator.check(request) {
        Verdict::Enter => next.run(request),
        Verdict::Unknown(wait) => refuse(&Verdict::Unknown(wait), request).with_delay(wait),
        refused => refuse(&refused, request),
    };
    Wrap::new(guard, inside)
}

const WRONG: Verdict = Verdict::Unknown(Duration::ZERO);

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Enter,
    /// No name and password, or wrong ones, which is said after this time.
    Unknown(Duration),
    /// Wrong too often.
    Later,
    /// Too many wait already.
    Busy,
}

fn refuse(verdict: &Verdict, request: &Request) -> Response {
    let (status, sentence) = match verdict {
        Verdict::Later => (
            StatusCode::TOO_MANY_REQUESTS,
            "too many wrong passwords; try again in a moment",
        ),
        Verdict::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "too many passwords are being checked; try again in a moment",
        ),
        _ => (
            StatusCode::UNAUTHORIZED,
            "a name and a password are needed here",
        ),
    };
    let response = Response::problem(status, sentence, request);
    match status {
        StatusCode::UNAUTHORIZED => response.with_header(
            "WWW-Authenticate",
            "Basic realm=\"sockeye\", charset=\"UTF-8\"",
        ),
        _ => response.with_header("Retry-After", "1"),
    }
}

#[derive(Debug)]
struct Authenticator {
    users: Vec<User>,
    keys: [RandomState; 2],
    /// For each user the digest of a name and password that were right. They stay right: users do not change.
    remembered: Mutex<Vec<Option<u128>>>,
    /// Held while a hash is computed.
    hashing: Mutex<()>,
    waiting: AtomicUsize,
    guesses: Mutex<Guesses>,
}

/// What is being tried, and who was wrong.
#[derive(Debug, Default)]
struct Guesses {
    failures: HashMap<IpAddr, Failures>,
    /// Digests of names and passwords whose hash is waited for, and whether they are known to be wrong by now.
    tried: Vec<(u128, bool)>,
    /// When answers end that are held back.
    held: Vec<Instant>,
}

/// How often an address was wrong lately: falls by one each second.
#[derive(Debug, Clone, Copy)]
struct Failures {
    count: f64,
    at: Instant,
}

impl Authenticator {
    fn check(&self, request: &Request) -> Verdict {
        let Some(credentials) = credentials(request) else {
            return WRONG;
        };
        let digest = self.digest(&credentials);
        if self.remembers(digest) {
            return Verdict::Enter;
        }
        let address = request.peer().map(|peer| network(peer.ip()));
        let verdict = match self.waiting.fetch_add(1, Ordering::Relaxed) {
            0..WAITING_MAX => self.guess(&credentials, digest, address),
            _ => Verdict::Busy,
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        verdict
    }

    /// Is charged before it waits, and not if it cannot: who is charged with a guess has it computed, so that others with
    /// the same need not be.
    fn guess(&self, credentials: &str, digest: u128, address: Option<IpAddr>) -> Verdict {
        let Some(charged) = unpoisoned(self.guesses.lock()).begin(address, digest) else {
            return Verdict::Later;
        };
        let verdict = self.verify(credentials, digest);
        let is_wrong = verdict == WRONG;
        let mut guesses = unpoisoned(self.guesses.lock());
        guesses.end(charged.filter(|_| !is_wrong), digest, is_wrong);
        match (is_wrong, address) {
            (true, Some(address)) => Verdict::Unknown(guesses.hold_back(address)),
            _ => verdict,
        }
    }

    fn verify(&self, credentials: &str, digest: u128) -> Verdict {
        let _hashing = unpoisoned(self.hashing.lock());
        // The guess that was computed before may have been the same.
        if self.remembers(digest) {
            return Verdict::Enter;
        }
        if unpoisoned(self.guesses.lock())
            .tried
            .contains(&(digest, true))
        {
            return WRONG;
        }
        let (name, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let user = self.users.iter().position(|user| user.name == name);
        // For a name that is not there the work of some user is done, always the same one's, so that time does not tell which
        // names are: not all hashes take as long.
        let stand_in = (self.digest(name) as usize).checked_rem(self.users.len());
        let Some(at) = user.or(stand_in) else {
            return WRONG;
        };
        let hashed = &self.users[at];
        let is_right = bcrypt::non_truncating_verify(password, &hashed.hash).unwrap_or(false);
        match user {
            Some(user) if is_right => {
                unpoisoned(self.remembered.lock())[user] = Some(digest);
                Verdict::Enter
            }
            _ => WRONG,
        }
    }

    fn digest(&self, credentials: &str) -> u128 {
        let [a, b] = &self.keys;
        u128::from(a.hash_one(credentials)) << 64 | u128::from(b.hash_one(credentials))
    }

    fn remembers(&self, digest: u128) -> bool {
        unpoisoned(self.remembered.lock()).contains(&Some(digest))
    }
}

impl Guesses {
    /// Counts a guess before it is known to be wrong, so that many at once are too many at once. A password that is
    /// being checked already does not count again: a page asks for many files with one password. `None`: wrong too
    /// often already; else the address that was charged.
    fn begin(&mut self, address: Option<IpAddr>, digest: u128) -> Option<Option<IpAddr>> {
        let charged = address.filter(|_| !self.tried.contains(&(digest, false)));
        if let Some(address) = charged {
            let count = self.of(address);
            if count + 1.0 > FAILURES_MAX + FAILURES_HELD_MAX {
                return None;
            }
            self.set(address, count + 1.0);
        }
        self.tried.push((digest, false));
        Some(charged)
    }

    /// A guess has ended; `refunded` is charged with it no longer. If it was wrong, so are the same that still wait: one
    /// hash was charged, and one is computed.
    fn end(&mut self, refunded: Option<IpAddr>, digest: u128, is_wrong: bool) {
        if let Some(at) = self.tried.iter().position(|tried| tried.0 == digest) {
            self.tried.swap_remove(at);
        }
        let same = self.tried.iter_mut().filter(|tried| tried.0 == digest);
        same.for_each(|tried| tried.1 |= is_wrong);
        if let Some(address) = refunded {
            self.set(address, (self.of(address) - 1.0).max(0.0));
        }
    }

    /// How long the answer to a wrong guess is held back: until it would have been one of the few that are not. Where
    /// there is no room it is not: that does not make guesses more frequent, which are counted from their beginning.
    fn hold_back(&mut self, address: IpAddr) -> Duration {
        let wait = Duration::from_secs_f64((self.of(address) - FAILURES_MAX).max(0.0));
        let now = Instant::now();
        self.held.retain(|end| *end > now);
        if wait.is_zero() || self.held.len() >= HELD_MAX {
            return Duration::ZERO;
        }
        self.held.push(now + wait);
        wait
    }

    fn of(&self, address: IpAddr) -> f64 {
        self.failures.get(&address).map_or(0.0, Failures::now)
    }

    fn set(&mut self, address: IpAddr, count: f64) {
        if self.failures.len() >= ADDRESSES_MAX {
            self.failures.retain(|_, failures| failures.now() > 0.0);
        }
        // So many at once can only wait for a hash one after the other; forgetting them costs nothing.
        if self.failures.len() >= ADDRESSES_MAX {
            self.failures.clear();
        }
        let at = Instant::now();
        self.failures.insert(address, Failures { count, at });
    }
}

impl Failures {
    fn now(&self) -> f64 {
        (self.count - self.at.elapsed().as_secs_f64()).max(0.0)
    }
}

fn credentials(request: &Request) -> Option<String> {
    let field = request.headers().get("Authorization")?;
    let (scheme, token) = field.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    String::from_utf8(BASE64_STANDARD.decode(token.trim()).ok()?).ok()
}

/// Who has one address of IPv6 has 2⁶⁴ of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address => address,
    }
}

#[cfg(test)]
mod tests;
