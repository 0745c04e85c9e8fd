//! One event for many streams.

use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;

use super::{Event, EventSender, Events};
use crate::message::Response;
use crate::sync::unpoisoned;

// Below this many subscribers, those whose clients have gone are not searched for.
const SWEEP_MIN: usize = 64;

/// Sends each event to all who have subscribed. Its clones are the same broadcast.
///
/// A client that falls behind by more than its buffer is disconnected, so that no client misses an event without
/// knowing: a browser reconnects by itself, and names the last event it received in `Last-Event-ID`.
///
/// ```
/// use sockeye::{Broadcast, Events, Handler, Request, Router};
///
/// let feed = Broadcast::new(Events { buffer_bytes: 8 * 1024, ..Events::default() });
/// let streams = feed.clone();
/// let router = Router::new().get("/events", move |_| streams.subscribe());
///
/// let stream = router.handle(&Request::get("/events")); // As a browser's `new EventSource("/events")` does.
/// assert_eq!(feed.subscribers(), 1);
/// assert_eq!(feed.send("the salmon are back"), 1); // On any thread.
/// drop((feed, router));
/// assert_eq!(stream.into_text()?, "data: the salmon are back\n\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Broadcast {
    events: Events,
    subscribers: Arc<Mutex<Subscribers>>,
}

#[derive(Debug, Default)]
struct Subscribers {
    senders: Vec<EventSender>,
    /// As many as there may be before those who have gone are looked for.
    sweep_at: usize,
}

impl Broadcast {
    /// One whose streams are kept like this.
    pub fn new(events: Events) -> Broadcast {
        Broadcast {
            events,
            ..Broadcast::default()
        }
    }

    /// A response that carries every event from now on, until its client goes or the last clone of this is dropped.
    pub fn subscribe(&self) -> Response {
        self.subscribe_with([])
    }

    /// The same, after events for this client alone: the present state, or what it has missed.
    ///
    /// `first` is asked for while no other event can come between; it must not use this broadcast itself. If it does not
    /// fit into the buffer, the stream ends after what does.
    ///
    /// ```
    /// use sockeye::{Broadcast, Event};
    ///
    /// let prices = Broadcast::default();
    /// let response = prices.subscribe_with([Event::new("7 now")]);
    /// assert_eq!((prices.subscribers(), prices.send("8 now")), (1, 1));
    /// drop(prices);
    /// assert_eq!(response.into_text()?, "data: 7 now\n\ndata: 8 now\n\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn subscribe_with(&self, first: impl IntoIterator<Item = Event>) -> Response {
        let (response, sender) = self.events.open();
        let mut subscribers = self.lock();
        let is_told = first
            .into_iter()
            .all(|event| sender.try_send(event).is_ok());
        if is_told {
            subscribers.add(sender);
        }
        response
    }

    /// Sends an event, or a text as one, to all, and returns to how many. It waits for none of them.
    pub fn send(&self, event: impl Into<Event>) -> usize {
        let event: Bytes = event.into().into();
        let mut subscribers = self.lock();
        let senders = &mut subscribers.senders;
        senders.retain(|sender| sender.try_send_bytes(event.clone()).is_ok());
        senders.len()
    }

    /// How many listen. One whose client has gone counts until that is noticed, within two heartbeats.
    pub fn subscribers(&self) -> usize {
        let mut subscribers = self.lock();
        subscribers.sweep();
        subscribers.senders.len()
    }

    fn lock(&self) -> MutexGuard<'_, Subscribers> {
        unpoisoned(self.subscribers.lock())
    }
}

impl Subscribers {
    fn add(&mut self, sender: EventSender) {
        // Who comes and goes while nothing is sent is forgotten too; looked for so rarely that it costs nothing.
        if self.senders.len() >= self.sweep_at {
            self.sweep();
            self.sweep_at = SWEEP_MIN.max(2 * self.senders.len());
        }
        self.senders.push(sender);
    }

    fn sweep(&mut self) {
        self.senders.retain(|sender| !sender.is_closed());
    }
}
