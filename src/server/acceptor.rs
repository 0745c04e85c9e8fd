//! One thread's loop: wait, accept or drive a connection, park it again.

use std::mem;
use std::net::TcpStream;
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

use super::connection::{Connection, Next};
use super::desk::Desk;
use super::listener;
use super::parking::Place;
use super::shared::{END_TOKEN, Shared, listener_index};

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
                        // Out of memory at most; the watchman sees a turn that never ends, not a thread that spins.
                        tracing::error!(target: "sockeye", %error, "cannot wait for clients");
                        std::thread::yield_now();
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
        let accepted = listener::accept(listener);
        if !matches!(&accepted, Err(error) if listener::is_exhaustion(error)) {
            // Before anything else: the next client in line is another thread's.
            self.shared.listen_on(index);
        }
        match accepted {
            Ok((stream, peer)) => self.welcome(Connection::new(Arc::new(stream), peer)),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) if listener::is_exhaustion(&error) => self.shared.pause_accepting(&error),
            // The client hung up while it waited, or the network had something to say: the next one may be fine.
            Err(error) => {
                tracing::debug!(target: "sockeye", %error, "could not accept a connection")
            }
        }
    }

    /// Gives a new connection a place, if need be that of the one idle longest, and reads from it at once.
    pub(super) fn welcome(&mut self, connection: Connection<Arc<TcpStream>>) {
        let parking = &self.shared.parking;
        let entered = parking.enter(connection).or_else(|connection| {
            if let Some(place) = parking.oldest_idle() {
                parking.leave(place);
            }
            parking.enter(connection)
        });
        match entered {
            Ok(mut place) => {
                let next = drive(&mut place, &mut self.desk);
                self.settle(place, next);
            }
            Err(mut connection) => {
                self.shared.note_full();
                connection.turn_away(&mut self.desk);
            }
        }
    }

    /// Parks the connection in `place` again, or ends it.
    fn settle(&mut self, mut place: MutexGuard<'_, Place>, next: Next) {
        let shared = self.shared;
        let parked = match next {
            Next::Park(parked) if !(parked.is_idle && shared.is_closing()) => parked,
            _ => return shared.parking.leave(place),
        };
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
            tracing::error!(target: "sockeye", %error, "cannot wait for a client, so it is turned away");
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

    /// Closes all idle connections, but answers what they may have said meanwhile.
    pub(super) fn close_idle(&mut self) {
        for mut place in self.shared.parking.idle() {
            let next = drive(&mut place, &mut self.desk);
            self.settle(place, next);
        }
    }
}

fn drive(place: &mut Place, desk: &mut Desk<'_>) -> Next {
    match &mut place.connection {
        Some(connection) => connection.drive(desk),
        None => Next::Close,
    }
}
