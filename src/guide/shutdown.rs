//! # Shutdown and signals
//!
//! [`Server::serve`](crate::Server::serve) returns once a [`Stopper`](crate::Stopper) has stopped it: nobody is accepted
//! any more, idle connections close, answers that have begun finish within the grace period, and what is left then is
//! cut. The [`Summary`](crate::Summary) counts both. A second `stop` ends it at once. Which signals stop a program is the
//! program's affair; with `signal-hook`:
//!
//! ```
//! use std::thread;
//!
//! use signal_hook::consts::{SIGINT, SIGTERM};
//! use signal_hook::iterator::Signals;
//! use sockeye::{Router, Server};
//!
//! let server = Server::bind("127.0.0.1:0")?;
//! let stopper = server.stopper();
//! let mut signals = Signals::new([SIGINT, SIGTERM])?;
//! thread::spawn(move || signals.forever().for_each(|_| stopper.stop()));
//! # signal_hook::low_level::raise(SIGTERM)?;
//! let summary = server.serve(Router::new())?;
//! println!("{} finished, {} cut", summary.finished, summary.cut);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Streams have no end of their own: [events](super::streaming) end when the server stops, and a
//! [`BodySource`](crate::BodySource) is [asked](crate::Wake::is_closing) to. A handler that blocks is waited for within the
//! grace period, and left behind after it. How long that is, says [`Config::grace`](crate::Config::grace):
//!
//! ```
//! use std::time::Duration;
//!
//! use sockeye::{Config, Server};
//!
//! // Kubernetes kills a pod 30 s after its SIGTERM.
//! let config = Config { grace: Duration::from_secs(25), ..Config::default() };
//! let server = Server::bind("127.0.0.1:0")?.with_config(config);
//! # Ok::<(), std::io::Error>(())
//! ```
