//! # Streaming
//!
//! ## Out
//!
//! [`Response::stream`](crate::Response::stream) sends what a reader yields, as it yields it; a file, a pipe from
//! another process, something computed. A client that is slow holds back the reader, and nothing is piled up. A reader
//! that blocks holds a thread; a [`BodySource`](crate::BodySource) that has nothing to give yet says so instead, costs no
//! thread, and is asked again once it is woken.
//!
//! ```
//! use std::process::{Command, Stdio};
//!
//! use sockeye::{Handler, Request, Response, Router};
//!
//! let router = Router::new().get("/numbers", |_| -> std::io::Result<Response> {
//!     let counting = Command::new("seq").arg("100000").stdout(Stdio::piped()).spawn()?;
//!     Ok(Response::stream(counting.stdout.expect("it is piped")))
//! });
//!
//! let numbers = router.handle(&Request::get("/numbers")).into_text()?;
//! assert!(numbers.ends_with("\n99999\n100000\n"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! ## Events
//!
//! What happens now and then is sent as events, which a browser hears with `new EventSource("/events")`. Each client costs
//! a connection and no thread; [`Response::events`](crate::Response::events) is one stream, a
//! [`Broadcast`](crate::Broadcast) the same for all who listen:
//!
//! ```
//! use sockeye::{Broadcast, Event, Handler, Request, Router};
//!
//! let news = Broadcast::default();
//! let (streams, publisher) = (news.clone(), news);
//! let router = Router::new()
//!     .get("/events", move |_| streams.subscribe())
//!     .post("/news", move |request| {
//!         let event = Event::new(request.text()).with_name("news");
//!         format!("{} listen\n", publisher.send(event))
//!     });
//!
//! let stream = router.handle(&Request::get("/events"));
//! let told = router.handle(&Request::post("/news").with_body("salmon"));
//! assert_eq!(told.into_text()?, "1 listen\n");
//! drop(router); // And with it the broadcast, which ends the stream.
//! assert_eq!(stream.into_text()?, "event: news\ndata: salmon\n\n");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Sending never waits: it says [`Full`](crate::TrySendError::Full) for a client that is slower than what it is sent, and
//! [`Closed`](crate::TrySendError::Closed) once it has gone or the server stops. A broadcast ends the stream of one that is
//! too slow; its browser comes back by itself, with the last id it heard in `Last-Event-ID`. A comment every 15 seconds
//! keeps silent streams alive ([`Events`](crate::Events)). A browser opens at most six connections to one origin with
//! HTTP/1.1, so a page has one stream, not one for each thing. Other streams that are written to piece by piece are a
//! [`Response::channel`](crate::Response::channel).
//!
//! ## In
//!
//! An [`Upload`](crate::Upload) is written while the body comes, to a file or to anything that is
//! [`Write`](std::io::Write). Nothing is received while it writes, so that nothing piles up, and between two pieces no
//! thread waits. The function is asked about the head, so it may refuse before anything is sent:
//!
//! ```
//! use std::io;
//!
//! use sockeye::{Handler, Method, Request, Router, StatusCode, Upload};
//! use tempfile::NamedTempFile;
//!
//! # let temporary = tempfile::tempdir()?;
//! # let directory = temporary.path().to_owned();
//! let router = Router::new().upload(Method::PUT, "/photos/{number}", move |request| {
//!     let Ok(number) = request.param("number").parse::<u32>() else {
//!         return Ok(Upload::refused((StatusCode::NOT_FOUND, "photos have numbers\n")));
//!     };
//!     let path = directory.join(format!("{number}.jpg"));
//!     let file = NamedTempFile::new_in(&directory)?;
//!     let upload = Upload::new(file, |file| match file.persist(path) {
//!         Ok(_) => Ok(StatusCode::CREATED),
//!         Err(error) => Err(error.error),
//!     });
//!     Ok(upload.with_bytes_max(20 * 1024 * 1024))
//! });
//!
//! let photo = Request::new(Method::PUT, "/photos/7").with_body("...");
//! assert_eq!(router.handle(&photo).status(), StatusCode::CREATED);
//! # Ok::<(), io::Error>(())
//! ```
//!
//! What is made for [`Read`](std::io::Read) has the body too, from a pipe, at the price of a thread for each upload. What
//! it has made of the body counts only at the end, for a client that breaks off ends the pipe as well:
//!
//! ```
//! use std::io::{self, BufRead, BufReader};
//!
//! use sockeye::{Handler, Method, Request, Router, Upload};
//!
//! let router = Router::new().upload(Method::POST, "/lines", |_| {
//!     let (reader, writer) = io::pipe()?;
//!     let counting = std::thread::Builder::new().spawn(|| BufReader::new(reader).lines().count())?;
//!     Ok(Upload::new(writer, |writer| {
//!         drop(writer); // The reader hears the end.
//!         format!("{} lines\n", counting.join().expect("it does not panic"))
//!     }))
//! });
//!
//! let response = router.handle(&Request::post("/lines").with_body("one\ntwo\n"));
//! assert_eq!(response.into_text()?, "2 lines\n");
//! # Ok::<(), io::Error>(())
//! ```
//!
//! ## In and out
//!
//! A handler that answers from the head with [`Body::Incoming`](crate::Body::Incoming) sends the request's
//! body back while it comes, of any size; [`Echo`](crate::Echo) is the example.
