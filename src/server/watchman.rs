//! The thread that called [`Server::serve`](super::Server::serve), or one like it for another crew: it replaces members
//! that are stuck, ends waits that took too long, and sees the server to its end. When nothing happens, it sleeps.

use std::time::{Duration, Instant};

use super::acceptor::Acceptor;
use super::connection::Connection;
use super::deadlines::after;
use super::shared::Shared;
use super::{Stop, Stopper, Summary, listener};

// A handler that takes longer is replaced. Most answers take a hundredth of it.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

// Between sweeps for overdue connections there are at least so many.
const SWEEP_INTERVALS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(5)..=Duration::from_millis(250);

// How long members may take to go home before they are taken for stuck in a handler.
const FAREWELL: Duration = Duration::from_millis(200);

// Clients that were in the queue when the server stopped and are still let in.
const LAST_CLIENTS_MAX: usize = 4096;

/// Watches until the server is stopped and all is done, then sends everybody home.
pub(super) fn watch(shared: &Shared, stopper: &Stopper) -> Summary {
    let mut acceptor = Acceptor::new(shared);
    let sweep_interval = shared
        .config
        .shortest_timeout()
        .div_f32(8.0)
        .clamp(*SWEEP_INTERVALS.start(), *SWEEP_INTERVALS.end());
    let mut seen = Vec::new();
    let mut next_sweep = Instant::now();
    let mut resume_at = None;
    while stopper.state() == Stop::No {
        let now = Instant::now();
        if now >= next_sweep {
            acceptor.look_up();
            acceptor.sweep();
            next_sweep = now + sweep_interval;
        }
        match resume_at {
            None => resume_at = shared.resume_at(now),
            Some(at) if now >= at => {
                shared.resume_accepting();
                resume_at = shared.resume_at(now);
            }
            Some(_) => {}
        }
        let is_active = shared.crew.look(&mut seen);
        let pause = if is_active {
            Some(LOOK_INTERVAL)
        } else {
            let due = shared.parking.next_due().map(|due| due.max(next_sweep));
            let next = [due, resume_at].into_iter().flatten().min();
            next.map(|next| next.saturating_duration_since(now))
        };
        if is_active {
            std::thread::park_timeout(LOOK_INTERVAL);
        } else if stopper.state() == Stop::No {
            shared.crew.sleep(&seen, pause);
        }
    }
    let summary = wind_up(shared, stopper, &mut acceptor);
    shared.ring_the_bell();
    let farewell = Instant::now() + FAREWELL;
    while shared.at_work() > 0 && Instant::now() < farewell {
        std::thread::park_timeout(LOOK_INTERVAL);
    }
    summary
}

/// Stops accepting, closes what is idle, and lets what is being answered finish within the grace period.
fn wind_up(shared: &Shared, stopper: &Stopper, acceptor: &mut Acceptor<'_>) -> Summary {
    shared.begin_closing();
    shared.stop_listening();
    acceptor.look_up();
    // Whoever was let into the queue has been promised an answer.
    for listener in shared.listeners.iter() {
        for _ in 0..LAST_CLIENTS_MAX {
            match listener::accept(listener) {
                Ok((stream, peer)) => acceptor.welcome_late(Connection::new(stream, peer)),
                Err(_) => break,
            }
        }
        // From here on clients are refused by the kernel; if that fails they are once the process is gone.
        let _ = rustix::net::shutdown(listener, rustix::net::Shutdown::Both);
    }
    let open = shared.parking.taken();
    acceptor.close_idle();
    let end = after(Instant::now(), shared.config.grace);
    let mut seen = Vec::new();
    while shared.parking.taken() > 0 && Instant::now() < end && stopper.state() != Stop::Now {
        acceptor.look_up();
        acceptor.sweep();
        acceptor.close_idle();
        shared.crew.look(&mut seen);
        std::thread::park_timeout(LOOK_INTERVAL);
    }
    let cut = shared.parking.taken();
    Summary {
        finished: open.saturating_sub(cut),
        cut,
    }
}
