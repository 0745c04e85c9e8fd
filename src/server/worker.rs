//! One worker's loop: take the next event, accept a client or drive a connection, set it down.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io, mem, thread};

use super::connection::{Connection, Next, Reason, Wait};
use super::connections::{Kind, Lease};
use super::context::Context;
use super::event::{Event, Source};
use super::listener;
use super::panics::survive;
use super::poller::{EVENTS_MAX, Interest};
use super::shared::Shared;

// After a failure that may come again at once. Short beside any deadline, long beside what the failing call takes.
const BREATH: Duration = Duration::from_millis(10);

// For how long one worker lets clients in, and answers them, before it looks at those that are there.
const ACCEPT_TIME_MAX: Duration = Duration::from_millis(1);

// Who works so long on a batch has another help with what is left. To wake that one costs a tenth of it.
const SHARE_AFTER: Duration = Duration::from_micros(50);

// How often one worker drives one connection in a row.
const DRIVES_MAX: usize = 4;

/// Works as number `worker` until the server is shut down.
pub(super) fn work(shared: &Shared, worker: usize) {
    let mut this = Worker::new(shared, Some(worker));
    // What panics here is ours; what handlers and readers do is caught where they are called. Either way the next event
    // is another connection's.
    while survive("a worker goes on", || this.run(worker)).is_none() {}
    // What is cut belongs to handlers too: its drop may block, and then others end the rest.
    for lease in shared.left_over() {
        this.end(lease);
    }
}

/// A thread that drives connections: a worker, or the monitor, which asks no handler and drives each connection at most once.
pub(super) struct Worker<'a> {
    shared: &'a Shared,
    context: Context<'a>,
    permit: usize,
    /// How often it has asked the kernel for events.
    looks: usize,
    events: Vec<Event>,
    /// When it took its batch, or last woke another to help with it.
    shared_at: Instant,
}

impl<'a> Worker<'a> {
    pub(super) fn new(shared: &'a Shared, worker: Option<usize>) -> Worker<'a> {
        let connections = Arc::downgrade(&shared.connections);
        let worker = worker.map(|worker| (&shared.pool, worker));
        Worker {
            shared,
            context: Context::new(
                &shared.config,
                shared.handler(),
                connections,
                &shared.spare,
                worker,
            ),
            permit: 0,
            looks: 0,
            events: Vec::with_capacity(EVENTS_MAX),
            shared_at: Instant::now(),
        }
    }

    fn run(&mut self, worker: usize) {
        let pool = &self.shared.pool;
        while let Some(permit) = pool.permit(worker) {
            self.permit = permit;
            while pool.has_permit(worker) {
                let Some(event) = self.next_event() else {
                    continue;
                };
                match event.source() {
                    // They wake a worker and are in no list.
                    Source::Shutdown | Source::Work => {}
                    Source::Listener { number, list } => self.accept(number, list),
                    Source::Connection(_) => {
                        if let Some(lease) = self.shared.connections.acquire(event) {
                            self.receive_and_drive(lease, event.is_leased());
                        }
                    }
                }
            }
        }
    }

    /// An event from the queue, else from the kernel; `None` if it is worth another look at everything.
    fn next_event(&mut self) -> Option<Event> {
        let shared = self.shared;
        if let Some(event) = shared.queue.take_own(self.permit) {
            // The time is that of the last answer.
            let now = self.context.now;
            if now.saturating_duration_since(self.shared_at) > SHARE_AFTER {
                self.shared_at = now;
                shared.lists().wake_one(self.own_list());
            }
            return Some(event);
        }
        // Its own list before others' batches, so that those who are in it do not wait while it helps others; in turn with
        // what belongs to workers that are stuck.
        let own = self.own_list();
        self.looks += 1;
        let is_own_first = self.looks.is_multiple_of(2);
        for is_own in [is_own_first, !is_own_first] {
            let event = match is_own {
                true => self.look_at(own),
                false if shared.pool.is_stuck() => self.look_elsewhere(),
                false => None,
            };
            if event.is_some() {
                return event;
            }
        }
        let waiting = shared.lists()[own].begin_wait();
        // A worker that fills a batch from now on wakes this one; batches from before are seen here.
        let event = shared.queue.take_or_sleep(self.permit);
        if event.is_none() {
            self.take_from(own, None);
        }
        drop(waiting);
        if event.is_some() {
            // There may be more, and more than one handler may block.
            shared.lists().wake_one(own);
            return event;
        }
        self.receive_and_share()
    }

    fn own_list(&self) -> usize {
        self.permit % self.shared.lists().len()
    }

    /// An event that others have left in the queue, else one of their lists.
    fn look_elsewhere(&mut self) -> Option<Event> {
        let shared = self.shared;
        let (lists, own) = (shared.lists(), self.own_list());
        let mut event = shared.queue.take(self.permit);
        // Each is first in its turn, since the first may always have some.
        let first = self.looks / 2;
        let others = (first..first + lists.len()).map(|number| number % lists.len());
        for list in others.filter(|&list| list != own) {
            event = event.or_else(|| self.look_at(list));
        }
        event
    }

    /// Takes a batch of events from a list, if there are some, and shares them; returns one of them.
    fn look_at(&mut self, list: usize) -> Option<Event> {
        self.take_from(list, Some(Duration::ZERO));
        self.receive_and_share()
    }

    fn take_from(&mut self, list: usize, timeout: Option<Duration>) {
        self.events.clear();
        let poller = &self.shared.lists()[list];
        if let Err(error) = poller.wait(&mut self.events, EVENTS_MAX, timeout) {
            if self.shared.warnings.admits() {
                tracing::error!(target: "sockeye", %error, "cannot wait for clients");
            }
            thread::sleep(BREATH);
        }
    }

    /// Receives what the clients of all these events have sent, and leaves the events in the queue; returns the first.
    ///
    /// What a handler learns about the world after that is true for all of their requests.
    fn receive_and_share(&mut self) -> Option<Event> {
        let shared = self.shared;
        if self.events.len() > 1 {
            for event in &mut self.events {
                if let Source::Connection(_) = event.source()
                    && let Some(mut lease) = shared.connections.acquire(*event)
                {
                    lease.receive(&mut self.context);
                    *event = lease.keep();
                }
            }
            self.shared_at = Instant::now();
            shared.queue.fill(self.permit, &self.events[1..]);
            if self.events.len() == EVENTS_MAX {
                // There may be more. For less, to wake another costs more than it helps, unless handlers take their time:
                // then it is done after the first, or by the monitor.
                shared.lists().wake_one(self.own_list());
            }
        }
        self.events.first().copied()
    }

    fn receive_and_drive(&mut self, mut lease: Lease<'a>, has_received: bool) {
        self.look_up();
        if !has_received {
            lease.receive(&mut self.context);
        }
        self.drive(lease);
    }

    /// Notes the time, and whether the server is stopping.
    pub(super) fn look_up(&mut self) {
        self.context.now = Instant::now();
        self.context.is_closing = self.shared.is_closing();
    }

    fn accept(&mut self, number: usize, list: usize) {
        let Some(listener) = self.shared.listeners.get(number) else {
            return;
        };
        let (mut is_armed, mut makes_room) = (false, false);
        let began = Instant::now();
        while !is_armed || began.elapsed() < ACCEPT_TIME_MAX {
            let accepted = listener::accept(listener);
            let lasting = accepted.as_ref().err();
            let lasting = lasting.filter(|error| listener::is_lasting(error));
            // What gave way may have made room for somebody else, and everybody would give way for nothing.
            let has_made_room = mem::replace(&mut makes_room, lasting.is_some());
            if let Some(error) = lasting
                && (has_made_room || !listener::is_want_of_descriptors(error))
            {
                return self.shared.pause_accepting(error);
            }
            // Before anything else: the next client in line is another thread's, should this one block.
            if !mem::replace(&mut is_armed, true) {
                self.shared.listen_on(number, list + 1);
            }
            match accepted {
                Ok((stream, peer)) => {
                    if let Some(lease) = self.let_in(Connection::new(stream, peer)) {
                        self.receive_and_drive(lease, false);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if makes_room => {
                    if !self.make_room() {
                        return self.shared.pause_accepting(&error);
                    }
                }
                Err(error) => {
                    tracing::debug!(target: "sockeye", %error, "could not accept a connection");
                }
            }
        }
    }

    /// Gives a connection a slot, if need be that of one that gives way; without one it is told so.
    fn let_in(&mut self, mut connection: Connection) -> Option<Lease<'a>> {
        let connections = &self.shared.connections;
        loop {
            connection = match connections.insert(connection) {
                Ok(lease) => return Some(lease),
                Err(connection) => connection,
            };
            if !self.make_room() {
                self.shared.note_full();
                self.look_up();
                connection.turn_away(&mut self.context);
                return None;
            }
        }
    }

    /// Ends the connection that is idle longest, else one that hardly moves, else the oldest stream. `false`: none gives way.
    fn make_room(&mut self) -> bool {
        while let Some(mut lease) = self.shared.connections.idle_longest() {
            if !lease.socket.look_for_input() {
                self.end(lease);
                return true;
            }
            lease.hand_over();
        }
        let under_way = self.under_way();
        under_way.map(|lease| self.end(lease)).is_some()
    }

    /// One under way that gives its slot to a newcomer. None does on the monitor's thread: what a handler left in it may
    /// block when it is dropped.
    fn under_way(&self) -> Option<Lease<'a>> {
        if self.context.is_monitors() {
            return None;
        }
        let (connections, now) = (&self.shared.connections, Instant::now());
        connections
            .slowest(now)
            .or_else(|| connections.hardly_awaited())
            .or_else(|| connections.longest_under_way(now))
    }

    /// Drives a connection until there is nothing to do for it, and no readiness has come meanwhile.
    fn drive(&mut self, mut lease: Lease<'a>) {
        for drives in 1.. {
            let token = lease.token();
            let context = &mut self.context;
            let driven = survive("a connection is closed", || lease.drive(token, context));
            let mut next = driven.unwrap_or(Next::Close);
            if let Next::Wait(wait) = &mut next
                && drives >= DRIVES_MAX
            {
                // A client that is always faster than we are must not keep this thread for itself.
                wait.reason = match wait.reason {
                    Reason::Readable => Reason::Yield(Interest::Read),
                    _ => Reason::Yield(Interest::Write),
                };
            }
            lease = match self.set_down(lease, next) {
                // A body that wakes itself, say.
                Some(lease) if drives >= DRIVES_MAX => return lease.hand_over(),
                Some(lease) => lease,
                None => return,
            };
            self.look_up();
        }
    }

    /// Has the connection wait, or ends it. If readiness came meanwhile, its lease comes back.
    fn set_down(&mut self, mut lease: Lease<'a>, next: Next) -> Option<Lease<'a>> {
        let shared = self.shared;
        let is_closing = shared.is_closing();
        let Wait { reason, deadline } = match next {
            Next::Wait(wait) if !(wait.deadline.kind == Kind::Idle && is_closing) => wait,
            // A request that is there when the server is stopped is answered.
            Next::Wait(_) if lease.socket.look_for_input() => return Some(lease),
            _ => {
                self.end(lease);
                return None;
            }
        };
        let armed = match reason {
            Reason::Readable => lease.arm(Interest::Read, false),
            Reason::Writable => lease.arm(Interest::Write, false),
            // A reset ends it; what the client sends meanwhile is read later.
            Reason::Wakeable if lease.interest == Some(Interest::Write) => Ok(()),
            Reason::Wakeable => lease.arm(Interest::End, false),
            Reason::Yield(interest) => lease.arm(interest, true),
        };
        if let Err(error) = armed {
            if shared.warnings.admits() {
                tracing::error!(target: "sockeye", %error, "cannot wait for a client, so it is turned away");
            }
            self.end(lease);
            return None;
        }
        lease.release(deadline, self.context.now).err()
    }

    /// Ends a connection. What its handler left in it may block or panic when it is dropped.
    pub(super) fn end(&mut self, lease: Lease<'_>) {
        let connection = lease.end();
        self.context
            .may_block(|_| survive("a connection is closed", || drop(connection)));
    }
}

/// What the monitor does. It asks no handler anything, since it would wait in one that blocks: what there is to do for a
/// connection it leaves to the workers.
impl<'a> Worker<'a> {
    /// Lets a new connection in.
    pub(super) fn let_in_late(&mut self, stream: TcpStream, peer: Option<std::net::SocketAddr>) {
        if let Some(lease) = self.let_in(Connection::new(stream, peer)) {
            lease.hand_over();
        }
    }

    /// Ends the waits of those who have waited too long, and hands over those that wanted to be woken.
    pub(super) fn sweep(&mut self) {
        for (mut lease, kind) in self.shared.connections.overdue(self.context.now) {
            if kind == Kind::Timer || lease.has_just_sent() {
                lease.hand_over();
                continue;
            }
            let context = &mut self.context;
            let next = survive("a connection is closed", || lease.time_out(context));
            if let Some(lease) = self.set_down(lease, next.unwrap_or(Next::Close)) {
                lease.hand_over();
            }
        }
    }

    /// Closes all idle connections but those that have sent something meanwhile.
    pub(super) fn close_idle(&mut self) {
        for mut lease in self.shared.connections.idle() {
            match lease.socket.look_for_input() {
                true => lease.hand_over(),
                false => self.end(lease),
            }
        }
    }
}
