//! One thread's loop: wait, accept or drive a connection, park it again.

use std::mem;
use std::net::TcpStream;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::connection::{Connection, Next, Parked};
use super::desk::Desk;
use super::listener;
use super::parking::Place;
use super::poller::Interest;
use super::shared::{END_TOKEN, Shared, listener_index};

// After a failure that may come again at once. Short beside any deadline, long beside what the failing call takes.
const BREATH: Duration = Duration::from_millis(10);

/// A member of the crew at work.
pub(super) struct Acceptor<'a> {
    shared: &'a Shared,
    desk: Desk<'a>,
}

impl<'a> Acceptor<'a> {
    pub(super) fn new(shared: &'a Shared) -> Acceptor<'a> {
        Acceptor {
            shared,
            desk: Desk::new(&shared.config, &*shared.handler),
        }
    }

    /// Works as number `member` of the crew until all are sent home.
    pub(super) fn run(&mut self, member: usize) {
        let shared = self.shared;
        while shared.crew.take_seat() {
            loop {
                let token = match shared.poller.wait() {
                    Ok(END_TOKEN) => return,
                    Ok(token) => token,
                    Err(error) => {
                        shared.complain(|| {
                            tracing::error!(target: "sockeye", %error, "cannot wait for clients")
                        });
                        if !shared.crew.rest(BREATH) {
                            return;
                        }
                        continue;
                    }
                };
                shared.crew.begin_turn(member);
                self.take_turn(token);
                if !shared.crew.end_turn(member) {
                    break;
                }
            }
        }
    }

    fn take_turn(&mut self, token: u64) {
        self.look_up();
        if let Some(index) = listener_index(token) {
            self.accept(index);
        } else if let Some(mut place) = self.shared.parking.take_up(token) {
            let next = drive(&mut place, &mut self.desk);
            self.settle(place, next);
        }
    }

    /// Notes the time, and whether the server is stopping.
    pub(super) fn look_up(&mut self) {
        self.desk.now = Instant::now();
        self.desk.is_closing = self.shared.is_closing();
    }

    fn accept(&mut self, index: usize) {
        let Some(listener) = self.shared.listeners.get(index) else {
            return;
        };
        match listener::accept(listener) {
            Ok((stream, peer)) => self.welcome(Connection::new(Arc::new(stream), peer)),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) if listener::is_of_one_client(&error) => {
                tracing::debug!(target: "sockeye", %error, "could not accept a connection")
            }
            Err(error) => self.shared.pause_accepting(&error),
        }
    }

    /// Lets a new connection in and reads from it at once.
    fn welcome(&mut self, connection: Connection<Arc<TcpStream>>) {
        if let Some(mut place) = self.let_in(connection) {
            let next = drive(&mut place, &mut self.desk);
            self.settle(place, next);
        }
    }

    /// Lets a new connection in and leaves it to the crew.
    pub(super) fn welcome_late(&mut self, connection: Connection<Arc<TcpStream>>) {
        if let Some(place) = self.let_in(connection) {
            let parked = Parked {
                interest: Interest::Read,
                until: self.desk.now + self.shared.config.head_timeout,
                is_idle: true,
            };
            self.park(place, parked);
        }
    }

    /// Gives a connection a place, if need be that of the one idle longest; without one it is told so.
    fn let_in(&mut self, connection: Connection<Arc<TcpStream>>) -> Option<MutexGuard<'a, Place>> {
        let shared = self.shared;
        let parking = &shared.parking;
        let entered = parking.enter(connection).or_else(|connection| {
            if let Some(place) = parking.oldest_idle() {
                parking.leave(place);
            }
            parking.enter(connection)
        });
        entered
            .map_err(|mut connection| {
                shared.note_full();
                connection.turn_away(&mut self.desk);
            })
            .ok()
    }

    /// Parks the connection in `place` again, or ends it.
    fn settle(&mut self, place: MutexGuard<'_, Place>, next: Next) {
        match next {
            Next::Park(parked) if !(parked.is_idle && self.shared.is_closing()) => {
                self.park(place, parked);
            }
            _ => self.shared.parking.leave(place),
        }
    }

    fn park(&mut self, mut place: MutexGuard<'_, Place>, parked: Parked) {
        let shared = self.shared;
        let Some(connection) = &place.connection else {
            return;
        };
        let socket = Arc::clone(connection.transport());
        let token = place.token();
        let is_listed = mem::replace(&mut place.is_listed, true);
        shared.parking.park(&place, &parked);
        // Armed, the connection may be picked up at once, and whoever does must not have to wait for the lock. The
        // watchman may end it before; its socket is still ours then, and an event for it means nothing.
        drop(place);
        let listed = if is_listed {
            shared.poller.rearm(&*socket, token, parked.interest)
        } else {
            shared.poller.add(&*socket, token, parked.interest)
        };
        if let Err(error) = listed {
            shared.complain(|| {
                tracing::error!(target: "sockeye", %error, "cannot wait for a client, so it is turned away")
            });
            if let Some(place) = shared.parking.take_up(token) {
                shared.parking.leave(place);
            }
        }
    }

    /// Answers or closes those who have waited too long.
    pub(super) fn sweep(&mut self) {
        for mut place in self.shared.parking.overdue(self.desk.now) {
            let next = match &mut place.connection {
                Some(connection) => connection.time_out(&mut self.desk),
                None => Next::Close,
            };
            self.settle(place, next);
        }
    }

    /// Closes all idle connections but those that have said something meanwhile: the crew has been told of these, and
    /// answers them. Not the watchman, who would wait in a handler that blocks.
    pub(super) fn close_idle(&mut self) {
        for place in self.shared.parking.idle() {
            let has_spoken = place
                .connection
                .as_ref()
                .is_some_and(|connection| has_input(connection.transport()));
            if !has_spoken {
                self.shared.parking.leave(place);
            }
        }
    }
}

fn has_input(socket: &TcpStream) -> bool {
    matches!(socket.peek(&mut [0]), Ok(1))
}

fn drive(place: &mut Place, desk: &mut Desk<'_>) -> Next {
    match &mut place.connection {
        Some(connection) => connection.drive(desk),
        None => Next::Close,
    }
}
