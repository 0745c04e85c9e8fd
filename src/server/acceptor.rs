//! One thread's loop: wait, accept or drive a connection, park it again.

use std::net::TcpStream;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};
use std::{io, mem};

use super::connection::{Connection, Next};
use super::deadlines::{Parked, Pause, after};
use super::desk::Desk;
use super::listener;
use super::parking::Place;
use super::poller::{Interest, Ready};
use super::shared::{END_TOKEN, Shared, listener_index};

// After a failure that may come again at once. Short beside any deadline, long beside what the failing call takes.
const BREATH: Duration = Duration::from_millis(10);

// How many clients one thread lets in before it looks at those that are there.
const ACCEPTS_MAX: usize = 8;

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
        let mut is_armed = false;
        for _ in 0..ACCEPTS_MAX {
            let accepted = listener::accept(listener);
            if let Err(error) = &accepted
                && error.kind() != io::ErrorKind::WouldBlock
                && !listener::is_of_one_client(error)
            {
                return self.shared.pause_accepting(error);
            }
            // Before anything else: the next client in line is another thread's, should this one block.
            if !mem::replace(&mut is_armed, true) {
                self.shared.listen_on(index);
            }
            match accepted {
                Ok((stream, peer)) => {
                    if let Some(place) = self.let_in(Connection::new(stream, peer)) {
                        self.drive(place, false);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    tracing::debug!(target: "sockeye", %error, "could not accept a connection");
                }
            }
        }
    }

    /// Gives a connection a place, if need be that of the one idle longest; without one it is told so.
    fn let_in(&mut self, mut connection: Connection<TcpStream>) -> Option<MutexGuard<'a, Place>> {
        let shared = self.shared;
        let parking = &shared.parking;
        let vacancy = parking.vacancy().or_else(|| {
            parking.leave(parking.oldest_idle()?);
            parking.vacancy()
        });
        let Some(mut place) = vacancy else {
            shared.note_full();
            connection.turn_away(&mut self.desk);
            return None;
        };
        place.connection = Some(connection);
        Some(place)
    }

    /// Drives the connection in `place` until there is nothing to do for it, and no news of it either.
    fn drive(&mut self, mut place: MutexGuard<'a, Place>, mut has_ended: bool) {
        for round in 0.. {
            let mut next = match &mut place.connection {
                Some(connection) => connection.drive(has_ended, &mut self.desk),
                None => Next::Close,
            };
            if let Next::Park(parked) = &mut next {
                // A client that is always faster than we are must not keep this thread for itself.
                if round >= ROUNDS_MAX {
                    parked.pause = Pause::Yield;
                }
            }
            // Whoever was told of it while we had it has gone away again, so that we must look ourselves.
            let Some(news) = self.set_down(place, next) else {
                return;
            };
            (place, has_ended) = news;
            self.look_up();
        }
    }

    /// Parks the connection in `place` again, or ends it. If there are news of it meanwhile, it is taken up again at
    /// once, with whether the client has ended.
    fn set_down(
        &self,
        mut place: MutexGuard<'a, Place>,
        next: Next,
    ) -> Option<(MutexGuard<'a, Place>, bool)> {
        let shared = self.shared;
        let parked = match next {
            Next::Park(parked) if !(parked.is_idle && shared.is_closing()) => parked,
            _ => {
                shared.parking.leave(place);
                return None;
            }
        };
        shared.parking.park(&place, &parked);
        if let Err(error) = self.list(&mut place, parked.pause) {
            shared.complain(|| {
                tracing::error!(target: "sockeye", %error, "cannot wait for a client, so it is turned away")
            });
            shared.parking.leave(place);
            return None;
        }
        let token = place.token();
        drop(place);
        shared.parking.take_up_again(token)
    }

    /// Sees to it that the poller tells of the connection in `place` when it can go on.
    fn list(&self, place: &mut Place, pause: Pause) -> io::Result<()> {
        let Some(connection) = &place.connection else {
            return Ok(());
        };
        let (socket, token) = (connection.transport(), place.token());
        let poller = &self.shared.poller;
        let interest = match (place.interest, pause) {
            (Some(_), Pause::Unheard) => return Ok(()),
            (None, Pause::Unheard) => Interest::Read,
            _ => Interest::Both,
        };
        match place.interest.replace(interest) {
            None => poller.add(socket, token, interest),
            Some(_) => poller.requeue(socket, token, interest),
        }
    }
}

/// What the watchman does. He asks no handler anything, since he would wait in one that blocks: what there is to do for
/// a connection he leaves to the crew.
impl<'a> Acceptor<'a> {
    /// Lets a new connection in.
    pub(super) fn welcome_late(&mut self, connection: Connection<TcpStream>) {
        if let Some(place) = self.let_in(connection) {
            self.hand_over(place);
        }
    }

    /// Answers or closes those who have waited too long.
    pub(super) fn sweep(&mut self) {
        for mut place in self.shared.parking.overdue(self.desk.now) {
            let next = match &mut place.connection {
                Some(connection) => connection.time_out(&mut self.desk),
                None => Next::Close,
            };
            if let Some((place, _)) = self.set_down(place, next) {
                self.hand_over(place);
            }
        }
    }

    /// Closes all idle connections but those that have said something meanwhile.
    pub(super) fn close_idle(&mut self) {
        for place in self.shared.parking.idle() {
            match &place.connection {
                Some(connection) if has_input(connection.transport()) => {
                    self.hand_over(place);
                }
                _ => self.shared.parking.leave(place),
            }
        }
    }

    /// Has the crew look at a connection.
    fn hand_over(&self, place: MutexGuard<'a, Place>) {
        let parked = Parked {
            // The crew sets another; this one holds if there turns out to be nothing to look at.
            until: after(self.desk.now, self.shared.config.head_timeout),
            pause: Pause::Yield,
            is_idle: false,
        };
        let mut place = Some(place);
        while let Some(taken) = place {
            place = self
                .set_down(taken, Next::Park(parked))
                .map(|(again, _)| again);
        }
    }
}

/// Whether there is something to read, if only an end.
fn has_input(socket: &TcpStream) -> bool {
    let peeked = socket.peek(&mut [0]);
    !matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
