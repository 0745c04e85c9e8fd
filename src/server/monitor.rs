//! The thread that called [`Server::serve`](super::Server::serve): it gives the permits of blocked workers to others, ends
//! waits that took too long, and sees the server to its end. When nothing happens, it sleeps.

use std::time::{Duration, Instant};

use super::shared::Shared;
use super::timeouts::after;
use super::worker::Worker;
use super::worker_pool::Seen;
use super::{Stop, Stopper, Summary, listener};

// A worker that is longer in something that may block is replaced. Most answers take a hundredth of it.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

// Between sweeps for overdue connections there are at least so many.
const SWEEP_INTERVALS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(5)..=Duration::from_millis(250);

// How long workers may take to end before they are taken for stuck in a handler.
const FAREWELL: Duration = Duration::from_millis(200);

// Clients that were in the queue when the server stopped and are still let in.
const LAST_CLIENTS_MAX: usize = 4096;

/// Monitors until the server is stopped and all is done, then ends every thread.
pub(super) fn monitor(shared: &Shared, stopper: &Stopper) -> Summary {
    let mut worker = Worker::new(shared, None);
    let sweep_interval = shared
        .config
        .shortest_timeout()
        .div_f32(8.0)
        .clamp(*SWEEP_INTERVALS.start(), *SWEEP_INTERVALS.end());
    let (pool, connections) = (&shared.pool, &shared.connections);
    let mut seen = Seen::default();
    let mut next_sweep = Instant::now();
    let mut resume_at = None;
    while stopper.state() == Stop::No {
        let now = Instant::now();
        if now >= next_sweep || connections.next_timer().is_some_and(|timer| now >= timer) {
            worker.look_up();
            worker.sweep();
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
        let is_active = pool.look(&mut seen);
        if is_active {
            let timer = connections.next_timer();
            let timer = timer.map(|at| at.saturating_duration_since(now));
            std::thread::park_timeout(
                timer.map_or(LOOK_INTERVAL, |timer| timer.min(LOOK_INTERVAL)),
            );
        } else {
            shared.alarm.sleep(|| {
                let is_quiet = pool.is_as_seen(&seen) && stopper.state() == Stop::No;
                is_quiet.then(|| {
                    let due = connections.next_due().map(|due| due.max(next_sweep));
                    let next = [due, connections.next_timer(), resume_at];
                    let next = next.into_iter().flatten().min()?;
                    let wait = next.saturating_duration_since(Instant::now());
                    Some((connections.millis(next), wait))
                })
            });
        }
    }
    let summary = wind_up(shared, stopper, &mut worker);
    shared.shut_down();
    let farewell = Instant::now() + FAREWELL;
    while shared.running() > 0 && Instant::now() < farewell {
        std::thread::park_timeout(LOOK_INTERVAL);
    }
    // Where all workers are stuck, no thread is left to drop these; their clients need not wait for that.
    for mut lease in shared.left_over() {
        lease.socket.shutdown();
        lease.let_be();
    }
    summary
}

/// Stops accepting, closes what is idle, and lets what is being answered finish within the grace period.
fn wind_up(shared: &Shared, stopper: &Stopper, worker: &mut Worker<'_>) -> Summary {
    shared.begin_closing();
    shared.stop_listening();
    worker.look_up();
    // A client that is in the accept queue has a connection already, and gets an answer.
    for listener in &shared.listeners {
        for _ in 0..LAST_CLIENTS_MAX {
            match listener::accept(listener) {
                Ok((stream, peer)) => worker.let_in_late(stream, peer),
                Err(_) => break,
            }
        }
        // From here on clients are refused by the kernel; if that fails they are once the process is gone.
        let _ = rustix::net::shutdown(listener, rustix::net::Shutdown::Both);
    }
    let connections = &shared.connections;
    let open = connections.taken();
    worker.close_idle();
    connections.wake_all();
    let end = after(Instant::now(), shared.config.grace);
    let mut seen = Seen::default();
    while connections.taken() > 0 && Instant::now() < end && stopper.state() != Stop::Now {
        worker.look_up();
        worker.sweep();
        worker.close_idle();
        shared.pool.look(&mut seen);
        std::thread::park_timeout(LOOK_INTERVAL);
    }
    let cut = connections.taken();
    Summary {
        finished: open.saturating_sub(cut),
        cut,
    }
}
