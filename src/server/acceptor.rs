//! One thread's loop: wait, accept or drive a connection, park it again.

use std::net::TcpStream;
use std::sync::MutexGuard;
use std::time::Instant;
use std::{io, mem};

use super::connection::{Connection, Next};
use super::desk::Desk;
use super::listener;
use super::parking::Place;
use super::poller::Ready;
use super::shared::{END_TOKEN, Shared, listener_index};

// How often one thread drives one connection in a row.
const ROUNDS_MAX: usize = 4;

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
                let ready = match shared.poller.wait() {
                    Ok(ready) if ready.token == END_TOKEN => return,
                    Ok(ready) => ready,
                    Err(error) => {
                        // Out of memory at most; the watchman sees a turn that never ends, not a thread that spins.
                        tracing::error!(target: "sockeye", %error, "cannot wait for clients");
                        std::thread::yield_now();
                        continue;
                    }
                };
                shared.crew.begin_turn(member);
                self.take_turn(ready);
                if !shared.crew.end_turn(member) {
                    break;
                }
            }
        }
    }

    fn take_turn(&mut self, ready: Ready) {
        self.look_up();
        if let Some(index) = listener_index(ready.token) {
            self.accept(index);
        } else if let Some((place, has_ended)) = self.shared.parking.take_up(ready) {
            self.drive(place, has_ended);
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
            Ok((stream, peer)) => self.welcome(Connection::new(stream, peer)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if listener::is_exhaustion(&error) => self.shared.pause_accepting(&error),
            // The client hung up while it waited, or the network had something to say: the next one may be fine.
            Err(error) => {
                tracing::debug!(target: "sockeye", %error, "could not accept a connection")
            }
        }
    }

    /// Gives a new connection a place, if need be that of the one idle longest, and reads from it at once.
    pub(super) fn welcome(&mut self, mut connection: Connection<TcpStream>) {
        let parking = &self.shared.parking;
        let vacancy = parking.vacancy().or_else(|| {
            parking.leave(parking.oldest_idle()?);
            parking.vacancy()
        });
        match vacancy {
            Some(mut place) => {
                place.connection = Some(connection);
                self.drive(place, false);
            }
            None => {
                self.shared.note_full();
                connection.turn_away(&mut self.desk);
            }
        }
    }

    /// Drives the connection in `place` until there is nothing to do for it, and no news of it either.
    fn drive(&mut self, mut place: MutexGuard<'a, Place>, has_ended: bool) {
        let next = match &mut place.connection {
            Some(connection) => connection.drive(has_ended, &mut self.desk),
            None => Next::Close,
        };
        self.settle(place, next);
    }

    /// Parks the connection in `place` again, or ends it.
    fn settle(&mut self, mut place: MutexGuard<'a, Place>, mut next: Next) {
        let shared = self.shared;
        for round in 0.. {
            let mut parked = match next {
                Next::Park(parked) if !(parked.is_idle && shared.is_closing()) => parked,
                _ => return shared.parking.leave(place),
            };
            // A client that is always faster than we are must not keep this thread for itself.
            parked.is_ready |= round >= ROUNDS_MAX;
            shared.parking.park(&place, &parked);
            if let Err(error) = self.list(&mut place, parked.is_ready) {
                tracing::error!(target: "sockeye", %error, "cannot wait for a client, so it is turned away");
                return shared.parking.leave(place);
            }
            let token = place.token();
            drop(place);
            // Whoever was told of it while we had it has gone away again, so that we must look ourselves.
            let Some((again, has_ended)) = shared.parking.take_up_again(token) else {
                return;
            };
            place = again;
            self.look_up();
            next = match &mut place.connection {
                Some(connection) => connection.drive(has_ended, &mut self.desk),
                None => Next::Close,
            };
        }
    }

    /// Sees to it that the poller tells of the connection in `place`: of every change, and now if it `is_ready`.
    fn list(&self, place: &mut Place, is_ready: bool) -> io::Result<()> {
        let is_listed = mem::replace(&mut place.is_listed, true);
        let token = place.token();
        match &place.connection {
            Some(connection) if !is_listed => self.shared.poller.add(connection.transport(), token),
            Some(connection) if is_ready => {
                self.shared.poller.requeue(connection.transport(), token)
            }
            _ => Ok(()),
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

    /// Closes all idle connections, but answers what they may have said meanwhile.
    pub(super) fn close_idle(&mut self) {
        for place in self.shared.parking.idle() {
            self.drive(place, false);
        }
    }
}
