//! # State
//!
//! A handler captures what it needs. What requests change is behind a lock or an atomic, for they run at the same time.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use sockeye::{Handler, Request, Router};
//!
//! let names: Arc<Mutex<Vec<String>>> = Arc::default();
//! let known = Arc::clone(&names);
//! let router = Router::new()
//!     .post("/names/{name}", move |request| {
//!         names.lock().unwrap().push(request.param("name").to_owned());
//!         "noted\n"
//!     })
//!     .get("/names", move |_| known.lock().unwrap().join("\n"));
//!
//! router.handle(&Request::post("/names/Ada"));
//! assert_eq!(router.handle(&Request::get("/names")).into_text()?, "Ada");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A larger program has a type for what it knows, with a method for each route, and a function that makes the router of it:
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use sockeye::{Handler, Request, Router};
//!
//! #[derive(Default)]
//! struct Weir {
//!     passed: AtomicU64,
//! }
//!
//! impl Weir {
//!     fn pass(&self, request: &Request) -> String {
//!         let passed = self.passed.fetch_add(1, Ordering::Relaxed) + 1;
//!         format!("{} is number {passed}\n", request.param("fish"))
//!     }
//!
//!     fn count(&self) -> String {
//!         format!("{} so far\n", self.passed.load(Ordering::Relaxed))
//!     }
//! }
//!
//! fn router(weir: &Arc<Weir>) -> Router {
//!     let (passing, counting) = (Arc::clone(weir), Arc::clone(weir));
//!     Router::new()
//!         .post("/pass/{fish}", move |request| passing.pass(request))
//!         .get("/count", move |_| counting.count())
//! }
//!
//! let router = router(&Arc::default());
//! assert_eq!(router.handle(&Request::post("/pass/sockeye")).into_text()?, "sockeye is number 1\n");
//! assert_eq!(router.handle(&Request::get("/count")).into_text()?, "1 so far\n");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A handler that waits for a lock, a database or another server holds a thread and delays nobody else, as long as there
//! are [threads](crate::Config::threads). A handler that panics is a 500 for its client alone; a lock that it held is
//! poisoned, as in any program.
